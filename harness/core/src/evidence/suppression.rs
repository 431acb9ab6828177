//! Lines in which kernel, auditd, journald or rsyslog say that they left something out.

use serde::{Deserialize, Serialize};

/// What was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressionKind {
    /// `audit_lost=N`, `backlog limit exceeded`, `hold queue overflow` …: the kernel lost records.
    KernelLost,
    /// `kauditd_printk_skb: N callbacks suppressed`: audit records left out of the kernel log.
    AuditPrintk,
    /// auditd stopped writing or dropped what it had: no space, disk errors, queue full.
    Auditd,
    /// The kernel lost its audit daemon (`*NO* daemon at audit_pid=`, `auditd disappeared`).
    AuditdGone,
    /// `__ratelimit: N callbacks suppressed`: the caller is not named, it may have been audit.
    Anonymous,
    /// journald or rsyslog left kernel or syslog lines out of the logs that they write.
    LogForwarding,
    /// A named caller that is not audit (`net_ratelimit: …`), or one unit's own messages.
    Unrelated,
}

impl SuppressionKind {
    /// True when a denial may be among what was left out.
    #[must_use]
    pub fn may_hide_denials(self) -> bool {
        match self {
            Self::KernelLost
            | Self::AuditPrintk
            | Self::Auditd
            | Self::AuditdGone
            | Self::Anonymous
            | Self::LogForwarding => true,
            Self::Unrelated => false,
        }
    }
}

/// One such line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// What was left out.
    pub kind: SuppressionKind,
    /// How many messages, where the line says so; a total since boot for `audit_lost=`.
    pub count: Option<u64>,
    /// The line, verbatim.
    pub line: String,
}

/// Words of a line, the kind that they mean, and what stands before the count.
const PHRASES: &[(&str, SuppressionKind, Option<&str>)] = &[
    (
        "audit_lost=",
        SuppressionKind::KernelLost,
        Some("audit_lost="),
    ),
    ("audit_backlog=", SuppressionKind::KernelLost, None),
    ("backlog limit exceeded", SuppressionKind::KernelLost, None),
    (
        "audit: rate limit exceeded",
        SuppressionKind::KernelLost,
        None,
    ),
    (
        "audit: printk limit exceeded",
        SuppressionKind::KernelLost,
        None,
    ),
    ("queue overflow", SuppressionKind::KernelLost, None),
    ("out of memory in audit_", SuppressionKind::KernelLost, None),
    ("error in audit_log", SuppressionKind::KernelLost, None),
    (
        "*NO* daemon at audit_pid",
        SuppressionKind::AuditdGone,
        None,
    ),
    (
        "audit: auditd disappeared",
        SuppressionKind::AuditdGone,
        None,
    ),
    ("dispatch err (pipe full)", SuppressionKind::Auditd, None),
    (
        "queue is full - dropping event",
        SuppressionKind::Auditd,
        None,
    ),
    ("queue to plugins is full", SuppressionKind::Auditd, None),
    (
        "Audit daemon has no space left",
        SuppressionKind::Auditd,
        None,
    ),
    (
        "Audit daemon is suspending logging",
        SuppressionKind::Auditd,
        None,
    ),
    (
        "Audit daemon detected an error",
        SuppressionKind::Auditd,
        None,
    ),
    (
        "imuxsock begins to drop messages",
        SuppressionKind::LogForwarding,
        None,
    ),
    (
        "begin to drop messages due to rate-limiting",
        SuppressionKind::LogForwarding,
        None,
    ),
];

/// Finds all lines of a text that say that something was left out.
#[must_use]
pub fn suppressions(text: &str) -> Vec<Suppression> {
    text.lines().filter_map(suppression).collect()
}

/// Reads one line.
#[must_use]
pub fn suppression(line: &str) -> Option<Suppression> {
    let (kind, count) = phrase(line)
        .or_else(|| callbacks(line))
        .or_else(|| {
            numbered(
                line,
                "Missed ",
                " kernel messages",
                SuppressionKind::LogForwarding,
            )
        })
        .or_else(|| lost_by_rsyslog(line))
        .or_else(|| {
            numbered(
                line,
                "printk: ",
                " messages suppressed",
                SuppressionKind::Anonymous,
            )
        })
        .or_else(|| {
            numbered(
                line,
                "Suppressed ",
                " messages from",
                SuppressionKind::Unrelated,
            )
        })?;
    Some(Suppression {
        kind,
        count,
        line: line.to_owned(),
    })
}

/// Looks a line up in the table of fixed phrases.
fn phrase(line: &str) -> Option<(SuppressionKind, Option<u64>)> {
    let (_, kind, before) = PHRASES.iter().find(|(words, _, _)| line.contains(words))?;
    let count = before
        .and_then(|before| line.split_once(before))
        .and_then(|(_, rest)| {
            rest.split(|c: char| !c.is_ascii_digit())
                .next()
                .and_then(|digits| digits.parse().ok())
        });
    Some((*kind, count))
}

/// Reads `CALLER: N callbacks suppressed`; from EL7 on the kernel names the real caller.
fn callbacks(line: &str) -> Option<(SuppressionKind, Option<u64>)> {
    let before = line.split_once(" callbacks suppressed")?.0;
    let (caller, count) = before.rsplit_once(": ").unwrap_or(("", before));
    let caller = caller.rsplit([' ', ']']).next().unwrap_or(caller);
    let kind = match caller {
        "__ratelimit" | "___ratelimit" | "" | "kernel" => SuppressionKind::Anonymous,
        "audit_log_start" | "audit_log_lost" => SuppressionKind::KernelLost,
        _ if caller.contains("audit") => SuppressionKind::AuditPrintk,
        _ => SuppressionKind::Unrelated,
    };
    Some((kind, count.trim().parse().ok()))
}

