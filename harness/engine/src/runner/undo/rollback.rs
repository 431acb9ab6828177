//! The package manager undoes its own transaction, as a job of the host.

use std::time::Duration;

use patchgate_core::{
    event::{PatchEnd, What},
    evidence::window::Expectations,
    patchset::{PatchSet, Services},
    state::State,
    transaction::Manager,
    undo::{UndoEnd, UndoHow},
};

use super::{BEGUN, STATE};
use crate::{
    clock::Stopwatch,
    host::{
        Connector,
        job::{JobId, JobSpec},
        mark,
        state_dir::StateDir,
    },
    probe::Prober,
    runner::{
        link::{Link, Stop},
        patch::{Away, Work, tail},
    },
    script::{restart, transaction::undo_script},
};

/// A transaction may load a policy, as the patch may.
const POLICY_LOAD: Expectations = Expectations {
    policy_load: true,
    mode_change: false,
    reboot: false,
};

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Has the transaction undone, restarts what the patch had restarted, and looks at the host.
    pub(super) async fn roll_back(
        &mut self,
        set: &PatchSet,
        manager: Manager,
        transaction: &str,
    ) -> Result<UndoEnd, Stop> {
        let job = match JobId::new(format!("{}.undo", self.run.plan.run)) {
            Ok(job) => job,
            Err(bad) => return self.not_begun(&bad.to_string()),
        };
        let work = Work {
            spec: JobSpec::new(job, undo_script(manager, set, transaction)),
            within: Duration::from_secs(set.deadline_s),
            starting: "starting the undo",
            waiting: "waiting for the undo",
        };
        let stay = self.enter(State::Undone, POLICY_LOAD).await?;
        let end = match self.undo_by_job(&work, transaction).await {
            Ok(end) => end,
            Err(stop) => return Err(self.abandon(stay, stop)),
        };
        if end != UndoEnd::RolledBack {
            return self.not_looked_at(stay).map(|()| end);
        }
        if let Err(stop) = self.restart_again(&set.services).await {
            return Err(self.abandon(stay, stop));
        }
        self.look(stay).await?;
        Ok(end)
    }

    fn not_begun(&self, why: &str) -> Result<UndoEnd, Stop> {
        let why = why.to_owned();
        let end = UndoEnd::Refused { why };
        self.undo_ended(end.clone(), "", Duration::ZERO)?;
        Ok(end)
    }

    /// Marks the host and starts the job in one round trip: whoever comes after a dead controller meets the
    /// mark.
    async fn undo_by_job(&mut self, work: &Work, transaction: &str) -> Result<UndoEnd, Stop> {
        self.go_on()?;
        self.undo_begins(UndoHow::Rollback {
            job: work.spec.id.to_string(),
            transaction: transaction.to_owned(),
        })?;
        let watch = Stopwatch::start();
        let mark = self.mark_of(BEGUN);
        let before = mark::put_item(&mark, &StateDir::default());
        let (heard, put) = self.hand_over(work, Some(before)).await?;
        // One that cannot be marked is held by the lock meanwhile.
        self.marked(Some(mark).zip(put.as_ref()))?;
        let mut output = Vec::new();
        let (end, holder) = match heard {
            Err(Away { why, holder }) => (UndoEnd::Failed { why }, holder),
            Ok(heard) => {
                let end = self.wait_for(work, heard, &mut output).await?;
                self.save(STATE, "undo.log", &output)?;
                (of_job(&end, &String::from_utf8_lossy(&output)), None)
            }
        };
        let text = String::from_utf8_lossy(&output);
        self.undo_ended(end.clone(), &text, watch.elapsed())?;
        self.unless_held(holder).map(|()| end)
    }

    /// Units that the patch had restarted run what it brought.
    async fn restart_again(&mut self, services: &Services) -> Result<(), Stop> {
        let units = match services {
            Services::Leave => return Ok(()),
            Services::Restart(units) => units,
        };
        self.go_on()?;
        let items = units.iter().map(|u| restart::item(u)).collect();
        let replies = self.once("restarting the services", items).await?;
        let units = restart::read(units, &replies);
        Ok(self
            .run
            .write(self.host, STATE, What::ServicesRestarted { units })?)
    }
}

fn of_job(end: &PatchEnd, output: &str) -> UndoEnd {
    let failed = |why: String| UndoEnd::Failed { why };
    match end {
        PatchEnd::Exited(0) => UndoEnd::RolledBack,
        PatchEnd::Exited(n) => {
            let last = tail(output).lines().rfind(|l| !l.trim().is_empty());
            let said = last.map(|l| format!(": {}", l.trim())).unwrap_or_default();
            failed(format!("the package manager exited with status {n}{said}"))
        }
        PatchEnd::Lost => failed("it broke off: packages may be half installed".to_owned()),
        PatchEnd::StillRunning => UndoEnd::StillRunning,
        PatchEnd::NotStarted { why } => failed(why.clone()),
        PatchEnd::NothingToDo => failed("there was nothing to undo".to_owned()),
    }
}
