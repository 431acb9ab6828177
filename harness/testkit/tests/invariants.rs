//! The invariants of the design, by number. Number 8 is in `monotone.rs`, number 12 beside each parser.

#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use patchgate_core::{
    diagnosis::{ExperimentEvent, Found},
    event::{Event, What},
    judge::{Judgement, judge},
    patchset, policy,
    state::State,
    suite,
    verdict::Counts,
};
use patchgate_engine::{
    host::frame::Nonce,
    record::{self, RunDir},
};
use patchgate_report::{
    fanout::{Fanout, Sink, SinkError},
    junit,
};
use patchgate_testkit::{Break, Heard, Played, Scenario, catalogue};

async fn all() -> Vec<Played> {
    let mut played = Vec::new();
    for (scenario, _) in catalogue::all() {
        played.push(scenario.play().await);
    }
    played
}

fn junit_of(played: &Played, events: &[Event], judgement: &Judgement) -> String {
    junit::render(&played.plan, judgement, &junit::Times::of(events)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn invariant_02_the_same_record_gives_the_same_bytes() {
    for played in all().await {
        let dir = RunDir::existing(&played.dir.path().join("run"));
        let again = record::open(&dir).unwrap();
        let lines = |events| serde_json::to_string(events).unwrap();
        let (recorded, live) = (lines(&again.events), lines(&played.live));
        assert_eq!(recorded, live, "{}", played.name);
        let bytes = |events: &[Event]| {
            let judgement = judge(&again.plan, events);
            let verdict = serde_json::to_vec_pretty(&judgement.verdict).unwrap();
            (verdict, junit_of(&played, events, &judgement))
        };
        let live = bytes(&played.live);
        assert_eq!(bytes(&again.events), live, "{}", played.name);
        assert_eq!(bytes(&again.events), live, "{}", played.name);
    }
}

/// A reporter that remembers what it was told, and may fail.
struct Ear {
    heard: Arc<Mutex<Vec<u64>>>,
    deaf_after: usize,
}

impl Sink for Ear {
    fn name(&self) -> &'static str {
        "ear"
    }

    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        let mut heard = self.heard.lock().unwrap();
        if heard.len() == self.deaf_after {
            return Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe).into());
        }
        heard.push(event.seq);
        Ok(())
    }

    fn tick(&mut self, _: jiff::Timestamp) -> Result<(), SinkError> {
        Ok(())
    }

    fn finish(&mut self, _: &Judgement) -> Result<(), SinkError> {
        self.heard.lock().unwrap().push(0);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn invariant_03_every_reporter_sees_every_event() {
    for played in all().await {
        let ears = [usize::MAX, 3, usize::MAX].map(|n| (n, Arc::new(Mutex::new(Vec::new()))));
        let mut fanout = Fanout::default();
        for (deaf_after, heard) in &ears {
            let (heard, deaf_after) = (Arc::clone(heard), *deaf_after);
            fanout.add(Ear { heard, deaf_after });
        }
        for event in &played.events {
            fanout.event(event);
        }
        fanout.finish(&played.judgement);
        let mut told: Vec<u64> = (1..=played.events.len() as u64).collect();
        told.push(0);
        for (deaf_after, heard) in &ears {
            let heard = heard.lock().unwrap();
            let expected = if *deaf_after == 3 {
                &told[..3]
            } else {
                &told[..]
            };
            assert_eq!(*heard, expected, "{}", played.name);
        }
        assert_eq!(fanout.failures().len(), 1);
    }
}

/// Every way to spoil a window, in every state: its gap is named, the gate stays shut, and nobody says
/// of that state what only a whole window allows to say.
#[tokio::test(start_paused = true)]
async fn invariant_04_no_denials_is_said_with_complete_coverage_only() {
    for (gap, effect) in catalogue::evidence::spoilers() {
        for state in [State::Baseline, State::Patched, State::Restarted] {
            // A transaction may load a policy and set booleans: it was announced.
            let announced = ["policy-reloaded", "boolean-changed"].contains(&gap);
            if announced && state == State::Patched {
                continue;
            }
            let played = catalogue::evidence::spoiled(effect.clone(), state)
                .play()
                .await;
            let verdict = &played.judgement.verdict;
            let said = verdict.hosts[0].denials.iter().find(|s| s.state == state);
            let said = said.unwrap();
            let case = format!("{effect:?} in {state}: {said:?}");
            assert!(said.gaps.iter().any(|g| g == gap), "{gap}: {case}");
            assert!(!said.statement.contains("no denials"), "{case}");
            assert_ne!(verdict.exit, 0, "{case}");
            for (name, text) in played.outputs() {
                let mut lines = text.lines().filter(|l| l.contains("no denials"));
                let about = |l: &&str| name != "verdict.json" && l.contains(state.word());
                assert_eq!(lines.find(about), None, "{name}: {case}");
            }
        }
    }
}

/// With one state there is nothing else that the words could be about: they are nowhere.
#[tokio::test(start_paused = true)]
async fn invariant_04_a_spoiled_check_says_it_nowhere() {
    for (_, effect) in catalogue::evidence::spoilers() {
        let mut scenario = catalogue::evidence::spoiled(effect.clone(), State::Baseline);
        scenario.patch = None;
        let played = scenario.play().await;
        for (name, text) in played.outputs() {
            assert!(!text.contains("no denials"), "{effect:?}, {name}:\n{text}");
        }
    }
    // Three states, all of them spoiled.
    let (scenario, _) = catalogue::evidence::auditd_down();
    for (name, text) in scenario.play().await.outputs() {
        assert!(!text.contains("no denials"), "{name}:\n{text}");
    }
}

#[test]
fn invariant_05_a_remote_check_cannot_ask_the_client_itself() {
    for host in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "web.localhost",
        "127.0.0.1",
        "127.1.2.3",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "[::]",
        "2130706433",
        "127.1",
    ] {
        let remote = |vantage: &str| {
            let text = format!(
                "suite: s\ntitle: t\nchecks:\n  - id: c\n{vantage}    http: {{ url: \"http://{host}/\", status: 200 }}\n"
            );
            suite::parse(&text, "suite.yaml")
        };
        assert!(remote("").is_err(), "{host} is taken for remote");
        assert!(remote("    vantage: controller\n").is_err(), "{host}");
    }
}

