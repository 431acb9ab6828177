# shellcheck shell=bash
# What the project's own scripts need, installed when it is missing. Source packages.sh first.

say() { printf '\n== %s\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# A Rust toolchain and what the C parts of the build need.
need_build_tools() {
  install_missing cargo=cargo-web,rustc-web cc=gcc,libc6-dev pkg-config=pkg-config \
    /usr/include/openssl/ssl.h=libssl-dev make=make || die "install the packages above, then run this again"
  local rust
  rust=$(rustc --version | cut -d' ' -f2)
  printf '1.90\n%s\n' "$rust" | sort -C -V ||
    die "Rust 1.90 or newer is needed, this is $rust: update it (rustup update stable, or apt-get update and upgrade)"
}

# Machines: QEMU and the network tools. The images' own needs are installed by ci/lab/build.
need_lab_tools() {
  install_missing qemu-system-x86_64=qemu-system-x86 qemu-img=qemu-utils ip=iproute2 ssh=openssh-client \
    python3=python3 || die "install the packages above, then run this again"
}

# Real servers in network namespaces, and what reads the scripts themselves.
need_test_tools() {
  install_missing /usr/sbin/sshd=openssh-server /usr/sbin/apache2=apache2-bin /usr/sbin/nft=nftables ip=iproute2 \
    dnf=dnf rpm=rpm rpmbuild=rpm createrepo_c=createrepo-c \
    curl=curl openssl=openssl shellcheck=shellcheck rustfmt=rustfmt-web python3=python3 strace=strace ||
    die "install the packages above, then run this again"
  command -v cargo-nextest >/dev/null || {
    say "installing cargo-nextest (once, some minutes)"
    cargo install --locked cargo-nextest || die "cargo-nextest could not be installed"
  }
}
