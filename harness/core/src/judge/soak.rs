//! Outages that remote clients felt while a host was patched, and what the gate makes of them.
//!
//! Between two probes nobody looked. So an outage has three lengths: what it is called, what it was at
//! least and what it may have been at most. A gate that limits outages closes for what surely was longer,
//! and is undecided about what may have been.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{View, cause, findings::plain};
use crate::{
    id::{CheckId, HostName},
    outcome::{self, Outcome, Symptom, SymptomKind},
    policy::OutageLimit,
    soak::{Probed, SoakLedger},
    suite::CheckKind,
    time::show_duration,
    verdict::{Cause, CauseKind, Class, Finding, Missing, Outage, Proof, SoakTold, Undecided},
};

/// What one place on the grid says.
enum Saw<'a> {
    Good(&'a Probed),
    Bad(&'a Probed, String),
    Nothing,
}

/// Places without a good answer between two that have one, or between one and the end.
struct Span<'a> {
    /// Its first place; nothing good stands before it where that is 0.
    from: u64,
    /// The place of the next good answer.
    until: Option<u64>,
    /// The failed probes, by place.
    bad: BTreeMap<u64, (&'a Probed, String)>,
}

/// One check's probes, read.
struct Course<'a> {
    soak: &'a SoakLedger,
    places: u64,
    spans: Vec<Span<'a>>,
    told: SoakTold,
}

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
    let patched = view.ledger.hosts.get(host);
    let Some(ledger) = patched.filter(|l| l.patch_started.is_some()) else {
        return Vec::new();
    };
    let whys = match &ledger.soak {
        None => vec!["whether remote clients were served is not in the record".to_owned()],
        Some(soak) => {
            let asked = view.plan.soak.iter().flat_map(|s| &s.checks);
            let absent = asked.filter(|check| !soak.probes.contains_key(check));
            let absent = absent.map(|check| format!("{check} was not probed"));
            let open = courses(view, host).into_iter();
            absent.chain(open.flat_map(|c| c.doubts(limit))).collect()
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

fn courses<'a>(view: &View<'a>, host: &HostName) -> Vec<Course<'a>> {
    let Some(soak) = view.ledger.hosts.get(host).and_then(|l| l.soak.as_ref()) else {
        return Vec::new();
    };
    let course = |check| Course::of(view, soak, host, check);
    soak.probes.keys().filter_map(course).collect()
}

impl<'a> Course<'a> {
    fn of(view: &View<'a>, soak: &'a SoakLedger, host: &HostName, check: &CheckId) -> Option<Self> {
        let kind = &view.plan.check(check)?.1.kind;
        let probes = soak.probes.get(check)?;
        let last = probes.last_key_value().map_or(0, |(place, _)| place + 1);
        let mut course = Self {
            soak,
            places: soak.places.unwrap_or(0).max(last),
            spans: Vec::new(),
            told: SoakTold {
                host: host.clone(),
                check: check.clone(),
                every_ms: millis(soak.every),
                probes: 0,
                failed: 0,
                unseen: 0,
                slowest_ms: None,
                outages: Vec::new(),
            },
        };
        for place in 0..course.places {
            course.take(place, saw(kind, probes.get(&place)));
        }
        let outages = course.spans.iter().filter_map(|s| course.outage(s));
        course.told.outages = outages.collect();
        Some(course)
    }

    fn take(&mut self, place: u64, saw: Saw<'a>) {
        let open = self.spans.last().is_some_and(|s| s.until.is_none());
        if let Saw::Good(probed) = &saw {
            self.told.probes += 1;
            self.told.slowest_ms = self.told.slowest_ms.max(Some(millis(probed.took)));
            if let Some(span) = self.spans.last_mut() {
                span.until.get_or_insert(place);
            }
            return;
        }
        if !open {
            self.spans.push(Span {
                from: place,
                until: None,
                bad: BTreeMap::new(),
            });
        }
        match (saw, self.spans.last_mut()) {
            (Saw::Bad(probed, why), Some(span)) => {
                span.bad.insert(place, (probed, why));
                self.told.probes += 1;
                self.told.failed += 1;
            }
            (Saw::Bad(..) | Saw::Good(_) | Saw::Nothing, _) => self.told.unseen += 1,
        }
    }

