//! Courses of probes: what is told of them, and what a limit makes of them.

use std::{collections::BTreeMap, time::Duration};

use super::course::Course;
use crate::{
    id::{CheckId, HostName},
    observation::HttpPhase,
    policy::OutageLimit,
    soak::{Answer, Mark, SoakEnd, SoakLedger, Stretch},
    suite,
    verdict::Outage,
};

const SUITE: &str = "suite: s
title: t
checks:
  - { id: page, http: { url: 'http://{{ host }}/', within: 10s } }
";

/// A probe: when it was begun and how long it took, in milliseconds, and what it saw.
type Probe = (u64, u64, What);

#[derive(Clone, Copy, PartialEq)]
enum What {
    Good,
    Refused,
    Silent,
    NoName,
    NotMade,
}

use What::{Good, NoName, NotMade, Refused, Silent};

fn answer(what: What) -> Answer {
    let failed = |phase| Answer::Failed { phase };
    match what {
        Good => Answer::Answered {
            status: 200,
            contained: Vec::new(),
        },
        Refused => failed(HttpPhase::Refused),
        Silent => failed(HttpPhase::FirstByteTimeout),
        NoName => failed(HttpPhase::Dns),
        NotMade => Answer::Errored {
            why: "x".to_owned(),
        },
    }
}

fn check() -> CheckId {
    "s/page".to_owned().try_into().unwrap()
}

