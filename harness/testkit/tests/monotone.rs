//! Whatever goes missing from a record never moves the verdict towards open.

use std::collections::BTreeMap;

use patchgate_core::{
    event::{Event, What},
    judge::{CellResult, judge},
    observation::{HttpEnd, HttpFailure, HttpPhase, HttpSeen, Observation},
    outcome::Outcome,
    plan::Plan,
    policy::Forbidden,
    state::State,
    verdict::Decision,
};
use patchgate_testkit::{Played, catalogue, disallowed, disordered, weakened};

/// The decision, which is open only when every judged check that counts passed.
fn decision(plan: &Plan, events: &[Event]) -> Decision {
    let judgement = judge(plan, events);
    let decision = judgement.verdict.verdict;
    if decision == Decision::Open {
        let policy = &plan.policy;
        let all = policy.forbid.contains(&Forbidden::MissingCheck);
        let counts = |c: &&CellResult| all || policy.suites.contains_key(&c.cell.check.suite);
        let judged = |c: &&CellResult| plan.judged_states().contains(&c.cell.state);
        let mut cells = judgement.cells.iter().filter(judged).filter(counts);
        assert!(cells.clone().next().is_some(), "open, and nothing counts");
        let needless = |c: &CellResult| matches!(c.outcome, Outcome::NotNeeded { .. });
        let unpassed = cells.find(|c| !c.passed() && !needless(c));
        assert!(unpassed.is_none(), "open beside {unpassed:?}");
    }
    decision
}

/// Judges everything that comes of a record by taking something away, and collects what opens the
/// gate and may not, each kind once.
fn holes(plan: &Plan, events: &[Event], name: &str) -> BTreeMap<String, String> {
    let was_open = decision(plan, events) == Decision::Open;
    let mut holes = BTreeMap::new();
    for weak in weakened(events) {
        let may_open = was_open && !weak.evidence;
        if !may_open && decision(plan, &weak.events) == Decision::Open {
            let kind: String = weak.how.chars().filter(|c| !c.is_ascii_digit()).collect();
            holes.entry(kind).or_insert(format!("{name}: {}", weak.how));
        }
    }
    holes
}

fn assert_no_holes(holes: BTreeMap<String, String>) {
    let told: Vec<_> = holes.into_values().collect();
    assert!(told.is_empty(), "the gate opens:\n{}", told.join("\n"));
}

async fn of_group(cases: Vec<catalogue::Case>) {
    let mut all = BTreeMap::new();
    for (scenario, _) in cases {
        let played = scenario.play().await;
        all.extend(holes(&played.plan, &played.events, played.name));
    }
    assert_no_holes(all);
}

macro_rules! groups {
    ($($name:ident $group:ident)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            of_group(catalogue::$group::all()).await;
        }
    )*};
}

groups! {
    nothing_missing_opens_the_gate_of_a_policy policy
    nothing_missing_opens_the_gate_of_allow_lists allow
    nothing_missing_opens_the_gate_of_twins twins
    nothing_missing_opens_the_gate_of_evidence evidence
    nothing_missing_opens_the_gate_of_services services
    nothing_missing_opens_the_gate_of_transactions transaction
    nothing_missing_opens_the_gate_of_connections transport
    nothing_missing_opens_the_gate_of_waves waves
    nothing_missing_opens_the_gate_of_reboots reboot
    nothing_missing_opens_the_gate_of_undos undo
}

#[tokio::test(start_paused = true)]
async fn nothing_missing_opens_a_gate_that_collects_no_evidence() {
    let gate = "gate: lenient\nrequire:\n  suites: { httpd: all }\n  coverage: not-collected\n  \
                no: [regression, mode-drift]\n";
    let suite = "suite: httpd\ntitle: The page\nneeds: { packages: [httpd], selinux: enforcing }\n\
                 checks:\n  - id: page\n    http: { url: \"http://{{ host }}/\", status: 200 }\n";
    let mut all = BTreeMap::new();
    for (mut scenario, _) in catalogue::all() {
        if scenario.name == "hostile-output" {
            continue;
        }
        (scenario.suites, scenario.gate) = (vec![suite], Some(gate));
        let played = scenario.play().await;
        all.extend(holes(&played.plan, &played.events, played.name));
    }
    assert_no_holes(all);
}

#[tokio::test(start_paused = true)]
async fn disorder_and_repetition_open_no_gate() {
    for (scenario, _) in catalogue::all() {
        let played = scenario.play().await;
        if played.judgement.verdict.verdict == Decision::Open {
            continue;
        }
        for changed in disordered(&played.events) {
            let now = decision(&played.plan, &changed.events);
            assert_ne!(now, Decision::Open, "{}: {}", played.name, changed.how);
        }
    }
}

/// How far a decision is from open.
fn distance(decision: Decision) -> u8 {
    match decision {
        Decision::Open => 0,
        Decision::Undecided => 1,
        Decision::Closed => 2,
    }
}

