#!/bin/sh
[ "$1" = --list ] || exit 3
cat <<'END'
{ "web": { "hosts": ["w1", "w2"], "vars": { "ansible_user": "script" }, "children": ["inner"] },
  "inner": { "hosts": ["i1"] }, "flat": ["w2", "f1"],
  "_meta": { "hostvars": { "w1": { "ansible_host": "192.0.2.31", "ansible_port": 2231 }, "ghost": {} } } }
END
