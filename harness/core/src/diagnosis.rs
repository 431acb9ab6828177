//! What was looked at after a check had failed, cheapest first: recorded by the engine, weighed by
//! [`crate::judge`].
//!
//! The reading steps change nothing and are taken on every host. The experiments change the loaded
//! policy for some seconds, on lab hosts only, under a dead man's switch on the host; what they prove is
//! decided by the judgement, from the answers before, during and after.

pub mod complaint;
mod control;
pub mod experiment;
mod failure;
pub mod labels;
pub mod owners;
mod proposal;
mod step;
#[cfg(test)]
mod testing;
pub mod unit;
mod wanted;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

pub use self::{
    proposal::{EXPERIMENT, Experiment, STOPPED, experiments, is_made},
    step::Step,
    wanted::{Wanted, wanted},
};
use crate::{
    evidence::capture::WindowCapture,
    id::CheckId,
    observation::{HttpSeen, Observation},
    snapshot::{policy::PathLabel, system::Listener},
};

/// One step of a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosisStep {
    /// The failed checks that it is about, all of one suite.
    pub about: Vec<CheckId>,
    /// What was found.
    pub found: Found,
    /// What it cost; of what one reply brought, it stands with the first.
    #[serde(with = "crate::time::millis")]
    pub elapsed: Duration,
}

/// What a step found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Found {
    /// The same request, asked from elsewhere.
    Request {
        /// The check whose request it is.
        check: CheckId,
        /// Where it was asked from: `localhost`, or `peer:HOST`.
        from: String,
        /// What it saw.
        saw: HttpSeen,
    },
    /// A unit, in more words than a check needs.
    Unit(UnitFound),
    /// The listening sockets, right after the failure.
    Listeners {
        /// All of them.
        listeners: Vec<Listener>,
    },
    /// The end of a service's own error log.
    ErrorLog {
        /// The file.
        path: String,
        /// Its last lines, oldest first.
        lines: Vec<String>,
    },
    /// What the journal, or `/var/log/messages`, says of a unit since the window opened.
    Journal {
        /// The unit.
        unit: String,
        /// The lines, oldest first.
        lines: Vec<String>,
    },
    /// The service's own check of its configuration.
    ConfigTest {
        /// The command.
        command: String,
        /// Its exit status; none when it ran into its deadline.
        exit: Option<u8>,
        /// What it said.
        output: String,
    },
    /// Labels of the paths that the suite touches, of which the policy wants another one.
    Mislabeled {
        /// Only the paths whose label is wrong.
        labels: Vec<PathLabel>,
    },
    /// Which package owns which file that has to do with the failure. There may be several in one
    /// diagnosis: they add up.
    Owners {
        /// The package as `name-[epoch:]version-release.arch`, by path.
        owners: BTreeMap<String, String>,
    },
    /// A step of an experiment.
    Experiment {
        /// The domain that it is about.
        domain: String,
        /// What happened.
        event: ExperimentEvent,
    },
    /// A step could not be taken.
    Unavailable {
        /// The step.
        what: String,
        /// Why.
        why: String,
    },
}

impl Found {
    /// Whether the host itself had to answer for this to be found.
    #[must_use]
    pub fn is_of_the_host(&self) -> bool {
        match self {
            Self::Request { from, .. } => from == "localhost",
            Self::Unit(_)
            | Self::Listeners { .. }
            | Self::ErrorLog { .. }
            | Self::Journal { .. }
            | Self::ConfigTest { .. }
            | Self::Mislabeled { .. }
            | Self::Owners { .. } => true,
            Self::Experiment { event, .. } => match event {
                ExperimentEvent::Armed { .. }
                | ExperimentEvent::Changed { .. }
                | ExperimentEvent::Window { .. }
                | ExperimentEvent::Restored { .. } => true,
                ExperimentEvent::Asked { .. } | ExperimentEvent::Failed { .. } => false,
            },
            Self::Unavailable { .. } => false,
        }
    }
}

/// A unit that a failed check rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitFound {
    /// Its name.
    pub unit: String,
    /// `ActiveState`.
    pub active: String,
    /// `SubState`.
    pub sub: Option<String>,
    /// `Result`: `success`, `exit-code`, `signal`, `core-dump`, `oom-kill`, `timeout` …
    pub result: Option<String>,
    /// `ExecMainCode` and `ExecMainStatus` in one word: `exited 1`, `killed 9`, `dumped 11`.
    pub main_exit: Option<String>,
    /// `NRestarts`.
    pub restarts: Option<u32>,
    /// The file that defines it.
    pub fragment: Option<String>,
    /// The context of its main process.
    pub context: Option<String>,
}

/// What the loaded policy is while a check is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Untouched: the failure must still be there.
    Before,
    /// Without dontaudit rules: what is denied is logged.
    DontauditOff,
    /// Without dontaudit rules, and with the one domain permissive: what SELinux alone denies works.
    DomainPermissive,
    /// The policy as it was: the failure must be there again.
    Restored,
}

impl Phase {
    /// The word for people and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::DontauditOff => "dontaudit-off",
            Self::DomainPermissive => "domain-permissive",
            Self::Restored => "restored",
        }
    }

    /// How often each failed check is asked in it. An answer that a service gives by chance must not pass
    /// for the one that the policy makes: where the answer has to be another one than in the phase before, it
    /// is asked for again.
    #[must_use]
    pub fn asks(self) -> usize {
        match self {
            Self::Before | Self::DontauditOff => 1,
            Self::DomainPermissive | Self::Restored => 2,
        }
    }
}

/// A step of an experiment. In order: `armed`; for each phase `changed` (not for the first), `asked` for
/// each failed check, as often as the phase wants it, `window`; at the end `restored`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum ExperimentEvent {
    /// The dead man's switch stands on the host.
    Armed {
        /// After so many seconds the host restores itself.
        deadline_s: u64,
        /// What the host was.
        before: HostMark,
    },
    /// Another policy is loaded, or the old one again.
    Changed {
        /// The phase that begins.
        phase: Phase,
        /// The loaded policy's SHA-256, from the kernel.
        loaded_sha256: String,
        /// Units that were started for it, because they were down.
        started: Vec<String>,
    },
    /// A failed check was asked again.
    Asked {
        /// In which phase.
        phase: Phase,
        /// The check.
        check: CheckId,
        /// What it saw.
        saw: Observation,
    },
    /// What the audit log holds of a phase.
    Window {
        /// The phase.
        phase: Phase,
        /// The log.
        capture: Box<WindowCapture>,
    },
    /// The host was restored, and looked at.
    Restored {
        /// What it is now; the same as before, or the host is dirty.
        after: HostMark,
    },
    /// The experiment could not go on; the host restores itself, or was restored.
    Failed {
        /// Why.
        why: String,
    },
}

/// What must be the same before and after an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostMark {
    /// The mode: `1` enforcing, `0` permissive.
    pub mode: String,
    /// SHA-256 of the loaded policy.
    pub loaded_sha256: String,
    /// SHA-256 of the policy on disk.
    pub disk_sha256: String,
    /// SHA-256 of the list of modules in the store, with their priorities.
    pub modules_sha256: String,
    /// SHA-256 of the booleans in force, with their names.
    pub booleans_sha256: String,
    /// `ActiveState` of the watched units.
    pub units: BTreeMap<String, String>,
}
