//! The snapshot of a host: one item for its policy, one for the system around its services.
//!
//! Both go with the batch of a state, so they cost no round trip. No Python: `semanage` takes seconds.
//! What can be read with builtins is; the rest is one call a tool.

mod policy;
mod sections;
mod system;

use patchgate_core::{facts::Facts, plan::Plan, snapshot::Snapshot};

use crate::host::{Item, Reply};

/// What the suites of a plan rest on, of which a snapshot tells more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Units, by name.
    pub units: Vec<String>,
    /// Files and directories whose labels matter.
    pub paths: Vec<String>,
    /// Files of certificates.
    pub certificates: Vec<String>,
}

impl Watched {
    /// What a plan's suites rest on.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            units: plan.units(),
            paths: plan.rests_on(|r| &r.paths),
            certificates: plan.rests_on(|r| &r.certificates),
        }
    }

    /// Asks for the policy and for the system.
    #[must_use]
    pub fn items(&self) -> [Item; 2] {
        [policy::item(self), system::item(self)]
    }

    /// Reads the answers to [`Self::items`]; the facts have the loaded policy's checksum, which is
    /// not made twice.
    #[must_use]
    pub fn read(&self, facts: &Facts, policy: &Reply, system: &Reply) -> Snapshot {
        Snapshot {
            policy: policy::read(facts, policy),
            system: system::read(self, system),
        }
    }
}

#[cfg(test)]
mod tests;
