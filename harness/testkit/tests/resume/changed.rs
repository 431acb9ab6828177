//! What is not as it was when a run goes on.

use patchgate_testkit::{Effect, Meanwhile};

use super::*;

const REBUILD: &str = "centos-web";

/// The quiet night, whose controller dies behind an event of the rebuild, and which goes on later.
async fn later(like: impl Fn(&Event) -> bool, meanwhile: Meanwhile<'_>) -> Played {
    let scenario = scenario("quiet-night");
    let whole = scenario.play().await;
    let ours = |e: &Event| e.host.as_ref().is_some_and(|h| h.as_str() == REBUILD);
    let at = number(&whole, |e| ours(e) && like(e));
    scenario
        .play_killed_while(&[Death::AfterEvent(at)], 0, meanwhile)
        .await
}

fn left(state: State) -> impl Fn(&Event) -> bool {
    move |e| e.state == Some(state) && matches!(e.what, What::StateLeft { .. })
}

fn assert_undecided(played: &Played, because: &str) {
    let (why, verdict) = (undecided(played), &played.judgement.verdict);
    assert_eq!(verdict.verdict, Decision::Undecided, "{why}");
    assert!(why.contains(because), "{because:?} is not among\n{why}");
}

fn transactions(played: &Played) -> u32 {
    played.world.look(REBUILD, |m| m.transactions())
}

#[tokio::test(start_paused = true)]
async fn a_host_that_changed_before_its_patch_is_not_patched() {
    for (effect, because) in [
        (Effect::Rebooted, "the host was rebooted"),
        (
            Effect::Installs("tmux (none) 3.2a 5.el9 x86_64"),
            "1 packages changed: ",
        ),
        (Effect::Permissive, "SELinux's mode"),
    ] {
        let change = |world: &World, _: &RunDir| world.change(REBUILD, effect.clone());
        let played = later(left(State::Baseline), &change).await;
        assert_undecided(&played, because);
        assert_eq!(transactions(&played), 0, "{effect:?}");
        assert!(!played.world.look(REBUILD, |m| m.is_locked()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_changed_after_its_patch_is_looked_at_and_undecided() {
    let change = |world: &World, _: &RunDir| {
        world.change(REBUILD, Effect::Installs("tmux (none) 3.2a 5.el9 x86_64"));
    };
    let played = later(left(State::Patched), &change).await;
    assert_undecided(
        &played,
        "while the run was interrupted: 1 packages changed: ",
    );
    assert_eq!(transactions(&played), 1);
    assert!(played.judgement.cells.iter().all(CellResult::passed));
}

#[tokio::test(start_paused = true)]
async fn a_reboot_under_a_transaction_shows_whatever_became_of_it() {
    let change = |world: &World, _: &RunDir| world.change(REBUILD, Effect::Rebooted);
    let started = |e: &Event| matches!(e.what, What::PatchStarted { .. });
    assert_undecided(&later(started, &change).await, "the host was rebooted");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_patched_on_a_baseline_of_the_day_before_yesterday() {
    let played = later(left(State::Baseline), &|_, dir| aged(dir, 50)).await;
    assert_undecided(&played, "the baseline was 50 hours old");
    assert_eq!(transactions(&played), 0);
}

#[tokio::test(start_paused = true)]
async fn a_patch_that_a_stale_baseline_stands_before_is_undecided() {
    let started = |e: &Event| matches!(e.what, What::PatchStarted { .. });
    let played = later(started, &|_, dir| aged(dir, 25)).await;
    assert_undecided(&played, "the baseline was 25 hours old");
    assert_eq!(transactions(&played), 0, "the host never heard of it");
    let played = later(left(State::Patched), &|_, dir| aged(dir, 25)).await;
    assert_undecided(&played, "the baseline was 25 hours old");
    assert_eq!(transactions(&played), 1);
    assert!(played.judgement.cells.iter().all(CellResult::passed));
}

#[tokio::test(start_paused = true)]
async fn a_baseline_of_this_day_is_as_good_as_new() {
    let played = later(left(State::Patched), &|_, dir| aged(dir, 23)).await;
    assert_eq!(
        played.judgement.verdict.verdict,
        Decision::Open,
        "{}",
        undecided(&played)
    );
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_leaves_the_age_unknown() {
    let played = later(left(State::Patched), &|_, dir| aged(dir, -3)).await;
    assert_undecided(&played, "how old the baseline is, is not known");
}

/// A failure that the record holds does not go away with the controller that saw it.
#[tokio::test(start_paused = true)]
async fn what_failed_before_a_death_has_failed() {
    let scenario = scenario("check-only-fails");
    let whole = scenario.play().await;
    assert_eq!(whole.judgement.verdict.verdict, Decision::Closed);
    let failed: Vec<_> = whole
        .judgement
        .cells
        .iter()
        .filter(|c| c.failed())
        .collect();
    let cell = failed.first().expect("a check fails");
    let seen = whole
        .recorded
        .iter()
        .find(|e| Some(&e.seq) == cell.events.first());
    let at = Death::AfterEvent(usize::try_from(seen.unwrap().seq).unwrap());
    let heal = |world: &World, _: &RunDir| {
        for host in &scenario.hosts {
            world.change(host.name, Effect::GoodPolicy);
        }
    };
    let played = scenario.play_killed_while(&[at], 0, &heal).await;
    let same = |c: &&CellResult| c.cell == cell.cell;
    let now = played.judgement.cells.iter().find(same).unwrap();
    assert!(now.flaky && !now.passed(), "{now:?}");
    assert_eq!(played.judgement.verdict.verdict, Decision::Undecided);
}

/// A record of a run that was resumed is judged no better for anything that is taken out of it.
#[tokio::test(start_paused = true)]
async fn nothing_missing_opens_the_gate_of_a_resumed_run() {
    let change = |world: &World, _: &RunDir| {
        world.change(REBUILD, Effect::Installs("tmux (none) 3.2a 5.el9 x86_64"));
    };
    for (played, open) in [
        (later(left(State::Patched), &change).await, false),
        (later(left(State::Patched), &|_, _| {}).await, true),
    ] {
        let was_open = played.judgement.verdict.verdict == Decision::Open;
        assert_eq!(was_open, open, "{}", undecided(&played));
        for weak in patchgate_testkit::weakened(&played.events) {
            let may_open = was_open && !weak.evidence;
            let now = patchgate_core::judge::judge(&played.plan, &weak.events);
            let opens = now.verdict.verdict == Decision::Open;
            assert!(may_open || !opens, "{}", weak.how);
        }
    }
}
