//! Which package owns which file that has to do with a failure.

use std::time::Duration;

use patchgate_core::{
    diagnosis::{
        Found, Step,
        owners::{Answers, FILE, parse},
    },
    package::QUERY_FORMAT,
};

use super::{super::trouble, unavailable, words};
use crate::host::{Exit, Item, Reply, quote};

/// How many files rpm is asked about at most by one item: each is a process that opens the database.
const MOST: usize = 16;

/// Shell functions: `named` finds the absolute paths in a text, as
/// [`patchgate_core::diagnosis::complaint`] does, and `owned` asks rpm about those of its input that are
/// there, each once.
pub(super) fn functions() -> String {
    let format = quote::sh(QUERY_FORMAT);
    format!(
        r#"named() {{
  tr -s '[:space:]"`'\''()[]<>,;:|=' '\n' | awk '/^\/[^\/]/ {{ sub(/[.]+$/, ""); print }}'
}}
owned() {{
  command -v rpm >/dev/null || {{ echo 'there is no rpm' >&2; return 127; }}
  n=0
  awk '!seen[$0]++' | while IFS= read -r p; do
    [ -e "$p" ] || [ -L "$p" ] || continue
    n=$((n + 1)); [ $n -le {MOST} ] || break
    printf '{FILE}%s\n' "$p"
    rpm -qf --qf {format} "$p" 2>&1 </dev/null
  done
  return 0
}}
"#
    )
}

/// Asks about what the last lines of the logs name, the units' files and programs, and more files.
pub(super) fn item(units: &[String], logs: &[String], paths: &[String]) -> Item {
    let (functions, units) = (functions(), words(units));
    let (logs, paths) = (words(logs), words(paths));
    let script = format!(
        r#"{functions}
unit_files() {{
  command -v systemctl >/dev/null || {{ echo "/etc/rc.d/init.d/$1"; return; }}
  systemctl show -p FragmentPath -p ExecStart -p MainPID "$1" 2>/dev/null | while IFS= read -r l; do
    case $l in
    FragmentPath=/*) echo "${{l#*=}}" ;;
    ExecStart=*path=/*) l=${{l#*path=}}; echo "${{l%% *}}" ;;
    MainPID=0) ;;
    MainPID=*) e=$(readlink "/proc/${{l#*=}}/exe") && echo "${{e% (deleted)}}" ;;
    esac
  done
}}
{{
  for f in {logs}; do [ -f "$f" ] && [ -r "$f" ] && tail -c 8192 "$f" | tail -n 10 | named; done
  for u in {units}; do unit_files "$u"; done
  for p in {paths}; do printf '%s\n' "$p"; done
}} | owned"#
    );
    Item::new(script, Duration::from_secs(20))
}

/// What rpm said; a file of which it said nothing that can be read is told beside it.
pub(super) fn read(step: &Step, reply: &Reply) -> Result<Vec<Found>, String> {
    if reply.exit != Exit::Code(0) {
        return Err(trouble(&reply.exit, &reply.stderr.text()));
    }
    let Answers { owners, unanswered } = parse(&reply.stdout.text());
    let more = unanswered
        .first()
        .map(|path| unavailable(step, &format!("rpm does not say whose {path} is")));
    match more {
        Some(Found::Unavailable { why, .. }) if owners.is_empty() => Err(why),
        more => Ok(std::iter::once(Found::Owners { owners })
            .chain(more)
            .collect()),
    }
}
