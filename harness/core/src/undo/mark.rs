//! The mark of a dirty host: a file that the host keeps until somebody says that it is in order.

use serde::{Deserialize, Serialize};

/// What the mark of a dirty host says. It is read from the host, and so the host's text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The run that left the host so.
    pub run: String,
    /// When, by that run's controller.
    pub since: String,
    /// Why.
    pub why: String,
}

impl Mark {
    /// What the mark says, and what to do about it.
    #[must_use]
    pub fn told(&self) -> String {
        let Self { run, since, why } = self;
        format!(
            "run {run} left it dirty at {since}: {why}; once it is in order, say `--clear-dirty {run}`"
        )
    }
}

/// What became of a host's mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkAct {
    /// It was put there.
    Written,
    /// It was there, and the run changes nothing on the host.
    Found,
    /// It was there, and was taken away because somebody said so.
    Cleared,
    /// This run had put it there, and took it away: the host is as it was before.
    Dropped,
}
