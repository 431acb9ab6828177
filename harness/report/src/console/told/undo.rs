//! What is told of an undo and of dirty hosts.

use std::time::Duration;

use patchgate_core::{
    time::show_duration,
    undo::{Mark, MarkAct, UndoEnd, UndoHow},
};

use super::{Told, told};
use crate::console::colour::Mood;

pub(super) fn of_dirty(mark: &Mark) -> Option<Told> {
    told(Mood::Bad, &format!("DIRTY, not touched: {}", mark.told()))
}

pub(super) fn of_begin(how: &UndoHow) -> Option<Told> {
    match how {
        UndoHow::Rollback { transaction, .. } => {
            let text = format!("the patch failed: undoing transaction {transaction}");
            told(Mood::Unsure, &text)
        }
        UndoHow::Reset { snapshot, .. } => {
            let text = format!("the patch failed: resetting to {snapshot}");
            told(Mood::Unsure, &text)
        }
    }
}

pub(super) fn of_end(end: &UndoEnd, elapsed: Duration) -> Option<Told> {
    let elapsed = show_duration(elapsed);
    match end {
        UndoEnd::RolledBack => told(Mood::Plain, &format!("rolled back after {elapsed}")),
        UndoEnd::Reset { .. } => told(
            Mood::Plain,
            &format!("back from its snapshot after {elapsed}"),
        ),
        UndoEnd::Refused { why } => told(Mood::Bad, &format!("NOT UNDONE: {why}")),
        UndoEnd::Failed { why } => told(Mood::Bad, &format!("UNDO FAILED after {elapsed}: {why}")),
        UndoEnd::StillRunning => told(Mood::Bad, "UNDO STILL RUNNING; it goes on on the host"),
    }
}

/// That the run puts and drops its own mark goes without saying.
pub(super) fn of_mark(mark: &Mark, act: MarkAct) -> Option<Told> {
    match act {
        MarkAct::Found => told(Mood::Bad, &format!("DIRTY: {}", mark.told())),
        MarkAct::Cleared => {
            let Mark { run, why, .. } = mark;
            let text = format!("taken for clean, as said: run {run} had left it dirty ({why})");
            told(Mood::Unsure, &text)
        }
        MarkAct::Written | MarkAct::Dropped => None,
    }
}
