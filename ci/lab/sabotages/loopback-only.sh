#!/bin/sh
# An update's configuration listens on the host's own address only.
# To be diagnosed: bound-to-loopback, from the restart on.
set -eu
sed -i 's/^Listen 80$/Listen 127.0.0.1:80/' /etc/httpd/conf/httpd.conf
grep -q '^Listen 127.0.0.1:80$' /etc/httpd/conf/httpd.conf
