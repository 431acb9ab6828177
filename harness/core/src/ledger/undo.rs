//! What is known of the undo of a host's patch, and of the mark of a dirty host.

use std::collections::BTreeMap;

use super::At;
use crate::{
    event::{Event, RestartEnd, What},
    state::State,
    undo::{Mark, MarkAct, UndoEnd, UndoHow},
};

/// What the record holds of the undo on a host.
#[derive(Clone, Debug, Default)]
pub struct UndoLedger {
    /// How it was about to be done.
    pub started: Option<At<UndoHow>>,
    /// How it ended.
    pub end: Option<At<UndoEnd>>,
    /// The restarts of services after it.
    pub restarts: Option<At<BTreeMap<String, RestartEnd>>>,
    /// What became of the host's mark, in order.
    pub marks: Vec<At<(Mark, MarkAct)>>,
}

impl UndoLedger {
    /// Whether nothing was undone, and nothing refused.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.started.is_none() && self.end.is_none()
    }

    /// The job that undoes the transaction, from when it was about to be handed to the host.
    #[must_use]
    pub fn job(&self) -> Option<&str> {
        match self.started.as_ref().map(|s| &s.value) {
            Some(UndoHow::Rollback { job, .. }) => Some(job),
            Some(UndoHow::Reset { .. }) | None => None,
        }
    }

    /// Whether such a job may go on by itself.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        let open = match self.end.as_ref().map(|e| &e.value) {
            None | Some(UndoEnd::StillRunning) => true,
            Some(
                UndoEnd::RolledBack
                | UndoEnd::Reset { .. }
                | UndoEnd::Refused { .. }
                | UndoEnd::Failed { .. },
            ) => false,
        };
        self.job().is_some() && open
    }

    /// Whether the host is known to carry a mark when its part is over. One that was put there before a reset
    /// may have gone with the disk.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        let reset = self.started.as_ref().filter(|s| match s.value {
            UndoHow::Reset { .. } => true,
            UndoHow::Rollback { .. } => false,
        });
        let stays = |seq: u64| reset.is_none_or(|s| s.seq < seq);
        self.marks.last().is_some_and(|m| match m.value.1 {
            MarkAct::Written | MarkAct::Found => stays(m.seq),
            MarkAct::Cleared | MarkAct::Dropped => false,
        })
    }

    /// What became of the mark last.
    #[must_use]
    pub fn last_act(&self) -> Option<MarkAct> {
        self.marks.last().map(|m| m.value.1)
    }

    /// The mark that a run met which changes nothing.
    #[must_use]
    pub fn met(&self) -> Option<&Mark> {
        let met = |m: &&At<(Mark, MarkAct)>| m.value.1 == MarkAct::Found;
        self.marks.iter().find(met).map(|m| &m.value.0)
    }

    /// Takes an event; whether it was about the undo alone.
    pub(super) fn take(&mut self, event: &Event) -> bool {
        let Event {
            seq, state, what, ..
        } = event;
        let seq = *seq;
        if let What::UndoStarted { how } = what {
            let value = how.clone();
            self.started = Some(At { seq, value });
        } else if let What::UndoEnded { end, .. } = what {
            let value = end.clone();
            self.end = Some(At { seq, value });
        } else if let What::DirtyMark { mark, act } = what {
            let value = (mark.clone(), *act);
            self.marks.push(At { seq, value });
        } else if let (What::ServicesRestarted { units }, Some(State::Undone)) = (what, *state) {
            let value = units.clone();
            self.restarts = Some(At { seq, value });
        } else {
            return false;
        }
        true
    }
}
