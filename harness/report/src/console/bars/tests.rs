use indicatif::InMemoryTerm;
use patchgate_core::{event::What, observation::Observation, state::State};

use super::*;
use crate::testing::{self, check_id, event};

const REBUILD: Option<&str> = Some("lab-rebuild");

/// Which of them shows depends on how often was drawn.
const SPINNER: [char; 4] = ['-', '\\', '|', '/'];

fn finished(check: &str) -> What {
    let saw = Observation::Errored {
        why: "no route\x1b[2J".into(),
    };
    What::CheckFinished {
        check: check_id(check),
        attempt: 1,
        saw,
    }
}

fn bars(term: &InMemoryTerm) -> Bars {
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(term.clone()), HZ);
    Bars::on(Arc::new(testing::plan()), target, Paint::PLAIN)
}

#[test]
fn bars_show_each_host_and_messages_stand_above() {
    let term = InMemoryTerm::new(10, 100);
    let mut bars = bars(&term);
    let state = Some(State::Patched);
    for what in [
        What::PatchStarted {
            job: "pg-1".into(),
            script: String::new(),
        },
        finished("httpd/root-page"),
        finished("httpd/httpd"),
    ] {
        bars.event(&event(0, REBUILD, state, what)).unwrap();
    }
    let shown = term.contents();
    let lines: Vec<_> = shown
        .lines()
        .map(|l| l.trim_start_matches(SPINNER).trim())
        .collect();
    assert_eq!(
        lines,
        [
            "lab-rebuild   patching (job pg-1)",
            r"lab-rebuild   patched: httpd/root-page ERROR no route\u{1b}[2J",
            r"lab-rebuild   patched: httpd/httpd ERROR no route\u{1b}[2J (from localhost)",
            "lab-upstream [                    ] waiting, 0 of 9 checks",
            "lab-rebuild  [====>               ] patched, checking, 2 of 9 checks",
        ]
    );
}

#[test]
fn bars_vanish_at_the_end_and_messages_stay() {
    let term = InMemoryTerm::new(10, 100);
    let mut bars = bars(&term);
    bars.event(&event(
        0,
        REBUILD,
        None,
        What::PatchStarted {
            job: "j".into(),
            script: String::new(),
        },
    ))
    .unwrap();
    bars.finish(&testing::open()).unwrap();
    assert_eq!(term.contents().trim_end(), "lab-rebuild   patching (job j)");
}

#[test]
fn a_flood_of_events_is_drawn_seldom() {
    let term = InMemoryTerm::new(10, 100);
    let mut bars = bars(&term);
    term.moves_since_last_check();
    for _ in 0..1000 {
        bars.event(&event(0, REBUILD, None, What::Unknown)).unwrap();
    }
    let n_draws = term.moves_since_last_check().matches("Flush").count();
    assert!((1..100).contains(&n_draws), "{n_draws}");
}

#[test]
fn more_hosts_than_lines_are_no_trouble() {
    let term = InMemoryTerm::new(4, 60);
    let mut plan = testing::plan();
    let names = (0..30).map(|n| testing::host(&format!("host{n:02}")));
    plan.hosts = names
        .map(|name| patchgate_core::plan::PlannedHost {
            snapshot: None,
            name,
            ..plan.hosts[0].clone()
        })
        .collect();
    let target = ProgressDrawTarget::term_like_with_hz(Box::new(term.clone()), HZ);
    let mut bars = Bars::on(Arc::new(plan), target, Paint::PLAIN);
    let started = What::PatchStarted {
        job: "j".into(),
        script: String::new(),
    };
    bars.event(&event(0, Some("host29"), None, started))
        .unwrap();
    assert!(term.contents().lines().count() <= 4);
}
