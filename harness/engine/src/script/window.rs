//! The two ends of a window on the host, and the stretch of audit log between them.
//!
//! A window is bounded by two user records that carry a nonce. The log's position is noted before the
//! begin marker is written; at the end the log is read from there on, through a rotation if there was
//! one, once the end marker has reached it. Nothing sleeps for a fixed time and nothing is cleared.

use std::time::Duration;

use patchgate_core::{
    evidence::{
        capture::{LogPosition, LogSlice, LogSource, WindowCapture, WindowEdge},
        marker::{MarkerEnd, marker_text},
    },
    reading::Reading,
};

use super::{answer, value};
use crate::host::{Item, Reply, quote};

/// How much of the audit log one window may bring: 8 MiB.
const SLICE_CAP: usize = 8 << 20;

/// How many seconds the end marker gets to reach the log, from an auditd that runs; 16 ms were the
/// most that was measured.
const MARKER_WAIT: u32 = 10;

/// Prints `key:line` for each line that a command says, then `key=ok`, or `key!why`.
const SAY: &str = r#"
say() {
  key=$1; shift
  out=$("$@" 2>&1) || { rc=$?; out=${out%%
*}; printf '%s!%s\n' "$key" "${out:-exit status $rc}"; return 0; }
  printf '%s\n' "$out" | while IFS= read -r line; do printf '%s:%s\n' "$key" "$line"; done
  printf '%s=ok\n' "$key"
}
"#;

/// What an end of a window looks like: audit's own status, the boot, the mode, and what the kernel
/// says that it left out.
const EDGE: &str = r#"
say status auditctl -s
say rules auditctl -l
say boot cat /proc/sys/kernel/random/boot_id
if [ -e /sys/fs/selinux/enforce ]; then echo selinux=1; say mode cat /sys/fs/selinux/enforce
elif [ -e /selinux/enforce ]; then echo selinux=1; say mode cat /selinux/enforce
else echo selinux=0; echo 'mode!no selinuxfs'; fi
kernel() {
  dmesg >/dev/null || return
  dmesg | grep -aE 'suppressed|audit_lost|audit_backlog|audit:.*(limit|overflow|daemon|disappeared)|lost due to|drop messages|Missed .* kernel messages'
  return 0
}
say kernel kernel
"#;

const LOG: &str = "/var/log/audit/audit.log";

/// Opens a window.
#[must_use]
pub fn open_item(nonce: &str, id: &str) -> Item {
    let marker = quote::sh(&marker_text(nonce, id, MarkerEnd::Begin));
    let script = format!(
        "{SAY}say position stat -c '%d %i %s' {LOG}\nsay marker auditctl -m {marker}\n{EDGE}"
    );
    Item::new(script, Duration::from_secs(30))
}

/// Closes a window: the marker, then the wait until it is in the log.
#[must_use]
pub fn close_item(nonce: &str, id: &str) -> Item {
    let marker = quote::sh(&marker_text(nonce, id, MarkerEnd::End));
    let script = format!(
        "{SAY}say marker auditctl -m {marker}\n\
         read -r end rest </proc/uptime; end=$((${{end%.*}} + {MARKER_WAIT}))\n\
         until tail -n 2000 {LOG} 2>/dev/null | grep -aqF -e {marker}; do\n\
         read -r now rest </proc/uptime\n\
         [ \"${{now%.*}}\" -lt $end ] && [ -r {LOG} ] || break\n\
         auditctl -s 2>/dev/null | grep -q 'pid[ =][1-9]' || break\n\
         sleep 0.1\n\
         done\n\
         say position stat -c '%d %i %s' {LOG}\n{EDGE}"
    );
    Item::new(script, Duration::from_secs(60))
}

/// Looks at audit as an end of a window does, and writes nothing: no window is opened by it.
#[must_use]
pub fn look_item() -> Item {
    let script = format!("{SAY}say position stat -c '%d %i %s' {LOG}\n{EDGE}");
    Item::new(script, Duration::from_secs(30))
}

/// Reads what [`look_item`] said, as a window that has a begin without a marker and no end.
#[must_use]
pub fn read_look(reply: &Reply) -> WindowCapture {
    const WHY: &str = "audit was only looked at, no window was opened";
    let mut open = Open::new("none", "look", reply);
    if let Reading::Known(edge) = &mut open.begin {
        edge.marker = Reading::missing(WHY);
    }
    open.abandon(WHY)
}

/// Brings the log from a position on. The first line says what follows.
#[must_use]
pub fn slice_item(from: &Reading<LogPosition>) -> Item {
    let script = match from {
        Reading::Missing { why } => {
            format!("printf 'slice none %s\\n' {}", quote::sh(&one_line(why)))
        }
        Reading::Known(from) => slice_script(from),
    };
    Item {
        cap: SLICE_CAP,
        ..Item::new(script, Duration::from_secs(120))
    }
}

