//! Findings: the changes that matter, grouped by class, host and suite.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    View, allowances, cause,
    cells::CellResult,
    compare::{Change, change},
    denials, drift, reboot, soak, suspects,
};
use crate::{
    id::{HostName, SuiteName},
    ledger::Trouble,
    outcome::{Outcome, SymptomKind},
    state::State,
    verdict::{Cause, CauseKind, Class, Fate, Finding, Proof, Seen, Twin},
};

/// All findings of a run, worst first.
pub(super) fn find(view: &View<'_>) -> Vec<Finding> {
    let mut findings = of_checks(view);
    findings.extend(drift::find(view));
    findings.extend(reboot::find(view));
    findings.extend(of_lost_hosts(view));
    findings.extend(soak::find(view));
    findings.extend(of_vectors(view, &findings));
    findings.extend(allowances::find(view));
    findings.sort_by(|a, b| (a.class, &a.id).cmp(&(b.class, &b.id)));
    findings
}

type Group = (Class, HostName, SuiteName);

fn of_checks(view: &View<'_>) -> Vec<Finding> {
    let mut groups: BTreeMap<Group, Vec<&CellResult>> = BTreeMap::new();
    let judged = view.plan.judged_states();
    for result in view.cells.iter().filter(|r| judged.contains(&r.cell.state)) {
        if let Some(class) = class_of(view, result) {
            let key = (
                class,
                result.cell.host.clone(),
                result.cell.check.suite.clone(),
            );
            groups.entry(key).or_default().push(result);
        }
    }
    groups
        .into_iter()
        .map(|(group, results)| of_group(view, group, &results))
        .collect()
}

fn class_of(view: &View<'_>, result: &CellResult) -> Option<Class> {
    match change(view.before(result), result) {
        Change::Same | Change::Undecided => None,
        Change::Fixed => Some(Class::Fixed),
        Change::StillFailing => Some(Class::BrokenBefore),
        Change::Failing => Some(Class::Failure),
        Change::Regressed if is_denial(result) => Some(Class::NewDenial),
        Change::Regressed => match view.twin_fate(result) {
            Some((_, Fate::Unaffected)) => Some(Class::RebuildOnlyRegression),
            Some((_, Fate::Affected | Fate::Unknown)) | None => Some(Class::Regression),
        },
    }
}

fn is_denial(result: &CellResult) -> bool {
    matches!(&result.outcome, Outcome::Failed { symptom } if symptom.kind == SymptomKind::Denials)
}

