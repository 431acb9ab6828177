//! The undo of a patch that failed: considered after the last state, and verified like the patch.

mod reset;
mod rollback;

use std::time::Duration;

use patchgate_core::{
    event::What,
    patchset::PatchSet,
    state::State,
    undo::{self, UndoEnd, UndoHow, Way},
};

use super::{
    host::{Parting, together},
    link::{Link, Stop},
    patch::tail,
};
use crate::{host::Connector, probe::Prober};

const STATE: Option<State> = Some(State::Undone);

/// What stands in the mark while an undo goes on: who finds it knows no more.
const BEGUN: &str = "its patch failed, and the undo of it has not been seen to end well";

/// What is known of a reset whose controller died, or was stopped, in the middle of it.
const UNSEEN: &str =
    "whether the host went back to its snapshot is not known: the run was interrupted meanwhile";

/// How an undo leaves a host.
enum Left {
    /// Its part is over.
    Host {
        /// What is left undone on it.
        dirty: Option<String>,
    },
    /// The undo goes on by itself, and the lock stays.
    Working {
        /// What is told of it.
        dirty: String,
    },
}

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Undoes the patch where it failed and the patch set has it so, and leaves the host.
    pub(super) async fn after_patch(
        &mut self,
        set: &PatchSet,
        ended: Result<Parting, Stop>,
    ) -> Result<(), Stop> {
        let left = match ended {
            Ok(Parting::Working) => return self.finish(None),
            Ok(Parting::Leave { dirty }) => self.take_back(set, dirty).await,
            Err(Stop::Recorded) if self.may_be_reset() => self.take_back(set, None).await,
            Err(stop) => Err(stop),
        };
        let left = left?;
        self.part(left).await
    }

    /// Whether an undo was begun, or refused.
    pub(super) fn has_begun_undo(&self) -> bool {
        self.known_of_host(|host| !host.undo.is_untouched())
    }

    /// Goes on with an undo that an earlier controller began or refused: nothing else is left to do here, and
    /// it is not begun a second time.
    pub(super) async fn go_on_undoing(&mut self, set: &PatchSet) -> Result<(), Stop> {
        let left = self.take_back_again(set).await?;
        self.part(left).await
    }

    async fn part(&mut self, left: Left) -> Result<(), Stop> {
        match left {
            Left::Host { dirty } => self.leave_host(dirty).await,
            Left::Working { dirty } => self.finish(Some(dirty)),
        }
    }

    /// Leaves a host of a run that was stopped, under its lock where a job goes on by itself.
    pub(super) async fn leave_stopped(&mut self) -> Result<(), Stop> {
        let why = "the run was stopped before the patch that failed was seen to be undone";
        let failed = self.has_begun_undo() || self.due().is_some();
        let dirty = failed.then(|| why.to_owned());
        let works = self.under_way().is_some() || self.known_of_host(|h| h.undo.goes_on());
        match works {
            true => self.finish(dirty),
            false => self.leave_host(dirty).await,
        }
    }

    /// Why the patch is to be undone, by the record so far.
    fn due(&self) -> Option<String> {
        let (plan, host) = (&self.run.plan, &self.host.name);
        let known = &self.run.known;
        known.ask(host, |ledger| undo::wanted(plan, ledger, host))
    }

    /// Whether the host's part is over only because it did not come back from its reboot.
    fn may_be_reset(&self) -> bool {
        let gone = self.known_of_host(|host| !host.finished && host.reboot.is_away());
        gone && self.due().is_some()
    }

    async fn take_back(&mut self, set: &PatchSet, dirty: Option<String>) -> Result<Left, Stop> {
        if self.due().is_none() {
            return Ok(Left::Host { dirty });
        }
        self.go_on()?;
        let end = match self.way(set) {
            Err(why) => {
                let end = UndoEnd::Refused { why };
                self.undo_ended(end.clone(), "", Duration::ZERO)?;
                end
            }
            Ok(way) => self.undo_by(set, way).await?,
        };
        Ok(self.settled(&end, dirty))
    }

    fn way(&self, set: &PatchSet) -> Result<Way, String> {
        self.known_of_host(|host| undo::way(set.on_failure, self.host, host))
    }

    async fn undo_by(&mut self, set: &PatchSet, way: Way) -> Result<UndoEnd, Stop> {
        match way {
            Way::Rollback {
                manager,
                transaction,
            } => self.roll_back(set, manager, &transaction).await,
            Way::Reset(snapshot) => self.reset(set, snapshot).await,
        }
    }

    /// What an undo leaves that an earlier controller began or refused. A job is found again; what became of a
    /// snapshot's command that died with its controller is not known.
    async fn take_back_again(&mut self, set: &PatchSet) -> Result<Left, Stop> {
        let known = self.known_of_host(|host| host.undo.clone());
        let (how, end) = (known.started.map(|s| s.value), known.end.map(|e| e.value));
        let end = match (how, end) {
            (
                Some(UndoHow::Rollback { .. }),
                None | Some(UndoEnd::StillRunning | UndoEnd::RolledBack),
            ) => match self.way(set) {
                Ok(way) => self.undo_by(set, way).await?,
                Err(why) => self.undo_failed(&why)?,
            },
            (Some(UndoHow::Reset { marked, .. }), Some(end @ UndoEnd::Reset { .. })) => {
                self.look_at_snapshot(marked).await?;
                end
            }
            (_, Some(end)) => end,
            (_, None) => self.undo_failed(UNSEEN)?,
        };
        Ok(self.settled(&end, self.left_by_reboot()))
    }

    fn undo_failed(&self, why: &str) -> Result<UndoEnd, Stop> {
        let why = why.to_owned();
        let end = UndoEnd::Failed { why };
        self.undo_ended(end.clone(), "", Duration::ZERO)?;
        Ok(end)
    }

    /// What an undo leaves, after its end.
    fn settled(&self, end: &UndoEnd, dirty: Option<String>) -> Left {
        // What was left undone before went with the disk.
        let dirty = dirty.filter(|_| !matches!(end, UndoEnd::Reset { .. }));
        match (end, together(dirty.into_iter().chain(self.trouble()))) {
            (UndoEnd::StillRunning, Some(dirty)) => Left::Working { dirty },
            (_, dirty) => Left::Host { dirty },
        }
    }

    /// Why the host is not as it was before the patch, by the record so far.
    fn trouble(&self) -> Option<String> {
        let (plan, host) = (&self.run.plan, &self.host.name);
        let known = &self.run.known;
        known.ask(host, |ledger| undo::trouble(plan, ledger, host))
    }

    /// Whether the host carries this run's mark for nothing: it is as before, or its patch did not fail.
    pub(super) fn is_marked_for_nothing(&self) -> bool {
        let (marked, ended) = self.known_of_host(|h| (h.undo.is_marked(), h.undo.end.is_some()));
        marked && (ended || !self.stopped()) && self.trouble().is_none()
    }

    /// Records that an undo is about to begin; the host hears of it only then.
    fn undo_begins(&self, how: UndoHow) -> Result<(), Stop> {
        self.run
            .write(self.host, STATE, What::UndoStarted { how })?;
        Ok(self.run.journal.sync()?)
    }

    fn undo_ended(&self, end: UndoEnd, output: &str, elapsed: Duration) -> Result<(), Stop> {
        let output = tail(output).to_owned();
        let what = What::UndoEnded {
            end,
            output,
            elapsed,
        };
        self.run.write(self.host, STATE, what)?;
        Ok(self.run.journal.sync()?)
    }
}
