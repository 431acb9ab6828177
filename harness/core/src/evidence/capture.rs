//! What the engine copies from a host about one window: raw facts, no judgement.
//!
//! These types are written into the record of a run and read back from it years later; their
//! field names are a contract. Absence is a variant ([`Reading::Missing`]) and never an empty
//! string, so that "nothing was there" and "it could not be read" stay apart for good.

use serde::{Deserialize, Serialize};

use super::{
    control::Control,
    marker::{MarkerEnd, edge_text},
    segment::Segment,
};
pub use crate::reading::Reading;

/// Where auditd writes when its configuration says nothing else.
pub const DEFAULT_LOG: &str = "/var/log/audit/audit.log";

/// The end of a log file at one moment (`stat -L -c '%d %i %s %n'`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPosition {
    /// The device number.
    pub device: u64,
    /// The inode number; another one at the same path means that the log was rotated.
    pub inode: u64,
    /// The size in bytes.
    pub size: u64,
    /// The file: `log_file` of `/etc/audit/auditd.conf`, or what auditd has open instead.
    #[serde(default = "default_log")]
    pub path: String,
}

/// The log of records that are older than the field.
fn default_log() -> String {
    DEFAULT_LOG.to_owned()
}

/// The host's uptime around one moment, in milliseconds (`/proc/uptime`, which has centiseconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UptimeSpan {
    /// Read just before.
    pub from_ms: u64,
    /// Read just after.
    pub to_ms: u64,
}

/// What was noted for the logs that stand in for auditd's, because auditd's may not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeakMarks {
    /// The journal's cursor before the begin marker.
    pub journal_cursor: Reading<String>,
    /// Whether the marker reached the journal's socket (`logger -t patchgate`).
    pub journal_marker: Reading<()>,
    /// The last line of the kernel ring before the begin marker.
    pub kernel_line: Reading<String>,
    /// Whether the marker could be written to `/dev/kmsg`.
    pub kernel_marker: Reading<()>,
}

/// The state of the host's audit and SELinux machinery at one end of a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowEdge {
    /// `/proc/sys/kernel/random/boot_id`, trimmed.
    pub boot_id: Reading<String>,
    /// What `auditctl -s` printed. Read it through a pipe: in enforcing mode `auditctl_t` may not
    /// write to a file in a home directory, and the file is then empty with exit status 0.
    pub audit_status: Reading<String>,
    /// What `auditctl -l` printed, which shows rules that exclude denials from the log.
    pub audit_rules: Reading<String>,
    /// Whether the marker record could be sent.
    pub marker: Reading<()>,
    /// The end of the log, before the begin marker and after the end marker.
    pub log_position: Reading<LogPosition>,
    /// Lines of the kernel log that speak of suppressed or lost messages, all since boot.
    pub kernel_suppressions: Reading<Vec<String>>,
    /// What `getenforce` printed, trimmed, or `1` or `0` from `/sys/fs/selinux/enforce`.
    pub mode: Reading<String>,
    /// The uptime around the marker; none in records that are older than the field.
    #[serde(default)]
    pub marked: Option<Reading<UptimeSpan>>,
    /// The denial that was provoked; none in records that are older than the control.
    #[serde(default)]
    pub control: Option<Reading<Control>>,
    /// What was noted for other logs, where auditd's may not do.
    #[serde(default)]
    pub weak: Option<WeakMarks>,
}

/// Where the records of a window were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogSource {
    /// auditd's log file.
    AuditLog,
    /// The journal, `journalctl -o json` of the transports `audit`, `kernel` and `driver`.
    Journal,
    /// The kernel ring, `dmesg`.
    KernelRing,
    /// Nowhere.
    None,
}

/// The stretch of log that was copied; it may begin before the window and end after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSlice {
    /// Where it was read.
    pub source: LogSource,
    /// The text; bytes that are no UTF-8 are replaced.
    pub text: String,
    /// Bytes that a size limit left out.
    pub truncated_bytes: u64,
    /// True when the log was rotated inside the window and the older file was read too.
    pub rotated: bool,
    /// True when the copy starts at or before the position noted at the window's begin.
    pub reached_begin: bool,
    /// Why nothing or not everything could be read, in the words of the host.
    pub trouble: Option<String>,
}

/// A window that was opened: all that closing it takes, also for another controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowBegin {
    /// The window's id; no spaces.
    pub id: String,
    /// The secret that makes its markers unique; no spaces.
    pub nonce: String,
    /// Whether the kernel has SELinux.
    pub selinux: Reading<bool>,
    /// The state when the window opened.
    pub begin: Reading<WindowEdge>,
}

/// Everything that was copied about one window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowCapture {
    /// The window's id; no spaces.
    pub id: String,
    /// The run's secret for this host, which makes its markers unique; no spaces.
    pub nonce: String,
    /// Whether the kernel has SELinux (`/sys/fs/selinux` is mounted, or `/selinux` on EL5, EL6).
    pub selinux: Reading<bool>,
    /// The state when the window opened.
    pub begin: Reading<WindowEdge>,
    /// The state when it closed.
    pub end: Reading<WindowEdge>,
    /// The records.
    pub log: LogSlice,
    /// Which checks were made between which inner markers, in order; none where none were sent.
    #[serde(default)]
    pub segments: Vec<Segment>,
    /// Other logs, read because auditd's did not hold the end marker.
    #[serde(default)]
    pub beside: Vec<LogSlice>,
    /// How many controllers were at it before the one that closed it, and broke off: each may have ended it
    /// on the host, with a marker and a control of its own.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub looks: u32,
}

impl WindowCapture {
    /// The text of the marker at one end; the ends of several controllers have several.
    #[must_use]
    pub fn marker(&self, end: MarkerEnd) -> String {
        edge_text(&self.nonce, &self.id, end, self.looks)
    }
}

/// Nobody writes down that a window was never broken off.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(looks: &u32) -> bool {
    *looks == 0
}
