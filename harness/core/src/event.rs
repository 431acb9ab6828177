//! The one stream between doing and telling: what happened, in order.
//!
//! The engine writes events and judges nothing; reporters and the judgement read them. The names of
//! the kinds are a contract with records on disk: they are added to and never changed.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    diagnosis::DiagnosisStep,
    evidence::{
        access::VectorTable,
        capture::{WindowBegin, WindowCapture},
        window::Expectations,
    },
    facts::Facts,
    id::{CheckId, HostName, RunId},
    observation::Observation,
    reading::Reading,
    reboot::{RebootEnd, RebootSigns},
    snapshot::Snapshot,
    soak::{SoakEnd, Stretch},
    state::State,
    transaction::Preview,
    undo::{Mark, MarkAct, UndoEnd, UndoHow},
};

/// The version of the event format.
pub const EVENT_VERSION: u32 = 1;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// [`EVENT_VERSION`] of the writer.
    pub v: u32,
    /// The event's number in its run, from 1, without gaps.
    pub seq: u64,
    /// When it was written, by the controller's clock: for people, and for judgement in one case only.
    /// The day of [`What::RunStarted`] decides which entries of allow-lists have expired; the day on
    /// which somebody judges cannot, for a verdict is the same whenever it is given.
    pub at: jiff::Timestamp,
    /// The host that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// The state that the host was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// The run began.
    RunStarted {
        /// The run.
        run: RunId,
        /// patchgate's version.
        version: String,
        /// SHA-256 of `plan.json`.
        plan_sha256: String,
        /// SHA-256 of `targets.json`. Earlier versions wrote none, and their runs cannot be resumed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        targets_sha256: Option<String>,
    },
    /// Another controller goes on with the run, after a crash or a stop.
    RunResumed {
        /// patchgate's version.
        version: String,
        /// How many bytes of a torn last line were cut off.
        cut: u64,
    },
    /// A connection stands and the host key is the pinned one.
    HostConnected {
        /// The address that answered.
        address: String,
        /// The host key's fingerprint, as `ssh-keygen -l` shows it.
        host_key: String,
        /// From the first packet to the end of authentication.
        #[serde(with = "crate::time::millis")]
        elapsed: Duration,
    },
    /// No connection could be had.
    HostUnreachable {
        /// The stage that failed: resolve, connect, kex, auth …
        stage: String,
        /// Why.
        why: String,
    },
    /// patchgate refused to go on for the sake of security.
    SecurityStopped {
        /// Why.
        why: String,
    },
    /// Another controller holds the host.
    HostLocked {
        /// Who, since when, and what became of its work, in words.
        holder: String,
    },
    /// An earlier run left the host dirty and marked it: it is not touched.
    HostDirty {
        /// What the mark says.
        mark: Mark,
    },
    /// The connection was lost and did not come back in time.
    HostLost {
        /// What was being done.
        doing: String,
        /// Why.
        why: String,
    },
    /// patchgate itself broke down while it worked on the host: a bug.
    BrokeDown {
        /// What it said.
        why: String,
    },
    /// A resumed run came to a host that it had begun before, and compared it with the record.
    HostResumed {
        /// What is another thing than it was, or cannot be compared, one sentence each.
        changed: Vec<String>,
        /// How old the baseline is, in seconds of the controller's clock; none where it was not over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        baseline_s: Option<Reading<u64>>,
    },
    /// The host entered a state: what makes the state, and its checks, come after this.
    StateEntered {
        /// Its window, as it was opened; none where no evidence is collected.
        window: Option<Box<WindowBegin>>,
    },
    /// The state is over: its window was closed, and every answer is in the record.
    StateLeft {
        /// Whether the host answered every question, and the end of its window is known.
        whole: bool,
    },
    /// The facts of the host were read.
    FactsCollected {
        /// The facts.
        facts: Box<Facts>,
    },
    /// The access vectors of the watched domains were read.
    VectorsRead {
        /// The table, or why there is none.
        vectors: Reading<VectorTable>,
    },
    /// The policy and the system around the services were read.
    SnapshotTaken {
        /// What was read.
        snapshot: Box<Snapshot>,
    },
    /// Something was looked at because a check had failed.
    Diagnosed {
        /// What was found, and what it cost.
        diagnosis: Box<DiagnosisStep>,
    },
    /// One attempt at a check ended.
    CheckFinished {
        /// The check.
        check: CheckId,
        /// The attempt, from 1.
        attempt: u32,
        /// What it saw.
        saw: Observation,
    },
    /// The state's window was closed and what lay in it was brought here.
    WindowCaptured {
        /// What was read.
        capture: Box<WindowCapture>,
        /// What may happen in it, because patchgate itself does it.
        expected: Expectations,
    },
    /// The package manager said what it would do.
    PatchPlanned {
        /// The packages that will come, as `name-[epoch:]version-release.arch`.
        packages: Reading<Vec<String>>,
        /// All that it said. Earlier versions did not write it down.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preview: Option<Box<Preview>>,
    },
    /// The transaction was handed to the host, which carries it through by itself.
    PatchStarted {
        /// The transaction's job.
        job: String,
        /// What the job runs. Earlier versions did not write it down.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        script: String,
    },
    /// The transaction ended.
    PatchFinished {
        /// How.
        end: PatchEnd,
        /// The package manager's own number for it.
        transaction: Option<String>,
        /// The end of its output.
        output: String,
    },
    /// Services were restarted.
    ServicesRestarted {
        /// Exit status and error output of each unit's restart.
        units: BTreeMap<String, RestartEnd>,
    },
    /// The host was asked whether it needs a reboot.
    RebootConsidered {
        /// What it said.
        signs: Box<RebootSigns>,
    },
    /// The host is about to be told to reboot, once and no second time in this run.
    RebootStarted {
        /// The boot that is to end: the order holds for no other.
        boot_id: String,
    },
    /// The reboot came to an end.
    RebootEnded {
        /// How.
        end: RebootEnd,
        /// Since the order.
        #[serde(with = "crate::time::millis")]
        elapsed: Duration,
    },
    /// The patch failed on the host, and is about to be undone.
    UndoStarted {
        /// How.
        how: UndoHow,
    },
    /// The undo came to an end.
    UndoEnded {
        /// How.
        end: UndoEnd,
        /// The end of the output of what undid it; of a host or of a command.
        output: String,
        /// Since its begin.
        #[serde(with = "crate::time::millis")]
        elapsed: Duration,
    },
    /// The mark of a dirty host was met, put there or taken away.
    DirtyMark {
        /// What it says.
        mark: Mark,
        /// What became of it.
        act: MarkAct,
    },
    /// A file of evidence was saved in the run's directory.
    ArtifactSaved {
        /// Its path below the run's directory.
        path: String,
        /// SHA-256, in lower-case hexadecimal.
        sha256: String,
        /// Its length.
        bytes: u64,
    },
    /// Somebody stopped the run before the host's part was through: what follows is its leave, and not
    /// its end. The run can be resumed.
    HostStopped {},
    /// Remote probes at a fixed rate began beside the patch.
    SoakBegun {
        /// The time from one probe to the next.
        #[serde(with = "crate::time::millis")]
        every: Duration,
        /// What is asked.
        checks: Vec<CheckId>,
    },
    /// A resumed run goes on with these probes, on the grid that they had.
    SoakResumed {
        /// When that is, in milliseconds since the soak's begin, by the controller's clock.
        at_ms: Reading<u64>,
    },
    /// Some of these probes were answered, or not.
    SoakProbed {
        /// Probes that followed each other and saw the same.
        stretch: Stretch,
    },
    /// The probes ended.
    SoakEnded {
        /// How.
        end: SoakEnd,
    },
    /// The host's part of the run is over.
    HostFinished {
        /// What is left undone on the host, if anything.
        dirty: Option<String>,
    },
    /// All hosts of the waves before have ended, and the hosts of this one are worked on from here on.
    WaveBegun {
        /// Its number, from 1.
        wave: usize,
    },
    /// This wave and all after it are not begun: none of their hosts is touched.
    WaveStopped {
        /// Its number, from 1.
        wave: usize,
        /// Why.
        why: String,
    },
    /// Somebody stopped the run.
    RunInterrupted {
        /// The signal's name.
        signal: String,
    },
    /// The run is over.
    RunFinished {},
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatchEnd {
    /// There was nothing to apply, and nothing was changed.
    NothingToDo,
    /// The package manager exited with this status.
    Exited(u8),
    /// The job on the host ended without leaving a result: nobody knows how far it got.
    Lost,
    /// It had not ended by its deadline; it goes on by itself on the host.
    StillRunning,
    /// It could not be started.
    NotStarted {
        /// Why.
        why: String,
    },
}

/// How a unit's restart ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartEnd {
    /// The exit status of the service manager; none when it did not end in time.
    pub exit: Option<u8>,
    /// Its error output.
    pub stderr: String,
}