fn of_group(view: &View<'_>, group: Group, results: &[&CellResult]) -> Finding {
    let (class, host, suite) = group;
    let symptoms = results.iter().map(|r| seen(view, class, r));
    let symptoms = symptoms.collect::<Vec<_>>();
    let cause = match class {
        Class::Fixed => fixed(),
        Class::RebuildOnlyRegression
        | Class::Regression
        | Class::NewDenial
        | Class::ModeDrift
        | Class::Failure
        | Class::HostLost
        | Class::Outage
        | Class::RebootLoop
        | Class::OtherKernel
        | Class::BrokenBefore
        | Class::AccessLost
        | Class::AllowExpired
        | Class::AllowUnused => cause::of_group(view, &host, &suite, results),
    };
    let mut evidence: BTreeSet<u64> = cause.evidence.iter().copied().collect();
    evidence.extend(results.iter().flat_map(|r| r.events.iter().copied()));
    let twin = results
        .iter()
        .filter_map(|r| twin_fate(view, class, r))
        .max_by_key(|t| t.1)
        .map(twin);
    Finding {
        id: format!("{}.{host}.{suite}", class.word()),
        class,
        suspects: suspects::rank(view, &host, &suite, (class, &cause), twin.as_ref()),
        twin,
        hosts: vec![host],
        checks: results
            .iter()
            .map(|r| r.cell.check.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        symptom: in_a_line(&symptoms),
        suite: Some(suite),
        symptoms,
        cause,
        evidence: evidence.into_iter().collect(),
    }
}

fn twin((host, fate): (HostName, Fate)) -> Twin {
    Twin { host, fate }
}

fn fixed() -> Cause {
    let explanation = "The check failed before the patch and passes after it.";
    cause::plain(
        CauseKind::Unknown,
        Proof::Suspected,
        explanation,
        BTreeSet::new(),
    )
}

/// How the twin fares; a twin that has the new denials of a host too is affected, also where it had
/// them before and so fails nothing.
fn twin_fate(view: &View<'_>, class: Class, result: &CellResult) -> Option<(HostName, Fate)> {
    let (twin, fate) = view.twin_fate(result)?;
    let shared = class == Class::NewDenial && shared_denials(view, result).is_some();
    Some((twin, if shared { Fate::Affected } else { fate }))
}

fn seen(view: &View<'_>, class: Class, result: &CellResult) -> Seen {
    let text = result.outcome.reason();
    let text = text.unwrap_or_else(|| "passes".to_owned());
    let shared = (class == Class::NewDenial).then(|| shared_denials(view, result));
    let shared = shared.flatten().unwrap_or_default();
    Seen {
        state: result.cell.state,
        check: result.cell.check.clone(),
        vantage: result.cell.vantage,
        text: text + &shared,
    }
}

/// `; the twin rhel-web has it too`, where it has.
fn shared_denials(view: &View<'_>, result: &CellResult) -> Option<String> {
    let cell = &result.cell;
    let host = view.plan.host(&cell.host)?;
    let twin = host.twin.as_ref()?;
    Some(
        match denials::shared(view, host, cell.state, &cell.check)? {
            (_, 1) => format!("; the twin {twin} has it too"),
            (shared, all) if shared == all => format!("; the twin {twin} has all of them too"),
            (shared, all) => format!("; the twin {twin} has {shared} of these {all} too"),
        },
    )
}

/// `patched: timed out without a byte after 5s; restarted: connection refused after 0.00s`, remote
/// clients first, each text once a state.
fn in_a_line(symptoms: &[Seen]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for state in State::ALL {
        let mut here: Vec<_> = symptoms.iter().filter(|s| s.state == state).collect();
        here.sort_by_key(|s| s.vantage);
        if let Some(first) = here.first() {
            parts.push(format!(
                "{state}: {} ({})",
                first.text,
                first.vantage.phrase()
            ));
        }
    }
    parts.join("; ")
}

/// A finding of a host, of no suite's.
pub(super) fn plain(
    class: Class,
    host: &HostName,
    symptom: String,
    cause: Cause,
    evidence: Vec<u64>,
) -> Finding {
    Finding {
        id: format!("{}.{host}", class.word()),
        class,
        suite: None,
        hosts: vec![host.clone()],
        checks: Vec::new(),
        symptoms: Vec::new(),
        symptom,
        twin: None,
        cause,
        suspects: Vec::new(),
        evidence,
    }
}

/// The host answered until its patch began and never again, while a host that was not being patched
/// answered afterwards: then it is neither the network nor us.
fn of_lost_hosts(view: &View<'_>) -> Vec<Finding> {
    let lost = view.plan.hosts.iter().filter_map(|host| {
        let ledger = view.ledger.hosts.get(&host.name)?;
        if let Some(lost) = reboot::lost(&host.name, ledger) {
            return Some(lost);
        }
        let start = ledger.patch_started?;
        let at = ledger
            .troubles
            .iter()
            .find(|t| matches!(t.value, Trouble::Lost(_)))?;
        let is_control = |other: &crate::ledger::HostLedger| {
            other.patch_started.is_none_or(|s| s > at.seq) && other.last_answer > at.seq
        };
        let control = view
            .ledger
            .hosts
            .iter()
            .find(|(n, l)| **n != host.name && is_control(l))?
            .0;
        let symptom = format!(
            "{}; {control}, unpatched then, went on answering",
            at.value.text()
        );
        let explanation = "The host answered before the patch and did not come back after it.";
        let events = BTreeSet::from([start, at.seq]);
        let cause = Cause {
            look: Some("look at the host's console".to_owned()),
            ..cause::plain(CauseKind::Unknown, Proof::Suspected, explanation, events)
        };
        Some(plain(
            Class::HostLost,
            &host.name,
            symptom,
            cause,
            vec![start, at.seq],
        ))
    });
    lost.collect()
}

/// A watched domain lost permissions and no finding names it yet: seen before any client fails.
fn of_vectors(view: &View<'_>, found: &[Finding]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for host in &view.plan.hosts {
        // The access itself counts: another one of the host says nothing about this one.
        let named = |l: &cause::Lost| {
            let names = |f: &Finding| {
                let denial = f.cause.denial.as_ref();
                denial.is_some_and(|d| cause::same_access(d, &l.denial))
            };
            found
                .iter()
                .any(|f| f.hosts.contains(&host.name) && names(f))
        };
        let losses = cause::losses(view, &host.name);
        if let Some(change) = losses.into_iter().find(|l| !named(l)) {
            let cause = cause::unfelt(change);
            let symptom = format!("{}: {}", change.state, change.denial);
            findings.push(plain(
                Class::AccessLost,
                &host.name,
                symptom,
                cause,
                change.evidence.clone(),
            ));
        }
    }
    findings
}
