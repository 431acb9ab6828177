//! Finds the gaps of one window.

mod audit;
mod reboot;

use std::collections::BTreeMap;

use super::{
    Expectations, Window, clock,
    control::Controls,
    marker::{Form, MarkerEnd},
};
use crate::evidence::{
    capture::{LogSlice, LogSource, Reading, WindowCapture, WindowEdge},
    coverage::{Coverage, Gap},
    kind::RecordKind,
    mac_change::{MacChange, MacChangeKind},
    record::Record,
    suppression::{Suppression, suppression},
};

/// Judges what the evidence of a window can vouch for.
pub(super) fn coverage(
    capture: &WindowCapture,
    window: &Window,
    changes: &[MacChange],
    controls: &Controls<'_>,
    expected: Expectations,
) -> Coverage {
    let (begin, end) = match (capture.begin.get(), capture.end.get()) {
        (Ok(begin), Ok(end)) => (begin, end),
        (Err(why), _) | (_, Err(why)) => {
            return Coverage::Unavailable(Gap::NotCollected {
                why: why.to_owned(),
            });
        }
    };
    if let Some(gap) = blind(capture, begin, end) {
        return Coverage::Unavailable(gap);
    }
    let mut gaps = Vec::new();
    gaps.extend(selinux(capture, begin, end));
    let same_boot = boot(begin, end) != Some(Gap::BootChanged);
    let rebooted = expected.reboot && !same_boot;
    if rebooted {
        gaps.extend(policy_errors(window));
        gaps.extend(reboot::gaps(begin, end, changes, window));
    } else {
        gaps.extend(mac(begin, end, changes, expected));
        gaps.extend(policy_errors(window));
        gaps.extend(time(begin, end, window));
        gaps.extend(audit::audit(begin, end, same_boot));
        gaps.extend(inside(window));
    }
    gaps.extend(markers(capture, begin, end, window));
    gaps.extend(controls.gaps(window));
    gaps.extend(log(capture, window));
    let kept = rebooted.then(|| reboot::kept_until(end, window)).flatten();
    gaps.extend(suppressed(capture, begin, end, window, kept));
    // What else is wrong with a window says more than the numbers that miss for it.
    if gaps.is_empty() {
        let missing = if rebooted {
            clock::missing_since_start(window)
        } else {
            clock::missing(window)
        };
        gaps.extend(missing);
    }
    if gaps.is_empty() {
        Coverage::Complete
    } else {
        Coverage::Degraded(gaps)
    }
}

/// Finds what leaves nothing to look at.
fn blind(capture: &WindowCapture, begin: &WindowEdge, end: &WindowEdge) -> Option<Gap> {
    if capture.selinux == Reading::Known(false) {
        return Some(Gap::SelinuxAbsent);
    }
    if [begin, end]
        .iter()
        .any(|edge| mode(edge) == Ok(Mode::Disabled))
    {
        return Some(Gap::SelinuxDisabled);
    }
    (capture.log.source == LogSource::None).then(|| Gap::LogUnreadable {
        why: trouble(capture),
    })
}

/// Why the log is missing.
fn trouble(capture: &WindowCapture) -> String {
    capture
        .log
        .trouble
        .clone()
        .unwrap_or_else(|| "no log was found".to_owned())
}

/// The mode of SELinux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Enforcing,
    Permissive,
    Disabled,
}

/// Reads the mode from the words of `getenforce` or the number of the kernel's file.
fn mode(edge: &WindowEdge) -> Result<Mode, String> {
    match edge.mode.get()?.trim() {
        "Enforcing" | "1" => Ok(Mode::Enforcing),
        "Permissive" | "0" => Ok(Mode::Permissive),
        "Disabled" => Ok(Mode::Disabled),
        other => Err(format!("`{other}` is no mode")),
    }
}

/// SELinux itself.
fn selinux(capture: &WindowCapture, begin: &WindowEdge, end: &WindowEdge) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if let Err(why) = capture.selinux.get() {
        gaps.push(Gap::SelinuxUnknown {
            why: why.to_owned(),
        });
    }
    let modes = [mode(begin), mode(end)];
    if modes.contains(&Ok(Mode::Permissive)) {
        gaps.push(Gap::PermissiveMode);
    }
    let unknown = modes.into_iter().find_map(Result::err);
    gaps.extend(unknown.map(|why| Gap::ModeUnknown { why }));
    gaps
}

