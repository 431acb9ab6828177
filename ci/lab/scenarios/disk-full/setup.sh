#!/bin/sh
# A page that must store 4 MiB before it can answer.
set -eu
setsebool httpd_builtin_scripting on
install -d -o apache -g apache /var/www/upload
chcon -t httpd_sys_rw_content_t /var/www/upload
cat >/var/www/html/upload.php <<'P'
<?php
ini_set("display_errors", "0");
ini_set("log_errors", "1");
// Without a name at once, so that whoever lists the directory meanwhile sees nothing.
$name = "/var/www/upload/" . uniqid();
$file = fopen($name, "x");
unlink($name);
$wrote = fwrite($file, str_repeat("x", 4 << 20));
if ($wrote !== 4 << 20) { http_response_code(500); exit("not stored"); }
echo "stored";
P
restorecon /var/www/html/upload.php
tries=0
until curl -sf -m 5 http://localhost/upload.php | grep -q stored; do [ "$((tries += 1))" -lt 20 ]; done
