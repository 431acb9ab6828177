#!/bin/sh
# Nobody writes the audit log any more, and then a page gets a label that httpd may not read.
# To be diagnosed: selinux-label; nothing may be said of denials that were not logged.
set -eu
systemctl stop auditd
chcon -R -t user_home_t /var/www/html
