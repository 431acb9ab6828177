#!/bin/sh
# A packet filter refuses requests of other machines, in the words of a closed port; the host itself is served.
# To be diagnosed: firewall, although it looks as if nobody listened.
set -eu
nft -f - <<'RULES'
table inet lab_update {
  chain input {
    type filter hook input priority 0; policy accept;
    iifname != "lo" tcp dport 80 reject with tcp reset
  }
}
RULES