    /// The outage in a span, if any probe of it failed.
    fn outage(&self, span: &Span<'_>) -> Option<Outage> {
        let first = *span.bad.first_key_value()?.0;
        let from = self.soak.at + self.time(first);
        let evidence: BTreeSet<u64> = span.bad.values().map(|(p, _)| p.seq).collect();
        let until = span.until.unwrap_or(self.places);
        Some(Outage {
            from,
            during: self.during(from).to_owned(),
            length_ms: millis(self.time(until - first)),
            at_least_ms: millis(self.time(longest_row(&span.bad) - 1)),
            at_most_ms: self.at_most(span).map(millis),
            symptoms: symptoms(&span.bad),
            evidence: evidence.into_iter().collect(),
        })
    }

    /// From the good answer before a span to the one after it; none where one of them is not there.
    fn at_most(&self, span: &Span<'_>) -> Option<Duration> {
        let before = span.from.checked_sub(1)?;
        Some(self.time(span.until? - before))
    }

    fn time(&self, places: u64) -> Duration {
        let places = u32::try_from(places).unwrap_or(u32::MAX);
        self.soak.every.saturating_mul(places)
    }

    fn during(&self, when: jiff::Timestamp) -> &'static str {
        let before = self.soak.marks.iter().rev().find(|(at, _)| *at <= when);
        before.map_or("before the transaction", |(_, mark)| mark.phrase())
    }

    /// Why these probes cannot say that no outage was longer than the limit.
    fn doubts(&self, limit: OutageLimit) -> Vec<String> {
        let check = &self.told.check;
        let mut doubts = Vec::new();
        if self.soak.places.is_none() {
            doubts.push(format!(
                "the end of the probes of {check} is not in the record"
            ));
        }
        let longer = |d: Duration| d > limit.longer_than;
        for span in &self.spans {
            let surely = self.outage(span);
            let surely = surely.is_some_and(|o| longer(Duration::from_millis(o.at_least_ms)));
            let may_be = self.at_most(span).is_none_or(longer);
            if may_be && !surely {
                doubts.push(self.doubt(span));
            }
        }
        doubts
    }

    fn doubt(&self, span: &Span<'_>) -> String {
        let check = &self.told.check;
        let begin = self.soak.at + self.time(span.from);
        let begin = begin.strftime("%H:%M:%S UTC");
        match (span.from, self.at_most(span)) {
            (_, Some(time)) => {
                let time = show_duration(time);
                format!("{check} may have been out for as long as {time}, from {begin} on")
            }
            (0, None) => format!("{check} was not seen to answer when its probes began"),
            (_, None) => format!("{check} was not seen to answer again, from {begin} on"),
        }
    }
}

fn saw<'a>(kind: &CheckKind, probed: Option<&'a Probed>) -> Saw<'a> {
    let Some(probed) = probed else {
        return Saw::Nothing;
    };
    let observation = probed.saw.observation(probed.took);
    match outcome::evaluate(kind, &observation) {
        Some(Outcome::Passed) => Saw::Good(probed),
        Some(Outcome::Failed { symptom }) => Saw::Bad(probed, short(&symptom)),
        Some(
            Outcome::Errored { .. }
            | Outcome::Blind { .. }
            | Outcome::NotRun { .. }
            | Outcome::NotNeeded { .. },
        )
        | None => Saw::Nothing,
    }
}

/// What a probe saw, without how long that took.
fn short(symptom: &Symptom) -> String {
    match symptom.kind {
        SymptomKind::Http(phase) => phase.symptom().to_owned(),
        SymptomKind::HttpStatus
        | SymptomKind::HttpBody
        | SymptomKind::CommandExit
        | SymptomKind::CommandOutput
        | SymptomKind::CommandDeadline
        | SymptomKind::ServiceState
        | SymptomKind::ServiceEnabled
        | SymptomKind::SelinuxMode
        | SymptomKind::SelinuxBoolean
        | SymptomKind::Denials => symptom.text.clone(),
    }
}

/// How many failed probes followed each other at most, nothing else among them.
fn longest_row<T>(bad: &BTreeMap<u64, T>) -> u64 {
    let (mut longest, mut row, mut next) = (0, 0, None);
    for place in bad.keys() {
        row = if next == Some(*place) { row + 1 } else { 1 };
        next = Some(place + 1);
        longest = longest.max(row);
    }
    longest
}

/// What failed probes saw, most first.
fn symptoms(bad: &BTreeMap<u64, (&Probed, String)>) -> Vec<(String, u64)> {
    let mut counted: Vec<(String, u64)> = Vec::new();
    for (_, words) in bad.values() {
        match counted.iter_mut().find(|(known, _)| known == words) {
            Some((_, n)) => *n += 1,
            None => counted.push((words.clone(), 1)),
        }
    }
    counted.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counted
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
