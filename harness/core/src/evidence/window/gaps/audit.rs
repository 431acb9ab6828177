//! What audit says of itself at the two ends of a window.

use crate::evidence::{
    audit_rules::excluding_rules, audit_status::AuditStatus, capture::WindowEdge, coverage::Gap,
};

/// The kernel's audit system, from `auditctl -s` and `auditctl -l`. Counts begin again with a boot.
pub(super) fn audit(begin: &WindowEdge, end: &WindowEdge, same_boot: bool) -> Vec<Gap> {
    let mut gaps = rules(begin, end);
    match (status(begin), status(end)) {
        (Ok(before), Ok(after)) => {
            gaps.extend(service(&before, &after));
            if same_boot {
                gaps.extend(losses(&before, &after));
            }
        }
        (Err(gap), _) | (_, Err(gap)) => gaps.push(gap),
    }
    gaps
}

/// The same where the window's second half is another boot: what counts is what that one lost.
pub(super) fn audit_of_new_boot(begin: &WindowEdge, end: &WindowEdge) -> Vec<Gap> {
    let mut gaps = rules(begin, end);
    match status(end) {
        Ok(after) => {
            gaps.extend((after.enabled == 0).then_some(Gap::AuditDisabled));
            gaps.extend((after.pid == 0).then_some(Gap::AuditdNotRunning));
            let count = after.lost;
            gaps.extend((count > 0).then_some(Gap::RecordsLost { count }));
        }
        Err(gap) => gaps.push(gap),
    }
    gaps.extend(status(begin).err().filter(|gap| !gaps.contains(gap)));
    gaps
}

/// Reads the audit status at one end.
fn status(edge: &WindowEdge) -> Result<AuditStatus, Gap> {
    match edge.audit_status.get() {
        Err(why) if is_not_found(why) => Err(Gap::AuditToolsMissing),
        Err(why) => Err(Gap::AuditStatusUnreadable {
            why: why.to_owned(),
        }),
        Ok(text) => AuditStatus::parse(text).map_err(|error| Gap::AuditStatusUnreadable {
            why: error.to_string(),
        }),
    }
}

/// True for a shell's words about a command that is not there.
fn is_not_found(why: &str) -> bool {
    ["not found", "No such file"]
        .iter()
        .any(|words| why.contains(words))
}

/// Whether auditing was on, with the same auditd all the time.
fn service(before: &AuditStatus, after: &AuditStatus) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if before.enabled == 0 || after.enabled == 0 {
        gaps.push(Gap::AuditDisabled);
    }
    if before.pid == 0 || after.pid == 0 {
        gaps.push(Gap::AuditdNotRunning);
    } else if before.pid != after.pid {
        gaps.push(Gap::AuditdRestarted);
    }
    gaps
}

/// Records that the kernel lost between the ends.
fn losses(before: &AuditStatus, after: &AuditStatus) -> Option<Gap> {
    match after.lost.checked_sub(before.lost) {
        Some(0) => None,
        Some(count) => Some(Gap::RecordsLost { count }),
        None => Some(Gap::LostCounterReset),
    }
}

/// Rules that keep denials out of the log, at either end.
fn rules(begin: &WindowEdge, end: &WindowEdge) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for edge in [begin, end] {
        let found = match edge.audit_rules.get() {
            // `auditctl -l` says `No rules` when there are none: silence is no answer.
            Ok(text) if text.trim().is_empty() => {
                vec![Gap::AuditRulesUnreadable {
                    why: "the answer is empty".to_owned(),
                }]
            }
            Ok(text) => {
                let rules = excluding_rules(text).into_iter();
                rules.map(|rule| Gap::DenialsExcluded { rule }).collect()
            }
            Err(why) if is_not_found(why) => Vec::new(),
            Err(why) => vec![Gap::AuditRulesUnreadable {
                why: why.to_owned(),
            }],
        };
        gaps.extend(
            found
                .into_iter()
                .filter(|gap| !gaps.contains(gap))
                .collect::<Vec<_>>(),
        );
    }
    gaps
}
