#!/bin/sh
# A scriptlet stops the service and does not start it again.
# To be diagnosed: service-down.
set -eu
systemctl stop httpd
