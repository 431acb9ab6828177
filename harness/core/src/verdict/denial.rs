//! Denials as the verdict lists them: by fingerprint, with what is known of each.

use serde::{Deserialize, Serialize};

use crate::evidence::fingerprint::Fingerprint;

/// The denials of one fingerprint in one window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDenial {
    /// What they have in common.
    pub fingerprint: Fingerprint,
    /// All of them.
    pub count: usize,
    /// Those that were enforced.
    pub enforced: usize,
    /// Those that were let through; what is left of `count` did not say (EL5, EL6).
    pub permissive: usize,
    /// What is known of them.
    pub standing: Vec<Standing>,
}

/// What is known of the denials of one fingerprint. Of the first three, one always holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The baseline does not have them, and its window is whole.
    New,
    /// Nobody can say whether they are new: there is no other baseline, or its window has gaps.
    Uncompared,
    /// They are the baseline's, or it has them too.
    Baseline,
    /// Every check that watches them has an entry that allows them.
    Allowed,
    /// The upstream twin has them in the same state.
    AlsoOnTwin,
}

impl Standing {
    /// The word for people and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Uncompared => "uncompared",
            Self::Baseline => "baseline",
            Self::Allowed => "allowed",
            Self::AlsoOnTwin => "also-on-twin",
        }
    }
}
