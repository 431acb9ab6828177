//! The judgement: a pure function from the plan and the events to the verdict.
//!
//! Nothing that is missing ever counts as good: a planned check without a result is `not-run`, a
//! window with gaps is `blind`, a host that was not reached has both, and each of them keeps the gate
//! from opening.

mod allowances;
mod cause;
mod cells;
mod compare;
mod denials;
mod drift;
mod explain;
mod findings;
mod gate;
mod hosts;
mod patched;
mod reboot;
mod resumed;
mod soak;
mod suspects;
mod undo;
mod unsettled;
mod vectors;
mod waves;
mod whole;

use std::collections::BTreeMap;

pub use cells::CellResult;
pub use explain::{
    EXPLANATION_VERSION, ExperimentTold, Explanation, Held, PhaseTold, StepTold, Told, explain,
};
pub(crate) use undo::{failure, undo_trouble};
pub(crate) use waves::bad_hosts;

use crate::{
    event::Event,
    id::{CheckId, HostName},
    ledger::Ledger,
    plan::{Cell, Plan},
    state::State,
    verdict::Verdict,
};

/// The verdict, and how each planned check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Every planned check, in the plan's order.
    pub cells: Vec<CellResult>,
}

/// Judges a run, whole or cut off, by its plan and its events.
#[must_use]
pub fn judge(plan: &Plan, events: &[Event]) -> Judgement {
    let ledger = Ledger::fold(events);
    let grounds = cells::Grounds::of(plan, &ledger);
    let cells = grounds.results();
    let view = View::new(&grounds, &cells);
    let findings = findings::find(&view);
    let verdict = gate::decide(&view, findings);
    Judgement { verdict, cells }
}

/// How the planned checks of one host in some states ended, by what is known so far: for a run that goes
/// on and has to decide where to look closer.
pub(crate) fn ended(
    plan: &Plan,
    ledger: &Ledger,
    host: &HostName,
    states: &[State],
) -> Vec<CellResult> {
    let grounds = cells::Grounds::of(plan, ledger);
    let ours = |c: &&Cell| c.host == *host && states.contains(&c.state);
    let cells = plan.cells.iter().filter(ours);
    cells.map(|cell| cells::result(&grounds, cell)).collect()
}

/// All that the steps of a judgement look at.
struct View<'a> {
    plan: &'a Plan,
    ledger: &'a Ledger,
    windows: &'a cells::Windows,
    cells: &'a [CellResult],
    losses: &'a cause::Losses,
    grounds: &'a cells::Grounds<'a>,
    by_name: BTreeMap<(&'a HostName, State, &'a CheckId), &'a CellResult>,
}

impl<'a> View<'a> {
    /// The states that count for a host: it was not shown not to need them, and they are not of an undo.
    fn states_of(&self, host: &HostName) -> impl Iterator<Item = &'a State> {
        let needed = |s: &&State| reboot::not_needed(self.plan, self.ledger, host, **s).is_none();
        let counts = |s: &&State| **s != State::Undone;
        self.plan.states.iter().filter(counts).filter(needed)
    }

    fn new(grounds: &'a cells::Grounds<'a>, cells: &'a [CellResult]) -> Self {
        let key = |r: &'a CellResult| (&r.cell.host, r.cell.state, &r.cell.check);
        let by_name = cells.iter().map(|r| (key(r), r)).collect();
        Self {
            plan: grounds.plan,
            ledger: grounds.ledger,
            windows: &grounds.windows,
            cells,
            losses: &grounds.losses,
            grounds,
            by_name,
        }
    }

    /// Why the patch failed on each host on which it did.
    fn failures(&self) -> &undo::Failures {
        self.grounds.failures()
    }
}