/// Reads `imjournal: N messages lost due to rate-limiting` and rsyslog's own form of it.
fn lost_by_rsyslog(line: &str) -> Option<(SuppressionKind, Option<u64>)> {
    let before = line.split_once(" messages lost due to rate-limiting")?.0;
    let count = before
        .rsplit(' ')
        .next()
        .and_then(|digits| digits.parse().ok());
    Some((SuppressionKind::LogForwarding, count))
}

/// Reads `BEFORE N AFTER`.
fn numbered(
    line: &str,
    before: &str,
    after: &str,
    kind: SuppressionKind,
) -> Option<(SuppressionKind, Option<u64>)> {
    let digits = line.split_once(before)?.1.split_once(after)?.0;
    digits.trim().parse().ok().map(|count| (kind, Some(count)))
}

#[cfg(test)]
mod tests {
    use super::{SuppressionKind as Kind, suppression, suppressions};

    /// Lines of every generation of kernel, auditd, journald and rsyslog.
    const GENERATIONS: &[(&str, Kind, Option<u64>)] = &[
        (
            "__ratelimit: 22683 callbacks suppressed",
            Kind::Anonymous,
            Some(22683),
        ),
        (
            "Feb 27 03:12:44 web kernel: __ratelimit: 5 callbacks suppressed",
            Kind::Anonymous,
            Some(5),
        ),
        ("printk: 14 messages suppressed.", Kind::Anonymous, Some(14)),
        (
            "audit_printk_skb: 93 callbacks suppressed",
            Kind::AuditPrintk,
            Some(93),
        ),
        (
            "[   37.322879] kauditd_printk_skb: 164 callbacks suppressed",
            Kind::AuditPrintk,
            Some(164),
        ),
        (
            "audit_log_start: 9 callbacks suppressed",
            Kind::KernelLost,
            Some(9),
        ),
        (
            "audit: audit_lost=510 audit_rate_limit=3 audit_backlog_limit=8192",
            Kind::KernelLost,
            Some(510),
        ),
        (
            "audit: audit_backlog=5 > audit_backlog_limit=4",
            Kind::KernelLost,
            None,
        ),
        ("audit: backlog limit exceeded", Kind::KernelLost, None),
        (
            "[   51.809403] audit: rate limit exceeded",
            Kind::KernelLost,
            None,
        ),
        ("audit: printk limit exceeded", Kind::KernelLost, None),
        ("audit: kauditd hold queue overflow", Kind::KernelLost, None),
        (
            "audit: *NO* daemon at audit_pid=1234",
            Kind::AuditdGone,
            None,
        ),
        ("audit: auditd disappeared", Kind::AuditdGone, None),
        (
            "auditd[612]: dispatch err (pipe full) event lost",
            Kind::Auditd,
            None,
        ),
        (
            "auditd[9]: Audit daemon is suspending logging due to low disk space.",
            Kind::Auditd,
            None,
        ),
        (
            "rsyslogd: imjournal: 3812 messages lost due to rate-limiting",
            Kind::LogForwarding,
            Some(3812),
        ),
        (
            "rsyslogd-2177: imuxsock begins to drop messages from pid 9 due to rate-limiting",
            Kind::LogForwarding,
            None,
        ),
        (
            "imjournal: begin to drop messages due to rate-limiting",
            Kind::LogForwarding,
            None,
        ),
        (
            "systemd-journald[31]: Missed 12 kernel messages",
            Kind::LogForwarding,
            Some(12),
        ),
        (
            "systemd-journal[9]: Suppressed 441 messages from /system.slice/x.service",
            Kind::Unrelated,
            Some(441),
        ),
        (
            "net_ratelimit: 31 callbacks suppressed",
            Kind::Unrelated,
            Some(31),
        ),
    ];

    #[test]
    fn every_generation_is_known() {
        for (line, kind, count) in GENERATIONS {
            let found = suppression(line).unwrap_or_else(|| panic!("not found: {line}"));
            assert_eq!((found.kind, found.count), (*kind, *count), "{line}");
            assert_eq!(found.line, *line);
        }
    }

    #[test]
    fn ordinary_lines_are_left_alone() {
        for line in [
            "audit: type=1400 audit(1.2:3): avc:  denied  { read } for  pid=1",
            "audit: initializing netlink subsys (disabled)",
            "TCP: time wait bucket table overflow",
            "",
        ] {
            assert_eq!(suppression(line), None, "{line}");
        }
    }

    #[test]
    fn the_kernel_log_of_a_lab_guest_without_auditd_shows_both_lines() {
        let found = suppressions(include_str!("../../tests/captured/audit/lab/down.dmesg"));
        let counts: Vec<_> = found
            .iter()
            .map(|found| (found.kind, found.count))
            .collect();
        assert_eq!(
            counts,
            [
                (Kind::AuditPrintk, Some(10)),
                (Kind::AuditPrintk, Some(164))
            ]
        );
    }

    #[test]
    fn the_kernel_log_of_a_lab_guest_with_a_rate_limit_shows_the_loss() {
        let found = suppressions(include_str!("../../tests/captured/audit/lab/rate.dmesg"));
        let lost = found.iter().filter_map(|found| found.count).max();
        assert!(lost.is_some_and(|lost| lost > 200), "{found:?}");
        assert!(found.iter().any(|found| found.kind == Kind::KernelLost));
    }
}
