#!/bin/bash
# Stage "repos FLAVOUR": all RPMs of a flavour and its dnf repositories, with advisories in updateinfo.
#
# Result: stages/repos-FLAVOUR/{base,updates-february,updates-march,sabotage-NAME}
set -euo pipefail
. "$LAB_SOURCE/lib/common.sh"

flavour=$1
payload=$LAB_CACHE/stages/payload
flavours=$LAB_SOURCE/flavours
new=$LAB_CACHE/new/repos
build=$LAB_CACHE/new/rpmbuild
# shellcheck source=ci/lab/flavours/rebuild.conf
. "$flavours/$flavour.conf"
mkdir -p "$new" "$build/tmp"
sabotages=("$LAB_SOURCE"/sabotages/*.sh)
sabotages=("${sabotages[@]##*/}")
sabotages=("${sabotages[@]%.sh}")
export SOURCE_DATE_EPOCH=1700000000 # the same inputs make the same packages

# rpmbuild takes Debian's defaults (dash, stripping, /usr/lib64 plugins) unless told otherwise.
common=(
  --define "_topdir $build"
  --define "_tmppath $build/tmp"
  --define "_buildshell /bin/bash"
  --define "_buildhost lab.localdomain"
  --define "_build_id_links none"
  --define "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"
  --define "_binary_payload w3.zstdio"
  --define "_binary_filedigest_algorithm 8"
  --define "use_source_date_epoch_as_buildtime 1"
  --define "debug_package %{nil}"
  --define "__os_install_post %{nil}"
  --define "dist .el9"
  --define "vendor $os_name (lab)"
  --define "lab_flavour $flavour"
  --define "lab_os_id $os_id"
  --define "lab_os_name $os_name"
  --define "lab_os_like $os_like"
  --define "lab_release_package $release_package"
  --define "lab_banner $banner"
  --define "lab_dist_suffix $dist_suffix"
  --define "lab_payload $payload"
  --define "lab_lib $LAB_SOURCE/lib"
  --define "lab_sabotages $LAB_SOURCE/sabotages"
  --define "lab_sabotage_repos ${sabotages[*]/#/sabotage-}"
)
while read -r macro version; do common+=(--define "$macro $version"); done <"$payload/versions"

build_package() { # REPOSITORY SPEC [NAME=VALUE...]
  local repository=$1 spec=$2 pair
  local -a own=()
  for pair in "${@:3}"; do own+=(--define "lab_${pair%%=*} ${pair#*=}"); done
  echo "== $*"
  rpmbuild -bb --quiet "${common[@]}" "${own[@]}" --define "_rpmdir $new/$repository" \
    --define "_sourcedir $LAB_SOURCE/specs/$spec" "$LAB_SOURCE/specs/$spec.spec"
}

say "repos $flavour: RPMs"
count=0
while read -r -a row; do
  build_package "${row[@]}"
  count=$((count + 1))
done < <(sed 's/#.*//; /^ *$/d' "$flavours/common.packages" "$flavours/$flavour.packages")

# Runs a function on each of the arguments, on all processors; fails if one of them failed.
on_all_processors() { # FUNCTION ARGUMENT...
  local function=$1 argument
  shift
  for argument; do
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    "$function" "$argument" &
  done
  while [ -n "$(jobs -p)" ]; do wait -n; done
}

# In a process and a build tree of its own: all have the same name and version.
build_sabotage() { # NAME
  common+=(--define "_topdir $build/$1")
  build_package "sabotage-$1" trigger ver=2 "sabotage=$1"
}

say "repos $flavour: ${#sabotages[@]} sabotages"
on_all_processors build_sabotage "${sabotages[@]}"

describe() { # REPOSITORY
  createrepo_c -q --general-compress-type=gz "$1"
  case $1 in
    */updates-*)
      python3 "$LAB_SOURCE/lib/updateinfo.py" "$1" "$flavours/advisories" "$advisory_prefix" \
        >"$LAB_CACHE/new/updateinfo.xml"
      modifyrepo_c --mdtype=updateinfo "$LAB_CACHE/new/updateinfo.xml" "$1/repodata";;
  esac
}

say "repos $flavour: metadata"
for repository in "$new"/*; do describe "$repository"; done

out=$LAB_CACHE/stages/repos-$flavour
rm -rf "$out"
mv "$new" "$out"
say "repos $flavour: $(find "$out" -name '*.rpm' | wc -l) RPMs of $count specs, $(du -sm "$out" | cut -f1) MiB"
