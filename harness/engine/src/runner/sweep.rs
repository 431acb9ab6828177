//! What a dead controller left changed on a host: undone before anything is looked at.

use std::time::Duration;

use patchgate_core::{
    diagnosis::{DiagnosisStep, Found},
    event::What,
    ledger::HostLedger,
};

use super::link::{Link, Stop};
use crate::{
    host::{
        Connector, Reply,
        switch::{self, Swept, SwitchState},
    },
    probe::Prober,
    record::RecordError,
};

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Records what became of switches that earlier runs had left. A host that cannot be restored is not
    /// worked on: nothing that is seen there would count.
    pub(super) fn swept(&self, reply: &Reply) -> Result<(), Stop> {
        match fates(reply) {
            Ok(fates) => {
                for (id, fate) in fates {
                    self.was_swept(&id, fate)?;
                }
                Ok(())
            }
            Err(why) => Err(self.not_swept(&why)),
        }
    }

    fn was_swept(&self, id: &str, fate: &str) -> Result<(), RecordError> {
        let diagnosis = Box::new(DiagnosisStep {
            about: Vec::new(),
            found: Found::Unavailable {
                what: format!("the experiment {id} of an earlier run"),
                why: format!("its controller left it; {fate}"),
            },
            elapsed: Duration::ZERO,
        });
        self.run
            .write(self.host, None, What::Diagnosed { diagnosis })
    }

    /// The lock stays, so that nobody looks at such a host unawares.
    fn not_swept(&self, why: &str) -> Stop {
        let why = format!("an experiment of an earlier run is not undone: {why}");
        let begun = self.known(HostLedger::has_begun_transaction) == Some(true);
        let told = if begun {
            Ok(())
        } else {
            self.not_started(&why)
        };
        let ended = told.and_then(|()| self.finish(Some(why)));
        match ended {
            Ok(()) => Stop::Recorded,
            Err(stop) => stop,
        }
    }
}

/// The switches that were there and how the host was restored; `Err` says why it is not, for one of them.
fn fates(reply: &Reply) -> Result<Vec<(String, &'static str)>, String> {
    let swept = switch::parse_sweep(reply).map_err(|e| e.to_string())?;
    swept.into_iter().map(fate).collect()
}

fn fate(Swept { id, state }: Swept) -> Result<(String, &'static str), String> {
    match state {
        SwitchState::Restored | SwitchState::None => Ok((id, "the host is restored")),
        SwitchState::Stale => Ok((id, "a reboot had restored the host")),
        SwitchState::Failed { why } | SwitchState::Rejected { why } => Err(format!("{id}: {why}")),
        SwitchState::Armed { .. } | SwitchState::Restoring | SwitchState::Dead => {
            Err(format!("{id}: the host has not ended restoring itself"))
        }
    }
}
