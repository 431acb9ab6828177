//! Controllers that die round an undo, which is carried out at most once.

use patchgate_core::undo::{MarkAct, UndoEnd, UndoHow};
use patchgate_testkit::{Effect, Machine};

use super::*;

const HOST: &str = "centos-web";

/// Whether the controller died, or was stopped, in the middle of a reset: of that nobody can know the end, and
/// the host is perhaps not to be had yet.
pub(super) fn is_unseen(played: &Played) -> bool {
    let reset = |w: &What| {
        matches!(
            w,
            What::UndoStarted {
                how: UndoHow::Reset { .. }
            }
        )
    };
    let unseen = |end: &UndoEnd| match end {
        UndoEnd::Failed { why } => why.contains("the run was interrupted meanwhile"),
        UndoEnd::RolledBack
        | UndoEnd::Reset { .. }
        | UndoEnd::Refused { .. }
        | UndoEnd::StillRunning => false,
    };
    let events = || played.recorded.iter().map(|e| &e.what);
    let mut ends = events().filter_map(|w| {
        let What::UndoEnded { end, .. } = w else {
            return None;
        };
        Some(end)
    });
    events().any(reset) && ends.next().is_none_or(unseen)
}

/// What comes of such a death: the host is told dirty, whatever it is, and not reset again.
pub(super) fn assert_dirty(came: &Came, wanted: &Came, told: &str) {
    assert_eq!(came.gate.1, 5, "{told}");
    assert_ne!(came.gate.0, Decision::Open, "{told}");
    assert_eq!(came.findings, wanted.findings, "{told}");
    assert!(came.undos[HOST].0 <= 1, "{told}");
}

fn is_started(e: &Event) -> bool {
    matches!(e.what, What::UndoStarted { .. })
}

fn is_ended(e: &Event) -> bool {
    matches!(e.what, What::UndoEnded { .. })
}

/// A run that died behind an event, and was gone on with.
async fn dead_behind(name: &str, like: fn(&Event) -> bool, more: usize) -> (Played, Came, Came) {
    let scenario = scenario(name);
    let whole = scenario.play().await;
    let death = Death::AfterEvent(number(&whole, like) + more);
    let played = scenario.play_killed(&[death], 0).await;
    let (came_to, wanted) = (came(&scenario, &played), came(&scenario, &whole));
    (played, came_to, wanted)
}

fn count(played: &Played, is: fn(&What) -> bool) -> usize {
    played.recorded.iter().filter(|e| is(&e.what)).count()
}

/// Whether the patch failed is asked of the record anew; the undo that comes of it is the first one.
#[tokio::test(start_paused = true)]
async fn a_run_that_died_before_its_undo_undoes_once() {
    let last = |e: &Event| {
        e.state == Some(State::Restarted)
            && matches!(e.what, What::StateLeft { .. })
            && e.host.as_ref().is_some_and(|h| h.as_str() == HOST)
    };
    for name in ["rolled-back", "reset"] {
        let (played, came, wanted) = dead_behind(name, last, 0).await;
        assert_eq!(came, wanted, "{name}\n{}", played.summary());
        assert_eq!(came.undos[HOST], (1, false), "{name}");
        assert_eq!(
            count(&played, |w| matches!(w, What::UndoStarted { .. })),
            1,
            "{name}"
        );
    }
}

/// The job went on while nobody looked; it is found by its id and not begun again.
#[tokio::test(start_paused = true)]
async fn an_undo_that_the_host_heard_of_is_found_again() {
    let marked = |e: &Event| {
        matches!(
            e.what,
            What::DirtyMark {
                act: MarkAct::Written,
                ..
            }
        )
    };
    let (played, came, wanted) = dead_behind("rolled-back", marked, 0).await;
    assert_eq!(came, wanted, "{}", played.summary());
    assert_eq!(came.undos[HOST], (1, false));
    let starts =
        |h: &&patchgate_testkit::Heard| h.label == "starting the undo" && h.ask == "job-start";
    assert_eq!(played.world.heard().iter().filter(starts).count(), 1);
    let found = |h: &patchgate_testkit::Heard| h.label == "finding the undo";
    assert!(played.world.heard().iter().any(found));
}

/// The lock of a run that died names the job of its undo, so that nobody takes the host over while it runs.
#[tokio::test(start_paused = true)]
async fn a_host_whose_undo_hangs_stays_locked_and_marked() {
    let (played, came, wanted) = dead_behind("rollback-hangs", is_started, 1).await;
    assert_eq!(came, wanted, "{}", played.summary());
    assert_eq!(came.gate.1, 5);
    let left = |m: &Machine| (m.is_locked(), m.is_marked());
    assert_eq!(played.world.look(HOST, left), (true, true));
}

