//! What is to be applied to the hosts.

mod parse;

use serde::{Deserialize, Serialize};

pub use self::parse::{DEFAULT_DEADLINE, parse};

/// A patch set: what to apply, from where, and what follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchSet {
    /// Its name.
    pub name: String,
    /// What is applied.
    pub select: Selection,
    /// Package globs that are left out.
    pub exclude: Vec<String>,
    /// Repositories enabled for this transaction only.
    pub enable_repos: Vec<String>,
    /// Repositories disabled for this transaction only.
    pub disable_repos: Vec<String>,
    /// What happens to services once the packages are in.
    pub services: Services,
    /// How long the transaction may take on one host, in seconds.
    pub deadline_s: u64,
}

/// What a patch set applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// Everything that the enabled repositories hold newer.
    AllUpdates,
}

/// What happens to services after a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Services {
    /// Nothing: there is no `restarted` state.
    Leave,
    /// These units are restarted, which makes the `restarted` state.
    Restart(Vec<String>),
}

#[cfg(test)]
mod tests;
