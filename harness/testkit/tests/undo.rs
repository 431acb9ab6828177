//! What undos do to hosts, in which order, and how they leave them.

use patchgate_core::{
    event::{Event, What},
    state::State,
    undo::UndoEnd,
    verdict::Decision,
};
use patchgate_testkit::{Machine, Played, Scenario, catalogue};

const HOST: &str = "centos-web";

fn heard(played: &Played, ask: &str) -> usize {
    let heard = played.world.heard();
    heard.iter().filter(|h| h.ask == ask).count()
}

fn told(played: &Played, is: fn(&What) -> bool) -> usize {
    let ours = |e: &&Event| e.host.as_ref().is_some_and(|h| h.as_str() == HOST);
    played
        .recorded
        .iter()
        .filter(ours)
        .filter(|e| is(&e.what))
        .count()
}

/// Whether the host is locked, and whether it is marked, in the end.
fn left(played: &Played) -> (bool, bool) {
    played
        .world
        .look(HOST, |m| (Machine::is_locked(m), Machine::is_marked(m)))
}

fn undoes(scenario: &Scenario) -> bool {
    let asked = |p: &str| p.contains("on_failure: rollback") || p.contains("on_failure: reset");
    scenario.patch.is_some_and(asked)
}

#[tokio::test(start_paused = true)]
async fn nothing_is_undone_that_nobody_asked_to_be() {
    let mut undone = 0;
    for (scenario, _) in catalogue::all() {
        let played = scenario.play().await;
        let begun = told(&played, |w| matches!(w, What::UndoStarted { .. }));
        let resets = heard(&played, "reset");
        assert!(begun <= 1 && resets <= begun, "{}", scenario.name);
        assert!(
            undoes(&scenario) || begun == 0,
            "{}: nobody asked",
            scenario.name
        );
        undone += begun;
    }
    assert!(undone > 10, "only {undone} patches were undone");
}

/// How each scenario leaves its host: `(locked, marked)`.
#[tokio::test(start_paused = true)]
async fn a_host_that_is_not_as_before_keeps_its_mark_or_its_lock() {
    let clean = (false, false);
    let marked = (false, true);
    for ((scenario, expected), wanted) in [
        (catalogue::undo::undo_not_needed(), clean),
        (catalogue::undo::undo_of_nothing_seen(), clean),
        (catalogue::undo::rolled_back(), clean),
        (catalogue::undo::reset(), clean),
        (catalogue::undo::reset_to_the_same_boot(), clean),
        (catalogue::undo::reset_of_half_a_patch(), clean),
        (catalogue::undo::reset_after_a_lost_reboot(), clean),
        (catalogue::undo::mark_cleared(), clean),
        (catalogue::undo::rollback_refused(), marked),
        (catalogue::undo::rollback_of_half_a_patch(), marked),
        (catalogue::undo::rollback_fails(), marked),
        (catalogue::undo::rollback_lost(), marked),
        (catalogue::undo::rollback_leaves_something(), marked),
        (catalogue::undo::reset_fails(), marked),
        (catalogue::undo::reset_only_boots(), marked),
        (catalogue::undo::reset_stopped(), marked),
        (catalogue::undo::marked(), marked),
        (catalogue::undo::mark_of_another_run(), marked),
        (catalogue::undo::marked_and_only_checked(), marked),
        (catalogue::transaction::dirty(), marked),
        (catalogue::transaction::transaction_lost(), marked),
        (catalogue::undo::rollback_hangs(), (true, true)),
        (catalogue::undo::rollback_stopped(), (true, true)),
        (catalogue::undo::rollback_host_lost(), (true, true)),
        (catalogue::undo::rollback_unmarked(), clean),
    ] {
        let played = scenario.play().await;
        assert_eq!(left(&played), wanted, "{}", scenario.name);
        let verdict = &played.judgement.verdict;
        assert_eq!(verdict.exit, expected.exit, "{}", scenario.name);
        let told = verdict.hosts.iter().filter(|h| h.dirty.is_some()).count();
        assert_eq!(told, usize::from(expected.exit == 5), "{}", scenario.name);
    }
}

/// The mark is there before the host hears of the undo, in the same round trip, and the intent before both.
#[tokio::test(start_paused = true)]
async fn a_host_is_marked_before_its_undo_begins() {
    for ((scenario, _), act) in [
        (catalogue::undo::rolled_back(), "job-start"),
        (catalogue::undo::reset(), "reset"),
    ] {
        let played = scenario.play().await;
        let heard = played.world.heard();
        let ours: Vec<_> = heard.iter().filter(|h| h.host == HOST).collect();
        let mark = ours.iter().position(|h| h.ask == "mark-put").unwrap();
        let undo = ours.iter().rposition(|h| h.ask == act).unwrap();
        assert!(mark < undo, "{}", scenario.name);
    }
}

