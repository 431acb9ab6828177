//! The end of an experiment: the host is restored, and proven to be what it was.

use std::time::Duration;

use patchgate_core::{
    diagnosis::{ExperimentEvent, HostMark, Phase, STOPPED},
    reading::Reading,
};
use tokio::time::timeout;

use super::{Experiment, Halt};
use crate::{
    clock::Stopwatch,
    host::{
        Connector,
        switch::{self, SwitchState},
    },
    probe::Prober,
    runner::link::{Link, Stop},
    script::experiment,
};

/// How long a run that was stopped waits for the host to be restored: a CI system that gave the signal
/// waits ten seconds.
const LAST_RESTORING: Duration = Duration::from_secs(8);

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Restores the host whatever came before.
    pub(super) async fn undo(
        &mut self,
        of: &Experiment<'_>,
        before: &HostMark,
        ended: Result<(), Halt>,
    ) -> Result<(), Stop> {
        match ended {
            Ok(()) => self.give_back(of, before, true).await,
            Err(Halt::Failed(why)) => {
                self.failed(of, &why)?;
                self.give_back(of, before, false).await
            }
            Err(Halt::Stop(Stop::Asked)) => {
                self.failed(of, STOPPED)?;
                self.give_back(of, before, false).await?;
                Err(Stop::Asked)
            }
            Err(Halt::Stop(Stop::Recorded)) => {
                self.failed(of, "the host was lost; it restores itself")?;
                Err(Stop::Recorded)
            }
            Err(Halt::Stop(Stop::Record(error))) => {
                drop(timeout(LAST_RESTORING, self.restore(of)).await);
                Err(Stop::Record(error))
            }
        }
    }

    /// Restores the host, asks once more where that can tell something, and proves that the host is what
    /// it was. A host that is not is dirty, and its part is over: nothing that is seen there counts any
    /// more. The lock stays where the host is not restored, so that the next run restores it first.
    async fn give_back(
        &mut self,
        of: &Experiment<'_>,
        before: &HostMark,
        ask: bool,
    ) -> Result<(), Stop> {
        let watch = Stopwatch::start();
        let not_undone =
            |why: &str| format!("an experiment with {} is not undone: {why}", of.domain);
        let now = match self.restore_in_time(of).await? {
            Ok(now) => now,
            Err(why) => {
                self.finish(Some(not_undone(&why)))?;
                return Err(Stop::Recorded);
            }
        };
        if ask {
            self.ask_restored(of, &now, watch.elapsed()).await?;
        }
        let watch = Stopwatch::start();
        let after = match ask && !self.stopped() {
            true => known(self.mark(of).await?),
            false => Ok(now),
        };
        let differences = match after {
            Err(why) => vec![why],
            Ok(after) => {
                let differences = before.differences(&after);
                let event = ExperimentEvent::Restored { after };
                self.happened(of, event, watch.elapsed())?;
                differences
            }
        };
        if differences.is_empty() {
            return Ok(self.run.journal.sync()?);
        }
        let why = not_undone(&differences.join("; "));
        self.leave_host(Some(why)).await?;
        Err(Stop::Recorded)
    }

    /// The policy is what it was: the failure must be there again. Somebody who stops the run does not
    /// wait for that.
    async fn ask_restored(
        &mut self,
        of: &Experiment<'_>,
        now: &HostMark,
        elapsed: Duration,
    ) -> Result<(), Stop> {
        let event = ExperimentEvent::Changed {
            phase: Phase::Restored,
            loaded_sha256: now.loaded_sha256.clone(),
            started: Vec::new(),
        };
        self.happened(of, event, elapsed)?;
        match self.ask_again(of, Phase::Restored).await {
            Ok(_) | Err(Stop::Asked) => Ok(()),
            Err(stop @ (Stop::Record(_) | Stop::Recorded)) => Err(stop),
        }
    }

    /// A run that was stopped does not wait long: the host goes on restoring itself.
    async fn restore_in_time(
        &mut self,
        of: &Experiment<'_>,
    ) -> Result<Result<HostMark, String>, Stop> {
        if !self.stopped() {
            return self.restore(of).await;
        }
        match timeout(LAST_RESTORING, self.restore(of)).await {
            Ok(restored) => restored,
            Err(_) => {
                self.hang_up();
                Ok(Err(
                    "the run was stopped while the host restored itself".to_owned()
                ))
            }
        }
    }

    /// Has the host restore itself now. `Err` inside says why nobody knows that it did.
    async fn restore(&mut self, of: &Experiment<'_>) -> Result<Result<HostMark, String>, Stop> {
        let trial = &of.trial;
        let items = vec![
            switch::disarm_item(&trial.id, &trial.state_dir),
            trial.mark_item(),
        ];
        let replies = self.ask("restoring the policy", items).await?;
        Ok(match switch::parse(&replies[0]) {
            Ok(SwitchState::Restored | SwitchState::None | SwitchState::Stale) => {
                known(experiment::read_mark(&trial.units, &replies[1]))
            }
            Ok(SwitchState::Failed { why } | SwitchState::Rejected { why }) => Err(why),
            Ok(SwitchState::Armed { .. } | SwitchState::Restoring) => {
                Err("the host has not ended restoring itself".to_owned())
            }
            Ok(SwitchState::Dead) => Err("the switch's watcher died".to_owned()),
            Err(error) => Err(error.to_string()),
        })
    }
}

fn known(mark: Reading<HostMark>) -> Result<HostMark, String> {
    mark.get().cloned().map_err(ToOwned::to_owned)
}
