//! The policy and its labels.

use std::{collections::BTreeMap, time::Duration};

use patchgate_core::{
    facts::Facts,
    reading::Reading,
    snapshot::{
        policy::PolicySnapshot,
        read::{labels, store},
    },
};

use super::{
    Watched,
    sections::{Said, Sections, prelude},
};
use crate::host::{Item, Reply, quote};

/// How many paths are looked at in one directory.
const IN_DIRECTORY: usize = 100;

/// How many paths are looked at in all.
const PATHS: usize = 300;

/// Settings, the policy on disk, the store, and the booleans.
///
/// Files of selinuxfs have no line break at their end, so `read` fails on them and still reads. The
/// store is below /var/lib/selinux from EL8 on, below /etc/selinux in EL7, and in `modules/active`
/// there in EL6. libselinux loads the policy with the highest version that the kernel takes.
const POLICY: &str = r#"
fs= type=
for d in /sys/fs/selinux /selinux; do [ -r "$d/enforce" ] && { fs=$d; break; }; done
[ -n "$fs" ] && one enforce "$fs/enforce"
if [ -r /etc/selinux/config ]; then
  while IFS= read -r v || [ -n "$v" ]; do
    case $v in
      SELINUX=*) printf '%s\n' "$v";;
      SELINUXTYPE=*) [ -n "$type" ] || { type=${v#*=}; type=${type%%[!A-Za-z0-9_.-]*}; };;
    esac
  done </etc/selinux/config
else echo 'SELINUX!there is no /etc/selinux/config'; fi
if read -r v </proc/cmdline; then
  set -f
  for w in $v; do
    case $w in selinux=*|enforcing=*|autorelabel*|audit=*|audit_*=*|security=*|lsm=*) printf 'argument:%s\n' "$w";; esac
  done
  set +f
  echo arguments=ok
fi 2>/dev/null
if [ -e /.autorelabel ]; then echo autorelabel=1; else echo autorelabel=0; fi
none='/etc/selinux/config names no policy'
[ -n "$type" ] || printf '%s\n' "disk!$none" "modules!$none" "local!$none"
if [ -n "$type" ]; then
  v= best=
  [ -n "$fs" ] && IFS= read -r v <"$fs/policyvers"
  for f in "/etc/selinux/$type/policy"/policy.*; do
    n=${f##*.}
    case $n in *[!0-9]*) continue;; esac
    [ "$n" -le "${v:-9999}" ] && [ "$n" -gt "${best:-0}" ] && best=$n
  done
  if [ -n "$best" ]; then say disk sha256sum "/etc/selinux/$type/policy/policy.$best"
  else echo "disk!no policy below /etc/selinux/$type/policy"; fi
  store=
  for d in "/var/lib/selinux/$type/active" "/etc/selinux/$type/active" "/etc/selinux/$type/modules/active"; do
    [ -d "$d" ] && { store=$d; break; }
  done
  none="no policy store of $type below /var/lib/selinux or /etc/selinux"
  [ -z "$store" ] || none="$store may not be read"
  if [ -n "$store" ] && [ -r "$store" ] && cd "$store/modules"; then
    printf 'module:%s\n' [0-9]*/* disabled/* *.pp *.pp.disabled
    echo modules=ok
    cd "$store"
    set --
    for f in *.local "/etc/selinux/$type/contexts/files/file_contexts.subs"; do [ -f "$f" ] && set -- "$@" "$f"; done
    if [ $# -gt 0 ]; then most local grep -aH . "$@"; else echo local=none; fi
  else printf '%s\n' "modules!$none" "local!$none"; fi
fi 2>/dev/null
if [ -n "$fs" ]; then
  b=
  for f in "$fs"/booleans/*; do
    v=; IFS= read -r v <"$f"; [ -n "$v" ] && b="${b}boolean:${f##*/} $v$nl"
  done 2>/dev/null
  if [ -n "$b" ]; then printf '%sbooleans=ok\n' "$b"; else echo "booleans!$fs/booleans may not be read"; fi
else
  for k in enforce booleans is; do echo "$k!there is no selinuxfs"; done
fi
"#;

