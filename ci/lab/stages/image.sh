#!/bin/bash
# Stage "image FLAVOUR": a bootable, labelled ext4 image. Only here does the tree become Enterprise Linux: all RPMs
# of the repository `base` are installed by dnf, and the policy that they bring decides the labels.
#
# Result: images/FLAVOUR.{raw,vmlinuz,initrd,key,hostkeys}, images/probe.initrd
set -euo pipefail
. "$LAB_SOURCE/lib/common.sh"
. "$LAB_SOURCE/lib/tree.sh"

flavour=$1
new=$LAB_CACHE/new/images
hostkeys=$LAB_CACHE/hostkeys/$flavour
mkdir -p "$new"
make_scratch 3072
root=$SCRATCH/root
mkdir -p "$root"

unpack() {
  say "image $flavour: unpack"
  tar -xpf "$LAB_CACHE/stages/base/tree.tar" -C "$root" --numeric-owner --xattrs --xattrs-include='*' --exclude='./dev/*'
  # What would contradict the RPMs. A left-over /etc/selinux/config would win over the policy package's (noreplace),
  # and the guest would freeze at boot for want of Debian's policy.
  rm -rf "$root"/etc/selinux/{config,default} "$root/var/lib/selinux/default" "$root/etc/dnf/plugins/local.conf" \
    "$root"/etc/{debian_version,issue,os-release} "$root/usr/lib/os-release" "$root"/etc/ssh/ssh_host_*
  ln -s ../usr/lib/os-release "$root/etc/os-release"
  mkdir -p "$root/var/lib/rpm" "$root/var/lib/rpm-state" "$root/etc/selinux/targeted" "$root/srv/repo"
  cp -r "$LAB_CACHE/stages/repos-$flavour/." "$root/srv/repo/"
  tar -C "$LAB_SOURCE/guest" --owner=0 --group=0 --mode=u=rwX,go=rX -cf - usr etc | tar -C "$root" -xpf -
}

install_rpms() {
  say "image $flavour: dnf install"
  in_tree "$root" timeout 600 dnf -q -y --releasever=9 --repofrompath=base,file:///srv/repo/base --repo=base install '*'
  in_tree "$root" timeout 120 dnf -q --enablerepo='updates-*' --enablerepo='sabotage-*' makecache
}

settle() {
  say "image $flavour: settings"
  cp "$LAB_CACHE/id_ed25519.pub" "$root/tmp/authorized_keys"
  install -m 600 "$hostkeys"/ssh_host_*_key "$root/etc/ssh/"
  install -m 644 "$hostkeys"/ssh_host_*_key.pub "$root/etc/ssh/"
  in_tree "$root" sh -s "$flavour" <"$LAB_SOURCE/guest/settings.sh"
}

label() {
  local contexts=/etc/selinux/targeted/contexts/files/file_contexts
  say "image $flavour: labels"
  [ -f "$root$contexts" ] || fail "the policy package left no file contexts"
  mount -t proc proc "$root/proc"
  in_bare_tree "$root" setfiles -F "$contexts" /
  umount "$root/proc"
}

boot_files() {
  cp "$root"/boot/vmlinuz-* "$new/$flavour.vmlinuz"
  cc -O2 -Wall -Werror -static -o "$SCRATCH/init" "$LAB_SOURCE/lib/init.c"
  python3 "$LAB_SOURCE/lib/initramfs.py" "$SCRATCH/init" "$new/$flavour.initrd" "$root"/lib/modules/*
  python3 "$LAB_SOURCE/lib/initramfs.py" "$SCRATCH/init" "$new/probe.initrd"
}

file_system() {
  say "image $flavour: ext4"
  truncate -s 2G "$new/$flavour.raw"
  # Features that the guest's kernel and e2fsck know, whatever this machine's mke2fs prefers.
  mke2fs -q -t ext4 -L root -O ^metadata_csum_seed,^orphan_file -E lazy_itable_init=1,lazy_journal_init=1 \
    -d "$root" "$new/$flavour.raw"
}

# The image's identity. Each file system has a UUID of its own, so a rebuilt image never passes for the one before it.
identify() {
  blkid -p -s UUID -o value "$new/$flavour.raw" | sha256sum | cut -c1-32 >"$new/$flavour.key"
  cut -d' ' -f1,2 "$hostkeys"/*.pub >"$new/$flavour.hostkeys"
}

publish() {
  local images=$LAB_CACHE/images part
  rm -f "$images/$flavour.key"
  mv "$new/probe.initrd" "$images/"
  for part in raw vmlinuz initrd hostkeys key; do mv "$new/$flavour.$part" "$images/"; done
  say "image $flavour: $(du -m "$images/$flavour.raw" | cut -f1) MiB"
}

unpack
install_rpms
settle
label
boot_files
file_system
identify
publish
