//! What a window's evidence can vouch for, and every reason why it cannot.

use std::fmt;

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

impl Gap {
    /// The gap's stable name, the same in every report and in the record.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotCollected { .. } => "not-collected",
            Self::SelinuxAbsent => "selinux-absent",
            Self::SelinuxDisabled => "selinux-disabled",
            Self::SelinuxUnknown { .. } => "selinux-unknown",
            Self::PermissiveMode => "permissive-mode",
            Self::ModeUnknown { .. } => "mode-unknown",
            Self::ModeChanged => "mode-changed",
            Self::PolicyErrors { .. } => "policy-errors",
            Self::PolicyReloaded => "policy-reloaded",
            Self::BooleanChanged { .. } => "boolean-changed",
            Self::AuditToolsMissing => "audit-tools-missing",
            Self::AuditStatusUnreadable { .. } => "audit-status-unreadable",
            Self::AuditRulesUnreadable { .. } => "audit-rules-unreadable",
            Self::AuditDisabled => "audit-disabled",
            Self::AuditReconfigured { .. } => "audit-reconfigured",
            Self::DenialsExcluded { .. } => "denials-excluded",
            Self::AuditdNotRunning => "auditd-not-running",
            Self::AuditdRestarted => "auditd-restarted",
            Self::RecordsLost { .. } => "records-lost",
            Self::LostCounterReset => "lost-counter-reset",
            Self::MarkerNotWritten { .. } => "marker-not-written",
            Self::MarkerBeginMissing => "marker-begin-missing",
            Self::MarkerEndMissing => "marker-end-missing",
            Self::MarkersConfused => "markers-confused",
            Self::LogUnreadable { .. } => "log-unreadable",
            Self::LogRotatedAway => "log-rotated-away",
            Self::LogTruncated { .. } => "log-truncated",
            Self::LogGarbled { .. } => "log-garbled",
            Self::WeakSource { .. } => "weak-source",
            Self::BootChanged => "boot-changed",
            Self::BootUnknown { .. } => "boot-unknown",
            Self::KernelLogUnreadable { .. } => "kernel-log-unreadable",
            Self::Suppressed { .. } => "suppressed",
        }
    }

    /// The gap in one sentence for people, without its full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCollected { why } => write!(f, "the window was not collected: {why}"),
            Self::SelinuxAbsent => f.write_str("the kernel has no SELinux"),
            Self::SelinuxDisabled => f.write_str("SELinux is disabled"),
            Self::SelinuxUnknown { why } => write!(f, "SELinux could not be looked up: {why}"),
            Self::PermissiveMode => f.write_str("SELinux was permissive, nothing was enforced"),
            Self::ModeUnknown { why } => write!(f, "the SELinux mode could not be read: {why}"),
            Self::ModeChanged => f.write_str("the SELinux mode was changed inside the window"),
            Self::PolicyErrors { count, record } => {
                write!(
                    f,
                    "the kernel could not apply the policy ({count} records): `{record}`"
                )
            }
            Self::PolicyReloaded => f.write_str("a policy was loaded inside the window"),
            Self::BooleanChanged { name } => {
                write!(
                    f,
                    "the SELinux boolean `{name}` was changed inside the window"
                )
            }
            Self::AuditToolsMissing => f.write_str("the host has no auditctl"),
            Self::AuditStatusUnreadable { why } => write!(f, "auditctl -s gave no status: {why}"),
            Self::AuditRulesUnreadable { why } => write!(f, "auditctl -l gave no rules: {why}"),
            Self::AuditDisabled => f.write_str("auditing is switched off"),
            Self::AuditReconfigured { record } => {
                write!(
                    f,
                    "audit's settings were changed inside the window: {record}"
                )
            }
            Self::DenialsExcluded { rule } => {
                write!(f, "an audit rule keeps denials out of the log: `{rule}`")
            }
            Self::AuditdNotRunning => f.write_str("auditd was not running"),
            Self::AuditdRestarted => f.write_str("auditd was restarted inside the window"),
            Self::RecordsLost { count } => write!(f, "the kernel lost {count} audit records"),
            Self::LostCounterReset => f.write_str("the count of lost audit records was reset"),
            Self::MarkerNotWritten { end, why } => {
                write!(f, "the {} marker could not be sent: {why}", end.word())
            }
            Self::MarkerBeginMissing => f.write_str("the begin marker is not in the log"),
            Self::MarkerEndMissing => f.write_str("the end marker is not in the log"),
            Self::MarkersConfused => f.write_str("the markers are repeated or out of order"),
            Self::LogUnreadable { why } => write!(f, "the log could not be read: {why}"),
            Self::LogRotatedAway => f.write_str("the log was rotated and its older part is gone"),
            Self::LogTruncated { bytes } => write!(f, "{bytes} bytes of the log were left out"),
            Self::LogGarbled { lines } => write!(f, "{lines} lines of the audit log are damaged"),
            Self::WeakSource { source } => f.write_str(weakness(*source)),
            Self::BootChanged => f.write_str("the host was rebooted inside the window"),
            Self::BootUnknown { why } => write!(f, "the boot could not be told: {why}"),
            Self::KernelLogUnreadable { why } => {
                write!(
                    f,
                    "the kernel log could not be searched for suppressed messages: {why}"
                )
            }
            Self::Suppressed { kind, line, .. } => write!(f, "{}: `{line}`", omission(*kind)),
        }
    }
}

/// Why a log other than auditd's proves nothing.
fn weakness(source: LogSource) -> &'static str {
    match source {
        LogSource::AuditLog => "the audit log was not enough",
        LogSource::Journal => "records were read from the journal, which does not count losses",
        LogSource::KernelRing => "records were read from the kernel log, which drops messages",
        LogSource::None => "no log was read",
    }
}

/// What a suppression line means for denials.
fn omission(kind: SuppressionKind) -> &'static str {
    match kind {
        SuppressionKind::KernelLost => "the kernel says that it lost audit records",
        SuppressionKind::AuditPrintk => "audit records were left out of the kernel log",
        SuppressionKind::Auditd => "auditd says that it could not keep its records",
        SuppressionKind::AuditdGone => "the kernel lost its audit daemon",
        SuppressionKind::Anonymous => {
            "the kernel suppressed messages of an unnamed caller, which may have been audit"
        }
        SuppressionKind::LogForwarding => "a log service dropped kernel or system messages",
        SuppressionKind::Unrelated => "messages that are not audit's were suppressed",
    }
}
