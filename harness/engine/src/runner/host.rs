//! One host's way through a run.

use std::time::Duration;

use patchgate_core::{
    event::{PatchEnd, What},
    evidence::window::Expectations,
    facts::Facts,
    needs,
    patchset::{PatchSet, Services},
    plan::PlannedHost,
    state::State,
};
use tokio::{sync::oneshot, time::timeout};

use super::{
    Run, StopSignal,
    link::{Link, Stop},
    lock,
    look::Looked,
    patch::dirt,
    soak::{self, Over, Signals},
};
use crate::{
    host::{Connector, mark, state_dir::StateDir},
    probe::Prober,
    record::RecordError,
    script::{facts, packages, restart},
};

/// Takes one host through the plan; every end of it is in the record.
pub(super) async fn drive<C: Connector, P: Prober>(
    run: &Run<C, P>,
    host: &PlannedHost,
    stop: StopSignal,
) -> Result<(), RecordError> {
    let mut link = match Link::open(run, host, stop).await {
        Ok(link) => link,
        Err(Stop::Recorded | Stop::Asked) => return run.journal.sync(),
        Err(Stop::Record(error)) => return Err(error),
    };
    let ended = match &run.plan.patch {
        None => link.check().await,
        Some(set) if run.plan.preview => link.preview(set).await,
        Some(set) => link.patch_and_check(set).await,
    };
    link.close().await;
    run.known.forget(&host.name);
    match ended {
        Ok(()) | Err(Stop::Recorded | Stop::Asked) => run.journal.sync(),
        Err(Stop::Record(error)) => Err(error),
    }
}

/// How long a run that was stopped takes to give a host's lock back: a CI system that gave the signal
/// waits ten seconds.
const LAST_WORD: Duration = Duration::from_secs(5);

/// In a window in which patchgate changes nothing, nothing may change.
const NOTHING: Expectations = Expectations {
    policy_load: false,
    mode_change: false,
    reboot: false,
};

/// A transaction may load a policy.
const POLICY_LOAD: Expectations = Expectations {
    policy_load: true,
    mode_change: false,
    reboot: false,
};

