#!/bin/sh
# The service gets less memory than it has already: the kernel kills it.
# To be diagnosed: resource-oom.
set -eu
systemctl set-property --runtime httpd.service MemoryMax=2M
# Requests make it touch memory until the kernel has killed enough for systemd to give the unit up.
tries=0
while systemctl is-active --quiet httpd && [ "$((tries += 1))" -le 200 ]; do
  curl -s -m 2 -o /dev/null http://localhost/ || :
done
[ "$(systemctl show -p Result --value httpd)" = oom-kill ]
