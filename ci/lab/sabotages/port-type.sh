#!/bin/sh
# The port 9009, on which httpd listens, loses its type: httpd may not bind to it when it is restarted.
# To be diagnosed: selinux-port.
set -eu
semanage port -d -t http_port_t -p tcp 9009
