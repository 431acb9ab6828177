//! A proof needs all of its evidence: whatever is taken away or altered, nothing else is ever proven.

use std::collections::BTreeSet;

use patchgate_core::{
    diagnosis::{ExperimentEvent, Found, Phase},
    event::{Event, What},
    evidence::capture::{WindowCapture, WindowEdge},
    id::CheckId,
    judge::judge,
    observation::HttpPhase,
    plan::Plan,
    reading::Reading,
    state::State,
    verdict::{Cause, Proof},
};
use patchgate_testkit::night::{
    Night, failed, finding,
    known::{
        february_on_the_lab, flipped_on_the_lab, getattr, hidden_getattr, labelled_on_the_lab,
        untyped_on_the_lab,
    },
    status,
};
use serde_json::Value;

/// The nights on which something is proven.
fn proven() -> [(&'static str, Night); 5] {
    [
        ("february", february_on_the_lab()),
        ("label", labelled_on_the_lab()),
        ("silent getattr", hidden_getattr()),
        ("port", untyped_on_the_lab()),
        ("boolean", flipped_on_the_lab()),
    ]
}

/// What is proven of the suite, where something is.
fn proof(plan: &Plan, events: &[Event]) -> Option<Cause> {
    let judgement = judge(plan, events);
    let all = &judgement.verdict.findings;
    let proven = all
        .iter()
        .map(|f| &f.cause)
        .filter(|c| c.proof == Proof::Proven);
    assert!(proven.count() <= 1, "two proofs");
    let cause = finding(&judgement, "httpd")?.cause;
    (cause.proof == Proof::Proven).then_some(cause)
}

/// What a proof says: which access of which domain, and why.
fn says(cause: &Cause) -> String {
    let denial = cause
        .denial
        .as_ref()
        .expect("a proof names what was denied");
    let silenced = denial.silenced;
    format!(
        "{:?} {} {} {} {silenced}",
        cause.kind, denial.source, denial.target, denial.class
    )
}

fn numbered(mut events: Vec<Event>) -> Vec<Event> {
    for (event, seq) in events.iter_mut().zip(1..) {
        event.seq = seq;
    }
    events
}

fn is_of_experiment(event: &Event) -> bool {
    matches!(&event.what, What::Diagnosed { diagnosis } if matches!(diagnosis.found, Found::Experiment { .. }))
}

/// The events that no proof can do without: those of the experiments.
fn needed(events: &[Event]) -> BTreeSet<u64> {
    let ours = events.iter().filter(|e| is_of_experiment(e));
    ours.map(|e| e.seq).collect()
}

#[test]
fn without_any_event_nothing_is_proven_by_less_and_never_something_else() {
    for (name, night) in proven() {
        let events = night.events();
        let whole = proof(&night.plan, &events).unwrap_or_else(|| panic!("{name} is proven"));
        let needed = needed(&events);
        assert!(
            needed.iter().all(|seq| whole.evidence.contains(seq)),
            "{name}: {whole:?}"
        );
        for at in 0..events.len() {
            let mut fewer = events.clone();
            let gone = fewer.remove(at);
            let Some(cause) = proof(&night.plan, &numbered(fewer)) else {
                continue;
            };
            assert!(
                !needed.contains(&gone.seq),
                "{name}: proven without {gone:?}"
            );
            assert_same_or_vaguer(name, &whole, &cause, &gone);
        }
    }
}

/// With something missing that is not of the experiment the same is proven, or less of it is said: that a
/// denial is proven, where it was the label that it comes of.
#[track_caller]
fn assert_same_or_vaguer(name: &str, whole: &Cause, cause: &Cause, gone: &Event) {
    let of = |c: &Cause| says(c).split_once(' ').map(|(_, rest)| rest.to_owned());
    assert_eq!(of(cause), of(whole), "{name}: without {gone:?}");
    let vaguer =
        ["SelinuxDenial", "SelinuxSilentDenial"].contains(&format!("{:?}", cause.kind).as_str());
    assert!(
        cause.kind == whole.kind || vaguer,
        "{name}: {cause:?} without {gone:?}"
    );
}

/// Told twice, or in another order, an experiment proves nothing or the same.
#[test]
fn disorder_proves_nothing_else() {
    for (name, night) in proven() {
        let events = night.events();
        let whole = proof(&night.plan, &events).unwrap();
        for at in 1..events.len() {
            let (mut swapped, mut twice) = (events.clone(), events.clone());
            swapped.swap(at - 1, at);
            twice.insert(at, events[at].clone());
            for (how, events) in [("swapped", swapped), ("twice", twice)] {
                if let Some(cause) = proof(&night.plan, &numbered(events)) {
                    assert_eq!(says(&cause), says(&whole), "{name}: {how} event {at}");
                }
            }
        }
    }
}

/// Every place of a value, as `/what/diagnosis/found/event/phase`.
fn leaves(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| {
            let key = k.replace('~', "~0").replace('/', "~1");
            leaves(v, &format!("{at}/{key}"), into);
        }),
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(i, v)| leaves(v, &format!("{at}/{i}"), into));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            into.push(at.to_owned());
        }
    }
}

