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
