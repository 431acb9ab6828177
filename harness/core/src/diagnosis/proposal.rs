//! Whether an experiment with the policy is wanted: it costs much, and it is for lab hosts only.
//!
//! It answers one question, whether the failure comes of SELinux, and so it is wanted only where that may
//! be and nothing that was found already answers it otherwise.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DiagnosisStep, ExperimentEvent, Found, UnitFound,
    control::own_control,
    failure::{Failure, failures, is_to_run, unit},
};
use crate::{
    evidence::{context::Context, denial::Decision, vector_diff::diff, window::examine},
    id::{CheckId, HostName},
    ledger::{At, Ledger, StateLedger},
    observation::{HttpEnd, HttpPhase},
    outcome::SymptomKind,
    plan::Plan,
    state::State,
    suite::{CheckKind, Suite},
};

/// What an experiment is called that could not be made.
pub const EXPERIMENT: &str = "experiment";

/// Why an experiment failed that somebody stopped the run in.
pub const STOPPED: &str = "the run was stopped";

/// An experiment that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    /// The domain that is to be made permissive.
    pub domain: String,
    /// The failed checks that are to be asked again, each of a kind that can be.
    pub checks: Vec<CheckId>,
}

/// The experiments that are wanted on a host in a judged state, each domain once, by what is known after
/// the reading steps.
///
/// None in a run without a patch: it promises to change nothing, and holds no lock.
#[must_use]
pub fn experiments(plan: &Plan, ledger: &Ledger, host: &HostName, state: State) -> Vec<Experiment> {
    let lab = plan.patch.is_some() && plan.host(host).is_some_and(|h| h.lab);
    let known = ledger.state(host, state).filter(|s| lab && enforces(s));
    let Some(known) = known else {
        return Vec::new();
    };
    let mut by_domain: BTreeMap<String, Vec<CheckId>> = BTreeMap::new();
    for failure in failures(plan, ledger, host, state) {
        if may_be_selinux(known, &failure) {
            let before = ledger.state(host, State::Baseline);
            for domain in domains(before, known, failure.suite) {
                by_domain
                    .entry(domain)
                    .or_default()
                    .push(failure.id.clone());
            }
        }
    }
    let experiment = |(domain, checks)| Experiment { domain, checks };
    let all = by_domain.into_iter().map(experiment);
    all.collect()
}

/// Whether the record holds an experiment in a state already: one that came to its own end, or could not be
/// made. One that a crash or a stop broke off did neither.
#[must_use]
pub fn is_made(ledger: &Ledger, host: &HostName, state: State, experiment: &Experiment) -> bool {
    let known = ledger.state(host, state);
    known.is_some_and(|known| was_made(known, experiment))
}

fn was_made(known: &StateLedger, experiment: &Experiment) -> bool {
    let mut is_broken_off = false;
    known.diagnosis.iter().any(|d| match &d.value.found {
        Found::Experiment { domain, event } if *domain == experiment.domain => match event {
            ExperimentEvent::Armed { .. } => {
                is_broken_off = false;
                false
            }
            ExperimentEvent::Failed { why } => {
                is_broken_off = why == STOPPED;
                !is_broken_off
            }
            ExperimentEvent::Restored { .. } => !is_broken_off,
            ExperimentEvent::Changed { .. }
            | ExperimentEvent::Asked { .. }
            | ExperimentEvent::Window { .. } => false,
        },
        Found::Unavailable { what, .. } => what == EXPERIMENT && d.value.about == experiment.checks,
        Found::Experiment { .. }
        | Found::Request { .. }
        | Found::Unit(_)
        | Found::Listeners { .. }
        | Found::ErrorLog { .. }
        | Found::Journal { .. }
        | Found::ConfigTest { .. }
        | Found::Mislabeled { .. }
        | Found::Owners { .. } => false,
    })
}

fn enforces(known: &StateLedger) -> bool {
    let facts = known.facts.as_ref();
    let selinux = facts.and_then(|f| f.value.selinux.known());
    selinux.is_some_and(|s| s.mode == "Enforcing")
}

/// Whether a failure can come of SELinux, for all that is known, and can be asked for again.
fn may_be_selinux(known: &StateLedger, failure: &Failure<'_>) -> bool {
    is_askable(failure) && shows_as(failure) && !is_otherwise(known, failure)
}

fn is_askable(failure: &Failure<'_>) -> bool {
    match &failure.check.kind {
        // No denial makes a unit run that is not to.
        CheckKind::Service(_) => unit(failure.check).is_some_and(|(_, runs)| runs),
        CheckKind::Http(_) | CheckKind::Command(_) => true,
        CheckKind::Selinux(_) | CheckKind::Denials(_) => false,
    }
}

