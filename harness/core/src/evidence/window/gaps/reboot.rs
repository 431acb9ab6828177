//! The gaps of a window that spans a reboot which patchgate asked for.
//!
//! Its second half is another boot: the kernel's counts began again, auditd is another process, a policy was
//! loaded and enforced, audit was set up. None of that is a gap by itself; what is one is named here. What the
//! host denied while it went down counts where it was written; that all of it was written nobody vouches for.

use super::{super::Window, Mode, audit, mode, told_by_auditd, told_of_configuration};
use crate::evidence::{
    capture::WindowEdge,
    coverage::Gap,
    kind::RecordKind,
    mac_change::{MacChange, MacChangeKind},
    record::{Record, Stamp},
    suppression::{Suppression, SuppressionKind},
};

/// What a reboot that was asked for does not explain.
pub(super) fn gaps(
    begin: &WindowEdge,
    end: &WindowEdge,
    changes: &[MacChange],
    window: &Window,
) -> Vec<Gap> {
    let mut gaps = Vec::new();
    gaps.extend(mac(begin, end, changes));
    gaps.extend([begin, end].into_iter().find_map(uptime));
    gaps.extend(audit::audit_of_new_boot(begin, end));
    gaps.extend(auditd(window));
    gaps
}

/// An uptime that could not be read. Across boots no two of them can be compared; a marker without one is no
/// marker of a sound window all the same.
fn uptime(edge: &WindowEdge) -> Option<Gap> {
    let why = edge.marked.as_ref()?.why()?.to_owned();
    Some(Gap::ClockUnknown { why })
}

/// Until when, in milliseconds since the boot, the kernel kept its records for auditd: until auditd began, if
/// records that are older than its begin stand behind it in the log. A kernel that was not told to keep them
/// (`audit=1`) leaves none. That it dropped none of them its count of lost records says.
pub(super) fn kept_until(end: &WindowEdge, window: &Window) -> Option<u64> {
    let mut records = window
        .own()
        .skip_while(|r| r.kind != RecordKind::DaemonStart);
    let begun = records.next()?.stamp?.epoch_ms()?;
    let older = |r: &Record| r.stamp.and_then(Stamp::epoch_ms).is_some_and(|t| t < begun);
    let kept = records.any(older);
    let marker = window.ends.last()?.stamp?.epoch_ms()?;
    let uptime = end.marked.as_ref()?.known()?.from_ms;
    let booted = marker.checked_sub(uptime)?;
    begun.checked_sub(booted).filter(|_| kept)
}

/// Whether a line is only about the kernel's own log, before auditd had begun: `[    6.0] kauditd_printk_skb:
/// 16 callbacks suppressed`.
pub(super) fn was_kept(found: &Suppression, until: Option<u64>) -> bool {
    let time = |line: &str| {
        let (seconds, _) = line.trim_start().strip_prefix('[')?.split_once(']')?;
        let (whole, part) = seconds.trim().split_once('.')?;
        let tenths = part.get(..1)?.parse::<u64>().ok()?;
        Some(whole.parse::<u64>().ok()? * 1000 + tenths * 100)
    };
    let before = until
        .zip(time(&found.line))
        .is_some_and(|(until, at)| at < until);
    before && found.kind == SuppressionKind::AuditPrintk
}

/// Booleans, and modes other than the one of before: a boot loads the policy and begins to enforce it.
fn mac(begin: &WindowEdge, end: &WindowEdge, changes: &[MacChange]) -> Vec<Gap> {
    let moved = matches!((mode(begin), mode(end)), (Ok(a), Ok(b)) if a != b);
    let mut gaps: Vec<Gap> = moved.then_some(Gap::ModeChanged).into_iter().collect();
    for kind in changes.iter().map(|c| &c.kind).filter(|k| k.is_real()) {
        let gap = match kind {
            MacChangeKind::Mode { enforcing, .. }
                if *enforcing != Some(true) || mode(end) != Ok(Mode::Enforcing) =>
            {
                Gap::ModeChanged
            }
            MacChangeKind::Boolean { name, .. } => Gap::BooleanChanged { name: name.clone() },
            MacChangeKind::PolicyLoad | MacChangeKind::Mode { .. } => continue,
        };
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }
    gaps
}

/// auditd began once in the new boot, and went on; before it, it left nothing out that it tells of.
fn auditd(window: &Window) -> Vec<Gap> {
    let records: Vec<&Record> = window.own().collect();
    let is_start = |r: &&Record| r.kind == RecordKind::DaemonStart;
    let after = match records.iter().filter(|r| is_start(r)).count() {
        // The new boot left no trace in the log.
        0 => return vec![Gap::BootChanged],
        1 => records.iter().skip_while(|r| !is_start(r)),
        _ => return vec![Gap::AuditdRestarted],
    };
    let mut after = after.copied();
    let begun = after.next().and_then(|start| start.stamp);
    let later = after.filter(|r| !is_set_up(r, begun));
    let earlier = records.iter().take_while(|r| !is_start(r));
    let earlier = earlier.filter_map(|r| left_out(r));
    earlier.chain(later.filter_map(disturbed)).collect()
}

/// A setting from before auditd began, kept by the kernel until then: journald sets `audit_enabled` as it
/// starts, to nought where it is told so. The kernel writes denials all the same; what is in force in the end
/// is read apart.
fn is_set_up(record: &Record, begun: Option<Stamp>) -> bool {
    let time = |stamp: Stamp| (stamp.sec, stamp.ms);
    let older = record
        .stamp
        .zip(begun)
        .is_some_and(|(r, b)| time(r) < time(b));
    older && record.kind == RecordKind::ConfigChange
}

/// What auditd says of itself: the numbers of before it began, and of the boot before, nobody can count.
fn left_out(record: &Record) -> Option<Gap> {
    told_by_auditd(record).or_else(|| told_of_configuration(record))
}

/// A record that says that auditd ended, paused or failed, or that auditing was switched off.
fn disturbed(record: &Record) -> Option<Gap> {
    let off = || record.body.split(' ').any(|word| word == "audit_enabled=0");
    if record.kind == RecordKind::DaemonEnd {
        return Some(Gap::AuditdRestarted);
    }
    if let Some(gap) = left_out(record) {
        return Some(gap);
    }
    let switched_off = record.kind == RecordKind::ConfigChange && off();
    switched_off.then(|| Gap::AuditReconfigured {
        record: record.body.to_owned(),
    })
}
