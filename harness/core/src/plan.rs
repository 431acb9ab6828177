//! The manifest of a run: every check on every host in every state, fixed before the first packet.
//!
//! Whatever the run does later, each planned cell ends in the report; one that did not run is
//! `not-run` and keeps the gate shut.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    id::{CheckId, CheckName, HostName, RunId},
    inventory::{Inventory, Role},
    patchset::{PatchSet, Services},
    policy::Policy,
    reboot::Reboot,
    soak::Soak,
    state::State,
    suite::{Check, RestsOn, Suite, Vantage},
    undo::{OnFailure, SnapshotSource},
    wave::{Staging, Waves},
};

/// The version of `plan.json`.
pub const PLAN_VERSION: u32 = 1;

/// The manifest of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_VERSION`] of the writer.
    pub v: u32,
    /// The run.
    pub run: RunId,
    /// What is applied; none in a run that only checks.
    pub patch: Option<PatchSet>,
    /// The suites, as parsed.
    pub suites: Vec<Suite>,
    /// The gate's policy.
    pub policy: Policy,
    /// The hosts, in the order of the inventory.
    pub hosts: Vec<PlannedHost>,
    /// The states that each host is checked in.
    pub states: Vec<State>,
    /// Every planned check, by host, state and suite.
    pub cells: Vec<Cell>,
    /// Whether experiments may be made on lab hosts after a failure. Versions that knew none made none.
    #[serde(default)]
    pub experiments: bool,
    /// What is probed beside the patch; none: nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<Soak>,
    /// The waves that the hosts are patched in; none: all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waves: Option<Waves>,
    /// Whether hosts are only asked what the patch set would do: nothing is changed and nothing checked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preview: bool,
}

/// What the judgement needs to know of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedHost {
    /// Its name.
    pub name: HostName,
    /// Where it is reached.
    pub address: String,
    /// Upstream or rebuild.
    pub role: Option<Role>,
    /// Its upstream twin.
    pub twin: Option<HostName>,
    /// Whether it is a lab host.
    pub lab: bool,
    /// Where its snapshot is, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotSource>,
}

/// One planned check of one host in one state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// The host.
    pub host: HostName,
    /// The state.
    pub state: State,
    /// The check.
    pub check: CheckId,
    /// Where it is asked from.
    pub vantage: Vantage,
}

impl Plan {
    /// Lays out every cell of a run. Where something is applied, it is in the waves that the inventory names.
    #[must_use]
    pub fn lay(
        run: RunId,
        inventory: &Inventory,
        suites: Vec<Suite>,
        patch: Option<PatchSet>,
        policy: Policy,
    ) -> Self {
        let hosts = inventory
            .hosts
            .iter()
            .map(PlannedHost::from)
            .collect::<Vec<_>>();
        let states = states_of(patch.as_ref());
        let cells = cells_of(&hosts, &states, &suites);
        let waves = patch
            .as_ref()
            .and_then(|_| Waves::lay(inventory, &Staging::default()));
        Self {
            v: PLAN_VERSION,
            run,
            patch,
            suites,
            policy,
            hosts,
            states,
            cells,
            experiments: true,
            soak: None,
            waves,
            preview: false,
        }
    }

    /// Lays out a run that looks at hosts and checks nothing: of the suites only what they rest on counts.
    #[must_use]
    pub fn look(run: RunId, inventory: &Inventory, suites: Vec<Suite>) -> Self {
        let suites = suites.into_iter().map(Suite::without_checks).collect();
        Self::lay(run, inventory, suites, None, Policy::nothing())
    }

    /// The suite and the check of an id.
    #[must_use]
    pub fn check(&self, id: &CheckId) -> Option<(&Suite, &Check)> {
        let suite = self.suites.iter().find(|s| s.name == id.suite)?;
        suite
            .checks
            .iter()
            .find(|c| c.name == id.check)
            .map(|check| (suite, check))
    }

    /// The planned host of a name.
    #[must_use]
    pub fn host(&self, name: &HostName) -> Option<&PlannedHost> {
        self.hosts.iter().find(|h| h.name == *name)
    }

    /// The states that the gate looks at: those after the patch and before its undo, or the only one there is.
    #[must_use]
    pub fn judged_states(&self) -> &[State] {
        let states = match self.states.split_last() {
            Some((State::Undone, before)) => before,
            Some(_) | None => &self.states,
        };
        match states.split_first() {
            Some((_, after)) if self.patch.is_some() => after,
            Some(_) | None => states,
        }
    }

