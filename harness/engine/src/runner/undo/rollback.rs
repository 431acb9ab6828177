//! The package manager undoes its own transaction, as a job of the host.

use std::time::Duration;

use patchgate_core::{
    event::PatchEnd,
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
    script::transaction::undo_script,
};

/// A transaction may load a policy, as the patch may.
const POLICY_LOAD: Expectations = Expectations {
    policy_load: true,
    mode_change: false,
    reboot: false,
};

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Has the transaction undone, restarts what the patch had restarted, and looks at the host; what the record
    /// holds of that is not done again.
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
        if self.left(State::Undone).is_some() {
            return Ok(UndoEnd::RolledBack);
        }
        let work = Work {
            spec: JobSpec::new(job, undo_script(manager, set, transaction)),
            within: Duration::from_secs(set.deadline_s),
            starting: "starting the undo",
            finding: "finding the undo",
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

    /// The end of the job, which is handed to the host once.
    async fn undo_by_job(&mut self, work: &Work, transaction: &str) -> Result<UndoEnd, Stop> {
        let end = self.known_of_host(|host| host.undo.end.as_ref().map(|e| e.value.clone()));
        if let Some(UndoEnd::RolledBack) = end {
            return Ok(UndoEnd::RolledBack);
        }
        let watch = Stopwatch::start();
        match self.find_undo(work, end.as_ref()).await? {
            Some(heard) => self.follow_undo(work, heard, watch).await,
            None => match self.begin_undo(work, transaction).await? {
                Ok(heard) => self.follow_undo(work, heard, watch).await,
                Err(Away { why, holder }) => {
                    let end = UndoEnd::Failed { why };
                    self.undo_ended(end.clone(), "", watch.elapsed())?;
                    self.unless_held(holder).map(|()| end)
                }
            },
        }
    }

    /// Whether the host has the job, as far as is known, of an undo that an earlier controller began. None where
    /// none was, and where the host never heard of it: then nothing was begun.
    async fn find_undo(
        &mut self,
        work: &Work,
        end: Option<&UndoEnd>,
    ) -> Result<Option<bool>, Stop> {
        match (self.known_of_host(|host| host.undo.started.is_some()), end) {
            (false, _) => Ok(None),
            (true, Some(UndoEnd::StillRunning)) => Ok(Some(true)),
            (true, _) => self.find_job(work).await,
        }
    }

    /// Marks the host and starts the job in one round trip: whoever comes after a dead controller meets the
    /// mark.
    async fn begin_undo(
        &mut self,
        work: &Work,
        transaction: &str,
    ) -> Result<Result<bool, Away>, Stop> {
        self.go_on()?;
        self.undo_begins(UndoHow::Rollback {
            job: work.spec.id.to_string(),
            transaction: transaction.to_owned(),
        })?;
        let mark = self.mark_of(BEGUN);
        let before = mark::put_item(&mark, &StateDir::default());
        let (heard, put) = self.hand_over(work, Some(before)).await?;
        // One that cannot be marked is held by the lock meanwhile.
        self.marked(Some(mark).zip(put.as_ref()))?;
        Ok(heard)
    }

    /// Waits for the job's end and records it, with all that it said.
    async fn follow_undo(
        &mut self,
        work: &Work,
        heard: bool,
        watch: Stopwatch,
    ) -> Result<UndoEnd, Stop> {
        let mut output = Vec::new();
        let end = self.wait_for(work, heard, &mut output).await?;
        self.save(STATE, "undo.log", &output)?;
        let text = String::from_utf8_lossy(&output);
        let end = of_job(&end, &text);
        self.undo_ended(end.clone(), &text, watch.elapsed())?;
        Ok(end)
    }

    /// Units that the patch had restarted run what it brought.
    async fn restart_again(&mut self, services: &Services) -> Result<(), Stop> {
        let units = match services {
            Services::Leave => return Ok(()),
            Services::Restart(units) => units,
        };
        if self.known_of_host(|host| host.undo.restarts.is_some()) {
            return Ok(());
        }
        self.go_on()?;
        self.restart(State::Undone, units).await
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