/// The experiments that prove a cause come first: an undo destroys what they look at.
#[tokio::test(start_paused = true)]
async fn the_diagnosis_comes_before_the_undo() {
    for (scenario, _) in [
        catalogue::undo::rollback_refused(),
        catalogue::undo::rolled_back(),
        catalogue::undo::reset(),
    ] {
        let played = scenario.play().await;
        let events = &played.recorded;
        let last = events
            .iter()
            .rposition(|e| matches!(e.what, What::Diagnosed { .. }));
        let undo = events
            .iter()
            .position(|e| matches!(e.what, What::UndoStarted { .. } | What::UndoEnded { .. }));
        assert!(last < undo, "{}: {last:?} {undo:?}", scenario.name);
    }
}

/// A marked host hears one batch, and nothing of it changes anything.
#[tokio::test(start_paused = true)]
async fn a_marked_host_is_refused_in_the_round_trip_that_takes_the_lock() {
    let played = catalogue::undo::marked().0.play().await;
    let heard = played.world.heard();
    let ours = heard.iter().filter(|h| h.host == HOST && h.label != "http");
    let asked: Vec<_> = ours.map(|h| (h.label.as_str(), h.ask)).collect();
    let lock = "taking the lock";
    assert_eq!(
        asked,
        [(lock, "mark-read"), (lock, "lock-acquire"), (lock, "sweep")]
    );
    assert_eq!(left(&played), (false, true));
}

/// What passed once the patch was undone closes no gate less, whatever the policy asks for.
#[tokio::test(start_paused = true)]
async fn an_undo_opens_no_gate() {
    let gates = [
        "gate: lenient\nrequire:\n  suites: { selinux: all }\n  coverage: not-collected\n",
        "gate: modes\nrequire:\n  suites: { selinux: all }\n  no: [mode-drift]\n  coverage: not-collected\n",
    ];
    for (mut scenario, _) in catalogue::undo::all() {
        let failed = scenario.play().await.judgement.verdict.verdict != Decision::Open;
        for gate in gates.into_iter().map(Some).chain([None]) {
            scenario.gate = gate;
            scenario.suites = match gate {
                Some(_) => vec![include_str!("../../../suites/selinux/suite.yaml")],
                None => continue,
            };
            let played = scenario.play().await;
            let undone = told(&played, |w| matches!(w, What::UndoStarted { .. })) > 0;
            let open = played.judgement.verdict.verdict == Decision::Open;
            assert!(!(open && undone && failed), "{}: {gate:?}", scenario.name);
        }
    }
}

/// The state after an undo is in no finding, and what fails there makes none.
#[tokio::test(start_paused = true)]
async fn the_state_after_an_undo_makes_no_finding() {
    let mut seen = 0;
    for (scenario, _) in catalogue::undo::all() {
        let played = scenario.play().await;
        let findings = &played.judgement.verdict.findings;
        let symptoms = findings.iter().flat_map(|f| &f.symptoms);
        assert!(symptoms.clone().all(|s| s.state != State::Undone));
        seen += symptoms.count();
        assert!(
            played
                .plan
                .judged_states()
                .iter()
                .all(|s| *s != State::Undone)
        );
    }
    assert!(seen > 20, "only {seen} symptoms were looked at");
}

/// An undo that ended well counts only with all that shows that the host is as before.
#[tokio::test(start_paused = true)]
async fn an_undo_is_good_only_with_its_evidence() {
    let (scenario, _) = catalogue::undo::rolled_back();
    let played = scenario.play().await;
    let undone = |e: &&Event| e.state == Some(State::Undone);
    let mut tried = 0;
    for gone in played.events.iter().filter(undone) {
        if matches!(gone.what, What::ArtifactSaved { .. }) {
            continue;
        }
        let rest = played.events.iter().filter(|e| e.seq != gone.seq).cloned();
        let rest: Vec<Event> = rest.zip(1..).map(|(e, seq)| Event { seq, ..e }).collect();
        let verdict = patchgate_core::judge::judge(&played.plan, &rest).verdict;
        assert_eq!(verdict.exit, 5, "without {:?}", gone.what);
        tried += 1;
    }
    assert!(tried > 8, "only {tried} events were taken away");
    let ended = |w: &What| {
        matches!(
            w,
            What::UndoEnded {
                end: UndoEnd::RolledBack,
                ..
            }
        )
    };
    assert_eq!(told(&played, ended), 1);
}