/// Labels of the paths in `$@` and of what lies directly in them; for each the true path, because file
/// contexts are by true paths. What matchpathcon wants for all of them is one call.
fn label_script(paths: &[String]) -> String {
    let quoted: Vec<_> = paths.iter().map(|p| quote::sh(p)).collect();
    let quoted = quoted.join(" ");
    format!(
        r#"
if [ -n "$fs" ]; then
  set --
  for p in {quoted}; do
    p=${{p%/}}
    [ -e "$p" ] || [ -L "$p" ] || continue
    cd -P "${{p%/*}}/" && set -- "$@" "${{PWD%/}}/${{p##*/}}"
  done
  for p in {quoted}; do
    [ -d "$p" ] && cd -P "$p" || continue
    n=0
    for f in "${{PWD%/}}"/* "${{PWD%/}}"/.[!.]*; do
      [ -e "$f" ] || [ -L "$f" ] || continue
      case $f in *"$nl"*) continue;; esac
      [ $n -lt {IN_DIRECTORY} ] && [ $# -lt {PATHS} ] || break
      n=$((n + 1)); set -- "$@" "$f"
    done
  done
  cd /
  if [ $# -eq 0 ]; then echo is=none
  else
    say is stat -c '%C %n' -- "$@"
    has matchpathcon && say should matchpathcon "$@"
  fi
fi 2>/dev/null
exit 0
"#
    )
}

/// Asks for the policy.
pub(super) fn item(watched: &Watched) -> Item {
    let script = format!("{}{POLICY}{}", prelude(), label_script(&watched.paths));
    Item {
        cap: 1 << 20,
        ..Item::new(script, Duration::from_secs(60))
    }
}

/// Reads the answer.
pub(super) fn read(facts: &Facts, reply: &Reply) -> Reading<PolicySnapshot> {
    let said = match Sections::of(reply) {
        Ok(said) => said,
        Err(why) => return Reading::Missing { why },
    };
    let modules = said
        .list("module", "modules")
        .and_parse(|names| Some(store::modules(names.iter().copied())), "never");
    Reading::Known(PolicySnapshot {
        mode: mode(&said),
        config_mode: said
            .value("SELINUX")
            .and_parse(|v| Some(v.trim().to_owned()), "never"),
        kernel_arguments: said.list("argument", "arguments").and_parse(owned, "never"),
        autorelabel: said
            .value("autorelabel")
            .and_parse(|v| Some(*v == "1"), "never"),
        loaded_sha256: loaded(facts),
        disk_sha256: said
            .text("disk")
            .and_parse(|t| checksum(t), "sha256sum says no checksum"),
        permissive: modules
            .clone()
            .and_parse(|m| Some(store::permissive(m)), "never"),
        modules,
        booleans: booleans(&said),
        customizations: customizations(&said),
        labels: labels(&said),
    })
}

fn owned(words: &Vec<&str>) -> Option<Vec<String>> {
    Some(words.iter().map(|w| (*w).to_owned()).collect())
}

/// Without selinuxfs the mode is `Disabled`: that is what `getenforce` says there too.
fn mode(said: &Sections) -> Reading<String> {
    match said.value("enforce") {
        Reading::Known("1") => Reading::Known("Enforcing".to_owned()),
        Reading::Known("0") => Reading::Known("Permissive".to_owned()),
        Reading::Known(other) => Reading::missing(format!("selinuxfs says `{other}`")),
        Reading::Missing { why } if why == "there is no selinuxfs" => {
            Reading::Known("Disabled".to_owned())
        }
        Reading::Missing { why } => Reading::Missing { why },
    }
}

/// The checksum that the facts have.
fn loaded(facts: &Facts) -> Reading<String> {
    let selinux = match &facts.selinux {
        Reading::Known(selinux) => selinux,
        Reading::Missing { why } => return Reading::missing(why),
    };
    match &selinux.policy_sha256 {
        Some(sum) => Reading::Known(sum.clone()),
        None if selinux.mode == "Disabled" => Reading::missing("there is no selinuxfs"),
        None => Reading::missing("the loaded policy may not be read"),
    }
}

/// The first word of `sha256sum FILE`.
fn checksum(text: &str) -> Option<String> {
    let sum = text.split_whitespace().next()?;
    let hex = sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit());
    hex.then(|| sum.to_owned())
}

/// `NAME current pending`: the first value is in force.
fn booleans(said: &Sections) -> Reading<BTreeMap<String, bool>> {
    let one = |line: &&str| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        match words.next()? {
            "1" => Some((name, true)),
            "0" => Some((name, false)),
            _ => None,
        }
    };
    let all = |lines: &Vec<&str>| lines.iter().map(one).collect();
    said.list("boolean", "booleans")
        .and_parse(all, "a boolean is neither on nor off")
}

/// grep's exit status is 1 when no file has a line that says something.
fn customizations(said: &Sections) -> Reading<BTreeMap<String, Vec<String>>> {
    if let Reading::Known("none") = said.value("local") {
        return Reading::Known(BTreeMap::new());
    }
    match said.said("local") {
        Reading::Known(Said { exit: 0 | 1, text }) => Reading::Known(store::customizations(&text)),
        Reading::Known(failed) => Reading::missing(failed.failure()),
        Reading::Missing { why } => Reading::Missing { why },
    }
}

/// One file may vanish in between: stat fails then and has told of all others.
fn labels(said: &Sections) -> Reading<Vec<patchgate_core::snapshot::policy::PathLabel>> {
    if let Reading::Known("none") = said.value("is") {
        return Reading::Known(Vec::new());
    }
    let is = match said.said("is") {
        Reading::Known(is) => is,
        Reading::Missing { why } => return Reading::Missing { why },
    };
    let should = said.said("should").known().map(|s| s.text.clone());
    let labels = labels::of_paths(&is.text, &should.unwrap_or_default());
    if labels.is_empty() {
        return Reading::missing(is.failure());
    }
    Reading::Known(labels)
}