/// Whether a denial can show as this symptom.
fn shows_as(failure: &Failure<'_>) -> bool {
    match failure.symptom {
        SymptomKind::Http(phase) => phase.is_of_the_service(),
        SymptomKind::HttpStatus => failure.status().is_some_and(|s| s >= 400),
        SymptomKind::HttpBody
        | SymptomKind::CommandExit
        | SymptomKind::CommandOutput
        | SymptomKind::CommandDeadline
        | SymptomKind::ServiceState => true,
        SymptomKind::ServiceEnabled
        | SymptomKind::SelinuxMode
        | SymptomKind::SelinuxBoolean
        | SymptomKind::Denials => false,
    }
}

/// Whether what was found says that it is something else.
fn is_otherwise(known: &StateLedger, failure: &Failure<'_>) -> bool {
    let refused = failure.symptom == SymptomKind::Http(HttpPhase::Refused);
    let answered_here = own_control(Some(known), failure.suite, failure.check) == Some(true);
    let about = |d: &&At<DiagnosisStep>| d.value.about.contains(&failure.id);
    let mut found = known.diagnosis.iter().filter(about);
    (refused && answered_here) || found.any(|d| settles(&d.value.found, failure, refused))
}

/// Whether one finding settles that a failure comes of something else.
fn settles(found: &Found, failure: &Failure<'_>, refused: bool) -> bool {
    let down = refused || failure.symptom == SymptomKind::ServiceState;
    match found {
        // It is answered where no packet filter and no other address lies between.
        Found::Request { check, saw, .. } => {
            refused && *check == failure.id && matches!(saw.end, HttpEnd::Answered(_))
        }
        Found::Unit(found) => {
            (down && is_stopped(failure.suite, found))
                || found.result.as_deref() == Some("oom-kill")
        }
        // SELinux does not change what a configuration says.
        Found::ConfigTest { exit, output, .. } => {
            let refused_access = output.to_lowercase().contains("permission denied");
            down && exit.is_some_and(|e| e != 0) && !refused_access
        }
        Found::Listeners { .. }
        | Found::ErrorLog { .. }
        | Found::Journal { .. }
        | Found::Mislabeled { .. }
        | Found::Owners { .. }
        | Found::Experiment { .. }
        | Found::Unavailable { .. } => false,
    }
}

/// Whether somebody stopped a unit that is to run, and it ended well.
fn is_stopped(suite: &Suite, found: &UnitFound) -> bool {
    let ended_well = found.active == "inactive" && found.result.as_deref() == Some("success");
    ended_well && is_to_run(suite, &found.unit)
}

/// The domains of a suite that are worth it: those that lost access or were denied something, or, where
/// none was, all that are enforced.
fn domains(before: Option<&StateLedger>, known: &StateLedger, suite: &Suite) -> Vec<String> {
    let spoken = spoken_of(before, known);
    let enforced = |d: &&String| !is_permissive(known, d);
    let all: Vec<String> = suite.domains.iter().filter(enforced).cloned().collect();
    let told: Vec<String> = all
        .iter()
        .filter(|d| spoken.contains(*d))
        .cloned()
        .collect();
    if told.is_empty() { all } else { told }
}

/// The domains that lost access since the baseline, and those that were denied something in the window.
fn spoken_of(before: Option<&StateLedger>, known: &StateLedger) -> BTreeSet<String> {
    let table = |s: &StateLedger| Some(s.vectors.as_ref()?.value.known()?.clone());
    let tables = before.and_then(table).zip(table(known));
    let changes = tables.map_or_else(Vec::new, |(was, is)| diff(&was, &is).changes);
    let lost = changes.into_iter().filter(|c| !c.lost.is_empty());
    let denied = known.window.iter().flat_map(|w| {
        let (capture, expected) = &w.value;
        let decisions = examine(capture, *expected).decisions.into_iter();
        let enforced = |d: &Decision| d.is_denial() && d.permissive != Some(true);
        decisions
            .filter(enforced)
            .filter_map(|d| Some(d.source?.type_))
    });
    lost.map(|c| c.source_type).chain(denied).collect()
}

/// Whether the kernel said that a domain is permissive.
fn is_permissive(known: &StateLedger, domain: &str) -> bool {
    let table = known.vectors.as_ref().and_then(|v| v.value.known());
    let of_domain = |source: &str| Context::parse(source).is_some_and(|c| c.type_ == domain);
    table.is_some_and(|t| {
        let mut vectors = t.vectors.iter();
        vectors.any(|(query, vector)| vector.is_permissive() && of_domain(query.source()))
    })
}

#[cfg(test)]
mod tests;
