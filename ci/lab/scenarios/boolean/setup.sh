#!/bin/sh
# httpd stands before an application on this host, as the boolean allows.
set -eu
setsebool -P httpd_can_network_connect on
install -d /srv/application
echo 'the application answers' >/srv/application/index.html
systemd-run --quiet --unit lab-application --working-directory /srv/application \
  python3 -m http.server --bind 127.0.0.1 9011
echo 'ProxyPass "/app/" "http://127.0.0.1:9011/"' >/etc/httpd/conf.d/application.conf
systemctl restart httpd
tries=0
until curl -sf -m 5 http://localhost/app/ | grep -q 'the application answers'; do [ "$((tries += 1))" -lt 100 ]; done
