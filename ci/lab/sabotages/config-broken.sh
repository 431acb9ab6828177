#!/bin/sh
# An update brings a configuration that httpd does not understand.
# To be diagnosed: config, from the restart on.
set -eu
printf 'ProxyPassAll on\n' >/etc/httpd/conf.d/update.conf
