//! Checks that count and keep the gate from opening, whatever the findings say.

use std::collections::BTreeMap;

use super::{View, cells::CellResult};
use crate::{
    id::HostName,
    outcome::Outcome,
    policy::Forbidden,
    state::State,
    verdict::{Finding, Missing, Undecided},
};

/// Checks of a host that count and did not pass, by state and reason; those that a finding closes the
/// gate for are told there.
pub(super) fn of_cells(view: &View<'_>, closing: &[&Finding], host: &HostName) -> Vec<Undecided> {
    let mut found: BTreeMap<(State, Missing, String), Vec<String>> = BTreeMap::new();
    let ours = |r: &&CellResult| r.cell.host == *host && counts_for(view, r);
    for result in view.cells.iter().filter(ours) {
        if let Some((what, why)) = unsettled(view, closing, result) {
            let key = (result.cell.state, what, why);
            let check = result.cell.check.to_string();
            found.entry(key).or_default().push(check);
        }
    }
    let entry = |((state, what, why), checks): ((State, Missing, String), Vec<String>)| {
        let why = format!("{}: {why}", checks.join(", "));
        Undecided {
            host: Some(host.clone()),
            state: Some(state),
            what,
            why,
        }
    };
    found.into_iter().map(entry).collect()
}

/// Whether there is a check that the gate looks at: of nothing, nothing follows.
pub(super) fn anything_counts(view: &View<'_>) -> bool {
    view.cells.iter().any(|r| counts_for(view, r))
}

/// Whether the policy asks for a check; of an undo, the host's part says what came of it.
fn counts_for(view: &View<'_>, result: &CellResult) -> bool {
    let policy = &view.plan.policy;
    let asked = policy.suites.contains_key(&result.cell.check.suite)
        || policy.forbid.contains(&Forbidden::MissingCheck);
    asked && result.cell.state != State::Undone
}

fn unsettled(
    view: &View<'_>,
    closing: &[&Finding],
    result: &CellResult,
) -> Option<(Missing, String)> {
    match &result.outcome {
        Outcome::Passed if result.flaky => {
            Some((Missing::Flaky, "passed only when asked again".to_owned()))
        }
        Outcome::Passed | Outcome::NotNeeded { .. } => None,
        Outcome::Failed { .. } => failed(view, closing, result),
        Outcome::Blind { gaps } => Some((
            Missing::Coverage,
            format!("cannot be said: {}", gaps.join("; ")),
        )),
        Outcome::Errored { why } => Some((Missing::Errored, why.clone())),
        Outcome::NotRun { why } => Some((Missing::NotRun, why.clone())),
    }
}

/// A failure closes the gate through its finding, or says nothing about the patch because it was there
/// before, or is undecided: none is ever passed over.
fn failed(view: &View<'_>, closing: &[&Finding], result: &CellResult) -> Option<(Missing, String)> {
    let cell = &result.cell;
    let judged = view.plan.judged_states().contains(&cell.state);
    if !judged || closing.iter().any(|f| tells(f, result)) {
        return None;
    }
    let before = view.before(result);
    if let Some(before) = before.filter(|b| !b.passed()) {
        let why = if before.failed() {
            "failed before the patch and fails after it: the patch cannot be judged by it"
        } else {
            "fails after the patch, and did not settle before it: the patch cannot be judged by it"
        };
        return Some((Missing::BrokenBefore, why.to_owned()));
    }
    let why = "failed, and no finding closes the gate for it";
    Some((Missing::Failed, why.to_owned()))
}

/// Whether a finding rests on this result.
fn tells(finding: &Finding, result: &CellResult) -> bool {
    let cell = &result.cell;
    let seen = |s: &crate::verdict::Seen| s.state == cell.state && s.check == cell.check;
    finding.hosts.contains(&cell.host) && finding.symptoms.iter().any(seen)
}