/// Other values for a leaf; a few for those of a capture, of which there are many.
fn others(place: &str, value: &Value) -> Vec<Value> {
    let mut all = all_others(value);
    if place.contains("/capture/") {
        all.retain(|v| ["", "before", "1"].iter().all(|w| v != w));
        all.truncate(1);
    }
    all
}

fn all_others(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(b) => vec![Value::Bool(!b)],
        Value::Number(n) => vec![n.as_u64().map_or(0, |n| n + 1).into(), 0.into()],
        Value::String(s) => {
            let words = [
                "",
                "0",
                "restored",
                "domain-permissive",
                "active",
                "refused",
            ];
            let mut all: Vec<Value> = words.iter().map(|w| (*w).into()).collect();
            all.extend([format!("{s}x").into(), "9".repeat(64).into()]);
            all.retain(|v| v != value);
            all
        }
        Value::Null | Value::Array(_) | Value::Object(_) => Vec::new(),
    }
}

/// What may be altered in an experiment without unproving anything, because nothing is proven by it: what
/// a request says beside its outcome, the time that things took, what bounds and describes a window, and
/// one of the two phases in which a unit was started in vain.
const IDLE: [&str; 20] = [
    "/elapsed",
    "/deadline_s",
    "/peer",
    "/detail",
    "/bytes",
    "/server",
    "/main_pid",
    "/context",
    "/enabled",
    "/result",
    "/about/",
    "/started/",
    "/capture/id",
    "/capture/nonce",
    "/capture/selinux",
    "/capture/log/",
    "/audit_status/",
    "/audit_rules/",
    "/log_position/",
    "/known/marker",
];

/// Whether an alteration leaves everything that is proven as it was: a changed policy may have any sum that
/// is not another phase's, and a unit that is down may be so in any word.
fn is_idle(place: &str, other: &Value) -> bool {
    let sum = other.as_str().is_some_and(|s| s.len() == 64);
    let down = place.ends_with("/service/active") && other != "active";
    let changed = place.ends_with("/event/loaded_sha256") && sum;
    IDLE.iter().any(|i| place.contains(i)) || down || changed
}

#[test]
fn whatever_is_altered_in_an_experiment_nothing_else_is_proven() {
    for (name, night) in proven() {
        let events = night.events();
        let whole = proof(&night.plan, &events).unwrap();
        // One experiment is enough: that of the last state, in which units are started too.
        let last = events.iter().rfind(|e| is_of_experiment(e)).unwrap().state;
        let ours = |e: &Event| is_of_experiment(e) && e.state == last;
        for (at, event) in events.iter().enumerate().filter(|(_, e)| ours(e)) {
            let json = serde_json::to_value(event).unwrap();
            let mut places = Vec::new();
            leaves(&json["what"], "/what", &mut places);
            for place in places {
                for other in others(&place, json.pointer(&place).unwrap()) {
                    let mut altered = json.clone();
                    *altered.pointer_mut(&place).unwrap() = other.clone();
                    let Ok(altered) = serde_json::from_value::<Event>(altered) else {
                        continue;
                    };
                    let mut events = events.clone();
                    events[at] = altered;
                    let Some(cause) = proof(&night.plan, &events) else {
                        continue;
                    };
                    assert_eq!(
                        says(&cause),
                        says(&whole),
                        "{name}: {place} = {other} in event {at}"
                    );
                    assert!(
                        is_idle(&place, &other),
                        "{name}: still proven with {place} = {other} in event {at}"
                    );
                }
            }
        }
    }
}