/// Deadlines of everything that any host ever heard, and, of a night without a loss, as many results in
/// the record as questions were asked.
#[tokio::test(start_paused = true)]
async fn invariant_06_every_remote_command_has_a_deadline_and_a_record() {
    for played in all().await {
        for heard in played.world.heard() {
            assert!(!heard.deadline.is_zero(), "{}: {heard:?}", played.name);
        }
        let lost = |e: &Event| matches!(e.what, What::HostLost { .. });
        let whole = [
            "quiet-night",
            "february",
            "loud-denial",
            "dirty",
            "second-run",
            "check-only",
        ];
        if whole.contains(&played.name) {
            assert!(!played.events.iter().any(lost));
            assert_recorded(&played);
        }
    }
}

/// The step of an experiment that an event tells of.
fn experiment(what: &What) -> Option<&ExperimentEvent> {
    if let What::Diagnosed { diagnosis } = what
        && let Found::Experiment { event, .. } = &diagnosis.found
    {
        Some(event)
    } else {
        None
    }
}

/// How many steps of experiments of a kind are in the record.
fn tried(played: &Played, is: fn(&ExperimentEvent) -> bool) -> usize {
    let steps = played.events.iter().filter_map(|e| experiment(&e.what));
    steps.filter(|e| is(e)).count()
}

/// How many segments the recorded windows have.
fn n_segments(played: &Played) -> usize {
    let of_window = |what: &What| {
        if let What::WindowCaptured { capture, .. } = what {
            capture.segments.len()
        } else if let Some(ExperimentEvent::Window { capture, .. }) = experiment(what) {
            capture.segments.len()
        } else {
            0
        }
    };
    played.events.iter().map(|e| of_window(&e.what)).sum()
}

