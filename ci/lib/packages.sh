# shellcheck shell=bash
# Install what a script needs, by missing command and never by package list.
#
# A package that is installed already may be newer than the one that apt would choose (a backport), and naming
# it again makes apt refuse the whole set. So only packages whose commands are missing are asked for.

# Prints the package of each "COMMAND=PACKAGE[,PACKAGE]" argument whose command is missing, one a line.
# COMMAND may be the absolute path of a file.
missing_packages() {
  local need
  for need in "$@"; do
    [ -e "${need%%=*}" ] || command -v "${need%%=*}" >/dev/null || tr ',' '\n' <<<"${need#*=}"
  done | sort -u
}

# Installs the packages of the missing commands (arguments as above). Needs root and apt-get.
# Returns 1, with a sentence on stderr, if that is not possible or a command is still missing afterwards.
#
# A package from a backport that is older elsewhere can be taken away by what is installed, so the commands are
# looked for again after each round.
install_missing() {
  local -a packages
  local round
  for round in 1 2 3; do
    mapfile -t packages < <(missing_packages "$@")
    [ ${#packages[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
      echo "missing commands; on Debian run: apt-get install --no-install-recommends ${packages[*]}" >&2
      return 1
    fi
    [ "$round" -gt 1 ] || refresh_lists
    echo "installing ${packages[*]}" >&2
    apt_install "${packages[@]}" || { echo "apt-get could not install ${packages[*]}" >&2; return 1; }
  done
  mapfile -t packages < <(missing_packages "$@")
  [ ${#packages[@]} -eq 0 ] || { echo "still missing after apt-get: commands of ${packages[*]}" >&2; return 1; }
}

# Old lists name packages that are gone, or versions that are too old. Without a network the old ones must do.
refresh_lists() {
  timeout 300 apt-get -qq update >&2 || echo "the package lists could not be brought up to date" >&2
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -qq -y -o Dpkg::Use-Pty=0 install \
    --no-install-recommends "$@" >&2 </dev/null
}