/// How a host is left after its patch.
pub(super) enum Parting {
    /// Its lock is given back.
    Leave {
        /// What is left undone on it.
        dirty: Option<String>,
    },
    /// Its transaction goes on by itself. The lock stays as long as it does, and what changes meanwhile is
    /// not looked at.
    Working,
}

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// A run that changes nothing: one state.
    async fn check(&mut self) -> Result<(), Stop> {
        let stay = self.enter(State::Baseline, NOTHING).await?;
        self.look(stay).await?;
        self.diagnose(State::Baseline).await?;
        self.finish(None)
    }

    /// A run that only asks what the patch set would do. Somebody who holds the lock may be changing what
    /// it would do at this moment.
    async fn preview(&mut self, set: &PatchSet) -> Result<(), Stop> {
        let items = vec![
            lock::question(self.run.plan.run.as_str()),
            facts::item(),
            packages::item(),
            mark::read_item(&StateDir::default()),
        ];
        let replies = self.ask_until_stopped("reading the host", items).await?;
        if let Some(holder) = lock::held(&replies[0]) {
            return Err(self.record_stop(What::HostLocked { holder }));
        }
        self.met_mark(&replies[3])?;
        let facts = facts::read(&replies[1], packages::read(&replies[2]));
        let facts = Box::new(facts);
        let what = What::FactsCollected { facts };
        self.run.write(self.host, Some(State::Baseline), what)?;
        self.preview_plan(set).await?;
        self.finish(None)
    }

    /// A run with a patch: under the lock, which stays where a transaction goes on by itself.
    async fn patch_and_check(&mut self, set: &PatchSet) -> Result<(), Stop> {
        self.lock().await?;
        match self.patch_under_lock(set).await {
            Err(Stop::Asked) => self.leave_host(None).await,
            ended @ (Ok(()) | Err(Stop::Record(_) | Stop::Recorded)) => ended,
        }
    }

    /// Baseline, patch, and the states after it.
    async fn patch_under_lock(&mut self, set: &PatchSet) -> Result<(), Stop> {
        self.go_on()?;
        let stay = self.enter(State::Baseline, NOTHING).await?;
        let Looked { facts, whole } = self.look(stay).await?;
        let unmet = needs::unmet(&self.run.plan.suites, &facts);
        if !unmet.is_empty() {
            let why = unmet.join("; ");
            self.not_started(&why)?;
            return self.leave_host(None).await;
        }
        // Without a baseline nobody could say what the patch did.
        if !whole {
            self.not_started("the baseline is not whole")?;
            return self.leave_host(None).await;
        }
        self.go_on()?;
        let ended = self.beside_probes(set, &facts).await;
        self.after_patch(set, ended).await
    }

    /// The patch and the states after it, while remote clients go on asking.
    async fn beside_probes(&mut self, set: &PatchSet, before: &Facts) -> Result<Parting, Stop> {
        let (run, host) = (self.run, self.host);
        let (say, over) = oneshot::channel();
        let signals = Signals {
            over,
            quiet: self.quiet.subscribe(),
            stop: self.stop.clone(),
        };
        let patched = async {
            let ended = self.patched(set, before).await;
            let over = match &ended {
                Ok(_) => Over::Ended,
                Err(_) => Over::BrokenOff,
            };
            // Where nothing is probed, nobody listens.
            let _ = say.send(over);
            ended
        };
        let (ended, probed) = tokio::join!(patched, soak::beside(run, host, signals));
        probed?;
        ended
    }

    /// The patch and the states after it.
    async fn patched(&mut self, set: &PatchSet, before: &Facts) -> Result<Parting, Stop> {
        let (stay, end) = self.apply(set, POLICY_LOAD).await?;
        let after = match self.look(stay).await {
            Ok(after) => Some(after.facts),
            Err(Stop::Asked) => None,
            Err(stop @ (Stop::Record(_) | Stop::Recorded)) => return Err(stop),
        };
        match &end {
            PatchEnd::NothingToDo | PatchEnd::Exited(0) => {
                let left = self.take_away(set).await?;
                self.diagnose(State::Patched).await?;
                self.restarted(&set.services).await?;
                let due = self.rebooted(set).await?;
                let dirty = together(left.into_iter().chain(due));
                Ok(Parting::Leave { dirty })
            }
            PatchEnd::Exited(_) | PatchEnd::Lost | PatchEnd::NotStarted { .. } => {
                let left = self.take_away(set).await?;
                self.diagnose(State::Patched).await?;
                let dirt = dirt(&end, before, after.as_ref());
                let dirty = together(dirt.into_iter().chain(left));
                Ok(Parting::Leave { dirty })
            }
            PatchEnd::StillRunning => Ok(Parting::Working),
        }
    }

    /// The state after a restart of the services.
    async fn restarted(&mut self, services: &Services) -> Result<(), Stop> {
        let units = match services {
            Services::Leave => return Ok(()),
            Services::Restart(units) => units,
        };
        self.go_on()?;
        let items = units.iter().map(|u| restart::item(u)).collect();
        let stay = self.enter(State::Restarted, NOTHING).await?;
        let replies = match self.once("restarting the services", items).await {
            Ok(replies) => replies,
            Err(stop) => return Err(self.abandon(stay, stop)),
        };
        let units = restart::read(units, &replies);
        let what = What::ServicesRestarted { units };
        self.run.write(self.host, Some(State::Restarted), what)?;
        self.look(stay).await?;
        self.diagnose(State::Restarted).await
    }

    /// Gives the lock back and records the end. A run that was stopped does not wait long for it.
    pub(super) async fn leave_host(&mut self, dirty: Option<String>) -> Result<(), Stop> {
        let limit = if self.stopped() {
            LAST_WORD
        } else {
            Duration::MAX
        };
        let left = match timeout(limit, self.unlock(dirty.as_deref())).await {
            Ok(unlocked) => unlocked?,
            Err(_) => return Err(self.lost("giving the lock back", "the run was stopped")),
        };
        self.finish(together(dirty.into_iter().chain(left)))
    }

    pub(super) fn finish(&self, dirty: Option<String>) -> Result<(), Stop> {
        Ok(self
            .run
            .write(self.host, None, What::HostFinished { dirty })?)
    }
}

/// Everything that is left undone, in a line.
pub(super) fn together(all: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<_> = all.collect();
    (!all.is_empty()).then(|| all.join("; "))
}