/// How many checks were answered by a window.
fn n_by_window(played: &Played) -> usize {
    let by_window = played
        .plan
        .cells
        .iter()
        .filter(|c| c.check.to_string() == "httpd/no-new-denials");
    let ran = |host: &str, state| {
        let here = |e: &&Event| e.host.as_ref().is_some_and(|h| h.as_str() == host);
        let mut events = played.events.iter().filter(here);
        events.any(|e| e.state == Some(state) && matches!(e.what, What::CheckFinished { .. }))
    };
    by_window.filter(|c| ran(c.host.as_str(), c.state)).count()
}

fn assert_recorded(played: &Played) {
    let heard = played.world.heard();
    let asked = |words: &[&str]| heard.iter().filter(|h| words.contains(&h.ask)).count();
    let control = |h: &&Heard| h.label == "diagnosing" && h.ask == "local";
    let controls = heard.iter().filter(control).count();
    let told = |is: fn(&What) -> bool| played.events.iter().filter(|e| is(&e.what)).count();
    let windows = told(|w| matches!(w, What::WindowCaptured { .. }))
        + tried(played, |e| matches!(e, ExperimentEvent::Window { .. }));
    let checks = told(|w| matches!(w, What::CheckFinished { .. }))
        + tried(played, |e| matches!(e, ExperimentEvent::Asked { .. }));
    for (asked, told, what) in [
        (
            asked(&["facts"]),
            told(|w| matches!(w, What::FactsCollected { .. })),
            "facts",
        ),
        (
            asked(&["vectors"]),
            told(|w| matches!(w, What::VectorsRead { .. })),
            "vectors",
        ),
        (asked(&["open"]), windows, "open"),
        (asked(&["close"]), windows, "close"),
        (asked(&["slice"]), windows, "slice"),
        (asked(&["segment"]), n_segments(played), "marks"),
        (
            asked(&["plan"]),
            told(|w| matches!(w, What::PatchPlanned { .. })),
            "plan",
        ),
        (
            asked(&["job-start"]),
            told(|w| matches!(w, What::PatchStarted { .. })),
            "start",
        ),
        (
            asked(&["restart"]),
            told(|w| matches!(w, What::ServicesRestarted { .. })),
            "restart",
        ),
        (
            asked(&["service", "selinux", "local", "command", "http"]) + n_by_window(played)
                - controls,
            checks,
            "checks",
        ),
        (
            heard.iter().filter(|h| h.label == "diagnosing").count(),
            told(|w| matches!(w, What::Diagnosed { .. }) && experiment(w).is_none()),
            "steps",
        ),
    ] {
        assert_eq!(asked, told, "{}: {what}", played.name);
    }
}

/// What a host heard, and what the record held by then.
#[tokio::test(start_paused = true)]
async fn invariant_07_nothing_is_changed_before_lock_and_baseline() {
    let untouched = [
        "unreachable",
        "key-changed",
        "locked",
        "locked-by-a-dead-run",
        "lock-not-broken",
        "lost-at-baseline",
        "lost-while-planning",
        "conflict",
        "needs-unmet",
        "packages-unknown",
        "second-run",
        "check-only",
        "check-only-fails",
    ];
    for played in all().await {
        for planned in &played.plan.hosts {
            let host = planned.name.as_str();
            let heard: Vec<_> = played.world.heard();
            let heard: Vec<_> = heard
                .iter()
                .filter(|h| h.host == host)
                .map(|h| h.ask)
                .collect();
            let starts = heard.iter().filter(|a| **a == "job-start").count();
            if let Some(start) = heard.iter().position(|a| *a == "job-start") {
                let before = &heard[..start];
                for needed in [
                    "lock-acquire",
                    "open",
                    "facts",
                    "packages",
                    "close",
                    "slice",
                    "plan",
                ] {
                    let there = before.contains(&needed) || before.contains(&"lock-take-over");
                    assert!(there, "{}: {needed} before the job of {host}", played.name);
                }
            }
            assert_order(&played, host, starts);
            if untouched.contains(&played.name)
                && (host == "centos-web" || played.plan.patch.is_none())
            {
                let touched = |a: &&str| ["job-start", "lock-update"].contains(a);
                let restarts = played.name != "second-run";
                let restarted = |a: &&str| restarts && *a == "restart";
                assert!(
                    !heard.iter().any(|a| touched(a) || restarted(a)),
                    "{}: {heard:?}",
                    played.name
                );
                assert!(!played.world.look(host, patchgate_testkit::Machine::had_job));
            }
            if played.plan.patch.is_none() {
                assert!(!heard.contains(&"lock-acquire"), "{}", played.name);
            }
        }
    }
}

