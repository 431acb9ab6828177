//! Deaths at every moment of a run.

use super::*;

/// Every event behind which a controller can die, and every deed of a host of which it can die unheard.
pub(super) fn deaths(whole: &Played) -> impl Iterator<Item = Death> {
    let events = (2..=whole.recorded.len()).map(Death::AfterEvent);
    events.chain((1..=whole.world.deeds()).map(Death::AfterDeed))
}

/// Lets the controller die at one moment after the other, each `step`th of them.
async fn dies_anywhere(scenario: &Scenario, step: usize) {
    let whole = scenario.play().await;
    let wanted = came(scenario, &whole);
    for death in deaths(&whole).step_by(step) {
        let played = scenario.play_killed(&[death], 7).await;
        let told = format!("{}, {death:?}\n{}", scenario.name, played.summary());
        let came = came(scenario, &played);
        match (rebooted::is_unheard(&played), undone::is_unseen(&played)) {
            (false, false) => assert_eq!(came, wanted, "{told}"),
            (true, _) => rebooted::assert_awaited(&came, &wanted, &told),
            (false, true) => undone::assert_dirty(&came, &wanted, &told),
        }
        let unknown = played.world.unknown();
        assert!(unknown.is_empty(), "no scripted host knows {unknown:?}");
    }
}

macro_rules! everywhere {
    ($($test:ident $name:literal $step:literal)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $test() {
            dies_anywhere(&scenario($name), $step).await;
        }
    )*};
}

everywhere! {
    a_quiet_night_goes_on_after_any_death "quiet-night" 1
    february_goes_on_after_any_death "february" 1
    february_on_a_broken_host_goes_on "february-of-a-broken-host" 3
    a_loud_denial_goes_on "loud-denial" 3
    waves_go_on "waves-pass" 2
    a_closed_wave_goes_on "canary-fails" 6
    a_failed_transaction_goes_on "dirty" 4
    a_lost_transaction_goes_on "transaction-lost" 3
    a_restart_that_fails_goes_on "restart-fails" 3
    a_run_with_nothing_to_do_goes_on "second-run" 2
    a_run_that_only_checks_goes_on "check-only" 1
    a_check_that_fails_goes_on "check-only-fails" 1
    twins_that_fail_go_on "twin-fails-too" 9
    a_reboot_goes_on "rebooted" 1
    reboots_of_all_hosts_go_on "reboot-always" 2
    a_reboot_that_breaks_a_service_goes_on "reboot-breaks-service" 3
    a_rollback_goes_on "rolled-back" 1
    a_rollback_that_fails_goes_on "rollback-fails" 3
    a_rollback_that_leaves_something_goes_on "rollback-leaves-something" 3
    a_rollback_that_hangs_goes_on "rollback-hangs" 3
    a_refused_rollback_goes_on "rollback-refused" 5
    a_reset_goes_on "reset" 1
    a_reset_that_fails_goes_on "reset-fails" 3
    a_host_that_never_comes_back_is_lost_all_the_same "reboot-never-back" 3
}

/// Every other scenario whose hosts answer, a few moments of each.
#[tokio::test(start_paused = true)]
async fn any_run_goes_on() {
    for (scenario, _) in catalogue::all() {
        let answers = scenario.hosts.iter().all(|h| h.breaks.is_empty());
        let asks = !scenario.looks_only && !scenario.preview && scenario.experiment.is_none();
        let same = !rebooted::WRONG.contains(&scenario.name);
        if answers && asks && same && scenario.stop_at.is_none() && scenario.panic_at.is_none() {
            dies_anywhere(&scenario, 41).await;
        }
    }
}

/// Whoever resumes may die too, and again.
#[tokio::test(start_paused = true)]
async fn a_run_outlives_several_controllers() {
    let scenario = scenario("february");
    let whole = scenario.play().await;
    let wanted = came(&scenario, &whole);
    for first in (4..whole.recorded.len()).step_by(9) {
        let deaths = [0, 3, 9, 14].map(|more| Death::AfterEvent(first + more));
        let played = scenario.play_killed(&deaths, 0).await;
        assert_eq!(
            came(&scenario, &played),
            wanted,
            "{deaths:?}\n{}",
            played.summary()
        );
    }
}

/// Each piece of a line that a dying controller may leave is cut off, and that is told.
#[tokio::test(start_paused = true)]
async fn a_torn_line_is_cut_off_wherever_it_is_torn() {
    let scenario = scenario("check-only");
    let wanted = came(&scenario, &scenario.play().await);
    for torn in (0..400).step_by(13) {
        let played = scenario.play_killed(&[Death::AfterEvent(5)], torn).await;
        assert_eq!(came(&scenario, &played), wanted, "{torn} bytes");
        let cut_off = |e: &Event| {
            let What::RunResumed { cut, .. } = e.what else {
                return 0;
            };
            cut
        };
        let cut: u64 = played.recorded.iter().map(cut_off).sum();
        assert!(
            cut <= torn as u64 && (torn == 0) == (cut == 0),
            "{cut} of {torn} bytes"
        );
    }
}

/// Where connections break, what follows from a death may differ; what is never allowed does not.
#[tokio::test(start_paused = true)]
async fn no_death_patches_twice_or_opens_a_gate_that_something_keeps_shut() {
    for (scenario, _) in catalogue::transport::all() {
        if scenario.looks_only || scenario.stop_at.is_some() || scenario.panic_at.is_some() {
            continue;
        }
        let whole = scenario.play().await;
        for death in deaths(&whole).step_by(11) {
            let played = scenario.play_killed(&[death], 3).await;
            let came = came(&scenario, &played);
            let twice = came.transactions.values().any(|n| *n > 1);
            assert!(
                !twice,
                "{}, {death:?}: {:?}",
                scenario.name, came.transactions
            );
            let all_passed = played.judgement.cells.iter().all(CellResult::passed);
            let open = came.gate.0 == Decision::Open;
            assert!(
                !open || all_passed,
                "{}, {death:?}\n{}",
                scenario.name,
                played.summary()
            );
        }
    }
}
