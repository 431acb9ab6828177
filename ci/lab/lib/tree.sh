# shellcheck shell=bash
# Root trees in memory. A stage has a mount namespace of its own: what is mounted here is invisible outside and ends with it.

# Makes $LAB_CACHE/new/scratch, in memory if SIZE_MIB of it is free, else on disk.
make_scratch() { # SIZE_MIB
  local free_mib
  SCRATCH=$LAB_CACHE/new/scratch
  mkdir -p "$SCRATCH"
  free_mib=$(awk '/^MemAvailable:/ {print int($2 / 1024)}' /proc/meminfo)
  if [ "$free_mib" -gt "$1" ]; then
    mount -t tmpfs -o "size=$1M,mode=755" lab "$SCRATCH"
  else
    say "only $free_mib MiB of memory are free: working on disk, which is slower"
  fi
}

# Runs a command in a root tree, with /proc and the five harmless device nodes.
in_tree() { # ROOT COMMAND...
  local root=$1 status=0 device
  shift
  mount -t proc proc "$root/proc"
  mount -t tmpfs -o size=1M,mode=755 dev "$root/dev"
  for device in null zero full random urandom; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  in_bare_tree "$root" "$@" || status=$?
  umount -R "$root/dev"
  umount "$root/proc"
  return "$status"
}

# The same without any mount (file labels must not be written to the host's devices).
in_bare_tree() { # ROOT COMMAND...
  local root=$1
  shift
  chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
}
