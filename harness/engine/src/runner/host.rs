//! One host's way through a run.

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
    link::{Link, Stop, until_stopped},
    lock,
    look::Looked,
    patch::dirt,
    resume::Found,
    soak::{self, Over, Signals},
    state::Stay,
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
        self.compare(Found::NO_LOCK).await?;
        self.baseline().await?;
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
        self.await_ordered(set).await?;
        self.lock().await?;
        match self.patch_under_lock(set).await {
            Err(Stop::Asked) => self.leave_stopped().await,
            ended @ (Ok(()) | Err(Stop::Record(_) | Stop::Recorded)) => ended,
        }
    }

    /// Baseline, patch, and the states after it.
    async fn patch_under_lock(&mut self, set: &PatchSet) -> Result<(), Stop> {
        self.go_on()?;
        let before = self.baseline().await?;
        if self.is_untouched()
            && let Some(why) = self.unpatchable(&before)
        {
            self.not_started(&why)?;
        }
        if self.was_refused() {
            return self.leave_host(None).await;
        }
        self.go_on()?;
        if self.has_begun_undo() {
            return self.go_on_undoing(set).await;
        }
        let ended = self.beside_probes(set, &before.facts).await;
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
            let ended = self.patch_and_look(set, before).await;
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
    async fn patch_and_look(&mut self, set: &PatchSet, before: &Facts) -> Result<Parting, Stop> {
        let Some((end, after)) = self.patched(set).await? else {
            return Ok(Parting::Leave { dirty: None });
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

    /// The state before anything is changed.
    async fn baseline(&mut self) -> Result<Looked, Stop> {
        if let Some(looked) = self.looked(State::Baseline) {
            return Ok(looked);
        }
        let stay = self.enter(State::Baseline, NOTHING).await?;
        self.look(stay).await
    }

    /// The transaction's end, and the facts after it where there was time to look. None where the host never
    /// heard of it and is not fit for it any more; the record says why.
    async fn patched(&mut self, set: &PatchSet) -> Result<Option<(PatchEnd, Option<Facts>)>, Stop> {
        if let Some(end) = self.ended() {
            return Ok(Some(self.look_after(end).await?));
        }
        let (stay, end) = match self.find_again(set, POLICY_LOAD).await? {
            Some(found) => found,
            None => {
                if let Some(why) = self.unfit() {
                    self.not_started(&why)?;
                    return Ok(None);
                }
                self.apply(set, POLICY_LOAD).await?
            }
        };
        Ok(Some((end, self.try_look(stay).await?)))
    }

    /// Looks at the patched state of a transaction that ended before the run was interrupted.
    async fn look_after(&mut self, end: PatchEnd) -> Result<(PatchEnd, Option<Facts>), Stop> {
        if let Some(looked) = self.looked(State::Patched) {
            return Ok((end, Some(looked.facts)));
        }
        let stay = self.enter(State::Patched, POLICY_LOAD).await?;
        Ok((end, self.try_look(stay).await?))
    }

    /// Looks at a state; none where somebody stopped the run.
    async fn try_look(&mut self, stay: Stay) -> Result<Option<Facts>, Stop> {
        match self.look(stay).await {
            Ok(looked) => Ok(Some(looked.facts)),
            Err(Stop::Asked) => Ok(None),
            Err(stop @ (Stop::Record(_) | Stop::Recorded)) => Err(stop),
        }
    }

    /// Why a host is not patched; none where it may be.
    fn unpatchable(&self, before: &Looked) -> Option<String> {
        let unmet = needs::unmet(&self.run.plan.suites, &before.facts);
        if !unmet.is_empty() {
            return Some(unmet.join("; "));
        }
        // Without a baseline nobody could say what the patch did.
        let whole = before.whole.then_some(());
        let not_whole = || Some("the baseline is not whole".to_owned());
        whole.map_or_else(not_whole, |()| self.unfit())
    }

    /// The state after a restart of the services.
    async fn restarted(&mut self, services: &Services) -> Result<(), Stop> {
        let units = match services {
            Services::Leave => return Ok(()),
            Services::Restart(units) => units,
        };
        if self.left(State::Restarted).is_none() {
            self.go_on()?;
            let stay = self.enter(State::Restarted, NOTHING).await?;
            if !self.has_restarted()
                && let Err(stop) = self.restart(State::Restarted, units).await
            {
                return Err(self.abandon(stay, stop));
            }
            self.look(stay).await?;
        }
        self.diagnose(State::Restarted).await
    }

    /// Restarts services in a state. Nobody who stops the run waits for them; a run that is resumed before
    /// their end is known restarts them once more.
    pub(super) async fn restart(&mut self, state: State, units: &[String]) -> Result<(), Stop> {
        let items = units.iter().map(|u| restart::item(u)).collect();
        let stop = self.stop.clone();
        let asked = until_stopped(stop, self.once("restarting the services", items)).await;
        let replies = self.let_go(asked)?;
        let units = restart::read(units, &replies);
        let what = What::ServicesRestarted { units };
        Ok(self.run.write(self.host, Some(state), what)?)
    }

    /// Gives the lock back and records the end. A run that was stopped does not wait long for it: whoever
    /// resumes it, or breaks the lock, finds the host as it is.
    pub(super) async fn leave_host(&mut self, dirty: Option<String>) -> Result<(), Stop> {
        self.break_off()?;
        let kept = match timeout(self.patience(), self.drop_mark(dirty.is_some())).await {
            Ok(kept) => kept?,
            Err(_) => return Err(Stop::Recorded),
        };
        let dirty = dirty.or(kept);
        let left = match timeout(self.patience(), self.unlock(dirty.as_deref())).await {
            Ok(unlocked) => unlocked?,
            Err(_) => return Err(Stop::Recorded),
        };
        self.finish(together(dirty.into_iter().chain(left)))
    }

    /// Records that the host's part is not through, where somebody stopped the run.
    pub(super) fn break_off(&self) -> Result<(), Stop> {
        let told = self.known(|h| h.stopped.is_some()) == Some(true);
        if self.stopped() && !told {
            self.run.write(self.host, None, What::HostStopped {})?;
        }
        Ok(())
    }

    pub(super) fn finish(&self, dirty: Option<String>) -> Result<(), Stop> {
        self.break_off()?;
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
