//! The verdict: open, closed or undecided, and everything that it rests on. `verdict.json` is this.

mod cause;
mod denial;
mod soak;
mod wave;

use serde::{Deserialize, Serialize};

pub use self::{
    cause::{Cause, CauseKind, DeniedAccess, Proof},
    denial::{SeenDenial, Standing},
    soak::{Outage, SoakTold},
    wave::{WaveTold, WavesTold},
};
use crate::{
    id::{CheckId, HostName, RunId, SuiteName},
    inventory::Role,
    state::State,
    suite::Vantage,
};

/// The version of `verdict.json`.
pub const VERDICT_VERSION: u32 = 1;

/// May the patch set go on?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Yes: all that is required was seen to hold.
    Open,
    /// No: a failure was seen.
    Closed,
    /// Nobody can say: evidence is missing.
    Undecided,
}

impl Decision {
    /// The word for people and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Undecided => "undecided",
        }
    }
}

/// The verdict of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// [`VERDICT_VERSION`] of the writer.
    pub v: u32,
    /// The run.
    pub run: RunId,
    /// The patch set's name; none in a run that only checks.
    pub patch_set: Option<String>,
    /// The decision.
    pub verdict: Decision,
    /// The exit code that goes with it.
    pub exit: u8,
    /// How the planned checks ended.
    pub checks: Counts,
    /// The hosts.
    pub hosts: Vec<HostSummary>,
    /// Changes that matter, worst first.
    pub findings: Vec<Finding>,
    /// What keeps the run from being decided.
    pub undecided: Vec<Undecided>,
    /// Findings that a waiver covers.
    pub waived: Vec<Finding>,
    /// The waves; none in a run without any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waves: Option<WavesTold>,
    /// What remote clients felt while hosts were patched; none where nothing was probed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub soak: Vec<SoakTold>,
}

/// How the planned checks ended; every planned check is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All of them.
    pub planned: usize,
    /// The expectation held.
    pub passed: usize,
    /// The expectation held after a failed attempt.
    pub flaky: usize,
    /// It did not hold.
    pub failed: usize,
    /// The evidence has gaps.
    pub blind: usize,
    /// The check could not be made.
    pub errored: usize,
    /// It did not run.
    pub not_run: usize,
    /// The host was shown not to need the state that it is of.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_needed: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// One host in the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSummary {
    /// Its name.
    pub host: HostName,
    /// Upstream or rebuild.
    pub role: Option<Role>,
    /// Its distribution, as it calls itself.
    pub os: Option<String>,
    /// What the transaction changed.
    pub packages: Vec<String>,
    /// The package manager's number of the transaction.
    pub transaction: Option<String>,
    /// What is proven of the patch set: that the host has converged, that what was asked for is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// What became of its reboot; where none was made and something waits for one, that too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reboot: Option<String>,
    /// What became of the undo of its patch, where the host is as it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
    /// Why the run leaves it dirty, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<String>,
    /// What the mark says that an earlier run left on it, in a run that changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// What can be said of denials, state by state.
    pub denials: Vec<StateStatement>,
}

/// What can be said of one state's window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateStatement {
    /// The state.
    pub state: State,
    /// The statement: `no denials` only with complete coverage.
    pub statement: String,
    /// The names of the gaps.
    pub gaps: Vec<String>,
    /// How many denials are allowed.
    #[serde(default)]
    pub allowed: usize,
    /// The denials by fingerprint, those that count first.
    #[serde(default)]
    pub seen: Vec<SeenDenial>,
    /// How many fingerprints are left out of `seen`.
    #[serde(default)]
    pub unlisted: usize,
}

/// A change that matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable across runs: class, host and suite.
    pub id: String,
    /// What kind of change.
    pub class: Class,
    /// The suite, where one is concerned.
    pub suite: Option<SuiteName>,
    /// The hosts that show it.
    pub hosts: Vec<HostName>,
    /// The checks that show it.
    pub checks: Vec<CheckId>,
    /// What was seen, in order.
    pub symptoms: Vec<Seen>,
    /// All of it in a line.
    pub symptom: String,
    /// How the upstream twin fares.
    pub twin: Option<Twin>,
    /// What caused it.
    pub cause: Cause,
    /// The packages that may have brought it, likeliest first.
    pub suspects: Vec<Suspect>,
    /// The numbers of the events that it rests on.
    pub evidence: Vec<u64>,
}

