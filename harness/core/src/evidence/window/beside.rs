//! Logs that were read beside auditd's, because it broke off before the end marker.

use std::collections::HashSet;

use super::{Window, records, text};
use crate::evidence::{
    capture::{LogSlice, WindowCapture},
    denial::Decision,
    event,
    marker::{self, Form, MarkerEnd, marker_text},
    record::Record,
};

/// The decisions of the window that the first log does not hold.
pub(super) fn decisions(capture: &WindowCapture, first: &Window) -> Vec<Decision> {
    let mut all = Vec::new();
    for slice in &capture.beside {
        let text = text(slice);
        let records = without_copies(records(slice.source, &text), &first.records);
        let from = begin_of(capture, slice, &records);
        let ours = event::decisions_at(&records).into_iter();
        let ours = ours.filter(|(index, _)| {
            let record = &records[*index];
            *index >= from && !record.is_hearsay() && !is_older(record, first)
        });
        all.extend(ours.map(|(_, decision)| decision));
    }
    all
}

/// The index at which the window begins: behind the begin marker that this log has got, else at once.
fn begin_of(capture: &WindowCapture, slice: &LogSlice, records: &[Record]) -> usize {
    let text = marker_text(&capture.nonce, &capture.id, MarkerEnd::Begin);
    let places = marker::places(records, &text, Form::of(capture, slice.source));
    places.first().map_or(0, |place| place.index + 1)
}

/// Whether a record is older than the begin marker of the first log.
fn is_older(record: &Record, first: &Window) -> bool {
    let begin = first
        .begins
        .first()
        .and_then(|place| place.stamp?.epoch_ms());
    let time = record.stamp.and_then(|stamp| stamp.epoch_ms());
    time.zip(begin).is_some_and(|(time, begin)| time < begin)
}

/// Leaves out records that are there already: the journal can have one twice, from the kernel's
/// broadcast and from its ring. Records without a number are all kept.
pub(super) fn without_copies<'a>(
    mut records: Vec<Record<'a>>,
    known: &[Record<'a>],
) -> Vec<Record<'a>> {
    let mut seen: HashSet<_> = known.iter().filter_map(key).collect();
    records.retain(|record| key(record).is_none_or(|key| seen.insert(key)));
    records
}

/// What tells a record from others.
fn key<'a>(record: &Record<'a>) -> Option<(&'a str, &'a str)> {
    Some((record.id?, record.body))
}