fn at(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

/// A soak that ended at this time, and was in this state when each mark was made.
fn soak(probes: &[Probe], end_ms: u64, marks: &[(i64, Mark)]) -> SoakLedger {
    let stretch = |(n, (begun, took, what)): (u64, &Probe)| {
        (
            n + 10,
            Stretch::one(check(), n, *begun, *took, answer(*what)),
        )
    };
    let stretches = (0..).zip(probes).map(stretch).collect();
    SoakLedger {
        begun: 1,
        at: at(0),
        every: Duration::from_secs(1),
        probes: BTreeMap::from([(check(), stretches)]),
        ended: Some(SoakEnd {
            places: probes.len() as u64,
            at_ms: end_ms,
        }),
        latest: at(0),
        unsure: None,
        awaits: false,
        marks: marks.iter().map(|(ms, mark)| (at(*ms), *mark)).collect(),
    }
}

fn with_course<T>(soak: &SoakLedger, look: impl FnOnce(&Course<'_>) -> T) -> T {
    let suite = suite::parse(SUITE, "suite.yaml").unwrap();
    let host = HostName::new("web1").unwrap();
    let stretches = &soak.probes[&check()];
    look(&Course::of(
        soak,
        &host,
        &check(),
        &suite.checks[0],
        stretches,
    ))
}

fn outages(soak: &SoakLedger) -> Vec<Outage> {
    with_course(soak, |course| course.told.outages.clone())
}

fn doubts(soak: &SoakLedger, limit_ms: u64) -> Vec<String> {
    let longer_than = Duration::from_millis(limit_ms);
    with_course(soak, |course| course.doubts(OutageLimit { longer_than }))
}

/// One probe a second that took 10 ms each.
fn each_second(saw: &[What]) -> Vec<Probe> {
    (0..)
        .zip(saw)
        .map(|(n, what)| (n * 1000, 10, *what))
        .collect()
}

#[test]
fn an_outage_has_three_lengths() {
    let saw = [Good, Good, Refused, Refused, Silent, Good, Good];
    let soak = soak(&each_second(&saw), 6500, &[(1500, Mark::Transaction)]);
    let [outage] = &outages(&soak)[..] else {
        panic!()
    };
    let lengths = (outage.at_least_ms, outage.length_ms, outage.at_most_ms);
    assert_eq!(lengths, (1990, 3000, Some(4010)));
    assert_eq!((outage.from, outage.ended), (at(2000), true));
    assert_eq!(outage.during, "during the transaction");
    let symptoms = [
        ("connection refused".to_owned(), 2),
        ("timed out without a byte".to_owned(), 1),
    ];
    assert_eq!(outage.symptoms, symptoms);
    assert_eq!(outage.evidence, [12, 13, 14]);
    assert_eq!(doubts(&soak, 4010), Vec::<String>::new());
    assert_eq!(
        doubts(&soak, 1989),
        Vec::<String>::new(),
        "it is surely longer"
    );
    assert_eq!(doubts(&soak, 1990).len(), 1);
}

#[test]
fn good_answers_that_lie_too_far_apart_are_a_doubt() {
    let quiet = each_second(&[Good; 5]);
    assert_eq!(doubts(&soak(&quiet, 4500, &[]), 1010), Vec::<String>::new());
    assert_eq!(
        doubts(&soak(&quiet, 4500, &[]), 999).len(),
        4,
        "the rate is too coarse"
    );
    let asleep = [(0, 10, Good), (1000, 10, Good), (601_000, 10, Good)];
    assert_eq!(doubts(&soak(&asleep, 601_500, &[]), 5000).len(), 1);
}

#[test]
fn a_host_that_hung_and_answered_all_at_once_is_a_doubt() {
    let mut probes = each_second(&[Good; 3]);
    probes.extend((3..12).map(|n| (n * 1000, 12_000 - n * 1000, Good)));
    probes.extend((12..15).map(|n| (n * 1000, 10, Good)));
    let doubts = doubts(&soak(&probes, 14_500, &[]), 5000);
    assert!(doubts[0].contains("as long as 10s"), "{doubts:?}");
}

#[test]
fn requests_that_a_short_restart_breaks_off_are_no_long_outage() {
    // Answers take 8 s; all that were under way are reset at 20 s.
    let probe = |n: u64| match n {
        12..20 => (n * 1000, 20_000 - n * 1000, Refused),
        _ => (n * 1000, 8000, Good),
    };
    let probes: Vec<Probe> = (0..30).map(probe).collect();
    let [outage] = &outages(&soak(&probes, 38_000, &[]))[..] else {
        panic!()
    };
    assert_eq!(outage.at_least_ms, 0);
    assert_eq!(outage.length_ms, 8000);
}

#[test]
fn what_this_machine_could_not_ask_is_neither_good_nor_bad() {
    let late = [(0, 10, Good), (1000, 12_500, Silent), (2000, 10, Good)];
    for ours in [
        each_second(&[Good, NoName, Good]),
        each_second(&[Good, NotMade, Good]),
        late.to_vec(),
    ] {
        let soak = soak(&ours, 2500, &[]);
        assert_eq!(outages(&soak), []);
        assert!(with_course(&soak, |c| c.told.unseen > 0));
        assert_eq!(doubts(&soak, 1500).len(), 1);
    }
}

#[test]
fn begin_and_end_count_too() {
    let late = each_second(&[Refused, Refused, Good, Good]);
    assert_eq!(doubts(&soak(&late, 3500, &[]), 1500).len(), 1);
    let open = soak(
        &each_second(&[Good, Good, Refused, Refused, Refused]),
        4500,
        &[],
    );
    let [outage] = &outages(&open)[..] else {
        panic!()
    };
    assert_eq!(
        (outage.ended, outage.at_most_ms, outage.length_ms),
        (false, None, 2500)
    );
    assert!(
        doubts(&open, 3000)[0].contains("in the last 3.50s"),
        "{:?}",
        doubts(&open, 3000)
    );
    let unfinished = SoakLedger {
        ended: None,
        ..soak(&each_second(&[Good; 3]), 0, &[])
    };
    assert_eq!(doubts(&unfinished, 60_000).len(), 1);
    let none = soak(&[], 30_000, &[]);
    assert!(doubts(&none, 5000)[0].contains("in the first 30s"));
}

#[test]
fn a_restart_of_services_is_named_though_only_its_end_is_known() {
    let saw = [Good, Refused, Refused, Refused, Good];
    let marks = [
        (100, Mark::Transaction),
        (500, Mark::Patched),
        (3500, Mark::Restarted),
    ];
    let [outage] = &outages(&soak(&each_second(&saw), 4500, &marks))[..] else {
        panic!()
    };
    assert_eq!(
        outage.during,
        "after the transaction, through the restart of services"
    );
}

#[test]
fn what_is_told_twice_counts_once_and_no_number_is_too_big() {
    let mut ledger = None;
    let begun = crate::event::What::SoakBegun {
        every: Duration::from_secs(1),
        checks: vec![check()],
    };
    let probed = |first| crate::event::What::SoakProbed {
        stretch: Stretch::one(check(), first, u64::MAX, u64::MAX, answer(Good)),
    };
    let end = SoakEnd {
        places: u64::MAX,
        at_ms: u64::MAX,
    };
    let ended = crate::event::What::SoakEnded { end };
    let events = [
        begun,
        probed(0),
        probed(0),
        probed(u64::MAX),
        probed(7),
        ended,
    ];
    for (seq, what) in (1..).zip(&events) {
        SoakLedger::take(&mut ledger, seq, at(0), what);
    }
    let ledger = ledger.unwrap();
    let numbers: Vec<_> = ledger.probes[&check()]
        .iter()
        .map(|(_, s)| s.first)
        .collect();
    assert_eq!(numbers, [0, u64::MAX]);
    assert!(with_course(&ledger, |course| course.told.probes) == 2);
}

/// Nobody asked while the run was interrupted: a stretch that nobody looked at is no time without an outage.
#[test]
fn the_pause_of_an_interrupted_run_counts_as_one_that_may_hide_an_outage() {
    let mut probes = each_second(&[Good; 3]);
    probes.extend([(42_000, 10, Good), (43_000, 10, Good)]);
    let paused = soak(&probes, 43_500, &[]);
    assert!(doubts(&paused, 40_010).is_empty());
    let [doubt] = &doubts(&paused, 30_000)[..] else {
        panic!()
    };
    assert!(doubt.contains("as long as 40"), "{doubt}");
    let unsure = SoakLedger {
        unsure: Some("the clock was set back".to_owned()),
        ..soak(&each_second(&[Good; 5]), 4500, &[])
    };
    assert!(doubts(&unsure, 60_000)[0].ends_with("is not known: the clock was set back"));
}
