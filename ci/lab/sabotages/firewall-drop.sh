#!/bin/sh
# A packet filter lets requests of other machines fall; the host itself is served.
# To be diagnosed: firewall; clients run into a timeout.
set -eu
nft -f - <<'RULES'
table inet lab_update {
  chain input {
    type filter hook input priority 0; policy accept;
    iifname != "lo" tcp dport 80 drop
  }
}
RULES
