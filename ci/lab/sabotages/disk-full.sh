#!/bin/sh
# Fills the root file system to the part that only root may use: root goes on working, httpd cannot write.
# To be diagnosed: resource-disk.
set -eu
user='setpriv --reuid apache --regid apache --clear-groups'
install -d -o apache -g apache /var/tmp/update
# At once what one call can get, then block after block; both end for want of room.
# shellcheck disable=SC2086 # words of a command
$user fallocate -l "$(($(stat -f -c '%a * %S' /)))" /var/tmp/update/most || :
# shellcheck disable=SC2086
$user dd if=/dev/zero of=/var/tmp/update/rest bs=4096 2>/dev/null || :
[ "$(stat -f -c %a /)" -eq 0 ]
