//! The gaps' names, and a sentence for people for each of them.

use std::fmt;

use super::{Gap, Note};
use crate::evidence::{capture::LogSource, marker::MarkerEnd, suppression::SuppressionKind};

impl Gap {
    /// The names of all gaps.
    pub const NAMES: [&str; 39] = [
        "not-collected",
        "selinux-absent",
        "selinux-disabled",
        "selinux-unknown",
        "permissive-mode",
        "mode-unknown",
        "mode-changed",
        "policy-errors",
        "policy-reloaded",
        "boolean-changed",
        "audit-tools-missing",
        "audit-status-unreadable",
        "audit-rules-unreadable",
        "audit-disabled",
        "audit-reconfigured",
        "denials-excluded",
        "auditd-not-running",
        "auditd-restarted",
        "records-lost",
        "records-missing",
        "lost-counter-reset",
        "marker-not-written",
        "marker-begin-missing",
        "marker-end-missing",
        "markers-confused",
        "log-unreadable",
        "log-rotated-away",
        "log-truncated",
        "log-garbled",
        "weak-source",
        "clock-stepped",
        "clock-unknown",
        "serials-restarted",
        "control-not-seen",
        "control-unknown",
        "boot-changed",
        "boot-unknown",
        "kernel-log-unreadable",
        "suppressed",
    ];

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
            Self::RecordsMissing { .. } => "records-missing",
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
            Self::ClockStepped { .. } => "clock-stepped",
            Self::ClockUnknown { .. } => "clock-unknown",
            Self::SerialsRestarted => "serials-restarted",
            Self::ControlNotSeen { .. } => "control-not-seen",
            Self::ControlUnknown { .. } => "control-unknown",
            Self::BootChanged => "boot-changed",
            Self::BootUnknown { .. } => "boot-unknown",
            Self::KernelLogUnreadable { .. } => "kernel-log-unreadable",
            Self::Suppressed { .. } => "suppressed",
        }
    }

    /// The gap in one sentence for people, without its full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        let because = |what: &str, why: &str| format!("{what}: {why}");
        let quoted = |what: &str, text: &str| format!("{what}: `{text}`");
        match self {
            Self::NotCollected { why } => because("the window was not collected", why),
            Self::SelinuxAbsent => "the kernel has no SELinux".into(),
            Self::SelinuxDisabled => "SELinux is disabled".into(),
            Self::SelinuxUnknown { why } => because("SELinux could not be looked up", why),
            Self::PermissiveMode => "SELinux was permissive, nothing was enforced".into(),
            Self::ModeUnknown { why } => because("the SELinux mode could not be read", why),
            Self::ModeChanged => "the SELinux mode was changed inside the window".into(),
            Self::PolicyErrors { count, record } => policy_errors(*count, record),
            Self::PolicyReloaded => "a policy was loaded inside the window".into(),
            Self::BooleanChanged { name } => boolean_changed(name),
            Self::AuditToolsMissing => "the host has no auditctl".into(),
            Self::AuditStatusUnreadable { why } => because("auditctl -s gave no status", why),
            Self::AuditRulesUnreadable { why } => because("auditctl -l gave no rules", why),
            Self::AuditDisabled => "auditing is switched off".into(),
            Self::AuditReconfigured { record } => because(RECONFIGURED, record),
            Self::DenialsExcluded { rule } => quoted(EXCLUDED, rule),
            Self::AuditdNotRunning => "auditd was not running".into(),
            Self::AuditdRestarted => "auditd was restarted inside the window".into(),
            Self::RecordsLost { count } => format!("the kernel lost {count} audit records"),
            Self::RecordsMissing { count } => format!("the log misses {count} audit records"),
            Self::LostCounterReset => "the count of lost audit records was reset".into(),
            Self::MarkerNotWritten { end, why } => because(marker_not_written(*end), why),
            Self::MarkerBeginMissing => "the begin marker is not in the log".into(),
            Self::MarkerEndMissing => "the end marker is not in the log".into(),
            Self::MarkersConfused => "the markers are repeated or out of order".into(),
            Self::LogUnreadable { why } => because("the log could not be read", why),
            Self::LogRotatedAway => "the log was rotated and its older part is gone".into(),
            Self::LogTruncated { bytes } => format!("{bytes} bytes of the log were left out"),
            Self::LogGarbled { lines } => format!("{lines} lines of the audit log are damaged"),
            Self::WeakSource { source } => weakness(*source).into(),
            Self::ClockStepped { by_ms } => clock_stepped(*by_ms),
            Self::ClockUnknown { why } => because("nobody can say whether the clock was set", why),
            Self::SerialsRestarted => SERIALS_RESTARTED.into(),
            Self::ControlNotSeen { end } => control_not_seen(*end).into(),
            Self::ControlUnknown { end, why } => because(control_unknown(*end), why),
            Self::BootChanged => "the host was rebooted inside the window".into(),
            Self::BootUnknown { why } => because("the boot could not be told", why),
            Self::KernelLogUnreadable { why } => because(KERNEL_LOG_UNREADABLE, why),
            Self::Suppressed { kind, line, .. } => quoted(omission(*kind), line),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence())
    }
}

const RECONFIGURED: &str = "audit's settings were changed inside the window";
const EXCLUDED: &str = "an audit rule keeps denials out of the log";
const SERIALS_RESTARTED: &str = "the numbers of audit records began again inside the window";
const KERNEL_LOG_UNREADABLE: &str = "the kernel log could not be searched for suppressed messages";

fn policy_errors(count: usize, record: &str) -> String {
    format!("the kernel could not apply the policy ({count} records): `{record}`")
}

fn boolean_changed(name: &str) -> String {
    format!("the SELinux boolean `{name}` was changed inside the window")
}

fn marker_not_written(end: MarkerEnd) -> &'static str {
    match end {
        MarkerEnd::Begin => "the begin marker could not be sent",
        MarkerEnd::End => "the end marker could not be sent",
    }
}

fn control_not_seen(end: MarkerEnd) -> &'static str {
    match end {
        MarkerEnd::Begin => {
            "a denial that was provoked at the begin of the window is not in the log"
        }
        MarkerEnd::End => "a denial that was provoked at the end of the window is not in the log",
    }
}

fn control_unknown(end: MarkerEnd) -> &'static str {
    match end {
        MarkerEnd::Begin => "nobody knows whether a denial was provoked at the begin of the window",
        MarkerEnd::End => "nobody knows whether a denial was provoked at the end of the window",
    }
}

fn clock_stepped(by_ms: i64) -> String {
    let sign = if by_ms < 0 { '-' } else { '+' };
    let (s, ms) = (by_ms.unsigned_abs() / 1000, by_ms.unsigned_abs() % 1000);
    format!("the clock was set by {sign}{s}.{ms:03} s inside the window")
}

impl Note {
    /// The note's stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ControlImpossible { .. } => "control-impossible",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlImpossible { end, why } => write!(
                f,
                "no denial could be provoked at the {} of the window: {why}",
                end.word()
            ),
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