fn slice_script(from: &LogPosition) -> String {
    let LogPosition {
        device,
        inode,
        size,
    } = from;
    format!(
        r#"log={LOG}
now=$(stat -c '%d %i %s' $log 2>&1) || {{ printf 'slice none %s\n' "$now"; exit 0; }}
same=${{now% *}}; size=${{now##* }}
if [ "$same" = '{device} {inode}' ]; then
  if [ "$size" -ge {size} ]; then echo 'slice audit-log whole'; tail -c +$(({size} + 1)) $log
  else echo 'slice audit-log truncated'; cat $log; fi
  exit
fi
n=1 older=
while [ -e $log.$n ]; do
  older="$log.$n $older"
  if [ "$(stat -c '%d %i' $log.$n)" = '{device} {inode}' ]; then
    echo 'slice audit-log rotated'
    set -- $older; first=$1; shift
    tail -c +$(({size} + 1)) $first; cat "$@" $log
    exit
  fi
  n=$((n + 1))
done
echo 'slice audit-log gone'; cat $older $log"#
    )
}

fn one_line(text: &str) -> String {
    text.replace('\n', " ")
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
        marker: said(&text, "marker").and_parse(|_| Some(()), "never"),
        log_position: said(&text, "position")
            .and_parse(|p| position(p), "stat said something else"),
        kernel_suppressions: said(&text, "kernel").and_parse(|t| Some(lines(t)), "never"),
        mode: said(&text, "mode"),
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

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .filter(|l| !l.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

fn position(text: &str) -> Option<LogPosition> {
    let mut numbers = text.split(' ').map(|n| n.parse::<u64>().ok());
    let (device, inode, size) = (numbers.next()??, numbers.next()??, numbers.next()??);
    Some(LogPosition {
        device,
        inode,
        size,
    })
}

/// Reads the stretch of log.
#[must_use]
pub fn read_slice(reply: &Reply) -> LogSlice {
    let (head, text) = match answer_cut(reply) {
        Ok(parts) => parts,
        Err(why) => return nothing(&why),
    };
    let dropped = reply.stdout.dropped;
    let slice = |rotated, reached_begin| LogSlice {
        source: LogSource::AuditLog,
        text: text.clone(),
        truncated_bytes: dropped,
        rotated,
        reached_begin,
        trouble: None,
    };
    match head.as_str() {
        "slice audit-log whole" => slice(false, true),
        "slice audit-log rotated" => slice(true, true),
        "slice audit-log truncated" => slice(false, false),
        "slice audit-log gone" => slice(true, false),
        head => nothing(head.strip_prefix("slice none ").unwrap_or("not an answer")),
    }
}

/// The first line and the rest; a text cut at the cap is read too, since what is missing is counted.
fn answer_cut(reply: &Reply) -> Result<(String, String), String> {
    let whole = crate::host::Exit::Code(0);
    if reply.exit != whole {
        return Err(super::trouble(&reply.exit, &reply.stderr.text()));
    }
    let text = reply.stdout.text();
    let (head, rest) = text.split_once('\n').ok_or("not an answer")?;
    Ok((head.to_owned(), rest.to_owned()))
}

fn nothing(why: &str) -> LogSlice {
    LogSlice {
        source: LogSource::None,
        text: String::new(),
        truncated_bytes: 0,
        rotated: false,
        reached_begin: false,
        trouble: Some(why.to_owned()),
    }
}

/// An open window: what the begin said.
pub struct Open {
    /// Its id.
    pub id: String,
    /// Its nonce.
    pub nonce: String,
    /// Whether the host has SELinux.
    pub selinux: Reading<bool>,
    /// The state at the begin.
    pub begin: Reading<WindowEdge>,
}

impl Open {
    /// Takes what the begin said.
    #[must_use]
    pub fn new(nonce: &str, id: &str, reply: &Reply) -> Self {
        let (begin, selinux) = read_edge(reply);
        Self {
            id: id.to_owned(),
            nonce: nonce.to_owned(),
            selinux,
            begin,
        }
    }

    /// Where the log stood at the begin.
    #[must_use]
    pub fn position(&self) -> Reading<LogPosition> {
        match &self.begin {
            Reading::Known(edge) => edge.log_position.clone(),
            Reading::Missing { why } => Reading::missing(why),
        }
    }

    /// Closes it with what the end said and the log between.
    #[must_use]
    pub fn close(self, end: &Reply, slice: &Reply) -> WindowCapture {
        let (end, _) = read_edge(end);
        self.capture(end, read_slice(slice))
    }

    /// Closes it without an end: the host was lost.
    #[must_use]
    pub fn abandon(self, why: &str) -> WindowCapture {
        self.capture(Reading::missing(why), nothing(why))
    }

    fn capture(self, end: Reading<WindowEdge>, log: LogSlice) -> WindowCapture {
        let Self {
            id,
            nonce,
            selinux,
            begin,
        } = self;
        WindowCapture {
            id,
            nonce,
            selinux,
            begin,
            end,
            log,
        }
    }
}