/// Nobody can know how far a snapshot's command came whose controller died.
#[tokio::test(start_paused = true)]
async fn a_reset_that_nobody_saw_end_leaves_the_host_dirty() {
    let (played, came, wanted) = dead_behind("reset", is_started, 0).await;
    assert!(is_unseen(&played), "{}", played.summary());
    let told = played.summary();
    assert_dirty(&came, &wanted, &told);
    assert_eq!(came.undos[HOST], (0, true), "{told}");
    assert!(
        told.contains("whether the host went back to its snapshot is not known"),
        "{told}"
    );
    assert!(told.contains("--clear-dirty"), "{told}");
}

/// A host that was seen to be back is looked at to the end.
#[tokio::test(start_paused = true)]
async fn a_reset_that_was_seen_to_end_is_gone_on_with() {
    for more in 0..6 {
        let (played, came, wanted) = dead_behind("reset", is_ended, more).await;
        assert_eq!(came, wanted, "{more}\n{}", played.summary());
    }
}

/// A mark of this run is no stranger's; any other still is.
#[tokio::test(start_paused = true)]
async fn a_run_that_goes_on_is_refused_by_another_runs_mark_only() {
    let scenario = scenario("rolled-back");
    let whole = scenario.play().await;
    let death = Death::AfterEvent(number(&whole, is_started));
    let marks = |world: &World, _: &RunDir| {
        let mark = patchgate_testkit::Undoing::MarkedBy("20130221T020000Z-another");
        world.change(HOST, Effect::Undo(mark));
    };
    let played = scenario.play_killed_while(&[death], 0, &marks).await;
    let came = came(&scenario, &played);
    assert_eq!(came.gate.1, 5, "{}", played.summary());
    assert_eq!(came.undos[HOST], (0, true), "{}", played.summary());
}

/// A run that is stopped in its undo ends soon, keeps the lock while the job runs, and goes on with it.
#[tokio::test(start_paused = true)]
async fn an_undo_that_was_stopped_is_gone_on_with() {
    let wanted = scenario("rolled-back");
    let wanted = came(&wanted, &wanted.play().await);
    for label in [
        "starting the undo",
        "waiting for the undo",
        "restarting the services",
    ] {
        let mut stopped = scenario("rollback-stopped");
        stopped.stop_at = Some((HOST, label));
        let went_on = stopped.play_stopped().await;
        let told = format!("{label}\n{}", went_on.played.summary());
        assert!(
            went_on.took <= Duration::from_secs(3),
            "{:?}\n{told}",
            went_on.took
        );
        assert_ne!(went_on.before.verdict.verdict, Decision::Open, "{told}");
        assert_eq!(came(&stopped, &went_on.played), wanted, "{told}");
    }
}

/// A reset that was stopped is one that nobody saw end.
#[tokio::test(start_paused = true)]
async fn a_reset_that_was_stopped_leaves_the_host_dirty() {
    let wanted = scenario("reset");
    let wanted = came(&wanted, &wanted.play().await);
    let stopped = scenario("reset-stopped");
    let went_on = stopped.play_stopped().await;
    let told = went_on.played.summary();
    assert!(went_on.took <= Duration::from_secs(3), "{:?}", went_on.took);
    assert_eq!(went_on.before.verdict.exit, 5, "{told}");
    let came = came(&stopped, &went_on.played);
    assert_dirty(&came, &wanted, &told);
    assert!(came.undos[HOST].1, "{told}");
}

/// Whoever goes on with an undo may die too.
#[tokio::test(start_paused = true)]
async fn an_undo_outlives_several_controllers() {
    let scenario = scenario("rolled-back");
    let whole = scenario.play().await;
    let wanted = came(&scenario, &whole);
    let started = number(&whole, is_started);
    for more in 0..5 {
        let deaths = [0, 4 + more, 7 + more, 11 + more].map(|n| Death::AfterEvent(started + n));
        let played = scenario.play_killed(&deaths, 0).await;
        let told = format!("{deaths:?}\n{}", played.summary());
        assert_eq!(came(&scenario, &played), wanted, "{told}");
    }
}

/// Remote clients ask until the last state before the undo, and do not begin again for it.
#[tokio::test(start_paused = true)]
async fn nobody_probes_a_host_whose_undo_is_gone_on_with() {
    let mut scenario = scenario("rolled-back");
    scenario.probe_every = Some(Duration::from_secs(1));
    let whole = scenario.play().await;
    for like in [is_started, is_ended] {
        let death = Death::AfterEvent(number(&whole, like));
        let played = scenario.play_killed(&[death], 0).await;
        let ours = played
            .recorded
            .iter()
            .filter(|e| e.host.as_ref().is_some_and(|h| h.as_str() == HOST));
        let soaks = |w: &What| matches!(w, What::SoakBegun { .. } | What::SoakResumed { .. });
        let resumed = ours.skip_while(|e| !matches!(e.what, What::HostResumed { .. }));
        let again = resumed.filter(|e| soaks(&e.what)).count();
        assert_eq!(again, 0, "{}", played.summary());
    }
}
