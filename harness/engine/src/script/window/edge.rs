//! One end of a window: where the log stands, the marker, the control, and what audit says of itself.

use std::{fmt::Write as _, time::Duration};

use patchgate_core::{
    evidence::{
        capture::{DEFAULT_LOG, LogPosition, UptimeSpan, WeakMarks, WindowEdge},
        marker::{MarkerEnd, marker_text},
    },
    reading::Reading,
};

use super::{control, weak};
use crate::{
    host::{Item, Reply, quote},
    script::{answer, value},
};

/// How many seconds the end marker gets to reach the log, from an auditd that runs; 16 ms were the
/// most that was measured.
const MARKER_WAIT: u32 = 10;

/// Prints `key:line` for each line that a command says, then `key=ok`, or `key!why`. Leaves what it
/// said in `$out`, and in `$ok` whether it ended well. `show` says a file's one line, without a program.
const SAY: &str = r#"
nl='
'
say() {
  key=$1; shift
  if out=$("$@" 2>&1); then ok=1
  else rc=$? ok= out=${out%%"$nl"*}; printf '%s!%s\n' "$key" "${out:-exit status $rc}"; return 0; fi
  set -f; IFS=$nl
  for line in $out; do printf '%s:%s\n' "$key" "$line"; done
  set +f; unset IFS
  printf '%s=ok\n' "$key"
}
show() { line=; IFS= read -r line <"$1" || [ -n "$line" ] || return; printf '%s\n' "$line"; }
"#;