/// Policy, mode and booleans inside the window.
fn mac(
    begin: &WindowEdge,
    end: &WindowEdge,
    changes: &[MacChange],
    expected: Expectations,
) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let moved = matches!((mode(begin), mode(end)), (Ok(a), Ok(b)) if a != b);
    if moved && !expected.mode_change {
        gaps.push(Gap::ModeChanged);
    }
    let real = changes
        .iter()
        .map(|change| &change.kind)
        .filter(|kind| kind.is_real());
    for kind in real {
        let gap = match kind {
            MacChangeKind::PolicyLoad if !expected.policy_load => Gap::PolicyReloaded,
            MacChangeKind::Mode { .. } if !expected.mode_change => Gap::ModeChanged,
            MacChangeKind::Boolean { name, .. } if !expected.policy_load => {
                Gap::BooleanChanged { name: name.clone() }
            }
            MacChangeKind::PolicyLoad
            | MacChangeKind::Mode { .. }
            | MacChangeKind::Boolean { .. } => continue,
        };
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }
    gaps
}

/// What the kernel refused or could not label because the policy does not fit: no denial says so.
fn policy_errors(window: &Window) -> Option<Gap> {
    let mut errors = window.own().filter(|r| r.kind == RecordKind::SelinuxErr);
    let record = errors.next()?.raw.to_owned();
    let count = 1 + errors.count();
    Some(Gap::PolicyErrors { count, record })
}

/// The host's boot; within one boot its clock and the numbers of its records.
fn time(begin: &WindowEdge, end: &WindowEdge, window: &Window) -> Vec<Gap> {
    match boot(begin, end) {
        Some(gap @ Gap::BootChanged) => vec![gap],
        gap => {
            let steps = [clock::clock(begin, end, window), clock::serials(window)];
            [gap].into_iter().chain(steps).flatten().collect()
        }
    }
}

/// The host's boot.
fn boot(begin: &WindowEdge, end: &WindowEdge) -> Option<Gap> {
    match (begin.boot_id.get(), end.boot_id.get()) {
        (Ok(a), Ok(b)) if a.trim() != b.trim() => Some(Gap::BootChanged),
        (Ok(a), Ok(_)) if a.trim().is_empty() => Some(Gap::BootUnknown {
            why: "the boot id is empty".to_owned(),
        }),
        (Ok(_), Ok(_)) => None,
        (Err(why), _) | (_, Err(why)) => Some(Gap::BootUnknown {
            why: why.to_owned(),
        }),
    }
}

/// What the window's own records say about auditd and its settings.
fn inside(window: &Window) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let daemon =
        |record: &Record| matches!(record.kind, RecordKind::DaemonStart | RecordKind::DaemonEnd);
    if window.own().any(daemon) {
        gaps.push(Gap::AuditdRestarted);
    }
    // What a configuration left out that was read anew, the numbers tell that miss then.
    let told = |r| {
        told_by_auditd(r).or_else(|| told_of_configuration(r).filter(|_| window.stamps.is_none()))
    };
    gaps.extend(window.own().filter_map(told));
    let changed = window
        .own()
        .filter(|record| record.kind == RecordKind::ConfigChange);
    gaps.extend(changed.map(|record| Gap::AuditReconfigured {
        record: record.body.to_owned(),
    }));
    gaps
}

/// What auditd says of itself that left records out.
fn told_by_auditd(record: &Record) -> Option<Gap> {
    let paused = ["DAEMON_RESUME", "DAEMON_ERR"];
    said(record, &paused, "auditd paused or failed")
}

/// Its word that it read its configuration anew, which may have said for a while that nothing is to be written.
fn told_of_configuration(record: &Record) -> Option<Gap> {
    let read = ["DAEMON_CONFIG", "DAEMON_RECONFIG"];
    said(record, &read, "auditd read its configuration anew")
}

fn said(record: &Record, kinds: &[&'static str], what: &str) -> Option<Gap> {
    let ours = kinds
        .iter()
        .any(|kind| record.kind == RecordKind::Other(kind));
    ours.then(|| Gap::AuditReconfigured {
        record: format!("{what}: {}", record.body),
    })
}

/// Whether the marker could be sent to the log that was read.
fn sent<'a>(capture: &WindowCapture, edge: &'a WindowEdge) -> Result<(), &'a str> {
    let weak = edge.weak.as_ref();
    let marker = match Form::of(capture, capture.log.source) {
        Form::UserRecord => Some(&edge.marker),
        Form::Entry => weak.map(|weak| &weak.journal_marker),
        Form::Line => weak.map(|weak| &weak.kernel_marker),
    };
    let marker = marker.ok_or("no marker was sent to the log that was read")?;
    marker.get().copied()
}

