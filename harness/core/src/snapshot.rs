//! What a host is like in one state, beyond its facts: its SELinux policy and what its services rest on.
//!
//! A snapshot holds what was read and judges nothing. Two of them, laid side by side, give the lines of
//! `patchgate facts --diff` and much of what a cause rests on.

pub mod diff;
pub mod looked;
pub mod pairs;
pub mod policy;
pub mod read;
pub mod system;

use serde::{Deserialize, Serialize};

use self::{policy::PolicySnapshot, system::SystemSnapshot};
use crate::reading::Reading;

/// One snapshot of a host. Each part says for itself what could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The SELinux policy, its settings and its labels.
    pub policy: Reading<PolicySnapshot>,
    /// Listeners, firewall, units, disks and the like.
    pub system: Reading<SystemSnapshot>,
}
