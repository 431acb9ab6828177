#!/bin/bash
# Stage "payload": the files of the Debian packages, and two stores of policy modules in CIL: one good, one broken.
#
# Result: stages/payload/{root,contexts,good,broken,versions}
set -euo pipefail
. "$LAB_SOURCE/lib/common.sh"

new=$LAB_CACHE/new/payload
policy=$LAB_SOURCE/policy
raw=$LAB_CACHE/new/raw
mkdir -p "$new"/{root,contexts,good,broken} "$raw"

# Versions are the binaries' own: payload_NAME VERSION, without epoch and Debian revision.
for deb in "$LAB_CACHE"/stages/base/debs/*.deb; do
  dpkg-deb -x "$deb" "$new/root"
  version=$(dpkg-deb -f "$deb" Version | sed 's/^[0-9]*://; s/[-+~].*//')
  echo "payload_$(dpkg-deb -f "$deb" Package | tr -c 'a-z0-9\n' _) $version"
done >"$new/versions"

say "payload: policy modules to CIL"
for module in base $(sed 's/#.*//' "$policy/modules.list"); do
  bzip2 -dc "$new/root/usr/share/selinux/default/$module.pp.bz2" >"$raw/module.pp"
  /usr/libexec/selinux/hll/pp "$raw/module.pp" "$raw/$module.cil"
done
sed -i '/^(selinuxuser sddm /d' "$raw/base.cil" # names a role of a module that is left out
cp "$policy/el9.cil" "$raw/"
python3 "$LAB_SOURCE/lib/prune_cil.py" "$raw" "$new/good"
cp "$new"/good/*.cil "$new/broken/"
sed -i -f "$policy/broken.sed" "$new/broken/apache.cil"
changed=$(diff "$new/good/apache.cil" "$new/broken/apache.cil" | grep -c '^>' || true)
[ "$changed" -eq 1 ] || fail "the rule that the broken policy lacks was found $changed times in apache.cil, not once"

contexts=$new/root/etc/selinux/default/contexts
cp -r "$contexts/." "$new/contexts/"
rm -f "$new"/contexts/files/file_contexts{,.homedirs,.local}{,.bin}

rm -rf "$LAB_CACHE/stages/payload"
mv "$new" "$LAB_CACHE/stages/payload"
