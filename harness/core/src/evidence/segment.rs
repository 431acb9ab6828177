//! Segments of a window: what lies between two of its inner markers.

use serde::{Deserialize, Serialize};

use super::capture::Reading;
use crate::id::CheckId;

/// Where the checks of a segment were asked from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AskedFrom {
    /// On the host, one check a segment.
    Host,
    /// From the controller: all such checks of a state run side by side and share one segment, as do all
    /// checks of an experiment's phase, wherever they are asked from.
    Controller,
}

/// The stretch of a window between its own marker and the next one, or the window's end marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Its number from 1, which its marker carries.
    pub number: u32,
    /// Where its checks were asked from.
    pub asked_from: AskedFrom,
    /// Its checks; of more than one nobody can say which of them a denial belongs to.
    pub checks: Vec<CheckId>,
    /// Whether its marker could be sent.
    pub marker: Reading<()>,
}

/// The text of the marker that begins a segment.
#[must_use]
pub fn segment_text(nonce: &str, window: &str, number: u32) -> String {
    format!("patchgate {nonce} {window} segment {number}")
}