/// An experiment's log that may have lost something proves nothing, however much else the state's log or the
/// kernel says: what is lost may be what was needed.
#[test]
fn a_gap_in_an_experiments_log_proves_nothing() {
    for (name, night) in proven() {
        for alter in [lose_denials, cut] {
            let mut events = night.events();
            events.iter_mut().for_each(alter);
            assert_eq!(proof(&night.plan, &events), None, "{name}");
        }
    }
}

/// Everything that was denied is there, and something may not be.
fn cut(event: &mut Event) {
    if let What::Diagnosed { diagnosis } = &mut event.what
        && let Found::Experiment { event, .. } = &mut diagnosis.found
        && let ExperimentEvent::Window { capture, .. } = event
    {
        capture.log.truncated_bytes = 1;
    }
}

fn lose_denials(event: &mut Event) {
    if let What::Diagnosed { diagnosis } = &mut event.what
        && let Found::Experiment { event, .. } = &mut diagnosis.found
        && let ExperimentEvent::Window { capture, .. } = event
    {
        let kept = capture.log.text.lines().filter(|l| !l.contains("type=AVC"));
        capture.log.text = kept.map(|l| format!("{l}\n")).collect();
        capture.log.truncated_bytes = 1;
    }
}

/// The events of a night, with those of its experiments altered.
fn altered(night: &Night, alter: impl Fn(&mut ExperimentEvent)) -> Vec<Event> {
    let mut events = night.events();
    for event in &mut events {
        if let What::Diagnosed { diagnosis } = &mut event.what
            && let Found::Experiment { event, .. } = &mut diagnosis.found
        {
            alter(event);
        }
    }
    events
}

/// The denials of the first phase are no control where the phase without dontaudit rules was left out.
#[test]
fn without_the_phase_of_control_nothing_is_proven() {
    for (name, night) in proven() {
        let left_out = |event: &Event| {
            let What::Diagnosed { diagnosis } = &event.what else {
                return false;
            };
            let Found::Experiment { event, .. } = &diagnosis.found else {
                return false;
            };
            let phase = match event {
                ExperimentEvent::Changed { phase, .. }
                | ExperimentEvent::Asked { phase, .. }
                | ExperimentEvent::Window { phase, .. } => *phase,
                ExperimentEvent::Armed { .. }
                | ExperimentEvent::Restored { .. }
                | ExperimentEvent::Failed { .. } => return false,
            };
            phase == Phase::DontauditOff
        };
        let mut events = night.events();
        events.retain(|e| !left_out(e));
        assert_eq!(proof(&night.plan, &numbered(events)), None, "{name}");
    }
}

/// A backend that answers now and then passes for the policy's doing only if every answer fits.
#[test]
fn an_answer_that_is_another_one_the_second_time_proves_nothing() {
    for (name, night) in proven() {
        for phase in [Phase::DomainPermissive, Phase::Restored] {
            let events = night.events();
            let of_phase = |e: &&Event| {
                matches!(&e.what, What::Diagnosed { diagnosis }
                if matches!(&diagnosis.found, Found::Experiment { event: ExperimentEvent::Asked { phase: p, .. }, .. } if *p == phase))
            };
            let all: Vec<u64> = events.iter().filter(of_phase).map(|e| e.seq).collect();
            for seq in all {
                let mut events = events.clone();
                let at = usize::try_from(seq).unwrap() - 1;
                let other = match phase {
                    Phase::DomainPermissive => failed(HttpPhase::Reset),
                    Phase::Before | Phase::DontauditOff | Phase::Restored => status(200),
                };
                if let What::Diagnosed { diagnosis } = &mut events[at].what
                    && let Found::Experiment { event, .. } = &mut diagnosis.found
                    && let ExperimentEvent::Asked { saw, .. } = event
                {
                    *saw = other;
                }
                let said = proof(&night.plan, &events);
                assert_eq!(said, None, "{name}: event {seq}, {}", phase.word());
            }
        }
    }
}

