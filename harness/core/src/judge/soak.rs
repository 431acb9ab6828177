//! Outages that remote clients felt while a host was patched, and what the gate makes of them.
//!
//! Between two probes nobody looked, and a probe that took long may have been answered at its begin or at
//! its end. So an outage has three lengths: what it is called, what it was at least and what it may have
//! been at most. A gate that limits outages closes for what surely was longer, and is undecided about what may
//! have been; also between two good answers that lie too far apart.

mod course;
mod probe;

use std::{collections::BTreeSet, time::Duration};

use self::course::Course;
use super::{View, cause, findings::plain};
use crate::{
    id::{CheckId, HostName},
    ledger::HostLedger,
    policy::OutageLimit,
    soak::Stretch,
    time::show_duration,
    verdict::{Cause, CauseKind, Class, Finding, Missing, Outage, Proof, SoakTold, Undecided},
};

/// What remote clients felt, host by host and check by check.
pub(super) fn told(view: &View<'_>) -> Vec<SoakTold> {
    let hosts = view.plan.hosts.iter();
    let courses = hosts.flat_map(|host| courses(view, &host.name));
    courses.map(|course| course.told).collect()
}

/// The outages that surely were longer than the policy lets pass: one finding for each check of a host.
pub(super) fn find(view: &View<'_>) -> Vec<Finding> {
    let Some(limit) = view.plan.policy.outage else {
        return Vec::new();
    };
    let hosts = view.plan.hosts.iter();
    let courses = hosts.flat_map(|host| courses(view, &host.name));
    courses.filter_map(|c| finding(&c.told, limit)).collect()
}

/// Why nobody can say that remote clients of a host went on being served.
pub(super) fn unseen(view: &View<'_>, host: &HostName) -> Vec<Undecided> {
    let Some(limit) = view.plan.policy.outage else {
        return Vec::new();
    };
    let known = view.ledger.hosts.get(host);
    let ledger = known.filter(|l| view.plan.patch.is_none() || touched(view, l));
    let Some(ledger) = ledger else {
        return Vec::new();
    };
    let whys = match &ledger.soak {
        None if view.plan.patch.is_none() => {
            vec!["the gate limits outages, and a run that patches nothing is not probed".to_owned()]
        }
        None => vec!["whether remote clients were served is not in the record".to_owned()],
        Some(soak) => {
            let asked = view.plan.soak.iter().flat_map(|s| &s.checks);
            let absent = asked.filter(|check| !soak.probes.contains_key(check));
            let absent = absent.map(|check| format!("{check} was not probed"));
            let courses = courses(view, host).into_iter();
            absent
                .chain(courses.flat_map(|c| c.doubts(limit)))
                .collect()
        }
    };
    let undecided = |why| Undecided {
        host: Some(host.clone()),
        state: None,
        what: Missing::Soak,
        why,
    };
    whys.into_iter().map(undecided).collect()
}

/// Whether anything came after the baseline of a host that is to be patched: its services may be restarted
/// also where there was nothing to apply.
fn touched(view: &View<'_>, ledger: &HostLedger) -> bool {
    let later = |state| view.plan.judged_states().contains(state);
    let acted = ledger.patch_started.is_some() || ledger.patch.is_some();
    acted || ledger.restarts.is_some() || ledger.states.keys().any(later)
}

fn courses<'a>(view: &View<'a>, host: &HostName) -> Vec<Course<'a>> {
    let Some(soak) = view.ledger.hosts.get(host).and_then(|l| l.soak.as_ref()) else {
        return Vec::new();
    };
    let course = |(check, stretches): (&CheckId, &Vec<(u64, Stretch)>)| {
        let (_, known) = view.plan.check(check)?;
        Some(Course::of(soak, host, check, known, stretches))
    };
    soak.probes.iter().filter_map(course).collect()
}

fn finding(told: &SoakTold, limit: OutageLimit) -> Option<Finding> {
    let limit_ms = millis(limit.longer_than);
    let longer = told.outages.iter().filter(|o| o.at_least_ms > limit_ms);
    let worst = longer.max_by_key(|o| o.at_least_ms)?;
    let allowed = show_duration(limit.longer_than);
    let explanation = format!(
        "Remote clients of {} went without a good answer for longer than the {allowed} that the gate allows.",
        told.check
    );
    let events: BTreeSet<u64> = worst.evidence.iter().copied().collect();
    let cause = cause::plain(CauseKind::Unknown, Proof::Suspected, explanation, events);
    let cause = Cause {
        look: None,
        ..cause
    };
    let length = show_duration(Duration::from_millis(worst.length_ms));
    let symptom = format!("out for {length}, {}: {}", worst.during, words(worst));
    Some(Finding {
        id: format!(
            "{}.{}.{}",
            Class::Outage.word(),
            told.host,
            told.check.suite
        ),
        suite: Some(told.check.suite.clone()),
        checks: vec![told.check.clone()],
        ..plain(
            Class::Outage,
            &told.host,
            symptom,
            cause,
            worst.evidence.clone(),
        )
    })
}

/// `connection refused (3), timed out without a byte`.
fn words(outage: &Outage) -> String {
    let word = |(text, n): &(String, u64)| match n {
        1 => text.clone(),
        n => format!("{text} ({n})"),
    };
    let words: Vec<_> = outage.symptoms.iter().map(word).collect();
    words.join(", ")
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
