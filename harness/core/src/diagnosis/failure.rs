//! The failed checks of a state that deserve a closer look.

use crate::{
    id::{CheckId, HostName},
    judge::{self, CellResult},
    ledger::{Ledger, StateLedger},
    observation::{HttpEnd, Observation},
    outcome::{Outcome, SymptomKind},
    plan::Plan,
    state::State,
    suite::{Check, CheckKind, Suite},
};

/// A failed check.
pub(super) struct Failure<'a> {
    pub(super) suite: &'a Suite,
    pub(super) check: &'a Check,
    pub(super) id: CheckId,
    pub(super) symptom: SymptomKind,
    /// What its last attempt saw.
    pub(super) saw: Option<&'a Observation>,
}

impl Failure<'_> {
    /// The status code of the answer, where one came.
    pub(super) fn status(&self) -> Option<u16> {
        self.saw.and_then(answered)
    }
}

/// The status code of an HTTP answer.
pub(super) fn answered(saw: &Observation) -> Option<u16> {
    let Observation::Http(seen) = saw else {
        return None;
    };
    match &seen.end {
        HttpEnd::Answered(answer) => Some(answer.status),
        HttpEnd::Failed(_) => None,
    }
}

/// What fails on a host in a judged state and did not fail at the baseline; all that fails, in a run
/// that has no other baseline.
pub(super) fn failures<'a>(
    plan: &'a Plan,
    ledger: &'a Ledger,
    host: &HostName,
    state: State,
) -> Vec<Failure<'a>> {
    if !plan.judged_states().contains(&state) {
        return Vec::new();
    }
    let ended = judge::ended(plan, ledger, host, &[State::Baseline, state]);
    let failed_at = |at: State, id: &CheckId| {
        let here = |r: &&CellResult| r.cell.state == at && r.cell.check == *id;
        ended.iter().find(here).is_some_and(CellResult::failed)
    };
    let predates = |id: &CheckId| plan.patch.is_some() && failed_at(State::Baseline, id);
    let known = ledger.state(host, state);
    let now = ended.iter().filter(|r| r.cell.state == state);
    now.filter(|r| !predates(&r.cell.check))
        .filter_map(|r| failure(plan, known, r))
        .collect()
}

fn failure<'a>(
    plan: &'a Plan,
    known: Option<&'a StateLedger>,
    result: &CellResult,
) -> Option<Failure<'a>> {
    let Outcome::Failed { symptom } = &result.outcome else {
        return None;
    };
    let id = result.cell.check.clone();
    let (suite, check) = plan.check(&id)?;
    let saw = known.and_then(|s| last(s, &id));
    Some(Failure {
        suite,
        check,
        id,
        symptom: symptom.kind,
        saw,
    })
}

/// What the last attempt at a check saw.
pub(super) fn last<'a>(known: &'a StateLedger, id: &CheckId) -> Option<&'a Observation> {
    let last = known.checks.get(id)?.last()?;
    Some(&last.value.saw)
}

/// The unit of a `service` check, and whether it wants the unit to run.
pub(super) fn unit(check: &Check) -> Option<(&str, bool)> {
    match &check.kind {
        CheckKind::Service(want) => Some((&want.unit, want.active)),
        CheckKind::Http(_)
        | CheckKind::Command(_)
        | CheckKind::Selinux(_)
        | CheckKind::Denials(_) => None,
    }
}

/// Whether a suite wants a unit to run: it rests on it, or a check says so.
pub(super) fn is_to_run(suite: &Suite, name: &str) -> bool {
    let named = suite.rests_on.units.iter().any(|u| u == name);
    let mut checked = suite.checks.iter().filter_map(unit);
    named || checked.any(|(unit, runs)| unit == name && runs)
}