/// What was asked once where it is to be asked twice, as records of old have it, proves nothing.
#[test]
fn an_answer_that_was_asked_for_once_only_proves_nothing() {
    for (name, night) in proven() {
        let mut seen = BTreeSet::new();
        let mut events = night.events();
        events.retain(|e| {
            let What::Diagnosed { diagnosis } = &e.what else {
                return true;
            };
            let Found::Experiment { event, .. } = &diagnosis.found else {
                return true;
            };
            let ExperimentEvent::Asked { phase, check, .. } = event else {
                return true;
            };
            seen.insert((e.state, *phase, check.clone()))
        });
        assert_eq!(proof(&night.plan, &numbered(events)), None, "{name}");
    }
}

/// A failure that goes away whichever of two domains is permissive goes away by itself.
#[test]
fn two_domains_that_turn_the_same_failure_prove_nothing() {
    for (name, night) in proven() {
        let mut events = night.events();
        let ours = events.iter().filter(|e| is_of_experiment(e)).cloned();
        let mut again: Vec<Event> = ours.collect();
        for event in &mut again {
            if let What::Diagnosed { diagnosis } = &mut event.what
                && let Found::Experiment { domain, .. } = &mut diagnosis.found
            {
                *domain = "httpd_sys_script_t".to_owned();
            }
        }
        let behind = events.iter().rposition(is_of_experiment).unwrap() + 1;
        let last = again.last().unwrap().state;
        again.retain(|e| e.state == last);
        let rest = events.split_off(behind);
        let events = [events, again, rest].concat();
        assert_eq!(proof(&night.plan, &numbered(events)), None, "{name}");
    }
}

/// That another domain leaves the failure as it is speaks against nothing.
#[test]
fn another_domain_that_turns_nothing_takes_no_proof_away() {
    for (name, night) in proven() {
        let mut events = night.events();
        let whole = proof(&night.plan, &events).unwrap();
        let last = events.iter().rfind(|e| is_of_experiment(e)).unwrap().state;
        let ours = |e: &&Event| is_of_experiment(e) && e.state == last;
        let mut again: Vec<Event> = events.iter().filter(ours).cloned().collect();
        let red = again.iter().find_map(|e| {
            let ExperimentEvent::Asked { check, saw, .. } = of_experiment(e) else {
                return None;
            };
            Some((check.clone(), saw.clone()))
        });
        let (check, red) = red.unwrap();
        for event in &mut again {
            let (domain, event) = parts_of_experiment(event);
            *domain = "httpd_sys_script_t".to_owned();
            if let ExperimentEvent::Asked { check: c, saw, .. } = event
                && *c == check
            {
                *saw = red.clone();
            }
        }
        let behind = events.iter().rposition(is_of_experiment).unwrap() + 1;
        let rest = events.split_off(behind);
        let events = [events, again, rest].concat();
        let said = proof(&night.plan, &numbered(events)).map(|cause| says(&cause));
        assert_eq!(said, Some(says(&whole)), "{name}");
    }
}

/// A check that passed in the state too, before the run was interrupted, comes and goes.
#[test]
fn a_pass_in_the_state_itself_proves_nothing() {
    for (name, night) in proven() {
        let mut events = night.events();
        let last = events.iter().rfind(|e| is_of_experiment(e)).unwrap().state;
        let asked = events.iter().rev().find_map(|e| {
            let ExperimentEvent::Asked { check, saw, .. } = of_experiment_of(e)? else {
                return None;
            };
            (e.state == last && *saw == status(200)).then(|| check.clone())
        });
        let Some(asked) = asked else {
            panic!("{name}: no page came back");
        };
        let at = events.iter().position(|e| {
            let ours = |check: &CheckId| *check == asked;
            e.state == last && matches!(&e.what, What::CheckFinished { check, .. } if ours(check))
        });
        let at = at.unwrap();
        let mut passed = events[at].clone();
        if let What::CheckFinished { saw, .. } = &mut passed.what {
            *saw = status(200);
        }
        if let What::CheckFinished { attempt, .. } = &mut events[at].what {
            *attempt = 2;
        }
        events.insert(at, passed);
        assert_eq!(proof(&night.plan, &numbered(events)), None, "{name}");
    }
}

fn of_experiment_of(event: &Event) -> Option<&ExperimentEvent> {
    is_of_experiment(event).then(|| of_experiment(event))
}

