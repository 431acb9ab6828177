//! Whether time and numbers went their way inside a window.

use std::{collections::BTreeSet, ops::Range};

use super::Window;
use crate::evidence::{
    capture::{Reading, UptimeSpan, WindowEdge},
    coverage::Gap,
    marker::Place,
    record::{Record, Stamp},
};

/// How far the clock may move against the uptime, beside what the readings themselves leave open.
///
/// Slewing moves both alike (they are one clock of the kernel's), so that what is left is a step, and
/// the rounding of both readings: 10 ms of the uptime's, a tick of the records'.
const TOLERANCE_MS: i64 = 500;

/// Finds a step of the clock: the kernel's time in each marker against the uptime around it.
pub(super) fn clock(begin: &WindowEdge, end: &WindowEdge, window: &Window) -> Option<Gap> {
    let before = boot_time(begin, window.begins.first())?;
    let after = boot_time(end, window.ends.last())?;
    let (before, after) = match (before, after) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(why), _) | (_, Err(why)) => return Some(Gap::ClockUnknown { why }),
    };
    let ahead = after.0 - before.1;
    let behind = before.0 - after.1;
    let by_ms = if ahead > TOLERANCE_MS {
        ahead
    } else if behind > TOLERANCE_MS {
        -behind
    } else {
        return None;
    };
    Some(Gap::ClockStepped { by_ms })
}

/// The earliest and the latest time of boot that a marker allows, in milliseconds since the epoch.
type BootTime = (i64, i64);

/// Reads it; `None` for an older record, and for a marker that is not there, which is a gap already.
fn boot_time(edge: &WindowEdge, marker: Option<&Place>) -> Option<Result<BootTime, String>> {
    let time = marker?.stamp?.epoch_ms()?;
    let known = |span: &UptimeSpan| {
        let since = |up: u64| i64::try_from(time).ok()?.checked_sub_unsigned(up);
        let order = span.from_ms <= span.to_ms;
        let times = since(span.to_ms).zip(since(span.from_ms));
        times
            .filter(|_| order)
            .ok_or_else(|| "the uptime makes no sense".to_owned())
    };
    Some(match edge.marked.as_ref()? {
        Reading::Known(span) => known(span),
        Reading::Missing { why } => Err(why.clone()),
    })
}

/// Counts the numbers between the markers' that no record of the log has. The kernel gives a number away
/// when it begins a record, and either delivers the record or counts it as lost; an auditd that cannot write
/// may drop it all the same, and go on as if nothing was (`disk_full_action`, `disk_error_action`).
pub(super) fn missing(window: &Window) -> Option<Gap> {
    let (begin, end) = window.stamps?;
    missing_of(
        numbered(window, window.records.iter()),
        begin.serial.checked_add(1)?..end.serial,
    )
}

/// As [`missing`], where the host was rebooted inside the window and the numbers began again: from the first
/// that the kernel gave away once auditd had begun.
pub(super) fn missing_since_start(window: &Window) -> Option<Gap> {
    let mut later = window.since_start();
    let begun = later.next()?.stamp?.epoch_ms()?;
    let later: Vec<Stamp> = numbered(window, later).collect();
    let newer = |s: &&Stamp| s.epoch_ms().is_some_and(|t| t >= begun);
    let Some(first) = later.iter().filter(newer).map(|s| s.serial).min() else {
        let why = "no record is newer than the begin of auditd".to_owned();
        return Some(Gap::ClockUnknown { why });
    };
    missing_of(later.into_iter(), first..window.ends.last()?.stamp?.serial)
}

fn missing_of(stamps: impl Iterator<Item = Stamp>, numbers: Range<u64>) -> Option<Gap> {
    let serials = stamps.map(|s| s.serial);
    let known: BTreeSet<u64> = serials.filter(|s| numbers.contains(s)).collect();
    let all = numbers.end.saturating_sub(numbers.start);
    let count = all.saturating_sub(known.len() as u64);
    (count > 0).then_some(Gap::RecordsMissing { count })
}

/// The stamps of those records whose numbers this host's kernel gave away.
fn numbered<'w, 'a: 'w>(
    window: &'w Window<'a>,
    records: impl Iterator<Item = &'w Record<'a>>,
) -> impl Iterator<Item = Stamp> {
    let ours = |r: &&Record<'_>| !r.is_hearsay() && !r.kind.is_of_auditd() && r.node == window.node;
    records.filter(ours).filter_map(|r| r.stamp)
}

/// Finds numbers that began again: those of our own markers, in the order in which they were sent.
pub(super) fn serials(window: &Window) -> Option<Gap> {
    let serials: Vec<u64> = window.bounds.serials().collect();
    let backwards = serials.windows(2).any(|pair| pair[1] <= pair[0]);
    backwards.then_some(Gap::SerialsRestarted)
}
