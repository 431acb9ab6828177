//! Which check a decision was made for: the segments between a window's inner markers.
//!
//! As with the window itself a record's place between the markers decides, and its time and number
//! where a record came out of order. An inner marker that did not reach the log leaves the segments at
//! both its sides without an end, and what lies there belongs to the whole window only.

use serde::Serialize;

use super::marker::{self, Form, Place};
use crate::{
    evidence::{
        capture::{Reading, WindowCapture},
        record::{Record, Stamp},
        segment::{Segment, segment_text},
    },
    id::CheckId,
};

/// Where in its window a decision was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Belongs {
    /// Before the first check: while the state was made, or its facts were read.
    BeforeChecks,
    /// In the segment at this index of [`super::WindowEvidence::segments`].
    Segment(usize),
    /// Somewhere in the window: no marker tells where.
    Nowhere,
}

/// What is known of one segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentEvidence {
    /// Its checks; more than one ran side by side.
    pub checks: Vec<CheckId>,
    /// Whether the markers at both its ends are in the log, or why not.
    pub bounded: Reading<()>,
}

/// The places that part the segments: the window's begin, each segment's marker, the window's end.
#[derive(Debug)]
pub(super) struct Bounds(Vec<Option<Place>>);

impl Bounds {
    /// Finds the inner markers; one that is repeated or out of order is as good as lost.
    pub(super) fn find(
        capture: &WindowCapture,
        records: &[Record],
        begins: &[Place],
        ends: &[Place],
    ) -> Self {
        let only = |places: &[Place]| match places {
            [place] => Some(*place),
            [] | [_, ..] => None,
        };
        let inner = capture.segments.iter().map(|segment| {
            let text = segment_text(&capture.nonce, &capture.id, segment.number);
            only(&marker::places(records, &text, Form::UserRecord))
        });
        let all = [only(begins)].into_iter().chain(inner).chain([only(ends)]);
        let mut bounds: Vec<Option<Place>> = all.collect();
        for at in 1..bounds.len() {
            let before = bounds[..at].iter().flatten().map(|p| p.index).max();
            if bounds[at].is_some_and(|p| before.is_some_and(|b| p.index < b)) {
                // Nobody can say which of the two is in the wrong place.
                let late = bounds[at].take().map(|p| p.index);
                for earlier in &mut bounds[..at] {
                    earlier.take_if(|p| Some(p.index) > late);
                }
            }
        }
        Self(bounds)
    }

    /// The stretch at this index, where both its ends are known: 0 lies before the first segment.
    fn stretch(&self, at: usize) -> Option<(Place, Place)> {
        (*self.0.get(at)?).zip(*self.0.get(at + 1)?)
    }

    /// Where a record belongs that stands at this place, if it stands inside the window, and has this
    /// time and number.
    pub(super) fn belongs(&self, place: Option<usize>, stamp: Option<Stamp>) -> Belongs {
        let find = |holds: &dyn Fn(Place, Place) -> bool| {
            (0..self.0.len()).find(|at| self.stretch(*at).is_some_and(|(a, b)| holds(a, b)))
        };
        let by_stamp = stamp.and_then(|stamp| {
            find(&|a, b| {
                let ends = a.stamp.zip(b.stamp);
                ends.is_some_and(|(a, b)| stamp.is_between(a, b))
            })
        });
        let by_place = || place.and_then(|place| find(&|a, b| a.index < place && place < b.index));
        match by_stamp.or_else(by_place) {
            Some(0) if self.0.len() > 2 => Belongs::BeforeChecks,
            Some(at) if at > 0 => Belongs::Segment(at - 1),
            Some(_) | None => Belongs::Nowhere,
        }
    }

    /// What is known of the recorded segments.
    pub(super) fn evidence(&self, segments: &[Segment]) -> Vec<SegmentEvidence> {
        let of = |(at, segment): (usize, &Segment)| SegmentEvidence {
            checks: segment.checks.clone(),
            bounded: match (&segment.marker, self.stretch(at + 1)) {
                (Reading::Missing { why }, _) => Reading::missing(why),
                (Reading::Known(()), None) => {
                    Reading::missing("a marker beside the check is not in the log")
                }
                (Reading::Known(()), Some(_)) => Reading::Known(()),
            },
        };
        segments.iter().enumerate().map(of).collect()
    }

    /// The numbers of the markers that are there, in order.
    pub(super) fn serials(&self) -> impl Iterator<Item = u64> {
        let stamps = self.0.iter().flatten().filter_map(|place| place.stamp);
        stamps.map(|stamp| stamp.serial)
    }
}