/// Finds the log: auditd's configuration names it, and what auditd has open is the truth of it (the
/// configuration may be newer than auditd, or the file moved under it).
const LOCATE: &str = r#"
case $ok$out in
1*pid*) pid=${out#*pid[ =]}; pid=${pid%%[!0-9]*} ;;
*) pid= ;;
esac
while IFS=' =' read -r k v rest; do [ "$k" != log_file ] || log=$v; done 2>/dev/null </etc/audit/auditd.conf
if [ "${pid:-0}" != 0 ]; then
  other=
  for f in /proc/$pid/fd/*; do
    [ ! "$f" -ef "$log" ] || { other=; break; }
    [ ! -f "$f" ] || other=$f
  done
  [ -z "$other" ] || { log=$(readlink "$other"); [ -e "$log" ] || log=$other; }
else
  weak=1
fi
say position stat -L -c '%d %i %s %n' "$log"
[ -n "$ok" ] && [ -r "$log" ] || weak=1
"#;

/// Sends the marker, and notes the uptime around it.
const MARK: &str = r#"
read -r up rest </proc/uptime
say marker auditctl -m "$mark"
read -r now rest </proc/uptime
echo "marked=$up $now"
"#;

/// Waits until the marker is in the log, or in the file that was the log a moment ago.
const ARRIVE: &str = r#"
end=$((${now%.*} + @WAIT@))
while [ -n "$ok" ]; do
  if tail -q -n 2000 "$log" "$log.1" 2>/dev/null | grep -aqF -e "$mark"; then echo arrived=1; break; fi
  read -r now rest </proc/uptime
  [ "${now%.*}" -lt $end ] && [ -r "$log" ] || break
  case $(auditctl -s 2>/dev/null) in *enabled[\ =]0*) break ;; *pid[\ =][1-9]*) ;; *) break ;; esac
  sleep 0.1
done
say position stat -L -c '%d %i %s %n' "$log"
say status auditctl -s
"#;

/// Audit's rules, the boot, the mode, and what the kernel says that it left out.
const STATE: &str = r#"
say rules auditctl -l
say boot show /proc/sys/kernel/random/boot_id
if [ -e /sys/fs/selinux/enforce ]; then echo selinux=1; say mode show /sys/fs/selinux/enforce
elif [ -e /selinux/enforce ]; then echo selinux=1; say mode show /selinux/enforce
else echo selinux=0; echo 'mode!no selinuxfs'; fi
kernel() {
  all=$(dmesg) || { rc=$?; printf '%s\n' "$all"; return $rc; }
  printf '%s\n' "$all" | grep -aE 'suppressed|audit_lost|audit_backlog|audit:.*(limit|overflow|daemon|disappeared)|lost due to|drop messages|Missed .* kernel messages'
  return 0
}
say kernel kernel
"#;

/// Opens a window.
#[must_use]
pub fn open_item(nonce: &str, id: &str) -> Item {
    let marker = quote::sh(&marker_text(nonce, id, MarkerEnd::Begin));
    let control = control::script(&control::name(nonce));
    let weak = weak::BEGIN;
    Item::new(
        format!(
            "mark={marker} weak=\nlog={DEFAULT_LOG}{SAY}say status auditctl -s{LOCATE}{MARK}\
             [ -n \"$ok\" ] || weak=1\n{weak}{control}{STATE}"
        ),
        Duration::from_secs(60),
    )
}

/// Looks at audit as an end of a window does, and writes nothing: no window is opened by it.
#[must_use]
pub fn look_item() -> Item {
    Item::new(
        format!("weak=\nlog={DEFAULT_LOG}{SAY}say status auditctl -s{LOCATE}{STATE}"),
        Duration::from_secs(30),
    )
}

/// What the end of a window needs to know of its begin.
pub(super) struct Closing {
    /// The end marker.
    pub(super) marker: String,
    /// The log.
    pub(super) log: Option<String>,
    /// Whether other logs have a begin marker, and so get an end marker.
    pub(super) weak: bool,
    /// The name that the control gives itself.
    pub(super) control: String,
}

/// Closes a window: the control, the marker, then the wait until that is in the log.
pub(super) fn close_item(closing: &Closing) -> Item {
    let mut script = format!("mark={}\n", quote::sh(&closing.marker));
    let log = closing.log.as_deref().unwrap_or(DEFAULT_LOG);
    let _ = write!(script, "log={}{SAY}", quote::sh(log));
    script += &control::script(&closing.control);
    if closing.weak {
        script += weak::END;
    }
    script += MARK;
    script += &ARRIVE.replace("@WAIT@", &MARKER_WAIT.to_string());
    script += STATE;
    Item::new(script, Duration::from_secs(60))
}

/// Whether the end marker reached auditd's log.
pub(super) fn arrived(reply: &Reply) -> bool {
    let text = answer(reply);
    text.known().and_then(|text| value(text, "arrived")) == Some("1")
}

/// Reads what an end of a window said.
#[must_use]
pub fn read_edge(reply: &Reply) -> (Reading<WindowEdge>, Reading<bool>) {
    let text = match answer(reply) {
        Reading::Known(text) => text,
        Reading::Missing { why } => return (Reading::missing(&why), Reading::missing(&why)),
    };
    let edge = WindowEdge {
        boot_id: said(&text, "boot"),
        audit_status: said(&text, "status"),
        audit_rules: said(&text, "rules"),
        marker: sent(&text, "marker"),
        log_position: said(&text, "position")
            .and_parse(|p| position(p), "stat said something else"),
        kernel_suppressions: said(&text, "kernel").and_parse(|t| Some(lines(t)), "never"),
        mode: said(&text, "mode"),
        marked: Some(marked(&text)),
        control: Some(control::read(&text)),
        weak: weak_marks(&text),
    };
    let selinux = match value(&text, "selinux") {
        Some(there) => Reading::Known(there == "1"),
        None => Reading::missing("the host does not say"),
    };
    (Reading::Known(edge), selinux)
}

/// The lines of a key, when it ended well.
fn said(text: &str, key: &str) -> Reading<String> {
    let failed = text
        .lines()
        .find_map(|l| l.strip_prefix(key)?.strip_prefix('!'));
    match (failed, value(text, key)) {
        (Some(why), _) => Reading::missing(why),
        (None, Some("ok")) => {
            let said = text
                .lines()
                .filter_map(|l| l.strip_prefix(key)?.strip_prefix(':'));
            Reading::Known(said.collect::<Vec<_>>().join("\n"))
        }
        (None, Some(_) | None) => Reading::missing("the host does not say"),
    }
}

/// Whether a marker was sent.
fn sent(text: &str, key: &str) -> Reading<()> {
    said(text, key).and_parse(|_| Some(()), "never")
}

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .filter(|l| !l.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

fn position(text: &str) -> Option<LogPosition> {
    let mut parts = text.splitn(4, ' ');
    let mut number = || parts.next()?.parse::<u64>().ok();
    let (device, inode, size) = (number()?, number()?, number()?);
    Some(LogPosition {
        device,
        inode,
        size,
        path: parts.next()?.to_owned(),
    })
}

/// The uptime around the marker, from seconds with two decimals.
fn marked(text: &str) -> Reading<UptimeSpan> {
    let ms = |text: &str| {
        let (s, cs) = text.split_once('.')?;
        let cs = Some(cs).filter(|cs| cs.len() == 2)?;
        Some(s.parse::<u64>().ok()? * 1000 + cs.parse::<u64>().ok()? * 10)
    };
    let span = value(text, "marked").and_then(|both| both.split_once(' '));
    let span = span.and_then(|(from, to)| {
        Some(UptimeSpan {
            from_ms: ms(from)?,
            to_ms: ms(to)?,
        })
    });
    match span {
        Some(span) => Reading::Known(span),
        None => Reading::missing("the host does not tell its uptime"),
    }
}

/// What was noted for other logs; none where the host saw no need.
fn weak_marks(text: &str) -> Option<WeakMarks> {
    value(text, "weak")?;
    Some(WeakMarks {
        journal_cursor: said(text, "cursor"),
        journal_marker: sent(text, "entry"),
        kernel_line: said(text, "ring"),
        kernel_marker: sent(text, "line"),
    })
}

#[cfg(test)]
mod tests;
