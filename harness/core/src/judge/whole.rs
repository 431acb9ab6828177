//! What the record of a host must hold for its results to count.

use super::View;
use crate::{
    facts::Facts,
    ledger::HostLedger,
    plan::PlannedHost,
    state::State,
    verdict::{Missing, Undecided},
};

/// A host's part has an end: its own, a trouble that ended it, or the stop of the run. Without one,
/// nobody knows what was still to come.
pub(super) fn of_end(ledger: &HostLedger) -> Option<String> {
    let ended = ledger.finished || ledger.stopped.is_some() || !ledger.troubles.is_empty();
    (!ended).then(|| "its part of the run has no end in the record".to_owned())
}

/// The facts of every state that was checked: what the host was, whatever passed on it.
pub(super) fn of_facts(view: &View<'_>, host: &PlannedHost) -> Vec<Undecided> {
    let missing = |state: &State| {
        let ledger = view.ledger.state(&host.name, *state)?;
        let facts = ledger.facts.as_ref().map(|f| &f.value);
        let why = match facts {
            None if ledger.checks.is_empty() => return None,
            None => "facts: they are not in the record".to_owned(),
            Some(facts) => unknown(view, facts)?,
        };
        Some(Undecided {
            host: Some(host.name.clone()),
            state: Some(*state),
            what: Missing::Coverage,
            why,
        })
    };
    view.plan.states.iter().filter_map(missing).collect()
}

/// The first fact that the verdict rests on and that is not known.
fn unknown(view: &View<'_>, facts: &Facts) -> Option<String> {
    let suites = &view.plan.suites;
    let needs_packages = suites.iter().any(|s| !s.needs.packages.is_empty());
    let packages = facts
        .packages
        .why()
        .filter(|_| needs_packages || view.plan.patch.is_some())
        .map(|why| format!("facts: the packages are not known: {why}"));
    let mode = facts.selinux.why();
    packages.or_else(|| mode.map(|why| format!("facts: SELinux is not known: {why}")))
}

/// What is wrong with the record as a whole: it has holes, it is of another run, somebody newer wrote it,
/// or it has no end.
pub(super) fn of_run(view: &View<'_>) -> Vec<Undecided> {
    let ledger = view.ledger;
    let gap = ledger
        .gap
        .map(|n| format!("event {n} is not in the record"));
    let newer = |n| format!("event {n} was written by a newer patchgate");
    let unknown = ledger.unknown.map(newer);
    let begin = match &ledger.started {
        Some(begin) if begin.seq == 1 && begin.value == view.plan.run => None,
        Some(begin) if begin.seq == 1 => Some(format!("the record is of run {}", begin.value)),
        Some(_) | None => Some("the record does not begin with the run's begin".to_owned()),
    };
    let end = match &ledger.interrupted {
        Some(signal) => Some(format!("the run was stopped by {}", signal.value)),
        None if ledger.finished => None,
        None => Some("the record has no end: the run was cut off".to_owned()),
    };
    let undecided = |why| Undecided {
        host: None,
        state: None,
        what: Missing::Run,
        why,
    };
    [gap, unknown, begin, end]
        .into_iter()
        .flatten()
        .map(undecided)
        .collect()
}