fn assert_order(played: &Played, host: &str, starts: usize) {
    let here = |e: &&Event| e.host.as_ref().is_some_and(|h| h.as_str() == host);
    let events: Vec<&Event> = played.live.iter().filter(here).collect();
    let place = |is: &dyn Fn(&Event) -> bool| events.iter().position(|e| is(e));
    let baseline = |e: &Event| e.state == Some(State::Baseline);
    let start = place(&|e| matches!(e.what, What::PatchStarted { .. }));
    assert_eq!(start.is_some(), starts > 0, "{}: {host}", played.name);
    let Some(start) = start else { return };
    let facts = place(&|e| baseline(e) && matches!(e.what, What::FactsCollected { .. }));
    let window = place(&|e| baseline(e) && matches!(e.what, What::WindowCaptured { .. }));
    let planned = place(&|e| matches!(e.what, What::PatchPlanned { .. }));
    for before in [facts, window, planned] {
        assert!(
            before.is_some_and(|at| at < start),
            "{}: {host}",
            played.name
        );
    }
}

#[test]
fn invariant_09_all_mistakes_of_a_file_are_told_at_once() {
    let suite = "suite: s\ntitle: t\nchecks:\n  - id: a b\n    http: { url: 7 }\n  - id: c\n    \
                 htpp: { }\n  - id: d\n    service: { unit: x, activ: true }\n";
    assert!(suite::parse(suite, "f").unwrap_err().iter().count() >= 4);
    let patch = "patch_set: a b\nselect: { updates: sure }\nwithin: 1s\nbogus: 1\n";
    assert!(patchset::parse(patch, "f").unwrap_err().iter().count() >= 4);
    let gate =
        "gate: g\nrequire:\n  suites: { nosuch: all }\n  coverage: some\n  no: [regresion]\n";
    assert!(policy::parse(gate, "f", &[]).unwrap_err().iter().count() >= 3);
}

/// What makes markers and frames ours is told to nobody: who knows it can forge them.
#[tokio::test(start_paused = true)]
async fn invariant_10_secrets_are_told_nowhere() {
    let nonce = Nonce::new([0xab; 16]);
    assert!(!format!("{nonce:?}").contains("ab"));
    for played in all().await {
        for (name, text) in played.outputs() {
            for secret in [patchgate_testkit::NONCE, patchgate_testkit::CANARY] {
                assert!(
                    !text.contains(secret),
                    "{}: {name} tells {secret}",
                    played.name
                );
            }
        }
        let record = std::fs::read_to_string(played.dir.path().join("run").join(record::EVENTS));
        assert!(
            !record.unwrap().contains(patchgate_testkit::CANARY),
            "{}",
            played.name
        );
    }
}

#[tokio::test(start_paused = true)]
async fn invariant_11_every_junit_file_counts_as_it_says() {
    for played in all().await {
        let counts = junit::self_check(&played.junit()).unwrap();
        let Counts {
            planned,
            passed,
            failed,
            not_needed,
            ..
        } = played.judgement.verdict.checks;
        assert_eq!(counts.tests, planned + 1, "{}", played.name);
        assert_eq!(counts.skipped, not_needed, "{}", played.name);
        let gate = usize::from(played.judgement.verdict.exit != 0);
        let red = counts.failures + counts.errors;
        assert_eq!(red, planned - passed - not_needed + gate, "{}", played.name);
        assert!(
            (failed..=failed + 1).contains(&counts.failures),
            "{}",
            played.name
        );
    }
}

