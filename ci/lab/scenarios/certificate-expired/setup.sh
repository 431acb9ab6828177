#!/bin/sh
# An authority of the lab's own, /root/ca.crt, and two certificates of httpd's key for this address: one that is
# valid and in use, and one whose time is over, /root/expired.crt.
set -eu
cd /root
key=/etc/pki/tls/private/localhost.key
address=$(ip -4 -o address show dev eth0 | sed 's/.* inet //; s#/.*##')
new_key() { openssl ecparam -genkey -noout -name prime256v1 -out "$1"; }

new_key ca.key
openssl req -x509 -new -key ca.key -days 3650 -subj '/CN=Lab authority' -out ca.crt
new_key server.key
openssl req -new -key server.key -subj "/CN=$address" -out server.csr

mkdir -p issued
: >index.txt
echo 01 >serial
cat >ca.conf <<C
[ca]
default_ca = lab
[lab]
database = /root/index.txt
serial = /root/serial
new_certs_dir = /root/issued
certificate = /root/ca.crt
private_key = /root/ca.key
default_md = sha256
policy = any
unique_subject = no
x509_extensions = server
[any]
commonName = supplied
[server]
subjectAltName = IP:$address
extendedKeyUsage = serverAuth
C
issue() { openssl ca -batch -notext -config ca.conf -in server.csr -out "$1" -startdate "$2" -enddate "$3"; }
issue valid.crt 20200101000000Z 20491231235959Z
issue expired.crt 20200101000000Z 20210101000000Z

cat server.key >"$key"
cat valid.crt >/etc/pki/tls/certs/localhost.crt
systemctl restart httpd
curl -sf --cacert ca.crt -o /dev/null "https://$address/"
