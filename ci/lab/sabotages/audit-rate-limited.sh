#!/bin/sh
# The kernel may write one audit record a second and loses the others; then a page gets a label that httpd may not read.
# To be diagnosed: selinux-label; that records were lost must be said.
set -eu
auditctl -r 1
chcon -R -t user_home_t /var/www/html
n=0
while [ "$((n += 1))" -le 20 ]; do auditctl -m "flood $n" || :; done
[ "$(auditctl -s | sed -n 's/^lost //p')" -gt 0 ]
