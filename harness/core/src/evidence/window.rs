//! Examines one window: its decisions, what changed under it, and what may be missing.
//!
//! A record belongs to the window when it stands between the two markers in the log, or when its
//! time and its number both lie between theirs. Neither serials nor times alone decide: both run
//! backwards in real logs.

mod beside;
mod clock;
mod control;
mod gaps;
mod segments;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, ops::Range};

use serde::{Deserialize, Serialize};

pub use self::segments::{Belongs, SegmentEvidence};
use self::{control::Controls, segments::Bounds};
use super::{
    capture::{LogSlice, LogSource, Reading, WindowCapture},
    coverage::{Coverage, Note},
    denial::Decision,
    event, head, journal,
    kind::RecordKind,
    mac_change::{MacChange, mac_change},
    marker::{self, Form, MarkerEnd, Place},
    record::{self, Framing, Grammar, Record, Stamp},
};
use crate::id::CheckId;

/// What patchgate itself does to the host inside a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// A policy may be loaded, or booleans set: the window spans a patch or a `semodule` call.
    pub policy_load: bool,
    /// Enforcing may be set: the window spans a diagnosis.
    pub mode_change: bool,
    /// The host may be rebooted, once: the window spans a reboot that was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reboot: bool,
}

/// What one window shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WindowEvidence {
    /// All decisions of the window, grants too, in the log's order.
    pub decisions: Vec<Decision>,
    /// Where in the window each decision was made, in the same order.
    pub belongs: Vec<Belongs>,
    /// The segments of the window, in order.
    pub segments: Vec<SegmentEvidence>,
    /// How many decisions stood outside the markers and belong inside by time and number.
    pub out_of_order: usize,
    /// Policy loads, mode and boolean changes.
    pub mac_changes: Vec<MacChange>,
    /// `SELINUX_ERR` records, verbatim: the policy could not be applied.
    pub selinux_errors: Vec<String>,
    /// Text that was not understood, or that a user process made look like a decision.
    pub unrecognized: Vec<String>,
    /// What the evidence can vouch for.
    pub coverage: Coverage,
    /// What it cannot do beside that.
    pub notes: Vec<Note>,
}

impl WindowEvidence {
    /// The decisions that are not grants.
    pub fn denials(&self) -> impl Iterator<Item = &Decision> {
        self.decisions
            .iter()
            .filter(|decision| decision.is_denial())
    }

    /// The denials that were made while a check ran, or one of the checks that ran beside it; missing
    /// where the markers do not tell. A denial that belongs to no segment is in none of the answers.
    #[must_use]
    pub fn denials_of(&self, check: &CheckId) -> Reading<Vec<&Decision>> {
        let mut own = Vec::new();
        for (at, segment) in self.segments.iter().enumerate() {
            if !segment.checks.contains(check) {
                continue;
            }
            if let Some(why) = segment.bounded.why() {
                return Reading::missing(why);
            }
            own.push(Belongs::Segment(at));
        }
        if own.is_empty() {
            return Reading::missing("no segment of the window is this check's");
        }
        let decisions = self.decisions.iter().zip(&self.belongs);
        let ours = decisions.filter(|(d, belongs)| d.is_denial() && own.contains(belongs));
        Reading::Known(ours.map(|(decision, _)| decision).collect())
    }
}

/// The records of a window, and which of them belong to it.
#[derive(Debug)]
pub(super) struct Window<'a> {
    records: Vec<Record<'a>>,
    inside: Range<usize>,
    stamps: Option<(Stamp, Stamp)>,
    begins: Vec<Place>,
    ends: Vec<Place>,
    bounds: Bounds,
    /// Which node the markers' records say that they are of; none where they name none.
    node: Option<&'a str>,
}

