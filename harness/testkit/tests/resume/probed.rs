//! Runs that die while remote clients ask: of the pause nothing is known, and nobody says otherwise.

use patchgate_core::verdict::Missing;

use super::*;

/// The scenario with a probe a second, and a gate that limits outages, or one that does not.
fn probed(name: &str, limit: Option<&str>) -> Scenario {
    let gate = |limit: &str| -> &'static str {
        let suites = "{ httpd: all, selinux: all }";
        format!(
            "gate: limited\nrequire: {{ suites: {suites}, outage: {{ longer_than: {limit} }} }}\n"
        )
        .leak()
    };
    let scenario = scenario(name);
    Scenario {
        gate: limit.map(gate).or(scenario.gate),
        probe_every: Some(Duration::from_secs(1)),
        ..scenario
    }
}

/// Every event, and some deeds: most of these are probes.
fn deaths(whole: &Played, step: usize) -> impl Iterator<Item = Death> {
    let events = (2..=whole.recorded.len()).map(Death::AfterEvent);
    let deeds = (1..=whole.world.deeds()).map(Death::AfterDeed);
    events.step_by(step).chain(deeds.step_by(3 * step))
}

fn has(played: &Played, is: fn(&What) -> bool) -> bool {
    played.recorded.iter().any(|e| is(&e.what))
}

fn was_asked_again(played: &Played) -> bool {
    has(played, |w| matches!(w, What::SoakResumed { .. }))
}

/// An hour goes by, in which nobody asks.
fn an_hour(_: &World, dir: &RunDir) {
    aged(dir, 1);
}

/// The controller's clock is set back by an hour.
fn set_back(_: &World, dir: &RunDir) {
    aged(dir, -1);
}

