//! What the engine copies from a host about one window: raw facts, no judgement.
//!
//! These types are written into the record of a run and read back from it years later; their
//! field names are a contract. Absence is a variant ([`Reading::Missing`]) and never an empty
//! string, so that "nothing was there" and "it could not be read" stay apart for good.

use serde::{Deserialize, Serialize};

pub use crate::reading::Reading;

/// The end of a log file at one moment (`stat -c '%d %i %s'`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPosition {
    /// The device number.
    pub device: u64,
    /// The inode number; another one at the same path means that the log was rotated.
    pub inode: u64,
    /// The size in bytes.
    pub size: u64,
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
}

/// Where the records of a window were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogSource {
    /// auditd's log file.
    AuditLog,
    /// The journal, `journalctl -o short _TRANSPORT=audit _TRANSPORT=kernel`.
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
}