/// Examines what the engine copied about one window.
#[must_use]
pub fn examine(capture: &WindowCapture, expected: Expectations) -> WindowEvidence {
    let text = text(&capture.log);
    let window = Window::open(capture, &text);
    let mut controls = Controls::of(capture);
    let ours = event::decisions_at(&window.records)
        .into_iter()
        .filter(|(index, _)| window.holds(*index) && !window.records[*index].is_hearsay())
        .filter(|(_, decision)| !controls.take(decision));
    let (indices, mut decisions): (Vec<usize>, Vec<Decision>) = ours.unzip();
    let mut belongs: Vec<Belongs> = indices.iter().map(|i| window.belongs(*i)).collect();
    let beside = beside::decisions(capture, &window);
    decisions.extend(beside.into_iter().filter(|d| !controls.take(d)));
    belongs.resize(decisions.len(), Belongs::Nowhere);
    let mac_changes: Vec<MacChange> = window.own().filter_map(mac_change).collect();
    let errors = window
        .own()
        .filter(|record| record.kind == RecordKind::SelinuxErr);
    WindowEvidence {
        out_of_order: indices
            .iter()
            .filter(|index| !window.inside.contains(index))
            .count(),
        selinux_errors: errors.map(|record| record.raw.to_owned()).collect(),
        unrecognized: window.unrecognized(capture.log.source),
        coverage: gaps::coverage(capture, &window, &mac_changes, &controls, expected),
        notes: controls.notes(),
        segments: window.bounds.evidence(&capture.segments),
        decisions,
        belongs,
        mac_changes,
    }
}

/// What is said of a window without denials in which nothing can be missing.
pub const NO_DENIALS: &str = "no denials";

/// Says in words what a window shows; "no denials" only where nothing can be missing.
#[must_use]
pub fn statement(evidence: &WindowEvidence) -> String {
    let denials = evidence.denials().count();
    let gaps = gap_list(&evidence.coverage);
    match (&evidence.coverage, denials) {
        (Coverage::Complete, 0) => NO_DENIALS.to_owned(),
        (Coverage::Complete, _) => plural(denials, "denial"),
        (Coverage::Degraded(_), 0) => format!("none seen, {gaps}"),
        (Coverage::Unavailable(gap), 0) => format!("unknown: {gap}"),
        (Coverage::Degraded(_) | Coverage::Unavailable(_), _) => {
            format!("{} or more, {gaps}", plural(denials, "denial"))
        }
    }
}

/// True for a line of auditd's log that ends inside its stamp, or before its decision. What is no
/// decision and no torn one either says `op=`: an object manager's word on a policy load.
fn breaks_off(record: &Record) -> bool {
    let decides = record.kind == RecordKind::Avc || record.kind == RecordKind::UserAvc;
    let says_nothing =
        head::find_decision(record.body, 0).is_none() && !record.body.contains("op=");
    record.framing == Framing::AuditLog && (record.stamp.is_none() || decides && says_nothing)
}

/// Counts and lists the gaps: `2 gaps: auditd was not running; …`.
fn gap_list(coverage: &Coverage) -> String {
    let sentences: Vec<String> = coverage.gaps().iter().map(|gap| gap.sentence()).collect();
    format!(
        "{}: {}",
        plural(sentences.len(), "gap"),
        sentences.join("; ")
    )
}

/// `1 denial`, `2 denials`.
fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The text of a log in which records are looked for.
fn text(slice: &LogSlice) -> Cow<'_, str> {
    match slice.source {
        LogSource::Journal => journal::to_text(&slice.text).into(),
        LogSource::AuditLog | LogSource::KernelRing | LogSource::None => (&*slice.text).into(),
    }
}

/// Reads the records of a log's text.
fn records(source: LogSource, text: &str) -> Vec<Record<'_>> {
    match source {
        LogSource::AuditLog => record::parse(text, Grammar::AuditLog),
        LogSource::Journal => beside::without_copies(record::parse(text, Grammar::KernelLog), &[]),
        LogSource::KernelRing | LogSource::None => record::parse(text, Grammar::KernelLog),
    }
}