/// Kinds of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Passed before, fails after, and the upstream twin goes on passing.
    RebuildOnlyRegression,
    /// Passed before, fails after.
    Regression,
    /// Denials that the baseline did not have.
    NewDenial,
    /// SELinux left the mode that it was in.
    ModeDrift,
    /// Fails, in a run that has no before.
    Failure,
    /// The host answered before the patch and never again, while an unpatched host went on.
    HostLost,
    /// Remote clients got no good answer for longer than the gate allows.
    Outage,
    /// The host was told to reboot once, and booted more than once.
    RebootLoop,
    /// The host booted another kernel than the newest that is installed.
    OtherKernel,
    /// Failed before and fails after: the patch cannot be judged by it.
    BrokenBefore,
    /// Failed before, passes after.
    Fixed,
    /// A watched domain lost permissions, and no check failed.
    AccessLost,
    /// Entries of an allow-list have expired and allow nothing any more.
    AllowExpired,
    /// Entries of an allow-list fitted nothing in the whole run.
    AllowUnused,
}

impl Class {
    /// The word for people and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::RebuildOnlyRegression => "rebuild-only-regression",
            Self::Regression => "regression",
            Self::NewDenial => "new-denial",
            Self::ModeDrift => "mode-drift",
            Self::Failure => "failure",
            Self::HostLost => "host-lost",
            Self::Outage => "outage",
            Self::RebootLoop => "reboot-loop",
            Self::OtherKernel => "other-kernel",
            Self::BrokenBefore => "broken-before",
            Self::Fixed => "fixed",
            Self::AccessLost => "access-lost",
            Self::AllowExpired => "allow-expired",
            Self::AllowUnused => "allow-unused",
        }
    }
}

/// One check that showed the finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The state.
    pub state: State,
    /// The check.
    pub check: CheckId,
    /// Where it was asked from.
    pub vantage: Vantage,
    /// What was seen.
    pub text: String,
}

/// How the upstream twin of a host fares in the same checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twin {
    /// The twin.
    pub host: HostName,
    /// Its fate.
    pub fate: Fate,
}

/// The fate of a twin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It passes.
    Unaffected,
    /// It fails too.
    Affected,
    /// It was not seen to do either.
    Unknown,
}

/// A package that may have brought a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// The package as it is now, or as it was when it is gone.
    pub nevra: String,
    /// What ties it to the finding.
    pub why: String,
}

/// Something that keeps the run from being decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Undecided {
    /// The host, where one is concerned.
    pub host: Option<HostName>,
    /// The state, where one is concerned.
    pub state: Option<State>,
    /// What is missing.
    pub what: Missing,
    /// Why, in words.
    pub why: String,
}

/// What can be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// The host was not reached, or was lost.
    Host,
    /// The host is not what a suite needs, or cannot be seen to be.
    Needs,
    /// The patch set is not, or not wholly, in.
    Patch,
    /// The evidence has gaps.
    Coverage,
    /// A watched domain lost access silently, and no check needed it.
    Access,
    /// Whether remote clients went on being served was not seen.
    Soak,
    /// Planned checks did not run.
    NotRun,
    /// Checks could not be made.
    Errored,
    /// Checks failed, and the policy closes the gate for nothing of it.
    Failed,
    /// Checks passed only when asked again.
    Flaky,
    /// Checks failed before the patch, so that they cannot judge it.
    BrokenBefore,
    /// The run did not come to its end.
    Run,
}

impl Missing {
    /// The word for people and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Needs => "needs",
            Self::Patch => "patch",
            Self::Coverage => "coverage",
            Self::Access => "access",
            Self::Soak => "soak",
            Self::NotRun => "not-run",
            Self::Errored => "errored",
            Self::Failed => "failed",
            Self::Flaky => "flaky",
            Self::BrokenBefore => "broken-before",
            Self::Run => "run",
        }
    }
}