/// The markers.
fn markers(
    capture: &WindowCapture,
    begin: &WindowEdge,
    end: &WindowEdge,
    window: &Window,
) -> Vec<Gap> {
    let sides = [
        (
            begin,
            window.begins.len(),
            MarkerEnd::Begin,
            Gap::MarkerBeginMissing,
        ),
        (
            end,
            window.ends.len(),
            MarkerEnd::End,
            Gap::MarkerEndMissing,
        ),
    ];
    let mut gaps = Vec::new();
    for (edge, found, end, missing) in sides {
        match sent(capture, edge) {
            Err(why) => gaps.push(Gap::MarkerNotWritten {
                end,
                why: why.to_owned(),
            }),
            Ok(()) if found == 0 => gaps.push(missing),
            Ok(()) => {}
        }
    }
    let crossed = matches!(
        (window.begins.first(), window.ends.last()),
        (Some(begin), Some(end)) if begin.index > end.index
    );
    if crossed || window.begins.len() > 1 || window.ends.len() > 1 {
        gaps.push(Gap::MarkersConfused);
    }
    gaps
}

/// The copy of the log.
fn log(capture: &WindowCapture, window: &Window) -> Vec<Gap> {
    let log = &capture.log;
    let mut gaps = Vec::new();
    gaps.extend(log.trouble.clone().map(|why| Gap::LogUnreadable { why }));
    if !log.reached_begin {
        gaps.push(Gap::LogRotatedAway);
    }
    if log.truncated_bytes > 0 {
        gaps.push(Gap::LogTruncated {
            bytes: log.truncated_bytes,
        });
    }
    match log.source {
        LogSource::AuditLog => {
            let lines = window.garbled().count();
            gaps.extend((lines > 0).then_some(Gap::LogGarbled { lines }));
        }
        source @ (LogSource::Journal | LogSource::KernelRing | LogSource::None) => {
            gaps.push(Gap::WeakSource { source });
        }
    }
    gaps.extend(capture.beside.iter().filter_map(stand_in));
    gaps
}

/// A log that stands in for auditd's. That there is none is no gap of its own: it was looked for because
/// auditd's log has one.
fn stand_in(slice: &LogSlice) -> Option<Gap> {
    match slice.source {
        LogSource::AuditLog | LogSource::None => None,
        source @ (LogSource::Journal | LogSource::KernelRing) => Some(Gap::WeakSource { source }),
    }
}

/// Suppression lines that came inside the window, one gap for each kind. What the kernel's log left out until
/// `kept`, in milliseconds since the boot, auditd's log has.
fn suppressed(
    capture: &WindowCapture,
    begin: &WindowEdge,
    end: &WindowEdge,
    window: &Window,
    kept: Option<u64>,
) -> Vec<Gap> {
    let (before, after) = match (
        begin.kernel_suppressions.get(),
        end.kernel_suppressions.get(),
    ) {
        (Ok(before), Ok(after)) => (before.as_slice(), after.as_slice()),
        (Err(why), _) | (_, Err(why)) => {
            return vec![Gap::KernelLogUnreadable {
                why: why.to_owned(),
            }];
        }
    };
    let from_log = match capture.log.source {
        LogSource::AuditLog | LogSource::None => Vec::new(),
        LogSource::Journal | LogSource::KernelRing => {
            window.records().map(|record| record.raw).collect()
        }
    };
    let lines = new_lines(before, after).into_iter().chain(from_log);
    let mut kinds: BTreeMap<_, Vec<Suppression>> = BTreeMap::new();
    for found in lines
        .filter_map(suppression)
        .filter(|found| found.kind.may_hide_denials() && !reboot::was_kept(found, kept))
    {
        kinds.entry(found.kind).or_default().push(found);
    }
    let gap = |(kind, mut found): (_, Vec<Suppression>)| {
        let lines = found.len();
        found.pop().map(|last| Gap::Suppressed {
            kind,
            lines,
            line: last.line,
        })
    };
    kinds.into_iter().filter_map(gap).collect()
}

/// The lines that are there more often than before; kernels without time stamps repeat lines.
fn new_lines<'a>(before: &[String], after: &'a [String]) -> Vec<&'a str> {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for line in before {
        *known.entry(line).or_default() += 1;
    }
    let mut is_new = |line: &&'a str| match known.get_mut(line) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        Some(_) | None => true,
    };
    after
        .iter()
        .map(String::as_str)
        .filter(|line| is_new(line))
        .collect()
}