impl<'a> Window<'a> {
    /// Reads the records and finds the markers; a missing one leaves its side open.
    fn open(capture: &WindowCapture, text: &'a str) -> Self {
        let records = records(capture.log.source, text);
        let form = Form::of(capture, capture.log.source);
        let places = |end| {
            let text = capture.marker(end);
            marker::places(&records, &text, form)
        };
        let (begins, ends) = (places(MarkerEnd::Begin), places(MarkerEnd::End));
        let (first, last) = (begins.first(), ends.last());
        let start = first.map_or(0, |place| place.index + 1);
        let end = last.map_or(records.len(), |place| place.index);
        let stamps = first
            .and_then(|place| place.stamp)
            .zip(last.and_then(|place| place.stamp));
        // Markers in the wrong order bound nothing: everything is looked at.
        let inside = if start <= end {
            start..end
        } else {
            0..records.len()
        };
        let bounds = Bounds::find(capture, &records, &begins, &ends);
        let node = first.or(last).and_then(|place| records[place.index].node);
        Self {
            records,
            inside,
            stamps,
            begins,
            ends,
            bounds,
            node,
        }
    }

    /// Where in the window a record of it belongs.
    fn belongs(&self, index: usize) -> Belongs {
        let place = self.inside.contains(&index).then_some(index);
        self.bounds.belongs(place, self.records[index].stamp)
    }

    /// True when the record at this index belongs to the window.
    fn holds(&self, index: usize) -> bool {
        self.inside.contains(&index) || self.records[index].stamp.is_some_and(|s| self.spans(s))
    }

    /// True when time and number both lie between the markers'.
    fn spans(&self, stamp: Stamp) -> bool {
        self.stamps
            .is_some_and(|(begin, end)| stamp.is_between(begin, end))
    }

    /// The window's records.
    fn records(&self) -> impl Iterator<Item = &Record<'a>> {
        self.records
            .iter()
            .enumerate()
            .filter(|(i, _)| self.holds(*i))
            .map(|(_, record)| record)
    }

    /// The window's records that the kernel or auditd wrote.
    fn trusted(&self) -> impl Iterator<Item = &Record<'a>> {
        self.records().filter(|record| !record.is_hearsay())
    }

    /// Those of them that are not known to be of another host, whose log this one collects too.
    fn own(&self) -> impl Iterator<Item = &Record<'a>> {
        self.trusted().filter(|record| self.is_own(record))
    }

    fn is_own(&self, record: &Record<'_>) -> bool {
        record.node.is_none() || record.node == self.node
    }

    /// The record of the first begin of this host's auditd, and all that stand behind it in the log.
    fn since_start(&self) -> impl Iterator<Item = &Record<'a>> {
        let is_start =
            |r: &Record<'_>| r.kind == RecordKind::DaemonStart && self.is_own(r) && !r.is_hearsay();
        self.records.iter().skip_while(move |r| !is_start(r))
    }

    /// The window's damaged text: no record, one whose user text hides the start of another, or one
    /// that breaks off before it says what it is there for.
    fn garbled(&self) -> impl Iterator<Item = &Record<'a>> {
        self.records().filter(|record| {
            record.kind == RecordKind::Unrecognized
                || record.raw.matches("msg=audit(").count() > 1
                || breaks_off(record)
        })
    }

    /// The text to show to people because nothing was made of it.
    fn unrecognized(&self, source: LogSource) -> Vec<String> {
        let speaks = |text: &str| text.contains("avc:") || text.contains("audit(");
        let shown = |record: &&Record| match source {
            LogSource::AuditLog => true,
            LogSource::Journal | LogSource::KernelRing | LogSource::None => speaks(record.raw),
        };
        let hearsay = self.records().filter(|record| record.is_hearsay());
        self.garbled()
            .chain(hearsay)
            .filter(shown)
            .map(|record| record.raw.to_owned())
            .collect()
    }
}