async fn dies_anywhere(name: &str, step: usize) {
    let scenario = probed(name, None);
    let whole = scenario.play().await;
    let wanted = came(&scenario, &whole);
    for death in deaths(&whole, step) {
        let played = scenario.play_killed_while(&[death], 0, &an_hour).await;
        let told = format!("{name}, {death:?}\n{}", played.summary());
        match rebooted::is_unheard(&played) {
            false => assert_eq!(came(&scenario, &played), wanted, "{told}"),
            true => rebooted::assert_awaited(&came(&scenario, &played), &wanted, &told),
        }
        let unseen: u64 = played.judgement.verdict.soak.iter().map(|s| s.unseen).sum();
        assert!(
            !was_asked_again(&played) || unseen > 3000,
            "{unseen}, {told}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_with_probes_goes_on_after_any_death() {
    dies_anywhere("quiet-night", 1).await;
}

#[tokio::test(start_paused = true)]
async fn experiments_beside_probes_go_on() {
    dies_anywhere("february", 7).await;
}

#[tokio::test(start_paused = true)]
async fn a_reboot_beside_probes_goes_on() {
    dies_anywhere("rebooted", 2).await;
}

/// With a limit, the pause may have hidden an outage, and that is all that keeps the gate shut.
#[tokio::test(start_paused = true)]
async fn a_pause_between_probes_is_a_stretch_that_nobody_looked_at() {
    let scenario = probed("quiet-night", Some("5s"));
    let whole = scenario.play().await;
    let wanted = came(&scenario, &whole);
    assert_eq!(wanted.gate.0, Decision::Open);
    let mut paused = 0;
    for death in deaths(&whole, 1) {
        let played = scenario.play_killed_while(&[death], 0, &an_hour).await;
        let (mut came, told) = (came(&scenario, &played), undecided(&played));
        let told = format!("{death:?}\n{told}{}", played.summary());
        if was_asked_again(&played) {
            paused += 1;
            let all = &played.judgement.verdict.undecided;
            assert!(
                !all.is_empty() && all.iter().all(|u| u.what == Missing::Soak),
                "{told}"
            );
            assert_eq!(came.gate, (Decision::Undecided, 3), "{told}");
            came.gate = wanted.gate;
        }
        assert_eq!(came, wanted, "{told}");
    }
    assert!(paused > 50, "{paused} pauses");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_longer_than_the_pause_is_kept() {
    let scenario = probed("quiet-night", Some("2h"));
    let whole = scenario.play().await;
    let at = number(&whole, |e| matches!(e.what, What::ServicesRestarted { .. }));
    let played = scenario
        .play_killed_while(&[Death::AfterEvent(at)], 0, &an_hour)
        .await;
    assert!(was_asked_again(&played));
    let verdict = &played.judgement.verdict;
    assert_eq!(verdict.verdict, Decision::Open, "{}", undecided(&played));
    for weak in patchgate_testkit::weakened(&played.events) {
        let now = patchgate_core::judge::judge(&played.plan, &weak.events);
        let opens = now.verdict.verdict == Decision::Open;
        assert!(
            !opens || !weak.evidence || is_about_probes(&played, &weak.how),
            "{}",
            weak.how
        );
    }
}

/// Whether it was a probe that was taken: between those that are left lies less than the limit.
fn is_about_probes(played: &Played, how: &str) -> bool {
    let number = how.split(' ').find_map(|word| word.parse::<u64>().ok());
    let event = played.events.iter().find(|e| Some(e.seq) == number);
    event.is_some_and(|e| matches!(e.what, What::SoakProbed { .. }))
}

/// The record of a run whose pause keeps its gate shut is opened by nothing that is taken from it.
#[tokio::test(start_paused = true)]
async fn nothing_missing_opens_the_gate_of_a_paused_run() {
    let scenario = probed("quiet-night", Some("5s"));
    let whole = scenario.play().await;
    let at = number(&whole, |e| matches!(e.what, What::PatchStarted { .. }));
    for later in [an_hour, set_back] {
        let played = scenario
            .play_killed_while(&[Death::AfterEvent(at + 9)], 0, &later)
            .await;
        assert_eq!(played.judgement.verdict.verdict, Decision::Undecided);
        for weak in patchgate_testkit::weakened(&played.events) {
            let now = patchgate_core::judge::judge(&played.plan, &weak.events);
            assert_ne!(now.verdict.verdict, Decision::Open, "{}", weak.how);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_leaves_the_length_of_the_pause_unknown() {
    let scenario = probed("quiet-night", Some("2h"));
    let whole = scenario.play().await;
    let at = number(&whole, |e| matches!(e.what, What::ServicesRestarted { .. }));
    let death = [Death::AfterEvent(at)];
    let played = scenario.play_killed_while(&death, 0, &set_back).await;
    let why = undecided(&played);
    assert_eq!(
        played.judgement.verdict.verdict,
        Decision::Undecided,
        "{why}"
    );
    assert!(
        why.contains("how long nobody asked httpd/root-page is not known"),
        "{why}"
    );
}

#[tokio::test(start_paused = true)]
async fn probes_go_on_until_after_the_last_state() {
    let scenario = probed("rebooted", None);
    let whole = scenario.play().await;
    let at = number(&whole, |e| matches!(e.what, What::PatchStarted { .. }));
    let played = scenario
        .play_killed_while(&[Death::AfterEvent(at)], 0, &an_hour)
        .await;
    let last = |is: fn(&What) -> bool| played.recorded.iter().rposition(|e| is(&e.what)).unwrap();
    let ended = last(|w| matches!(w, What::SoakEnded { .. }));
    let probed = last(|w| matches!(w, What::SoakProbed { .. }));
    assert!(last(|w| matches!(w, What::SoakResumed { .. })) < probed);
    assert!(last(|w| matches!(w, What::StateLeft { .. })) < probed && probed < ended);
    assert!(was_asked_again(&played));
    let down = played
        .judgement
        .verdict
        .soak
        .iter()
        .map(|s| s.outages.len());
    let before = whole.judgement.verdict.soak.iter().map(|s| s.outages.len());
    assert!(down.eq(before), "what clients feel of the boot is told");
}

/// Who stops a run says that its probes ended; whoever goes on with it takes that back.
#[tokio::test(start_paused = true)]
async fn a_run_with_probes_that_is_stopped_goes_on() {
    let mut scenario = probed("quiet-night", None);
    let wanted = came(&scenario, &scenario.play().await);
    for label in [
        "waiting for the transaction",
        "restarting the services",
        "checks",
    ] {
        scenario.stop_at = Some(("centos-web", label));
        let stopped = scenario.play_stopped().await;
        assert!(
            stopped.took <= Duration::from_secs(3),
            "{label}: {:?}",
            stopped.took
        );
        let told = stopped.played.summary();
        assert_eq!(came(&scenario, &stopped.played), wanted, "{label}\n{told}");
    }
}
