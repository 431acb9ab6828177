# shellcheck shell=bash
# Content keys: a stage's key is a hash of all that goes into it, and of the keys of the stages before it.
# Paths are relative to $LAB_SOURCE; a folder stands for all its files.

# Hash of names and contents of files and folders. Of modes only the execute bit counts: the rest depends on the umask
# of the checkout. Fails if a file is missing.
hash_of() {
  (
    cd "$LAB_SOURCE" || exit 1
    {
      find "$@" -type f -perm /111 | LC_ALL=C sort
      find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -c1-24
  )
}

# Hash of words.
hash_words() { sha256sum <<<"$*" | cut -c1-24; }

base_key() {
  hash_words "$(hash_of stages/base.sh lib/tree.sh packages)" "${LAB_MIRROR:-}"
}
payload_key() {
  hash_words "$(base_key)" "$(hash_of stages/payload.sh policy lib/prune_cil.py)"
}
repos_key() { # FLAVOUR
  hash_words "$(payload_key)" "$(hash_of stages/repos.sh specs sabotages lib/updateinfo.py lib/relocate_httpd.py \
    flavours/advisories "flavours/$1.conf" flavours/common.packages "flavours/$1.packages")"
}
image_key() { # FLAVOUR; needs the login and host keys
  hash_words "$(repos_key "$1")" "$(hash_of stages/image.sh lib/tree.sh lib/initramfs.py lib/init.c guest "flavours/$1.conf")" \
    "$(cat "$LAB_CACHE/id_ed25519.pub" "$LAB_CACHE/hostkeys/$1"/*.pub 2>/dev/null)"
}
