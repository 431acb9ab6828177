//! What each symptom wants, and what is not looked at.

use super::*;
use crate::{
    diagnosis::testing::{Night, answered, exited, failed, host, id, mode, unit_is},
    observation::{Observation, SelinuxSeen},
    suite::CheckKind,
};

const STATE: State = State::Patched;

fn of(night: &Night, state: State) -> Vec<Wanted> {
    wanted(&night.plan, &night.ledger(), &host(), state)
}

/// The steps of the one suite, each in a word.
fn steps(night: &Night) -> String {
    let wanted = of(night, STATE);
    assert!(wanted.len() <= 1, "{wanted:?}");
    let word = |step: &Step| match step {
        Step::Unit { .. } => "unit",
        Step::Listeners => "listeners",
        Step::ErrorLog { .. } => "log",
        Step::Journal { .. } => "journal",
        Step::Control { .. } => "control",
        Step::ConfigTest { .. } => "config",
        Step::Labels { .. } => "labels",
        Step::Owners { .. } => "owners",
    };
    let steps = wanted.iter().flat_map(|w| &w.steps).map(word);
    steps.collect::<Vec<_>>().join(" ")
}

fn permissive() -> Observation {
    Observation::Selinux(SelinuxSeen {
        mode: "Permissive".into(),
        booleans: std::collections::BTreeMap::new(),
    })
}

#[test]
fn every_symptom_wants_its_own_steps() {
    let start = "unit listeners log journal control config owners";
    let silent = "unit listeners log journal control owners";
    for (check, saw, want) in [
        ("page", failed(HttpPhase::Dns), ""),
        ("page", failed(HttpPhase::Refused), start),
        (
            "page",
            failed(HttpPhase::ConnectTimeout),
            "listeners control",
        ),
        ("page", failed(HttpPhase::Unreachable), "listeners control"),
        ("page", failed(HttpPhase::Reset), silent),
        ("page", failed(HttpPhase::NoData), silent),
        ("page", failed(HttpPhase::FirstByteTimeout), silent),
        ("page", failed(HttpPhase::Body), silent),
        ("page", failed(HttpPhase::Tls), "unit log control owners"),
        ("page", failed(HttpPhase::Protocol), "listeners log control"),
        ("page", failed(HttpPhase::Redirect), "log control"),
        ("page", failed(HttpPhase::BodyTooLong), "log control"),
        ("page", answered(403), "log control labels owners"),
        ("page", answered(404), "log control labels owners"),
        (
            "page",
            answered(503),
            "unit listeners log journal control labels owners",
        ),
        ("page", answered(302), "log control"),
        ("page", answered(200), "log control"),
        (
            "control",
            failed(HttpPhase::Refused),
            "unit listeners log journal config owners",
        ),
        (
            "runs",
            unit_is("failed", "enabled"),
            "unit listeners log journal config owners",
        ),
        ("runs", unit_is("active", "disabled"), "unit owners"),
        ("rests", unit_is("active", "enabled"), "unit unit"),
        ("says", exited(1), "unit log journal labels"),
        ("says", exited(0), "unit log journal labels"),
        ("mode", permissive(), ""),
        ("runs", unit_is("active", "enabled"), ""),
    ] {
        // A body that does not hold the text is the same as no such file for a command.
        let night = Night::new().saw(STATE, check, saw.clone());
        assert_eq!(steps(&night), want, "{check}: {saw:?}");
    }
}

#[test]
fn several_failures_of_a_suite_want_each_step_once() {
    let night = Night::new()
        .saw(STATE, "page", failed(HttpPhase::Refused))
        .saw(STATE, "other", failed(HttpPhase::Refused))
        .saw(STATE, "runs", unit_is("failed", "enabled"))
        .saw(STATE, "says", exited(1));
    let wanted = of(&night, STATE);
    assert_eq!(wanted.len(), 1);
    assert_eq!(wanted[0].about, ["page", "other", "runs", "says"].map(id));
    let count = |is: fn(&Step) -> bool| wanted[0].steps.iter().filter(|s| is(s)).count();
    // httpd; telnet is not to run, and does not.
    assert_eq!(count(|s| matches!(s, Step::Unit { .. })), 1);
    assert_eq!(count(|s| matches!(s, Step::Listeners)), 1);
    assert_eq!(count(|s| matches!(s, Step::Control { .. })), 2);
    assert_eq!(count(|s| matches!(s, Step::Owners { .. })), 1);
}

#[test]
fn the_suites_own_control_is_not_made_again() {
    let night = Night::new().saw(STATE, "other", failed(HttpPhase::FirstByteTimeout));
    assert_eq!(steps(&night), "unit listeners log journal control owners");
    for made in [answered(200), failed(HttpPhase::Refused)] {
        let night = Night::new()
            .saw(STATE, "other", failed(HttpPhase::ConnectTimeout))
            .saw(STATE, "control", made);
        assert!(!steps(&night).contains("control"));
    }
    // One that could not be made says nothing, nor does one of another state.
    let why = || "no curl".to_owned();
    let night = Night::new()
        .saw(STATE, "other", failed(HttpPhase::ConnectTimeout))
        .saw(STATE, "control", Observation::Errored { why: why() })
        .saw(State::Baseline, "control", answered(200));
    assert_eq!(steps(&night), "listeners control");
}

#[test]
fn what_failed_before_is_not_looked_at_and_what_was_unknown_before_is() {
    let now = |night: Night| night.saw(STATE, "page", failed(HttpPhase::ConnectTimeout));
    let before = |saw| Night::new().saw(State::Baseline, "page", saw);
    let errored = Observation::Errored { why: "x".into() };
    assert_eq!(steps(&now(before(answered(500)))), "");
    assert_eq!(steps(&now(before(errored))), "listeners control");
    assert_eq!(steps(&now(Night::new())), "listeners control");
}

#[test]
fn a_baseline_is_looked_at_only_where_nothing_comes_after_it() {
    let fails = |night: Night| night.saw(State::Baseline, "page", failed(HttpPhase::Refused));
    assert_eq!(of(&fails(Night::new()), State::Baseline), []);
    assert_eq!(of(&fails(Night::check_only()), State::Baseline).len(), 1);
}

#[test]
fn what_did_not_fail_wants_nothing() {
    let errored = Observation::Errored { why: "x".into() };
    for saw in [answered(200), errored] {
        let night = Night::new().saw(STATE, "other", saw);
        assert_eq!(of(&night, STATE), []);
    }
    assert_eq!(of(&Night::new(), STATE), []);
    assert_eq!(of(&Night::new(), State::Restarted), []);
}

#[test]
fn a_host_without_selinux_has_no_wrong_labels() {
    for (word, want) in [
        ("Disabled", "log control owners"),
        ("Permissive", "log control labels owners"),
    ] {
        let night = Night::new()
            .with(STATE, mode(word))
            .saw(STATE, "page", answered(403));
        assert_eq!(steps(&night), want, "{word}");
    }
}

#[test]
fn a_suite_that_rests_on_nothing_wants_what_needs_no_name() {
    let bare = |plan: &mut Plan| {
        let suite = &mut plan.suites[0];
        suite.rests_on = crate::suite::RestsOn::default();
        suite
            .checks
            .retain(|c| !matches!(c.kind, CheckKind::Service(_)));
    };
    let night = Night::new()
        .plan(bare)
        .saw(STATE, "page", failed(HttpPhase::Refused));
    assert_eq!(steps(&night), "listeners control");
    let night = Night::new().plan(bare).saw(STATE, "says", exited(1));
    assert_eq!(of(&night, STATE), []);
}