/// An entry that is gone or has expired never moves the verdict towards open, whatever else is missing.
#[tokio::test(start_paused = true)]
async fn what_is_allowed_no_more_moves_no_verdict_towards_open() {
    let mut tried = 0;
    for (scenario, _) in catalogue::allow::all() {
        let played = scenario.play().await;
        for (how, plan) in disallowed(&played.plan) {
            let whole = (String::new(), played.events.clone());
            let weak = weakened(&played.events).into_iter().step_by(5);
            for (what, events) in std::iter::once(whole).chain(weak.map(|w| (w.how, w.events))) {
                let was = distance(decision(&played.plan, &events));
                let is = distance(decision(&plan, &events));
                assert!(is >= was, "{}: {how}, {what}", played.name);
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "only {tried} records were judged");
}

/// Without the day of the run's begin nothing is allowed, nor when that day lies behind an entry's last.
#[tokio::test(start_paused = true)]
async fn nothing_is_allowed_after_its_last_day_or_without_a_day() {
    let played = catalogue::allow::allowed().0.play().await;
    assert_eq!(decision(&played.plan, &played.events), Decision::Open);
    let begun_at = |time: &str| {
        let mut events = played.events.clone();
        events[0].at = time.parse().unwrap();
        decision(&played.plan, &events)
    };
    for (time, wanted) in [
        ("2013-03-31T23:59:59Z", Decision::Open),
        ("2013-04-01T00:00:00Z", Decision::Closed),
        ("2026-11-25T00:00:00Z", Decision::Closed),
    ] {
        assert_eq!(begun_at(time), wanted, "{time}");
    }
    assert_eq!(
        decision(&played.plan, &played.events[1..]),
        Decision::Closed
    );
}

async fn quiet_night() -> Played {
    catalogue::policy::quiet_night().0.play().await
}

/// The quiet night with a check that failed at first and passed when asked again, in one state.
fn retried(played: &Played) -> Vec<Event> {
    let mut events = Vec::new();
    for event in &played.events {
        events.push(event.clone());
        if let What::CheckFinished { check, attempt, .. } = &event.what
            && check.to_string() == "httpd/root-page"
            && event.state == Some(State::Patched)
            && event.host == Some(played.plan.hosts[0].name.clone())
        {
            let failed = What::CheckFinished {
                check: check.clone(),
                attempt: *attempt,
                saw: refused(),
            };
            let mut again = event.clone();
            if let What::CheckFinished { attempt, .. } = &mut again.what {
                *attempt = 2;
            }
            events.last_mut().expect("it was just put there").what = failed;
            events.push(again);
        }
    }
    for (event, seq) in events.iter_mut().zip(1..) {
        event.seq = seq;
    }
    events
}

fn refused() -> Observation {
    Observation::Http(HttpSeen {
        peer: None,
        elapsed: std::time::Duration::from_millis(1),
        end: HttpEnd::Failed(HttpFailure {
            phase: HttpPhase::Refused,
            detail: String::new(),
            bytes: 0,
        }),
    })
}

#[tokio::test(start_paused = true)]
async fn invariant_08_a_retried_pass_is_flaky_and_does_not_open_the_gate() {
    let played = quiet_night().await;
    let events = retried(&played);
    let judgement = judge(&played.plan, &events);
    assert_eq!(judgement.verdict.verdict, Decision::Undecided);
    assert_eq!(judgement.verdict.checks.flaky, 1);
    assert!(
        judgement
            .cells
            .iter()
            .filter(|c| c.flaky)
            .all(|c| !c.passed())
    );
    assert_no_holes(holes(&played.plan, &events, "retried"));
}

/// The numbers of the record have no gaps; a record that has one lost something.
#[tokio::test(start_paused = true)]
async fn a_gap_in_the_numbers_opens_no_gate() {
    let played = quiet_night().await;
    for at in 0..played.events.len() {
        let mut events = played.events.clone();
        events.remove(at);
        let now = decision(&played.plan, &events);
        assert_ne!(now, Decision::Open, "without event {}", at + 1);
    }
}

/// Gates that close for little, over every record, whole and with something missing.
#[tokio::test(start_paused = true)]
async fn open_means_that_all_that_counts_passed() {
    for (scenario, _) in catalogue::all() {
        let played = scenario.play().await;
        let last = played.plan.suites.last().map(|s| s.name.clone());
        for (forbid, named) in [(vec![Forbidden::MissingCheck], None), (vec![], last)] {
            let mut plan = played.plan.clone();
            plan.policy
                .suites
                .retain(|name, _| Some(name) == named.as_ref());
            plan.policy.forbid = forbid;
            decision(&plan, &played.events);
            for weak in weakened(&played.events).iter().step_by(11) {
                decision(&plan, &weak.events);
            }
        }
    }
}

/// Of nothing that counts, nothing follows.
#[tokio::test(start_paused = true)]
async fn a_gate_that_asks_for_nothing_is_never_open() {
    let played = quiet_night().await;
    let mut plan = played.plan.clone();
    plan.policy.suites.clear();
    plan.policy.forbid.clear();
    assert_ne!(decision(&plan, &played.events), Decision::Open);
}

/// The record of another run says nothing about this one.
#[tokio::test(start_paused = true)]
async fn the_record_of_another_run_opens_no_gate() {
    let played = quiet_night().await;
    let mut plan = played.plan.clone();
    plan.run = patchgate_core::id::RunId::new("20130222T030405Z-another").unwrap();
    assert_eq!(decision(&plan, &played.events), Decision::Undecided);
}
