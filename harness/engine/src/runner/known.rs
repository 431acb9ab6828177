//! What is known of each host while a run goes on: the record so far, folded as it is written.
//!
//! It is there for the two questions that cannot wait for the judgement: what deserves a closer look, and
//! what a run that goes on after an interruption need not do again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use patchgate_core::{
    diagnosis::{ExperimentEvent, Found},
    event::{Event, What},
    id::HostName,
    ledger::{HostLedger, Ledger},
};

/// A ledger for each host that is being worked on, and what of the run was over before it was resumed.
///
/// It holds one copy of a state's window, whose text the host bounds at 8 MiB, and goes when the host's
/// part is over.
#[derive(Default)]
pub struct Known {
    hosts: Mutex<BTreeMap<HostName, Arc<Mutex<Ledger>>>>,
    over: BTreeSet<HostName>,
    waves: BTreeSet<usize>,
    stopped: bool,
}

impl Known {
    /// What a record holds of a run that goes on.
    #[must_use]
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let ledger = Ledger::fold(events.into_iter().filter(|e| !is_heavy(&e.what)));
        let (over, open): (Vec<_>, Vec<_>) =
            ledger.hosts.into_iter().partition(|(_, h)| h.is_over());
        Self {
            hosts: Mutex::new(open.into_iter().map(of_host).collect()),
            over: over.into_iter().map(|(name, _)| name).collect(),
            waves: ledger.waves,
            stopped: ledger.wave_stopped.is_some(),
        }
    }

    /// Whether a host's part was over before the run was resumed.
    pub(super) fn is_over(&self, host: &HostName) -> bool {
        self.over.contains(host)
    }

    /// Whether a wave was begun before the run was resumed.
    pub(super) fn has_begun(&self, wave: usize) -> bool {
        self.waves.contains(&wave)
    }

    /// Whether it was decided that no further wave is begun.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Takes one more event; those that are about no host, and the windows of experiments, which nobody asks
    /// about any more, are left out.
    pub(super) fn take(&self, event: &Event) {
        if let Some(host) = event.host.as_ref().filter(|_| !is_heavy(&event.what)) {
            with(&self.of_name(host), |ledger| ledger.take(event));
        }
    }

    /// Asks about a host.
    pub(super) fn ask<T>(&self, host: &HostName, ask: impl FnOnce(&Ledger) -> T) -> T {
        with(&self.of_name(host), |ledger| ask(ledger))
    }

    /// Forgets a host.
    pub(super) fn forget(&self, host: &HostName) {
        with(&self.hosts, |all| all.remove(host));
    }

    fn of_name(&self, host: &HostName) -> Arc<Mutex<Ledger>> {
        with(&self.hosts, |all| {
            Arc::clone(all.entry(host.clone()).or_default())
        })
    }
}

fn of_host((name, known): (HostName, HostLedger)) -> (HostName, Arc<Mutex<Ledger>>) {
    let mut ledger = Ledger::default();
    ledger.hosts.insert(name.clone(), known);
    (name, Arc::new(Mutex::new(ledger)))
}

/// A ledger is whole after every event, so that a panic elsewhere spoils none.
fn with<V, T>(value: &Mutex<V>, act: impl FnOnce(&mut V) -> T) -> T {
    act(&mut value.lock().unwrap_or_else(PoisonError::into_inner))
}

fn is_heavy(what: &What) -> bool {
    let What::Diagnosed { diagnosis } = what else {
        return false;
    };
    let Found::Experiment { event, .. } = &diagnosis.found else {
        return false;
    };
    matches!(event, ExperimentEvent::Window { .. })
}