    /// What becomes of a host on which the patch failed.
    #[must_use]
    pub fn on_failure(&self) -> OnFailure {
        self.patch
            .as_ref()
            .map_or(OnFailure::Keep, |p| p.on_failure)
    }

    /// The plan of one host alone, in some of its states.
    #[must_use]
    pub fn of_host(&self, host: &HostName, keep: impl Fn(&State) -> bool) -> Self {
        let ours = |c: &&Cell| c.host == *host && keep(&c.state);
        Self {
            patch: self.patch.clone(),
            suites: self.suites.clone(),
            policy: self.policy.clone(),
            run: self.run.clone(),
            hosts: self.host(host).into_iter().cloned().collect(),
            states: self.states.iter().copied().filter(&keep).collect(),
            cells: self.cells.iter().filter(ours).cloned().collect(),
            soak: self.soak.clone(),
            waves: None,
            ..*self
        }
    }

    /// Whether hosts are only looked at: nothing is checked and nothing is changed.
    #[must_use]
    pub fn looks_only(&self) -> bool {
        self.patch.is_none() && self.suites.iter().all(|s| s.checks.is_empty())
    }

    /// All SELinux domains whose access vectors are watched, each once.
    #[must_use]
    pub fn domains(&self) -> Vec<String> {
        let mut all: Vec<_> = self
            .suites
            .iter()
            .flat_map(|s| s.domains.iter().cloned())
            .collect();
        all.sort();
        all.dedup();
        all
    }
}

impl Plan {
    /// All units that the checks rest on, each once: those that suites name, those of `service` checks,
    /// and those that the patch set restarts.
    #[must_use]
    pub fn units(&self) -> Vec<String> {
        let named = self.suites.iter().flat_map(Suite::units);
        let restarted = match self.patch.as_ref().map(|p| &p.services) {
            Some(Services::Restart(units)) => units.clone(),
            Some(Services::Leave) | None => Vec::new(),
        };
        let all: BTreeSet<String> = named.chain(restarted).collect();
        all.into_iter().collect()
    }

    /// All of what the suites say that they rest on, each once; the units apart.
    #[must_use]
    pub fn rests_on(&self, pick: impl Fn(&RestsOn) -> &[String]) -> Vec<String> {
        let all: BTreeSet<String> = self
            .suites
            .iter()
            .flat_map(|s| pick(&s.rests_on).iter().cloned())
            .collect();
        all.into_iter().collect()
    }
}

impl From<&crate::inventory::InventoryHost> for PlannedHost {
    fn from(host: &crate::inventory::InventoryHost) -> Self {
        Self {
            name: host.name.clone(),
            address: host.address.clone(),
            role: host.role,
            twin: host.twin.clone(),
            lab: host.lab,
            snapshot: host.snapshot.clone(),
        }
    }
}

/// The states that hosts pass through with such a patch set, or without one.
#[must_use]
pub fn states_of(patch: Option<&PatchSet>) -> Vec<State> {
    let Some(set) = patch else {
        return vec![State::Baseline];
    };
    let restarted = match set.services {
        Services::Leave => None,
        Services::Restart(_) => Some(State::Restarted),
    };
    let rebooted = match set.reboot {
        Reboot::Never => None,
        Reboot::WhenNeeded | Reboot::Always => Some(State::Rebooted),
    };
    let undone = match set.on_failure {
        OnFailure::Keep => None,
        OnFailure::Rollback | OnFailure::Reset => Some(State::Undone),
    };
    let after = [restarted, rebooted, undone].into_iter().flatten();
    [State::Baseline, State::Patched]
        .into_iter()
        .chain(after)
        .collect()
}

fn cells_of(hosts: &[PlannedHost], states: &[State], suites: &[Suite]) -> Vec<Cell> {
    let mut cells = Vec::new();
    for host in hosts {
        for state in states {
            for suite in suites {
                cells.extend(suite.checks.iter().map(|check| Cell {
                    host: host.name.clone(),
                    state: *state,
                    check: id_of(suite, &check.name),
                    vantage: check.vantage,
                }));
            }
        }
    }
    cells
}

/// The id of a suite's check.
#[must_use]
pub fn id_of(suite: &Suite, check: &CheckName) -> CheckId {
    CheckId {
        suite: suite.name.clone(),
        check: check.clone(),
    }
}
