#!/bin/sh
# httpd may not open connections any more, which its proxy needs.
# To be diagnosed: selinux-boolean, httpd_can_network_connect.
set -eu
setsebool -P httpd_can_network_connect off
