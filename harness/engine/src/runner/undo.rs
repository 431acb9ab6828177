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
        match left {
            Ok(Left::Host { dirty }) => self.leave_host(dirty).await,
            Ok(Left::Working { dirty }) => self.finish(Some(dirty)),
            Err(Stop::Asked) if self.due().is_some() => {
                let why = "the run was stopped before the patch that failed was seen to be undone";
                self.leave_host(Some(why.to_owned())).await
            }
            Err(stop) => Err(stop),
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
        let way = self.known_of_host(|host| undo::way(set.on_failure, self.host, host));
        match way {
            Err(why) => {
                self.undo_ended(UndoEnd::Refused { why }, "", Duration::ZERO)?;
                Ok(self.left(dirty))
            }
            Ok(Way::Rollback {
                manager,
                transaction,
            }) => {
                let end = self.roll_back(set, manager, &transaction).await?;
                self.settled(&end, dirty).await
            }
            Ok(Way::Reset(snapshot)) => {
                let end = self.reset(set, snapshot).await?;
                // What was left undone before went with the disk.
                let dirty = dirty.filter(|_| !matches!(end, UndoEnd::Reset { .. }));
                self.settled(&end, dirty).await
            }
        }
    }

    /// What an undo leaves, after its end: the mark goes where the host is as before.
    async fn settled(&mut self, end: &UndoEnd, dirty: Option<String>) -> Result<Left, Stop> {
        let left = self.left(dirty);
        match (end, left) {
            (UndoEnd::StillRunning, Left::Host { dirty: Some(dirty) }) => {
                Ok(Left::Working { dirty })
            }
            (UndoEnd::RolledBack, Left::Host { dirty: None }) => {
                let dirty = self.unmark().await?;
                Ok(Left::Host { dirty })
            }
            (_, left) => Ok(left),
        }
    }

    /// What the record shows to be left undone.
    fn left(&self, dirty: Option<String>) -> Left {
        let (plan, host) = (&self.run.plan, &self.host.name);
        let known = &self.run.known;
        let trouble = known.ask(host, |ledger| undo::trouble(plan, ledger, host));
        Left::Host {
            dirty: together(dirty.into_iter().chain(trouble)),
        }
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
