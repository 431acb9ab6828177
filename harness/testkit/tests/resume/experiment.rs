//! Runs that die in an experiment: what it had shown until then proves nothing.

use patchgate_core::{
    diagnosis::{ExperimentEvent, Found},
    verdict::Proof,
};
use patchgate_testkit::{Effect, Machine, Served};

use super::*;

fn experiment(e: &Event) -> Option<&ExperimentEvent> {
    let What::Diagnosed { diagnosis } = &e.what else {
        return None;
    };
    let Found::Experiment { event, .. } = &diagnosis.found else {
        return None;
    };
    Some(event)
}

fn is_armed(e: &Event) -> bool {
    matches!(experiment(e), Some(ExperimentEvent::Armed { .. }))
}

fn is_restored(e: &Event) -> bool {
    matches!(experiment(e), Some(ExperimentEvent::Restored { .. }))
}

/// The failure is gone before anybody can make the experiment again: the answers of the first one stand in
/// the record, and its end does not.
#[tokio::test(start_paused = true)]
async fn half_an_experiment_proves_nothing() {
    let scenario = scenario("february");
    let whole = scenario.play().await;
    let (armed, restored) = (number(&whole, is_armed), number(&whole, is_restored));
    let inside = (armed..restored).filter(|n| experiment(&whole.recorded[n - 1]).is_some());
    let heal = |world: &World, _: &RunDir| {
        for host in &scenario.hosts {
            world.change(host.name, Effect::Remote(Served::Page(200)));
            world.change(host.name, Effect::Local(Served::Page(200)));
        }
    };
    let mut deaths = 0;
    for at in inside {
        let played = scenario
            .play_killed_while(&[Death::AfterEvent(at)], 0, &heal)
            .await;
        let verdict = &played.judgement.verdict;
        let proven = |f: &&Finding| f.cause.proof == Proof::Proven;
        let proven: Vec<_> = verdict
            .findings
            .iter()
            .filter(proven)
            .map(|f| &f.id)
            .collect();
        assert!(proven.is_empty(), "behind event {at}: {proven:?}");
        assert_ne!(verdict.verdict, Decision::Open);
        for host in &scenario.hosts {
            let armed = played.world.look(host.name, Machine::is_armed);
            assert!(!armed, "{} is left changed, behind event {at}", host.name);
        }
        deaths += 1;
    }
    assert!(deaths > 8, "{deaths} deaths inside of an experiment");
}

/// Where the failure is still there, the experiment is made once more, whole, and proves what it would have.
#[tokio::test(start_paused = true)]
async fn an_experiment_that_was_broken_off_is_made_again() {
    let scenario = scenario("february");
    let whole = scenario.play().await;
    let wanted = came(&scenario, &whole);
    let armed = number(&whole, is_armed);
    let played = scenario
        .play_killed(&[Death::AfterEvent(armed + 3)], 0)
        .await;
    assert_eq!(came(&scenario, &played), wanted, "{}", played.summary());
    let count = |of: &Played, is: fn(&Event) -> bool| of.recorded.iter().filter(|e| is(e)).count();
    assert_eq!(count(&played, is_armed), count(&whole, is_armed) + 1);
    assert_eq!(count(&played, is_restored), count(&whole, is_restored));
}
