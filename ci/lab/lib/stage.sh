# shellcheck shell=bash
# Stages and their cache. A stage's result counts only when its key file, written last, says the key of its inputs.

# True if OUTPUT was made from KEY and all FILES are there.
is_cached() { # KEYFILE KEY FILE...
  local file
  [ "$(cat "$1" 2>/dev/null)" = "$2" ] || return 1
  for file in "${@:3}"; do [ -e "$file" ] || return 1; done
}

need_base() {
  local key out=$LAB_CACHE/stages/base
  key=$(base_key)
  is_cached "$out.key" "$key" "$out/tree.tar" || run_stage "$key" "$out.key" base
}

need_payload() {
  local key out=$LAB_CACHE/stages/payload
  key=$(payload_key)
  is_cached "$out.key" "$key" "$out" && return
  need_base
  run_stage "$key" "$out.key" payload
}

need_repos() { # FLAVOUR
  local key out=$LAB_CACHE/stages/repos-$1
  key=$(repos_key "$1")
  is_cached "$out.key" "$key" "$out" && return
  need_payload
  run_stage "$key" "$out.key" repos "$1"
}

need_image() { # FLAVOUR
  local key out=$LAB_CACHE/images/$1
  make_login_key
  make_host_keys "$1"
  key=$(image_key "$1")
  if is_cached "$out.inputs" "$key" "$out".{raw,vmlinuz,initrd,key,hostkeys} "${out%/*}/probe.initrd"; then
    say "image $1: cached"
    return
  fi
  need_base
  need_repos "$1"
  run_stage "$key" "$out.inputs" image "$1"
}

# The key that opens root and cloud-user on every lab VM.
make_login_key() {
  [ -f "$LAB_CACHE/id_ed25519.pub" ] || make_key ed25519 "$LAB_CACHE/id_ed25519" patchgate-lab
}

# Host keys outlive rebuilds of an image, so that known_hosts entries stay true.
make_host_keys() { # FLAVOUR
  local type dir=$LAB_CACHE/hostkeys/$1
  mkdir -p "$dir"
  for type in ed25519 ecdsa rsa; do
    [ -f "$dir/ssh_host_${type}_key.pub" ] || make_key "$type" "$dir/ssh_host_${type}_key" "lab-$1"
  done
}

make_key() { # TYPE FILE COMMENT; the public half appears last
  rm -f "$2" "$2.new" "$2.new.pub"
  ssh-keygen -q -t "$1" -N '' -C "$3" -f "$2.new" >/dev/null
  mv "$2.new" "$2"
  mv "$2.new.pub" "$2.pub"
}

# Runs stages/NAME.sh in namespaces of its own. Its mounts and processes end with it, however it ends (the
# whole process namespace is killed), so an interrupted or crashed build leaves nothing mounted and nothing running.
run_stage() { # KEY KEYFILE NAME [FLAVOUR]
  local key=$1 keyfile=$2 name=$3 flavour=${4:-} label log status=0 began
  label=$name${flavour:+ $flavour}
  log=$LAB_CACHE/logs/$name${flavour:+-$flavour}.log
  prepare_host
  mkdir -p "$LAB_CACHE"/{logs,stages,images}
  rm -f "$keyfile"
  rm -rf "$LAB_CACHE/new"
  mkdir -p "$LAB_CACHE/new"
  began=$(date +%s)
  say "$label: begins"
  setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc --propagation private \
    bash "$LAB_SOURCE/stages/$name.sh" ${flavour:+"$flavour"} >"$log" 2>&1 </dev/null &
  BUSY_PID=$!
  wait "$BUSY_PID" || status=$?
  BUSY_PID=
  [ "$status" -eq 0 ] || stage_failed "$label" "$log" "$status"
  rm -rf "$LAB_CACHE/new"
  echo "$key" >"$keyfile.new"
  mv "$keyfile.new" "$keyfile"
  say "$label: done in $(($(date +%s) - began)) s"
}

stage_failed() { # LABEL LOG STATUS
  rm -rf "$LAB_CACHE/new"
  tail -n 20 "$2" | sed 's/^/    /' >&8
  fail "$1 failed (exit $3); the whole log is $2"
}

# Ends what is at work and tidies up, if this build has the lock. All results so far stay cached.
interrupted() { # EXIT_CODE
  trap '' INT TERM HUP
  if [ -n "${BUSY_PID:-}" ]; then
    kill -KILL "$BUSY_PID" 2>/dev/null || true
    wait "$BUSY_PID" 2>/dev/null || true
  fi
  [ -z "${LOCKED:-}" ] || rm -rf "$LAB_CACHE/new"
  say "interrupted; finished stages are kept"
  exit "$1"
}
