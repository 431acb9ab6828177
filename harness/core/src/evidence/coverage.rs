//! What a window's evidence can vouch for, and every reason why it cannot.

mod words;

use serde::{Deserialize, Serialize};

use super::{capture::LogSource, marker::MarkerEnd, suppression::SuppressionKind};

/// How far the evidence of a window reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "gaps", rename_all = "kebab-case")]
pub enum Coverage {
    /// Every denial of the window is in the evidence.
    Complete,
    /// Denials may be missing, for these reasons.
    Degraded(Vec<Gap>),
    /// Nothing can be said, for this reason.
    Unavailable(Gap),
}

impl Coverage {
    /// All gaps; none when coverage is complete.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        match self {
            Self::Complete => &[],
            Self::Degraded(gaps) => gaps,
            Self::Unavailable(gap) => std::slice::from_ref(gap),
        }
    }
}

/// One reason why a denial may be missing from the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "gap", rename_all = "kebab-case")]
pub enum Gap {
    /// The window was never opened or never closed.
    NotCollected {
        /// The reason, as the engine gave it.
        why: String,
    },
    /// The kernel has no SELinux.
    SelinuxAbsent,
    /// SELinux is switched off.
    SelinuxDisabled,
    /// Whether SELinux is there could not be found out.
    SelinuxUnknown {
        /// The reason, in the host's words.
        why: String,
    },
    /// SELinux was permissive at an end of the window, so that nothing was enforced.
    PermissiveMode,
    /// The mode could not be read at an end of the window.
    ModeUnknown {
        /// The reason, in the host's words.
        why: String,
    },
    /// The mode changed inside the window, and nobody had announced it.
    ModeChanged,
    /// The kernel could not apply the policy to something inside the window (`SELINUX_ERR`).
    PolicyErrors {
        /// How many records say so.
        count: usize,
        /// The first of them.
        record: String,
    },
    /// A policy was loaded inside the window, and nobody had announced it.
    PolicyReloaded,
    /// A boolean changed inside the window, and nobody had announced it.
    BooleanChanged {
        /// The boolean.
        name: String,
    },
    /// The host has no `auditctl`.
    AuditToolsMissing,
    /// `auditctl -s` gave no status, for example because the account is not root.
    AuditStatusUnreadable {
        /// The reason, in the host's words.
        why: String,
    },
    /// `auditctl -l` gave no rules, so that rules may hide denials.
    AuditRulesUnreadable {
        /// The reason, in the host's words.
        why: String,
    },
    /// Auditing was off at an end of the window.
    AuditDisabled,
    /// Audit's own settings changed inside the window.
    AuditReconfigured {
        /// The record of the change.
        record: String,
    },
    /// An audit rule keeps denials out of the log.
    DenialsExcluded {
        /// The rule.
        rule: String,
    },
    /// No auditd was registered with the kernel at an end of the window.
    AuditdNotRunning,
    /// auditd was another process at the end, or started or stopped inside the window.
    AuditdRestarted,
    /// The kernel counted lost records.
    RecordsLost {
        /// How many more at the end than at the begin.
        count: u64,
    },
    /// Numbers of records between the markers are not in the log: auditd was given them and did not write
    /// them.
    RecordsMissing {
        /// How many.
        count: u64,
    },
    /// The count of lost records went down, so that somebody reset it.
    LostCounterReset,
    /// A marker could not be sent.
    MarkerNotWritten {
        /// Which one.
        end: MarkerEnd,
        /// The reason, in the host's words.
        why: String,
    },
    /// The begin marker was sent and is not in the log.
    MarkerBeginMissing,
    /// The end marker was sent and is not in the log.
    MarkerEndMissing,
    /// A marker stands in the log more than once, or the end stands before the begin.
    MarkersConfused,
    /// The log could not be read.
    LogUnreadable {
        /// The reason, in the host's words.
        why: String,
    },
    /// The log was rotated, and the part with the window's begin is gone.
    LogRotatedAway,
    /// The copy of the log was cut at a size limit.
    LogTruncated {
        /// How many bytes were left out.
        bytes: u64,
    },
    /// Lines of auditd's log are damaged.
    LogGarbled {
        /// How many.
        lines: usize,
    },
    /// The records come from a log that promises nothing about losses.
    WeakSource {
        /// The log.
        source: LogSource,
    },
    /// The clock was set inside the window: it moved against the uptime between the markers.
    ClockStepped {
        /// By how much, in milliseconds; below 0 when it was set back.
        by_ms: i64,
    },
    /// The uptime could not be read at a marker, so that nobody can say whether the clock was set.
    ClockUnknown {
        /// The reason, in the host's words.
        why: String,
    },
    /// The numbers of audit's records began again inside the window although the host was not
    /// rebooted: a virtual machine went back to an earlier state.
    SerialsRestarted,
    /// A denial that was provoked, and that the policy wants logged, did not reach the log.
    ControlNotSeen {
        /// At which end of the window.
        end: MarkerEnd,
    },
    /// Nobody knows whether a denial was provoked.
    ControlUnknown {
        /// At which end of the window.
        end: MarkerEnd,
        /// The reason, in the host's words.
        why: String,
    },
    /// The host was rebooted inside the window.
    BootChanged,
    /// The boot could not be told at an end of the window.
    BootUnknown {
        /// The reason, in the host's words.
        why: String,
    },
    /// The kernel log could not be searched for suppressed messages.
    KernelLogUnreadable {
        /// The reason, in the host's words.
        why: String,
    },
    /// A log says that it left messages out inside the window.
    Suppressed {
        /// What was left out.
        kind: SuppressionKind,
        /// How many such lines there are.
        lines: usize,
        /// The last of them.
        line: String,
    },
}

/// Something that the evidence cannot do and that is said, although no denial is missing for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
pub enum Note {
    /// No denial could be provoked: the markers alone prove that records reach the log.
    ControlImpossible {
        /// At which end of the window.
        end: MarkerEnd,
        /// The reason, in the host's words.
        why: String,
    },
}
