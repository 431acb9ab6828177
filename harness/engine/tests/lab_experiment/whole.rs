//! An experiment from beginning to end.

use std::{collections::BTreeMap, iter};

use patchgate_core::{
    diagnosis::{ExperimentEvent, HostMark, Phase},
    event::{Event, What},
    observation::{HttpEnd, Observation},
};

use crate::{
    controller::{Controller, step},
    guest::{Guest, assert_same},
};

/// One test for both symptoms, because a machine is expensive.
#[test]
fn an_experiment_proves_february_and_leaves_the_host_as_it_was() {
    let guest = Guest::up();
    let dir = tempfile::tempdir().unwrap();
    guest.february();
    let experiment = |name: &str| {
        guest.watch_files();
        let (before, mark) = (guest.snapshot(), guest.mark());
        let events = Controller::start(&guest, &dir.path().join(name), 180, None).end();
        assert_same(&before, &guest.snapshot(), name);
        assert_eq!(mark.differences(&guest.mark()), Vec::<String>::new());
        assert_eq!(guest.left(), ["/var/lib/patchgate/lock/guard"], "{name}");
        assert_restored(&events, &mark);
        told(&events)
    };

    // The server goes on listening, and may not accept.
    let silent = experiment("accept");
    silent.assert_turned("timed out without a byte", "active");
    assert_eq!(silent.started, Vec::<String>::new());
    assert!(silent.denied.contains(&"accept"), "{silent:#?}");

    // It was restarted, and may not listen.
    guest.restart_in_vain();
    let refused = experiment("listen");
    refused.assert_turned("connection refused", "failed");
    assert_eq!(refused.started, ["httpd", "httpd"]);
    assert!(refused.denied.contains(&"listen"), "{refused:#?}");
}

/// What an experiment saw.
#[derive(Debug, Default)]
struct Told {
    answers: BTreeMap<&'static str, Vec<(String, String)>>,
    started: Vec<String>,
    denied: Vec<&'static str>,
}

impl Told {
    /// The page and the unit are like this whenever they are asked, and well with the domain permissive.
    fn assert_turned(&self, page: &str, unit: &str) {
        for phase in [
            Phase::Before,
            Phase::DontauditOff,
            Phase::DomainPermissive,
            Phase::Restored,
        ] {
            let expected = if phase == Phase::DomainPermissive {
                answers(phase, "status 200", "active")
            } else {
                answers(phase, page, unit)
            };
            assert_eq!(self.answers[phase.word()], expected, "{self:#?}");
        }
    }
}

/// What all checks say when the page is like this and the unit like that, as often as the phase asks.
fn answers(phase: Phase, page: &str, unit: &str) -> Vec<(String, String)> {
    let all = [
        ("httpd/root-page", page),
        ("httpd/root-page-local", page),
        ("httpd/service", unit),
    ];
    let each = all
        .into_iter()
        .flat_map(|one| iter::repeat_n(one, phase.asks()));
    each.map(|(check, saw)| (check.to_owned(), saw.to_owned()))
        .collect()
}

/// The steps of the experiment; each is told with its cost.
fn steps(events: &[Event]) -> impl Iterator<Item = &ExperimentEvent> {
    events.iter().filter_map(|event| {
        let found = step(event)?;
        if let What::Diagnosed { diagnosis } = &event.what {
            println!("{:6} ms {}", diagnosis.elapsed.as_millis(), name(found));
        }
        Some(found)
    })
}

fn name(event: &ExperimentEvent) -> String {
    let json = serde_json::to_value(event).unwrap();
    format!("{} {}", json["event"], json["phase"])
}

fn told(events: &[Event]) -> Told {
    let mut told = Told::default();
    for step in steps(events) {
        match step {
            ExperimentEvent::Changed { started, .. } => told.started.extend(started.clone()),
            ExperimentEvent::Asked { phase, check, saw } => {
                let all = told.answers.entry(phase.word()).or_default();
                all.push((check.to_string(), seen(saw)));
                all.sort();
            }
            ExperimentEvent::Window { phase, capture } => {
                assert!(capture.begin.known().is_some() && capture.end.known().is_some());
                let off = *phase == Phase::DontauditOff;
                let log = capture.log.text.as_str();
                let there = |word: &&str| {
                    let denied = format!("denied  {{ {word} }}");
                    let httpd = |l: &&str| l.contains(&denied) && l.contains("httpd_t");
                    off && log.lines().any(|l| httpd(&l))
                };
                told.denied
                    .extend(["accept", "listen"].iter().filter(|w| there(w)));
            }
            ExperimentEvent::Armed { .. } | ExperimentEvent::Restored { .. } => {}
            ExperimentEvent::Failed { why } => panic!("{why}"),
        }
    }
    told
}

fn seen(saw: &Observation) -> String {
    if let Observation::Service(seen) = saw {
        return seen.active.clone();
    }
    let Observation::Http(seen) = saw else {
        return format!("{saw:?}");
    };
    match &seen.end {
        HttpEnd::Answered(answer) => format!("status {}", answer.status),
        HttpEnd::Failed(failure) => failure.phase.symptom().to_owned(),
    }
}

/// The record says so too: the host was this before and after.
fn assert_restored(events: &[Event], mark: &HostMark) {
    let mark_of = |step: &ExperimentEvent| {
        if let ExperimentEvent::Armed { before: mark, .. }
        | ExperimentEvent::Restored { after: mark } = step
        {
            Some(mark.clone())
        } else {
            None
        }
    };
    let marks: Vec<_> = events.iter().filter_map(step).filter_map(mark_of).collect();
    assert_eq!(marks, [mark.clone(), mark.clone()]);
    let ends: Vec<_> = events
        .iter()
        .filter(|e| matches!(&e.what, What::HostFinished { dirty: None }))
        .collect();
    assert_eq!(ends.len(), 1, "the host is not dirty");
}
