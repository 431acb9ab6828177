#!/bin/sh
# A policy module gives the page a type of its own, which httpd may not read, and says that denials of it are not logged.
# To be diagnosed: selinux-silent-denial; the label is what the policy wants, and no log has a denial.
set -eu
module=$(mktemp -d)
cat >"$module/lab_hidden.cil" <<'CIL'
(type lab_hidden_t)
(roletype object_r lab_hidden_t)
(typeattributeset file_type (lab_hidden_t))
(typeattributeset non_security_file_type (lab_hidden_t))
(typeattributeset non_auth_file_type (lab_hidden_t))
(dontaudit httpd_t lab_hidden_t (file (getattr open read map ioctl lock)))
(filecon "/var/www/html/index\.html" file (system_u object_r lab_hidden_t ((s0) (s0))))
CIL
semodule -i "$module/lab_hidden.cil"
rm -r "$module"
restorecon /var/www/html/index.html
[ "$(stat -c %C /var/www/html/index.html)" = system_u:object_r:lab_hidden_t:s0 ]
