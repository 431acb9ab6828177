//! The states that a host passes through in a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A state in which a host is checked. The order is the order of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Before anything was changed; the only state of a run that patches nothing.
    Baseline,
    /// The patch set is in, services are as the packages left them.
    Patched,
    /// The services were restarted.
    Restarted,
    /// The host was rebooted.
    Rebooted,
    /// The patch failed and was undone; judged by whether the host is as it was, and by nothing else.
    Undone,
}

impl State {
    /// All of them, in the order of a run.
    pub const ALL: [Self; 5] = [
        Self::Baseline,
        Self::Patched,
        Self::Restarted,
        Self::Rebooted,
        Self::Undone,
    ];

    /// The word for people and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Patched => "patched",
            Self::Restarted => "restarted",
            Self::Rebooted => "rebooted",
            Self::Undone => "undone",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
