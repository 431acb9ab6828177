//! Every planned check with its result, in the plan's order, and where it stands.

use std::{borrow::Cow, collections::BTreeMap};

use patchgate_core::{
    judge::{CellResult, Judgement},
    outcome::Outcome,
    plan::{Cell, Plan},
    verdict::{Finding, Verdict},
};

/// Where a planned check stands once everything is judged; the order is that of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    Passed,
    Flaky,
    Failed,
    Waived,
    Blind,
    Errored,
    NotRun,
    NotNeeded,
}

impl Standing {
    pub(crate) fn of(result: &CellResult, verdict: &Verdict) -> Self {
        match &result.outcome {
            Outcome::Passed if result.flaky => Self::Flaky,
            Outcome::Passed => Self::Passed,
            Outcome::Failed { .. } if waiver(result, verdict).is_some() => Self::Waived,
            Outcome::Failed { .. } => Self::Failed,
            Outcome::Blind { .. } => Self::Blind,
            Outcome::Errored { .. } => Self::Errored,
            Outcome::NotRun { .. } => Self::NotRun,
            Outcome::NotNeeded { .. } => Self::NotNeeded,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Flaky => "flaky",
            Self::Failed => "failed",
            Self::Waived => "waived",
            Self::Blind => "blind",
            Self::Errored => "errored",
            Self::NotRun => "not-run",
            Self::NotNeeded => "not-needed",
        }
    }
}

/// The waived finding that covers a result.
pub(crate) fn waiver<'a>(result: &CellResult, verdict: &'a Verdict) -> Option<&'a Finding> {
    let cell = &result.cell;
    verdict.waived.iter().find(|f| {
        let covers =
            |s: &patchgate_core::verdict::Seen| s.state == cell.state && s.check == cell.check;
        f.hosts.contains(&cell.host) && f.symptoms.iter().any(covers)
    })
}

/// One result for each planned check. Should the judgement lack one, it is `not-run`: a reporter
/// never lets a planned check vanish.
pub(crate) fn results<'a>(plan: &'a Plan, judgement: &'a Judgement) -> Vec<Cow<'a, CellResult>> {
    let by_cell: BTreeMap<&Cell, &CellResult> =
        judgement.cells.iter().map(|r| (&r.cell, r)).collect();
    let find = |cell: &Cell| match by_cell.get(cell) {
        Some(result) => Cow::Borrowed(*result),
        None => Cow::Owned(unjudged(cell)),
    };
    plan.cells.iter().map(find).collect()
}

fn unjudged(cell: &Cell) -> CellResult {
    CellResult {
        cell: cell.clone(),
        outcome: Outcome::NotRun {
            why: "the judgement holds no result for it".to_owned(),
        },
        flaky: false,
        events: Vec::new(),
        elapsed_ms: None,
    }
}
