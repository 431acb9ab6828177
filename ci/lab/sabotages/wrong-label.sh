#!/bin/sh
# The document root gets the label of a user's home, as after a careless copy.
# To be diagnosed: selinux-label; the denials are logged.
set -eu
chcon -R -t user_home_t /var/www/html