/// A backend that came back for a moment, while another domain's experiment was about to begin, comes and goes.
#[test]
fn a_pass_with_nothing_changed_in_another_experiment_proves_nothing() {
    for (name, night) in proven() {
        let mut events = night.events();
        let last = events.iter().rfind(|e| is_of_experiment(e)).unwrap().state;
        let ours = |e: &&Event| is_of_experiment(e) && e.state == last;
        let first = |e: &&Event| {
            let event = of_experiment(e);
            matches!(
                event,
                ExperimentEvent::Armed { .. }
                    | ExperimentEvent::Asked {
                        phase: Phase::Before,
                        ..
                    }
            )
        };
        let mut again: Vec<Event> = events.iter().filter(ours).filter(first).cloned().collect();
        for event in &mut again {
            let (domain, event) = parts_of_experiment(event);
            *domain = "httpd_sys_script_t".to_owned();
            if let ExperimentEvent::Asked { saw, .. } = event
                && matches!(saw, patchgate_core::observation::Observation::Http(_))
            {
                *saw = status(200);
            }
        }
        let behind = events.iter().rposition(is_of_experiment).unwrap() + 1;
        let rest = events.split_off(behind);
        let events = [events, again, rest].concat();
        assert_eq!(proof(&night.plan, &numbered(events)), None, "{name}");
    }
}

fn parts_of_experiment(event: &mut Event) -> (&mut String, &mut ExperimentEvent) {
    let What::Diagnosed { diagnosis } = &mut event.what else {
        panic!("it is of an experiment");
    };
    let Found::Experiment { domain, event } = &mut diagnosis.found else {
        panic!("it is of an experiment");
    };
    (domain, event)
}

fn of_experiment(event: &Event) -> &ExperimentEvent {
    let What::Diagnosed { diagnosis } = &event.what else {
        panic!("it is of an experiment");
    };
    let Found::Experiment { event, .. } = &diagnosis.found else {
        panic!("it is of an experiment");
    };
    event
}

/// Mode and boot are to be known at both ends of every changed phase, whatever the kernel said of access.
#[test]
fn a_phase_of_which_mode_or_boot_are_not_known_proves_nothing() {
    let spoils: [Spoil; 6] = [
        ("no begin", |c| c.begin = Reading::missing("lost")),
        ("no end", |c| c.end = Reading::missing("lost")),
        ("no ends", |c| {
            c.begin = Reading::missing("lost");
            c.end = Reading::missing("lost");
        }),
        ("no mode", |c| edge(c).mode = Reading::missing("lost")),
        ("no boot", |c| edge(c).boot_id = Reading::missing("lost")),
        ("an empty boot", |c| {
            edge(c).boot_id = Reading::Known(" ".to_owned());
        }),
    ];
    for (name, night) in proven() {
        for phase in [Phase::DontauditOff, Phase::DomainPermissive] {
            for (how, spoil) in spoils {
                let events = altered(&night, |event| {
                    if let ExperimentEvent::Window { phase: p, capture } = event
                        && *p == phase
                    {
                        spoil(capture);
                    }
                });
                let said = proof(&night.plan, &events);
                assert_eq!(said, None, "{name}, {}: {how}", phase.word());
            }
        }
    }
}

/// What is wrong with a window, and how it comes about.
type Spoil = (&'static str, fn(&mut WindowCapture));

fn edge(capture: &mut WindowCapture) -> &mut WindowEdge {
    let Reading::Known(edge) = &mut capture.end else {
        panic!("the window has an end");
    };
    edge
}

/// The window of a phase is opened before its policy is loaded: a client who asks all the time is denied
/// under the policy before, too. Where no marker tells them apart, their order does.
#[test]
fn denials_of_the_policy_before_stand_first_or_the_domain_was_not_permissive() {
    let page = |flags: [bool; 3]| {
        labelled_on_the_lab().from(State::Patched, |s| {
            let trial = s.trial.as_mut().unwrap();
            trial.logs[1] = flags.map(getattr).to_vec();
        })
    };
    for (flags, proven) in [
        ([false, true, true], true),
        ([true, true, true], true),
        ([true, false, true], false),
        ([true, true, false], false),
        ([false, false, false], false),
    ] {
        let night = page(flags);
        let said = proof(&night.plan, &night.events());
        assert_eq!(said.is_some(), proven, "{flags:?}: {said:?}");
    }
}
