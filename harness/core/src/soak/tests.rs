use super::*;
use crate::suite;

const SUITE: &str = "suite: httpd
title: t
checks:
  - { id: local, vantage: localhost, http: { url: 'http://localhost/' } }
  - { id: unit, service: { unit: httpd } }
  - { id: page, http: { url: 'http://{{ host }}/' } }
  - { id: other, http: { url: 'http://{{ host }}/other' } }
";

fn stretch(first: u64, took: &[u64], status: u16) -> Stretch {
    Stretch {
        check: "httpd/page".to_owned().try_into().unwrap(),
        first,
        begun_ms: took.to_vec(),
        took_ms: took.to_vec(),
        saw: Answer::Answered {
            status,
            contained: Vec::new(),
        },
    }
}

#[test]
fn the_first_remote_request_of_each_suite_is_asked() {
    let suite = suite::parse(SUITE, "suite.yaml").unwrap();
    let soak = Soak::of(std::slice::from_ref(&suite), DEFAULT_EVERY).unwrap();
    let checks: Vec<_> = soak.checks.iter().map(ToString::to_string).collect();
    assert_eq!(checks, ["httpd/page"]);
    assert_eq!(Soak::of(&[suite.without_checks()], DEFAULT_EVERY), None);
}

#[test]
fn only_probes_that_follow_and_saw_the_same_stand_together() {
    let mut open = stretch(4, &[1, 2], 200);
    assert_eq!(open.take(stretch(6, &[3], 200)), None);
    assert_eq!(open, stretch(4, &[1, 2, 3], 200));
    for other in [stretch(8, &[1], 200), stretch(7, &[1], 503)] {
        assert_eq!(open.take(other.clone()), Some(other));
    }
    let mut full = stretch(0, &[1; LONGEST_STRETCH], 200);
    let next = stretch(LONGEST_STRETCH as u64, &[1], 200);
    assert_eq!(full.take(next.clone()), Some(next));
}

#[test]
fn a_short_answer_is_held_against_the_check_as_the_whole_one_would_be() {
    let suite = suite::parse(SUITE, "suite.yaml").unwrap();
    let kind = &suite.checks[2].kind;
    let failed = HttpFailure {
        phase: HttpPhase::Refused,
        detail: "Connection refused (os error 111)".to_owned(),
        bytes: 0,
    };
    let answered = HttpAnswer {
        status: 503,
        server: Some("Apache".to_owned()),
        location: None,
        bytes: 299,
        sha256: None,
        contained: Vec::new(),
    };
    let elapsed = Duration::from_millis(7);
    for end in [HttpEnd::Failed(failed), HttpEnd::Answered(answered)] {
        let peer = Some("192.0.2.2:80".to_owned());
        let saw = Observation::Http(HttpSeen { peer, elapsed, end });
        let again = Answer::of(&saw).observation(elapsed);
        let judged = |saw| crate::outcome::evaluate(kind, saw);
        assert_eq!(judged(&again), judged(&saw));
    }
    let errored = Observation::Errored {
        why: "x".to_owned(),
    };
    assert_eq!(Answer::of(&errored).observation(elapsed), errored);
}

fn fold(events: &[What]) -> SoakLedger {
    let (mut soak, checks) = (None, vec!["httpd/page".to_owned().try_into().unwrap()]);
    let every = DEFAULT_EVERY;
    let begun = What::SoakBegun { every, checks };
    for (seq, what) in (1..).zip(std::iter::once(&begun).chain(events)) {
        SoakLedger::take(&mut soak, seq, jiff::Timestamp::UNIX_EPOCH, what);
    }
    soak.unwrap()
}

fn probed(first: u64) -> What {
    let stretch = Stretch {
        begun_ms: vec![first * 1000],
        ..stretch(first, &[5], 200)
    };
    What::SoakProbed { stretch }
}

fn ended(places: u64) -> What {
    let at_ms = places * 1000;
    let end = SoakEnd { places, at_ms };
    What::SoakEnded { end }
}

fn host_resumed() -> What {
    What::HostResumed {
        changed: Vec::new(),
        baseline_s: None,
    }
}

fn resumed(at_ms: u64) -> What {
    let at_ms = Reading::Known(at_ms);
    What::SoakResumed { at_ms }
}

#[test]
fn what_was_the_end_of_a_soak_that_is_gone_on_with_is_none() {
    let stopped = [probed(0), ended(4), host_resumed()];
    let known = fold(&stopped);
    assert_eq!((known.next_place(), known.last_ms()), (4, 4000));
    assert_eq!(known.ended.map(|e| e.places), Some(4), "it may be over");
    let mut events = stopped.to_vec();
    events.push(resumed(60_000));
    assert_eq!(fold(&events).ended, None);
    events.extend([probed(60), ended(62)]);
    let known = fold(&events);
    assert_eq!(known.ended.map(|e| e.places), Some(62));
    assert_eq!((known.next_place(), known.unsure), (62, None));
}

/// What a resumed run asked lies at a time that only that event tells.
#[test]
fn a_soak_that_was_gone_on_with_says_so_or_its_times_are_not_sure() {
    for more in [probed(60), ended(62)] {
        let known = fold(&[probed(0), host_resumed(), more]);
        let why = known.unsure.unwrap_or_default();
        assert!(why.contains("not in the record"), "{why}");
    }
    let at_ms = Reading::missing("the clock was set back");
    let set_back = What::SoakResumed { at_ms };
    let known = fold(&[probed(0), host_resumed(), set_back, probed(1), ended(2)]);
    assert_eq!(known.unsure.as_deref(), Some("the clock was set back"));
}
