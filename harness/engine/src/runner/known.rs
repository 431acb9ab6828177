//! What is known of each host while a run goes on: the record so far, folded as it is written.
//!
//! It is there for the one question that cannot wait for the judgement: what deserves a closer look.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use patchgate_core::{
    diagnosis::Found,
    event::{Event, What},
    id::HostName,
    ledger::Ledger,
};

/// A ledger for each host that is being worked on.
///
/// It holds one copy of a state's window, whose text the host bounds at 8 MiB, and goes when the host's
/// part is over.
#[derive(Default)]
pub struct Known(Mutex<BTreeMap<HostName, Arc<Mutex<Ledger>>>>);

impl Known {
    /// Takes one more event; those that are about no host, and the windows of experiments, which nobody asks
    /// about any more, are left out.
    pub(super) fn take(&self, event: &Event) {
        if let Some(host) = event.host.as_ref().filter(|_| !is_experiment(&event.what)) {
            with(&self.of(host), |ledger| ledger.take(event));
        }
    }

    /// Asks about a host.
    pub(super) fn ask<T>(&self, host: &HostName, ask: impl FnOnce(&Ledger) -> T) -> T {
        with(&self.of(host), |ledger| ask(ledger))
    }

    /// Forgets a host.
    pub(super) fn forget(&self, host: &HostName) {
        with(&self.0, |all| all.remove(host));
    }

    fn of(&self, host: &HostName) -> Arc<Mutex<Ledger>> {
        with(&self.0, |all| {
            Arc::clone(all.entry(host.clone()).or_default())
        })
    }
}

/// A ledger is whole after every event, so that a panic elsewhere spoils none.
fn with<V, T>(value: &Mutex<V>, act: impl FnOnce(&mut V) -> T) -> T {
    act(&mut value.lock().unwrap_or_else(PoisonError::into_inner))
}

fn is_experiment(what: &What) -> bool {
    let What::Diagnosed { diagnosis } = what else {
        return false;
    };
    matches!(diagnosis.found, Found::Experiment { .. })
}
