//! What the ledger keeps of interruptions: which states were entered and left, which hosts were broken
//! off, and what a resumed run found changed.

use super::{At, HostLedger, Ledger};
use crate::{
    event::What, evidence::capture::WindowBegin, facts::Facts, reading::Reading, state::State,
};

/// A state that was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// The event.
    pub seq: u64,
    /// When, by the controller's clock.
    pub at: jiff::Timestamp,
    /// Its window, as it was opened; none where no evidence is collected.
    pub window: Option<Box<WindowBegin>>,
    /// How often the host had been resumed by then.
    pub resumes: usize,
}

/// A state that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The event.
    pub seq: u64,
    /// When, by the controller's clock.
    pub at: jiff::Timestamp,
    /// Whether the host answered every question, and the end of its window is known.
    pub whole: bool,
}

/// What a resumed run found of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// What is another thing than it was, or cannot be compared.
    pub changed: Vec<String>,
    /// How old the baseline was, in seconds; none where it was not over.
    pub baseline_s: Option<Reading<u64>>,
}

impl Ledger {
    /// The run is gone on with: its stop is no end any more, and hosts that were broken off are to be
    /// compared with the record before anything else of them counts.
    pub(super) fn resume(&mut self, seq: u64, version: &str) {
        let value = version.to_owned();
        self.resumed.push(At { seq, value });
        (self.interrupted, self.finished) = (None, false);
        for host in self.hosts.values_mut().filter(|h| !h.is_over()) {
            host.awaits = true;
        }
    }
}

impl HostLedger {
    /// Whether the host's part has an end that is not the leave of a run that was stopped.
    #[must_use]
    pub fn is_over(&self) -> bool {
        (self.finished || !self.troubles.is_empty()) && self.stopped.is_none()
    }

    /// Whether a transaction was handed to the host, as far as the record knows.
    #[must_use]
    pub fn has_begun_transaction(&self) -> bool {
        self.patch_started.is_some()
    }

    /// The last facts that were read, and their state.
    #[must_use]
    pub fn last_facts(&self) -> Option<(State, &Facts)> {
        let facts = |(state, known): (&State, &super::StateLedger)| {
            known.facts.as_ref().map(|f| (f.seq, *state))
        };
        let (_, state) = self.states.iter().filter_map(facts).max()?;
        let facts = self.states.get(&state)?.facts.as_ref()?;
        Some((state, &facts.value))
    }

    /// The state that was entered last.
    #[must_use]
    pub fn last_entered(&self) -> Option<State> {
        let entered = self.states.iter().filter(|(_, s)| s.entered.is_some());
        entered.map(|(state, _)| *state).max()
    }

    /// Takes what is about the interruption of a host.
    pub(super) fn take_resume(&mut self, seq: u64, what: &What) {
        if let What::HostStopped {} = what {
            self.stopped = Some(seq);
        } else if let What::HostResumed {
            changed,
            baseline_s,
        } = what
        {
            self.awaits = false;
            if self.stopped.take().is_some() {
                (self.finished, self.dirty) = (false, None);
            }
            let (changed, baseline_s) = (changed.clone(), baseline_s.clone());
            let value = Resumed {
                changed,
                baseline_s,
            };
            self.resumed.push(At { seq, value });
        } else if self.awaits && !is_prelude(what) {
            self.unresumed = self.unresumed.or(Some(seq));
        }
    }
}

/// What may come before the comparison: the connection, the end of a reboot that was under way or of the wait
/// for it, this run's own mark, and what is swept away under the lock.
fn is_prelude(what: &What) -> bool {
    matches!(
        what,
        What::HostConnected { .. }
            | What::RebootEnded { .. }
            | What::WindowCaptured { .. }
            | What::Diagnosed { .. }
            | What::DirtyMark { .. }
            | What::HostFinished { .. }
    )
}
