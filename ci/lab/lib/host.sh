# shellcheck shell=bash
# What the build needs of this machine, said in one sentence where it is missing.
. "$LAB_SOURCE/../lib/packages.sh"

NO_BUILD_HINT="any lab VM works by simply being in an inventory: use existing test hosts instead"

check_platform() {
  [ "$(uname -s)/$(uname -m)" = Linux/x86_64 ] ||
    refuse "lab images can be built on Linux/x86_64 only, this is $(uname -s)/$(uname -m); $NO_BUILD_HINT"
}

# Called before the first stage that is not cached: a cached build needs nothing.
prepare_host() {
  [ -z "${HOST_READY:-}" ] || return 0
  command -v apt-get >/dev/null ||
    refuse "the images are made from Debian packages and apt-get is not here: build on Debian or Ubuntu, or copy a built cache from there; $NO_BUILD_HINT"
  [ "$(id -u)" -eq 0 ] ||
    refuse "the build needs root: SELinux labels of a foreign policy cannot be written from a user namespace; run it once with sudo (--cache $LAB_CACHE), or: $NO_BUILD_HINT"
  unshare --mount --pid --fork true 2>/dev/null ||
    refuse "the build needs to mount and to make namespaces, which this container forbids (run it on the host, or with --privileged); $NO_BUILD_HINT"
  check_disk
  install_missing mmdebstrap=mmdebstrap rpmbuild=rpm createrepo_c=createrepo-c modifyrepo_c=createrepo-c \
    mke2fs=e2fsprogs ssh-keygen=openssh-client cc=gcc,libc6-dev python3=python3 bzip2=bzip2 dpkg-deb=dpkg \
    /usr/libexec/selinux/hll/pp=policycoreutils \
    /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring setpriv=util-linux chroot=coreutils 8>&- 9>&- ||
    refuse "the build lacks commands (see above)"
  HOST_READY=yes
}

check_disk() {
  local free_mib
  free_mib=$(df --output=avail -m "$LAB_CACHE" | tail -n 1 | tr -d ' ')
  [ "$free_mib" -ge 4096 ] ||
    refuse "the build needs 4 GiB of disk and $LAB_CACHE has $free_mib MiB left (--cache chooses another place)"
}
