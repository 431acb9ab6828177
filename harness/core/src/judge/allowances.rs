//! Entries of allow-lists that have expired, and those that nothing needed.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{View, cause, denials};
use crate::{
    allow::{AllowEntry, AllowList},
    evidence::fingerprint::Fingerprint,
    id::{CheckId, HostName},
    state::State,
    suite::denials::Denials,
    verdict::{CauseKind, Class, Finding, Proof},
};

/// How many entries a finding names.
const MOST: usize = 20;

/// The findings about the lists of all checks.
pub(super) fn find(view: &View<'_>) -> Vec<Finding> {
    let Some(day) = denials::day(view.ledger) else {
        return Vec::new();
    };
    let whole = is_whole(view);
    let mut findings = Vec::new();
    for (check, denials) in denials::checks(view.plan) {
        let Some(list) = &denials.allow else {
            continue;
        };
        let entries = list.entries.iter().map(|e| (e, users(view, denials, e)));
        let (in_force, expired): (Vec<Used<'_>>, Vec<_>) =
            entries.partition(|(e, _)| e.holds_on(day));
        findings.extend(of_expired(view, &check, list, &expired, day));
        let unused: Vec<_> = in_force.into_iter().filter(|e| e.1.is_empty()).collect();
        if whole {
            findings.extend(of_unused(view, &check, list, &unused));
        }
    }
    findings
}

/// An entry, and the hosts on which it fits a denial.
type Used<'a> = (&'a AllowEntry, BTreeSet<HostName>);

/// Whether nothing can be missing from any window of the run: only then "it fitted nothing" is known.
fn is_whole(view: &View<'_>) -> bool {
    let counts = |s: &&State| **s != State::Undone;
    let mut hosts = view.plan.hosts.iter();
    hosts.all(|h| {
        let mut states = view.plan.states.iter().filter(counts);
        states.all(|s| view.windows.gaps(&h.name, *s).is_empty())
    })
}

/// The hosts on which an entry fits a denial that its check is about, in any state.
fn users(view: &View<'_>, check: &Denials, entry: &AllowEntry) -> BTreeSet<HostName> {
    let fits = |host: &HostName| {
        view.plan.states.iter().any(|state| {
            let window = view.windows.get(host, *state);
            window.is_some_and(|(_, evidence)| {
                evidence
                    .denials()
                    .any(|d| entry.fits(d) && check.watches(&Fingerprint::of(d)))
            })
        })
    };
    let names = view.plan.hosts.iter().map(|h| &h.name);
    names.filter(|n| fits(n)).cloned().collect()
}

fn of_expired(
    view: &View<'_>,
    check: &CheckId,
    list: &AllowList,
    expired: &[Used<'_>],
    day: Date,
) -> Option<Finding> {
    let begun = view.ledger.started.iter().map(|s| s.seq).collect();
    let explanation = format!(
        "The run began on {day} (UTC), after the last day of these entries, so that they allow \
         nothing: renew them under a ticket, or take them out."
    );
    finding(
        Class::AllowExpired,
        check,
        list,
        expired,
        explanation,
        begun,
    )
}

fn of_unused(
    view: &View<'_>,
    check: &CheckId,
    list: &AllowList,
    unused: &[Used<'_>],
) -> Option<Finding> {
    let hosts = view.plan.hosts.iter();
    let windows = hosts.flat_map(|h| view.plan.states.iter().map(move |s| (h, s)));
    let events = windows.filter_map(|(h, s)| Some(view.windows.get(&h.name, *s)?.0));
    let explanation = "Every window of the run was seen whole and holds no denial that fits these \
                       entries: what they were for may be gone, and they hide whatever comes to fit \
                       them. Take them out."
        .to_owned();
    let (class, events) = (Class::AllowUnused, events.collect());
    finding(class, check, list, unused, explanation, events)
}

fn finding(
    class: Class,
    check: &CheckId,
    list: &AllowList,
    entries: &[Used<'_>],
    explanation: String,
    evidence: BTreeSet<u64>,
) -> Option<Finding> {
    let hosts: BTreeSet<&HostName> = entries.iter().flat_map(|e| &e.1).collect();
    let (kind, proof) = (CauseKind::Unknown, Proof::Suspected);
    let cause = cause::plain(kind, proof, explanation, evidence.clone());
    (!entries.is_empty()).then(|| Finding {
        id: format!("{}.{}.{}", class.word(), check.suite, check.check),
        class,
        suite: Some(check.suite.clone()),
        hosts: hosts.into_iter().cloned().collect(),
        checks: vec![check.clone()],
        symptoms: Vec::new(),
        symptom: format!("{}: {}", list.file, named(entries)),
        twin: None,
        cause,
        suspects: Vec::new(),
        evidence: evidence.into_iter().collect(),
    })
}

/// The entries in words, the first [`MOST`] of them.
fn named(entries: &[Used<'_>]) -> String {
    let words = entries.iter().take(MOST).map(|(e, _)| e.to_string());
    let words = words.collect::<Vec<_>>().join("; ");
    match entries.len().saturating_sub(MOST) {
        0 => words,
        more => format!("{words} and {more} more"),
    }
}
