//! Folds the event stream into what is known of each host: the only reader of raw event order.

mod reboot;
mod resumed;
mod trouble;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

pub use self::{
    reboot::RebootLedger,
    resumed::{Entered, Left, Resumed},
    trouble::Trouble,
    undo::UndoLedger,
};
use crate::{
    diagnosis::DiagnosisStep,
    event::{Event, PatchEnd, RestartEnd, What},
    evidence::{access::VectorTable, capture::WindowCapture, window::Expectations},
    facts::Facts,
    id::{CheckId, HostName, RunId},
    observation::{HttpEnd, Observation},
    package::Nevra,
    reading::Reading,
    reboot::RebootEnd,
    snapshot::Snapshot,
    soak::SoakLedger,
    state::State,
    transaction::Preview,
    undo::UndoEnd,
};

/// A value and the number of the event that brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The event's number.
    pub seq: u64,
    /// The value.
    pub value: T,
}

/// All that a run's events say, by host.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The hosts that any event is about.
    pub hosts: BTreeMap<HostName, HostLedger>,
    /// The signal that stopped the run.
    pub interrupted: Option<At<String>>,
    /// The numbers of the waves that were begun.
    pub waves: BTreeSet<usize>,
    /// Why a wave, and all after it, were not begun.
    pub wave_stopped: Option<At<String>>,
    /// The versions that went on with the run after an interruption.
    pub resumed: Vec<At<String>>,
    /// Whether the run came to its own end.
    pub finished: bool,
    /// The first number at which another event stands than belongs there.
    pub gap: Option<u64>,
    /// The first event, of the run's beginning.
    pub started: Option<At<RunId>>,
    /// The version that began it.
    pub version: Option<String>,
    /// When that was, by the controller's clock.
    pub begun: Option<jiff::Timestamp>,
    /// The first event of a kind that this version does not know.
    pub unknown: Option<u64>,
    last: u64,
}

/// What is known of one host.
#[derive(Clone, Debug, Default)]
pub struct HostLedger {
    /// The event of the first connection.
    pub connected: Option<u64>,
    /// What went wrong between us and the host.
    pub troubles: Vec<At<Trouble>>,
    /// What the package manager said it would do.
    pub planned: Option<At<Reading<Vec<String>>>>,
    /// All that it said.
    pub preview: Option<Box<Preview>>,
    /// The event of the transaction's start.
    pub patch_started: Option<u64>,
    /// What the transaction's job runs, where the record holds it.
    pub script: Option<String>,
    /// How the transaction ended.
    pub patch: Option<At<PatchEnd>>,
    /// The package manager's number for it.
    pub transaction: Option<String>,
    /// The restarts of services.
    pub restarts: Option<At<BTreeMap<String, RestartEnd>>>,
    /// What is known of its reboot.
    pub reboot: RebootLedger,
    /// What is known of the undo of its patch.
    pub undo: UndoLedger,
    /// The states that were reached.
    pub states: BTreeMap<State, StateLedger>,
    /// The remote probes beside the patch.
    pub soak: Option<SoakLedger>,
    /// What was left undone.
    pub dirty: Option<At<String>>,
    /// Whether the host's part came to its own end.
    pub finished: bool,
    /// The event of the stop that broke its part off, while nobody went on with it.
    pub stopped: Option<u64>,
    /// What resumed runs found of it, in order.
    pub resumed: Vec<At<Resumed>>,
    /// The first event of a resumed run that counts and stands before the comparison with the record.
    pub unresumed: Option<u64>,
    /// Whether the run was resumed and did not come to this host since.
    pub awaits: bool,
    /// The last event that the host itself had to answer for.
    pub last_answer: u64,
    /// The last of those that came over its connection. The answers to remote clients, who ask side by side,
    /// do not stand in the record in the order in which they came.
    pub last_said: u64,
}

/// What is known of one host in one state.
#[derive(Clone, Debug, Default)]
pub struct StateLedger {
    /// How it was entered.
    pub entered: Option<Entered>,
    /// How it was left.
    pub left: Option<Left>,
    /// The facts.
    pub facts: Option<At<Facts>>,
    /// The access vectors.
    pub vectors: Option<At<Reading<VectorTable>>>,
    /// The policy and the system.
    pub snapshot: Option<At<Snapshot>>,
    /// What was looked at after checks had failed, in order.
    pub diagnosis: Vec<At<DiagnosisStep>>,
    /// The window.
    pub window: Option<At<(WindowCapture, Expectations)>>,
    /// Every attempt at every check, in order.
    pub checks: BTreeMap<CheckId, Vec<At<Attempt>>>,
}

