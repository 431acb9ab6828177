//! The gate's policy: what must hold before a patch set may go on.

mod parse;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

pub use self::parse::parse;
use crate::id::SuiteName;

/// What must hold for the gate to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Which checks of which suites must pass; a suite that is not named here does not count.
    pub suites: BTreeMap<SuiteName, Required>,
    /// What the evidence must be.
    pub coverage: RequiredCoverage,
    /// Kinds of change that close the gate.
    pub forbid: Vec<Forbidden>,
    /// How long a remote client may go without an answer while a host is patched; none: however long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<OutageLimit>,
}

/// The longest outage that a gate lets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutageLimit {
    /// A longer one closes the gate.
    #[serde(with = "crate::time::millis")]
    pub longer_than: Duration,
}

/// How much of a suite must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Required {
    /// Every planned check, in every state.
    All,
}

/// What the evidence must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequiredCoverage {
    /// Every window is complete: anything less is undecided.
    Complete,
    /// Audit evidence is not asked for: no window is opened, and nothing is ever said about denials.
    /// Checks of the kind `denials` cannot be planned under it.
    NotCollected,
}

/// A kind of change that closes the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forbidden {
    /// A check that passed before the patch and fails after it.
    Regression,
    /// The same, while the upstream twin goes on passing.
    RebuildOnly,
    /// A denial that the baseline did not have.
    NewDenial,
    /// SELinux left the mode that it was in.
    ModeDrift,
    /// A planned check that did not run.
    MissingCheck,
}

impl Forbidden {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::Regression,
        Self::RebuildOnly,
        Self::NewDenial,
        Self::ModeDrift,
        Self::MissingCheck,
    ];

    /// The word in a gate file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Regression => "regression",
            Self::RebuildOnly => "rebuild-only",
            Self::NewDenial => "new-denial",
            Self::ModeDrift => "mode-drift",
            Self::MissingCheck => "missing-check",
        }
    }
}

impl Policy {
    /// The policy of a run that checks nothing: nothing must hold, and no window is opened.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            name: "none".to_owned(),
            suites: BTreeMap::new(),
            coverage: RequiredCoverage::NotCollected,
            forbid: Vec::new(),
            outage: None,
        }
    }

    /// The policy where no gate file is given: all of the suites, complete coverage, nothing forbidden
    /// allowed.
    #[must_use]
    pub fn strict(suites: impl IntoIterator<Item = SuiteName>) -> Self {
        Self {
            name: "strict".to_owned(),
            suites: suites.into_iter().map(|s| (s, Required::All)).collect(),
            coverage: RequiredCoverage::Complete,
            forbid: Forbidden::ALL.to_vec(),
            outage: None,
        }
    }
}

#[cfg(test)]
mod tests;
