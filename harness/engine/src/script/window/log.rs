//! auditd's log from the window's begin on, however it was rotated, truncated or compressed since.

use std::time::Duration;

use patchgate_core::{
    evidence::capture::{LogPosition, LogSlice, LogSource},
    reading::Reading,
};

use crate::{
    host::{Exit, Item, Reply, quote},
    script::{trouble, value},
};

/// How much of a log one window may bring: 8 MiB. The host sends no more.
pub(super) const SLICE_CAP: usize = 8 << 20;

/// Lets so many bytes through and counts the rest, which stays on the host.
pub(super) const BOUND: &str =
    "bound() { head -c $cap; printf 'dropped=%s\\n' \"$(wc -c)\" >&2; }\n";

/// The item that brings a log.
pub(super) fn item(script: String) -> Item {
    Item {
        // The first line comes on top.
        cap: SLICE_CAP + 4096,
        ..Item::new(script, Duration::from_secs(120))
    }
}

/// Brings the log from a position on. The first line says what follows. A file is the right one if the
/// begin marker stands in it, behind the position: device and inode alone can be another file's by now.
pub(super) fn slice_item(from: &Reading<LogPosition>, marker: Option<&str>) -> Item {
    item(match from {
        Reading::Missing { why } => {
            format!("printf 'slice none %s\\n' {}", quote::sh(&one_line(why)))
        }
        Reading::Known(from) => slice_script(from, marker),
    })
}

fn slice_script(from: &LogPosition, marker: Option<&str>) -> String {
    let LogPosition {
        device,
        inode,
        size,
        path,
    } = from;
    let (path, marker) = (quote::sh(path), quote::sh(marker.unwrap_or_default()));
    format!(
        "log={path} was='{device} {inode}' size={size} cap={SLICE_CAP} mark={marker}\n{BOUND}{SLICE}"
    )
}

/// Files are looked through from the newest on. Where none holds the marker (it was never sent, or never
/// written), the file with the same inode is taken.
const SLICE: &str = r#"
now=$(stat -L -c '%d %i %s' "$log" 2>&1) || { printf 'slice none %s\n' "$now"; exit 0; }
length=${now##* }
plain() {
  case $1 in
  *.gz) gzip -dc ;; *.xz) xz -dc ;; *.bz2) bzip2 -dc ;; *.zst) zstd -dcq ;; *) cat ;;
  esac <"$1"
}
rest() { plain "$1" | tail -c +$((size + 1)); }
holds() { rest "$1" 2>/dev/null | grep -aqF -e "$mark"; }
same() { [ "$(stat -L -c '%d %i' "$1" 2>/dev/null)" = "$was" ]; }
right() { if [ -n "$mark" ]; then holds "$log"; else [ "${now% *}" = "$was" ]; fi; }
if [ "$length" -ge $size ] && right; then
  echo 'slice audit-log whole'
  if [ $((length - size)) -le $cap ]; then tail -c +$((size + 1)) "$log"; else rest "$log" | bound; fi
  exit 0
fi
older() {
  n=1
  while :; do
    for f in "$log.$n" "$log.$n".*; do
      [ ! -e "$f" ] || { printf '%s\n' "$f"; n=$((n + 1)); continue 2; }
    done
    break
  done
  ls -1r "$log"-* 2>/dev/null
}
newest_first=$(older)
set -f; IFS='
'
search() {
  first= between=
  for f in $newest_first; do
    if "$1" "$f"; then first=$f; return 0; fi
    between="$f
$between"
  done
  return 1
}
all() { for f in $between; do plain "$f"; done; cat "$log"; }
if { [ -n "$mark" ] && search holds; } || { [ "${now% *}" != "$was" ] && search same; }; then
  echo 'slice audit-log rotated'
  { rest "$first"; all; } | bound
elif [ "${now% *}" != "$was" ]; then
  echo 'slice audit-log gone'; all | bound
elif [ "$length" -ge $size ]; then
  echo 'slice audit-log whole'; rest "$log" | bound
else
  echo 'slice audit-log truncated'; between=; all | bound
fi"#;

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
}

/// Reads the stretch of log.
#[must_use]
pub fn read_slice(reply: &Reply) -> LogSlice {
    let Some(answer) = Answer::of(reply) else {
        return nothing(&unanswered(reply));
    };
    match answer.head.as_str() {
        "slice audit-log whole" => answer.slice(LogSource::AuditLog, false, true),
        "slice audit-log rotated" => answer.slice(LogSource::AuditLog, true, true),
        "slice audit-log truncated" => answer.slice(LogSource::AuditLog, false, false),
        "slice audit-log gone" => answer.slice(LogSource::AuditLog, true, false),
        head => nothing(head.strip_prefix("slice none ").unwrap_or("not an answer")),
    }
}

/// Why there is no first line.
pub(super) fn unanswered(reply: &Reply) -> String {
    match &reply.exit {
        Exit::Code(0) => "not an answer".to_owned(),
        other @ (Exit::Code(_)
        | Exit::DeadlineExceeded
        | Exit::NotRun { .. }
        | Exit::Lost { .. }) => trouble(other, &reply.stderr.text()),
    }
}

/// A log as the host sent it: a first line, and what follows.
pub(super) struct Answer {
    pub(super) head: String,
    text: String,
    dropped: u64,
    trouble: Option<String>,
}

impl Answer {
    /// Reads it; what came before a bad end counts too.
    pub(super) fn of(reply: &Reply) -> Option<Self> {
        let text = reply.stdout.text();
        let (head, text) = text.split_once('\n')?;
        let errors = reply.stderr.text();
        let dropped = value(&errors, "dropped").and_then(|n| n.trim().parse::<u64>().ok());
        let failed = value(&errors, "rc").map(|rc| match rc {
            "124" => "reading it took too long".to_owned(),
            rc => format!("exit status {rc}"),
        });
        let ended = match &reply.exit {
            Exit::Code(0) => None,
            Exit::Code(_) | Exit::DeadlineExceeded | Exit::NotRun { .. } | Exit::Lost { .. } => {
                Some(unanswered(reply))
            }
        };
        Some(Self {
            head: head.to_owned(),
            text: text.to_owned(),
            dropped: reply.stdout.dropped + dropped.unwrap_or(0),
            trouble: ended.or(failed),
        })
    }

    pub(super) fn slice(self, source: LogSource, rotated: bool, reached_begin: bool) -> LogSlice {
        LogSlice {
            source,
            text: self.text,
            truncated_bytes: self.dropped,
            rotated,
            reached_begin,
            trouble: self.trouble,
        }
    }
}

/// A log of which there is nothing.
pub(super) fn nothing(why: &str) -> LogSlice {
    LogSlice {
        source: LogSource::None,
        text: String::new(),
        truncated_bytes: 0,
        rotated: false,
        reached_begin: false,
        trouble: Some(why.to_owned()),
    }
}

#[cfg(test)]
pub(super) mod tests;
