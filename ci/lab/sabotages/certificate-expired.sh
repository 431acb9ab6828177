#!/bin/sh
# The certificate is replaced by one of the same authority whose time is over.
# To be diagnosed: tls-certificate.
set -eu
cat /root/expired.crt >/etc/pki/tls/certs/localhost.crt
systemctl reload httpd