/// One attempt at a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// What it saw.
    pub saw: Observation,
}

impl Ledger {
    /// Folds events, in the order of their numbers.
    #[must_use]
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut ledger = Self::default();
        for event in events {
            ledger.take(event);
        }
        ledger
    }

    /// What is known of a host in a state.
    #[must_use]
    pub fn state(&self, host: &HostName, state: State) -> Option<&StateLedger> {
        self.hosts.get(host)?.states.get(&state)
    }

    /// Takes one more event.
    pub fn take(&mut self, event: &Event) {
        if event.seq != self.last + 1 {
            self.gap = self.gap.or(Some(self.last + 1));
        }
        self.last = event.seq;
        if let What::RunStarted { run, version, .. } = &event.what {
            let (seq, value) = (event.seq, run.clone());
            self.started.get_or_insert(At { seq, value });
            self.version.get_or_insert(version.clone());
            self.begun.get_or_insert(event.at);
        } else if let What::Unknown = &event.what {
            self.unknown = self.unknown.or(Some(event.seq));
        } else if let What::RunFinished {} = &event.what {
            self.finished = true;
        } else if let What::RunResumed { version, .. } = &event.what {
            self.resume(event.seq, version);
        } else if let What::WaveBegun { wave } = &event.what {
            self.waves.insert(*wave);
        } else if let What::WaveStopped { why, .. } = &event.what {
            let (seq, value) = (event.seq, why.clone());
            self.wave_stopped.get_or_insert(At { seq, value });
        } else if let What::RunInterrupted { signal } = &event.what {
            self.interrupted = Some(At {
                seq: event.seq,
                value: signal.clone(),
            });
        } else if let Some(host) = &event.host {
            let ledger = self.hosts.entry(host.clone()).or_default();
            SoakLedger::take(&mut ledger.soak, event.seq, event.at, &event.what);
            ledger.take(event);
        }
    }
}

impl HostLedger {
    fn take(&mut self, event: &Event) {
        let Event {
            seq, state, what, ..
        } = event;
        let seq = *seq;
        if let Some(trouble) = trouble::trouble_of(what) {
            self.troubles.push(At {
                seq,
                value: trouble,
            });
            return;
        }
        if is_answer(what) {
            self.last_answer = seq;
            if !is_of_a_client(what) {
                self.last_said = seq;
            }
        }
        self.take_resume(seq, what);
        if self.reboot.take(event) || self.undo.take(event) {
            return;
        }
        match (*state, what) {
            (_, What::HostConnected { .. }) => self.connected = self.connected.or(Some(seq)),
            (_, What::HostFinished { dirty }) => {
                self.finished = true;
                self.dirty = dirty.clone().map(|value| At { seq, value });
            }
            (Some(state), what) => {
                self.take_patch(seq, what);
                let resumes = self.resumed.len();
                let known = self.states.entry(state).or_default();
                known.take_passage(event, resumes);
                known.take(seq, what);
            }
            (None, _) => {}
        }
    }

    fn take_patch(&mut self, seq: u64, what: &What) {
        if let What::PatchPlanned { packages, preview } = what {
            self.planned = Some(At {
                seq,
                value: packages.clone(),
            });
            self.preview.clone_from(preview);
        } else if let What::PatchStarted { script, .. } = what {
            self.patch_started = Some(seq);
            self.script = Some(script.clone()).filter(|s| !s.is_empty());
        } else if let What::PatchFinished {
            end, transaction, ..
        } = what
        {
            self.patch = Some(At {
                seq,
                value: end.clone(),
            });
            self.transaction.clone_from(transaction);
        } else if let What::ServicesRestarted { units } = what {
            self.restarts = Some(At {
                seq,
                value: units.clone(),
            });
        }
    }

    /// The packages of a state.
    #[must_use]
    pub fn packages(&self, state: State) -> Option<&[Nevra]> {
        let facts = &self.states.get(&state)?.facts.as_ref()?.value;
        facts.packages.known().map(Vec::as_slice)
    }
}

