//! The undo of a patch that failed: what is asked for, what can be done on a host, and what came of it.
//!
//! Whether a patch failed on a host, and whether its undo gave the host back as it was, is said here, of the
//! record; the engine asks and acts. An undo never makes a verdict better: what failed before it has failed.

mod mark;
mod snapshot;
mod way;

use serde::{Deserialize, Serialize};

pub use self::{
    mark::{Mark, MarkAct},
    snapshot::SnapshotSource,
    way::{Way, way},
};
use crate::{id::HostName, judge, ledger::Ledger, plan::Plan, reading::Reading};

/// What becomes of a host on which the patch failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// It stays as it is: there is no `undone` state.
    #[default]
    Keep,
    /// The package manager undoes its transaction.
    Rollback,
    /// The host goes back to its snapshot.
    Reset,
}

impl OnFailure {
    /// The word in a patch set.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Rollback => "rollback",
            Self::Reset => "reset",
        }
    }
}

/// How a patch is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoHow {
    /// By the package manager of the host.
    Rollback {
        /// The job on the host.
        job: String,
        /// The package manager's number of the transaction that is undone.
        transaction: String,
    },
    /// By a snapshot.
    Reset {
        /// Where the snapshot is.
        snapshot: SnapshotSource,
        /// `/proc/sys/kernel/random/boot_id` before, where the host could be asked.
        boot_id: Reading<String>,
        /// Whether the host was marked before, so that a disk without the mark is an older one.
        marked: bool,
    },
}

/// How an undo ended. Whether the host is as it was before the patch is another question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndoEnd {
    /// The package manager says that it has undone its transaction.
    RolledBack,
    /// The host is back from its snapshot.
    Reset {
        /// The boot that it is in.
        boot_id: Reading<String>,
    },
    /// It was not even tried.
    Refused {
        /// Why.
        why: String,
    },
    /// It failed, or nobody knows how far it got.
    Failed {
        /// Why.
        why: String,
    },
    /// It had not ended by its deadline, or when the run was stopped; it goes on by itself on the host.
    StillRunning,
}

/// Why the patch is to be undone on a host, by what the record holds so far.
///
/// `None` where the patch set keeps what fails, where the transaction changed nothing, and where nothing is
/// confirmed to have failed: evidence that is missing undoes nothing. `ledger` may hold this one host alone.
#[must_use]
pub fn wanted(plan: &Plan, ledger: &Ledger, host: &HostName) -> Option<String> {
    match plan.on_failure() {
        OnFailure::Keep => None,
        OnFailure::Rollback | OnFailure::Reset => judge::failure(plan, ledger, host),
    }
}

/// Why a host is not as it was before the patch, although its patch was to be undone; `None` where it is, and
/// where nothing was to be undone. `ledger` may hold this one host alone.
#[must_use]
pub fn trouble(plan: &Plan, ledger: &Ledger, host: &HostName) -> Option<String> {
    judge::undo_trouble(plan, ledger, host)
}

#[cfg(test)]
mod tests;
