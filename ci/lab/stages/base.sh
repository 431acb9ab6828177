#!/bin/bash
# Stage "base": the Debian substrate (kernel, systemd, libc, rpm and dnf, auditd, sshd) as a tree, and the Debian
# packages whose files later become RPMs. Nothing of it looks like Enterprise Linux yet.
#
# Result: stages/base/tree.tar, stages/base/debs/*.deb
set -euo pipefail
. "$LAB_SOURCE/lib/common.sh"
. "$LAB_SOURCE/lib/tree.sh"

DEBIAN_RELEASE=bookworm
new=$LAB_CACHE/new/base
export LAB_DEBS=$new/debs

words_of() { sed 's/#.*//' "$1" | tr -s ' \n' "$2" | sed "s/^$2//; s/$2\$//"; }

make_scratch 4096
mkdir -p "$LAB_DEBS"
LAB_PAYLOAD=$(words_of "$LAB_SOURCE/packages/payload.list" ' ')
export LAB_PAYLOAD
say "base: Debian packages into a tree (takes a minute or two)"
# The payload packages are fetched with the tree's own apt settings: the same release, whatever this machine runs.
# shellcheck disable=SC2016 # the hook's variables are mmdebstrap's
TMPDIR=$SCRATCH timeout 1800 mmdebstrap --mode=root --variant=apt --arch=amd64 \
  --include="$(words_of "$LAB_SOURCE/packages/base.list" ,)" \
  --aptopt='APT::Install-Recommends "false"' \
  --aptopt='Acquire::Languages "none"' \
  --aptopt='Acquire::Retries "3"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/i18n/*' \
  --customize-hook='cd "$LAB_DEBS" && APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -q download $LAB_PAYLOAD' \
  "$DEBIAN_RELEASE" "$new/tree.tar" ${LAB_MIRROR:+"$LAB_MIRROR"}

rm -rf "$LAB_CACHE/stages/base"
mv "$new" "$LAB_CACHE/stages/base"
say "base: $(du -m "$LAB_CACHE/stages/base/tree.tar" | cut -f1) MiB"