impl StateLedger {
    fn take_passage(&mut self, event: &Event, resumes: usize) {
        let (seq, at) = (event.seq, event.at);
        if let What::StateEntered { window } = &event.what {
            self.entered.get_or_insert(Entered {
                seq,
                at,
                window: window.clone(),
                resumes,
            });
        } else if let What::StateLeft { whole } = &event.what {
            let whole = *whole;
            self.left.get_or_insert(Left { seq, at, whole });
        }
    }

    fn take(&mut self, seq: u64, what: &What) {
        if let What::FactsCollected { facts } = what {
            self.facts = Some(At {
                seq,
                value: (**facts).clone(),
            });
        } else if let What::VectorsRead { vectors } = what {
            self.vectors = Some(At {
                seq,
                value: vectors.clone(),
            });
        } else if let What::SnapshotTaken { snapshot } = what {
            self.snapshot = Some(At {
                seq,
                value: (**snapshot).clone(),
            });
        } else if let What::Diagnosed { diagnosis } = what {
            self.diagnosis.push(At {
                seq,
                value: (**diagnosis).clone(),
            });
        } else if let What::WindowCaptured { capture, expected } = what {
            self.window = Some(At {
                seq,
                value: ((**capture).clone(), *expected),
            });
        } else if let What::CheckFinished {
            check,
            attempt,
            saw,
        } = what
        {
            let (number, saw) = (*attempt, saw.clone());
            let value = Attempt { number, saw };
            self.checks
                .entry(check.clone())
                .or_default()
                .push(At { seq, value });
        }
    }
}

/// Whether a client of the service may have been who asked.
fn is_of_a_client(what: &What) -> bool {
    matches!(
        what,
        What::CheckFinished {
            saw: Observation::Http(_),
            ..
        }
    )
}

/// Whether the host itself had to answer for this to be written. What the controller alone can write
/// (a request that timed out, a window that was given up) shows nothing of the host.
fn is_answer(what: &What) -> bool {
    match what {
        What::HostConnected { .. } | What::HostResumed { .. } | What::ServicesRestarted { .. } => {
            true
        }
        What::StateEntered { window } => window.as_ref().is_some_and(|w| w.begin.known().is_some()),
        What::FactsCollected { facts } => facts.boot_id.known().is_some(),
        What::VectorsRead { vectors } => vectors.known().is_some(),
        What::SnapshotTaken { snapshot } => snapshot.system.known().is_some(),
        What::CheckFinished { saw, .. } => match saw {
            Observation::Http(seen) => matches!(seen.end, HttpEnd::Answered(_)),
            Observation::Command(_) | Observation::Service(_) | Observation::Selinux(_) => true,
            Observation::Window | Observation::Errored { .. } => false,
        },
        What::WindowCaptured { capture, .. } => capture.end.known().is_some(),
        What::PatchPlanned { packages, .. } => packages.known().is_some(),
        What::PatchFinished { end, .. } => matches!(end, PatchEnd::Exited(_)),
        What::RebootConsidered { signs } => signs.boot_id.known().is_some(),
        What::RebootEnded { end, .. } => matches!(end, RebootEnd::CameBack { .. }),
        What::UndoEnded { end, .. } => match end {
            UndoEnd::RolledBack | UndoEnd::Reset { .. } => true,
            UndoEnd::Refused { .. } | UndoEnd::Failed { .. } | UndoEnd::StillRunning => false,
        },
        What::DirtyMark { .. } => true,
        What::Diagnosed { diagnosis } => diagnosis.found.is_of_the_host(),
        What::RunStarted { .. }
        | What::RunResumed { .. }
        | What::StateLeft { .. }
        | What::HostStopped {}
        | What::HostUnreachable { .. }
        | What::SecurityStopped { .. }
        | What::HostLocked { .. }
        | What::HostDirty { .. }
        | What::HostLost { .. }
        | What::BrokeDown { .. }
        | What::PatchStarted { .. }
        | What::RebootStarted { .. }
        | What::UndoStarted { .. }
        | What::ArtifactSaved { .. }
        // Written long after they were answered.
        | What::SoakProbed { .. }
        | What::SoakBegun { .. }
        | What::SoakResumed { .. }
        | What::SoakEnded { .. }
        | What::HostFinished { .. }
        | What::WaveBegun { .. }
        | What::WaveStopped { .. }
        | What::RunInterrupted { .. }
        | What::RunFinished {}
        | What::Unknown => false,
    }
}
