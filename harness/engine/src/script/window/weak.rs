//! The logs that stand in for auditd's: the journal, else the kernel ring.
//!
//! Nobody vouches for what they lose, so they never make a window complete; denials that stand there
//! count all the same. Where auditd's log is in doubt at the begin already, cursor and last line are
//! noted and both get markers of their own (`auditctl -m` reaches the journal of newer kernels only).

use patchgate_core::evidence::capture::{LogSlice, LogSource};

use super::log::{self, Answer, BOUND, SLICE_CAP, nothing};
use crate::host::{Item, Reply, quote};

/// Sends the markers, if there is a doubt.
pub(super) const BEGIN: &str = r#"
if [ -n "$weak" ]; then
  echo weak=1
  cursor() {
    c=$(timeout 10 journalctl -q --no-pager -n 1 -o cat --show-cursor) || return
    case $c in *'-- cursor: '*) printf '%s\n' "${c##*-- cursor: }" ;; *) echo 'the journal has no cursor'; return 1 ;; esac
  }
  ring() { dmesg >/dev/null || return; dmesg | tail -n 1; }
  line() { [ -c /dev/kmsg ] || { echo 'there is no /dev/kmsg'; return 1; }; printf '%s\n' "$mark" >/dev/kmsg; }
  say cursor cursor
  say ring ring
  say entry logger -t patchgate -- "$mark"
  say line line
fi
"#;

/// Sends the markers.
pub(super) const END: &str = r#"
echo weak=1
line() { [ -c /dev/kmsg ] || { echo 'there is no /dev/kmsg'; return 1; }; printf '%s\n' "$mark" >/dev/kmsg; }
say entry logger -t patchgate -- "$mark"
say line line
"#;

/// Where reading begins.
pub(super) struct From {
    /// The journal's cursor at the begin, if it was noted.
    pub(super) cursor: Option<String>,
    /// Whether the journal has a begin marker, and so gets an end marker that can be awaited.
    pub(super) marked: bool,
    /// The uptime at the begin, in seconds.
    pub(super) uptime_s: Option<u64>,
    /// The last line of the kernel ring at the begin, if it was noted.
    pub(super) line: Option<String>,
}

/// Brings the journal, else the kernel ring.
pub(super) fn item(from: &From, end_marker: &str) -> Item {
    let since = match (&from.cursor, from.uptime_s) {
        (Some(cursor), _) => format!("from={}", quote::sh(&format!("--after-cursor={cursor}"))),
        // A second earlier: what is too early has a time, and is told by that.
        (None, Some(up)) => format!(
            "read -r now rest </proc/uptime\nfrom=--since=@$(($(date +%s) - (${{now%.*}} - {up}) - 1))"
        ),
        (None, None) => "from=-b".to_owned(),
    };
    let line = quote::sh(from.line.as_deref().unwrap_or_default());
    let mark = if from.marked { end_marker } else { "" };
    let mark = quote::sh(mark);
    log::item(format!(
        "cap={SLICE_CAP} mark={mark}\n{since}\nLINE={line}; export LINE\n{BOUND}{READ}"
    ))
}

const READ: &str = r#"
journal() {
  command -v journalctl >/dev/null || { echo 'there is no journalctl' >&2; return 1; }
  timeout 10 journalctl -q --no-pager -n 1 -o cat >/dev/null || return
  if [ -n "$mark" ]; then
    read -r end rest </proc/uptime; end=$((${end%.*} + 10))
    until timeout 10 journalctl -q --no-pager -n 50 -o cat SYSLOG_IDENTIFIER=patchgate 2>/dev/null | grep -aqF -e "$mark"; do
      read -r now rest </proc/uptime
      [ "${now%.*}" -lt $end ] || break
      sleep 0.1
    done
  fi
  fields=--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_TRANSPORT,_AUDIT_ID,_AUDIT_TYPE_NAME,_SOURCE_REALTIME_TIMESTAMP
  timeout 10 journalctl -q --no-pager -n 1 -o json $fields >/dev/null 2>&1 || fields=
  echo 'slice journal whole'
  {
    timeout 30 journalctl -q --no-pager -o json $fields "$from" _TRANSPORT=audit _TRANSPORT=kernel _TRANSPORT=driver + SYSLOG_IDENTIFIER=patchgate
    rc=$?; [ $rc = 0 ] || echo "rc=$rc" >&2
  } | bound
}
ring() {
  dmesg >/dev/null || return
  dmesg | awk '
    $0 == ENVIRON["LINE"] { n = 0; found = 1; next }
    { line[n++] = $0 }
    END {
      print "slice kernel-ring " (found ? "whole" : "wrapped")
      for (i = 0; i < n; i++) print line[i]
    }' | bound
}
journal || ring || echo 'slice none'"#;

/// Reads it.
pub(super) fn read(reply: &Reply) -> LogSlice {
    let Some(answer) = Answer::of(reply) else {
        return nothing(&log::unanswered(reply));
    };
    match answer.head.as_str() {
        "slice journal whole" => answer.slice(LogSource::Journal, false, true),
        "slice kernel-ring whole" => answer.slice(LogSource::KernelRing, false, true),
        "slice kernel-ring wrapped" => answer.slice(LogSource::KernelRing, false, false),
        _ => {
            let errors = reply.stderr.text();
            let said: Vec<&str> = errors.lines().collect();
            nothing(&format!(
                "no journal and no kernel ring: {}",
                said.join("; ")
            ))
        }
    }
}

#[cfg(test)]
mod tests;
