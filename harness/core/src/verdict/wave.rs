//! The waves of a run as its verdict tells them: which hosts were touched and which were not.

use serde::{Deserialize, Serialize};

use crate::id::HostName;

/// What became of the waves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WavesTold {
    /// Every wave, the first one first.
    pub waves: Vec<WaveTold>,
    /// Why waves were not begun, where the run was stopped between two.
    pub stopped: Option<String>,
    /// Kinds of hosts (distribution, major version, role) that later waves have and the first has not.
    pub uncovered: Vec<String>,
}

/// What became of one wave. Each of its hosts is in one of the three lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaveTold {
    /// Its number, from 1.
    pub wave: usize,
    /// The hosts on which a transaction was begun.
    pub patched: Vec<HostName>,
    /// The hosts that the record tells of, without a transaction.
    pub unpatched: Vec<HostName>,
    /// The hosts that were not touched: the record has nothing of them.
    pub untouched: Vec<HostName>,
}