/// Also while the run goes on, after each of its events.
#[tokio::test(start_paused = true)]
async fn invariant_11_and_13_hold_at_every_moment_of_a_run() {
    for (scenario, _) in [
        catalogue::policy::february(),
        catalogue::transport::lost_when_patched(),
        catalogue::services::hostile_output(),
    ] {
        let played = scenario.play().await;
        for n in 0..=played.events.len() {
            let events = &played.events[..n];
            let judgement = judge(&played.plan, events);
            assert_all_told(&played, &judgement);
            let xml = junit_of(&played, events, &judgement);
            let counts = junit::self_check(&xml).unwrap();
            assert_eq!(counts.tests, played.plan.cells.len() + 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn invariant_13_every_planned_check_ends_in_the_report() {
    for played in all().await {
        assert_all_told(&played, &played.judgement);
    }
}

fn assert_all_told(played: &Played, judgement: &Judgement) {
    let mut told: BTreeMap<_, usize> = BTreeMap::new();
    for result in &judgement.cells {
        *told.entry(&result.cell).or_default() += 1;
    }
    for cell in &played.plan.cells {
        assert_eq!(told.remove(cell), Some(1), "{}: {cell:?}", played.name);
    }
    assert!(told.is_empty(), "{}: {told:?}", played.name);
    let Counts {
        planned,
        passed,
        flaky,
        failed,
        blind,
        errored,
        not_run,
        not_needed,
    } = judgement.verdict.checks;
    assert_eq!(planned, played.plan.cells.len(), "{}", played.name);
    assert_eq!(
        planned,
        passed + flaky + failed + blind + errored + not_run + not_needed
    );
}

/// The lock is given back by whoever took it, and kept for a transaction that nobody waits for.
#[tokio::test(start_paused = true)]
async fn locks_are_given_back_unless_work_goes_on() {
    for (scenario, locked) in [
        (catalogue::policy::quiet_night().0, false),
        (catalogue::transaction::dirty().0, false),
        (catalogue::transaction::needs_unmet().0, false),
        (catalogue::transaction::transaction_hangs().0, true),
        (catalogue::transport::interrupted().0, true),
        (catalogue::transport::locked().0, true),
        (catalogue::transport::job_start_unheard().0, false),
        (catalogue::transport::diagnosis_stopped().0, false),
    ] {
        let played = Scenario::play(&scenario).await;
        let is = played
            .world
            .look("centos-web", patchgate_testkit::Machine::is_locked);
        assert_eq!(is, locked, "{}", played.name);
    }
}

/// A job is handed over once, however often its start is asked for.
#[tokio::test(start_paused = true)]
async fn a_transaction_whose_start_went_unheard_runs_once() {
    let played = catalogue::transport::job_start_unheard().0.play().await;
    let is_start = |h: &&Heard| h.ask == "job-start" && h.host == "centos-web";
    assert_eq!(played.world.heard().iter().filter(is_start).count(), 2);
    let started = |e: &&Event| {
        matches!(e.what, What::PatchStarted { .. })
            && e.host.as_ref().is_some_and(|h| h.as_str() == "centos-web")
    };
    assert_eq!(played.live.iter().filter(started).count(), 1);
}

/// All steps of a suite in a state go down in one batch: a connection that breaks in every second one never
/// breaks.
#[tokio::test(start_paused = true)]
async fn a_diagnosis_is_one_batch_a_suite_and_state() {
    let (mut scenario, _) = catalogue::services::check_only_fails();
    let second = Break::before("diagnosing").nth(2);
    for host in &mut scenario.hosts {
        host.breaks.push(second);
    }
    let played = scenario.play().await;
    let steps = |e: &&Event| matches!(e.what, What::Diagnosed { .. });
    assert_eq!(played.events.iter().filter(steps).count(), 5);
    let again = |e: &&Event| matches!(e.what, What::HostConnected { .. });
    assert_eq!(played.events.iter().filter(again).count(), 2);
}
