//! Runs that die round a reboot, which is ordered once.

use patchgate_core::{id::HostName, reboot::RebootEnd};
use patchgate_testkit::Effect;

use super::*;

const HOST: &str = "centos-web";

/// Scenarios in which what a controller met dies with it.
pub(super) const WRONG: [&str; 2] = ["reboot-twice", "reboot-refused"];

/// Whether the controller died between the record of an order and the host's hearing of it, or its answer:
/// whoever goes on cannot know, awaits the reboot, and never orders it again.
pub(super) fn is_unheard(played: &Played) -> bool {
    let hosts = played.plan.hosts.iter().map(|h| &h.name);
    hosts.into_iter().any(|host| {
        matches!(
            ended_by_another(played, host),
            Some(RebootEnd::Stayed { .. })
        )
    })
}

/// How a host's reboot ended whose order an earlier controller had recorded.
fn ended_by_another<'a>(played: &'a Played, host: &HostName) -> Option<&'a RebootEnd> {
    let ours = |e: &&Event| e.host.as_ref().is_none_or(|h| h == host);
    let events = played.recorded.iter().filter(ours).map(|e| &e.what);
    let mut events = events.skip_while(|w| !matches!(w, What::RebootStarted { .. }));
    events
        .find(|w| matches!(w, What::RebootEnded { .. } | What::RunResumed { .. }))
        .filter(|w| matches!(w, What::RunResumed { .. }))?;
    events.find_map(|w| {
        let What::RebootEnded { end, .. } = w else {
            return None;
        };
        Some(end)
    })
}

/// What comes of such a death: the host stays in the boot of before until the deadline, which is told, keeps
/// the gate shut and leaves the host dirty.
pub(super) fn assert_awaited(came: &Came, wanted: &Came, told: &str) {
    assert_ne!(came.gate.0, Decision::Open, "{told}");
    assert_eq!(came.transactions, wanted.transactions, "{told}");
    for (host, orders) in &came.orders {
        assert!(
            *orders <= wanted.orders[host],
            "{host}: {orders} orders\n{told}"
        );
    }
}

fn is_started(e: &Event) -> bool {
    matches!(e.what, What::RebootStarted { .. })
}

fn is_ended(e: &Event) -> bool {
    matches!(e.what, What::RebootEnded { .. })
}

/// The host that reboots, whose controller dies behind an event, and which goes on later.
async fn later(like: fn(&Event) -> bool, meanwhile: patchgate_testkit::Meanwhile<'_>) -> Played {
    let scenario = scenario("rebooted");
    let whole = scenario.play().await;
    let at = number(&whole, |e| {
        e.host.as_ref().is_some_and(|h| h.as_str() == HOST) && like(e)
    });
    scenario
        .play_killed_while(&[Death::AfterEvent(at)], 0, meanwhile)
        .await
}

fn assert_undecided(played: &Played, because: &str) {
    let why = undecided(played);
    let verdict = &played.judgement.verdict;
    assert_eq!(verdict.verdict, Decision::Undecided, "{why}");
    assert!(why.contains(because), "{because:?} is not among\n{why}");
}

/// The one moment of which nobody can tell: the order is in the record and the host did not hear it.
#[tokio::test(start_paused = true)]
async fn an_order_that_may_have_been_heard_is_awaited_and_not_given_again() {
    let played = later(is_started, &|_, _| {}).await;
    assert!(is_unheard(&played));
    assert_eq!(orders(&played, HOST), 0);
    assert_undecided(&played, "it did not reboot by its deadline");
    assert_eq!(
        played.judgement.verdict.exit, 5,
        "it may go down at any time"
    );
    let started = played.recorded.iter().filter(|e| is_started(e)).count();
    assert_eq!(started, 1);
}

/// The run whose controller died when the host had heard the order, and before it heard of the host again.
async fn unseen() -> Played {
    let scenario = scenario("rebooted");
    let deeds = scenario.play().await.world.deeds();
    for deed in 1..=deeds {
        let played = scenario.play_killed(&[Death::AfterDeed(deed)], 0).await;
        let host = HostName::new(HOST).unwrap();
        let ended = ended_by_another(&played, &host);
        if matches!(ended, Some(RebootEnd::CameBack { .. })) {
            return played;
        }
    }
    panic!("no death hides a reboot");
}

/// Nobody saw the host go down or come back: that it was ordered is in the record, and that is enough.
#[tokio::test(start_paused = true)]
async fn a_reboot_that_nobody_saw_is_no_difference() {
    let played = unseen().await;
    let verdict = &played.judgement.verdict;
    assert_eq!(verdict.verdict, Decision::Open, "{}", undecided(&played));
    assert_eq!(orders(&played, HOST), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reboot_that_nobody_ordered_is_a_difference() {
    let reboots = |world: &World, _: &RunDir| world.change(HOST, Effect::Rebooted);
    let restarted =
        |e: &Event| e.state == Some(State::Restarted) && matches!(e.what, What::StateLeft { .. });
    let rebooted =
        |e: &Event| e.state == Some(State::Rebooted) && matches!(e.what, What::StateLeft { .. });
    for like in [restarted, is_ended, rebooted] {
        let played = later(like, &reboots).await;
        let why = undecided(&played);
        assert!(
            why.contains("while the run was interrupted: the host was rebooted"),
            "{why}"
        );
        assert_ne!(played.judgement.verdict.verdict, Decision::Open);
        assert!(orders(&played, HOST) <= 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_while_a_host_boots_goes_on() {
    let wanted = scenario("rebooted");
    let wanted = came(&wanted, &wanted.play().await);
    let stopped = scenario("reboot-stopped");
    let went_on = stopped.play_stopped().await;
    assert!(went_on.took <= Duration::from_secs(3), "{:?}", went_on.took);
    assert_ne!(went_on.before.verdict.verdict, Decision::Open);
    let told = went_on.played.summary();
    assert_eq!(came(&stopped, &went_on.played), wanted, "{told}");
}

/// Whoever awaits such a reboot may die too, or be stopped: the next one goes on with it.
#[tokio::test(start_paused = true)]
async fn a_reboot_outlives_several_controllers() {
    let scenario = scenario("rebooted");
    let whole = scenario.play().await;
    let wanted = came(&scenario, &whole);
    let started = number(&whole, is_started);
    for more in 0..5 {
        let deaths = [1, 2 + more, 4 + more, 7 + more].map(|n| Death::AfterEvent(started + n));
        let played = scenario.play_killed(&deaths, 0).await;
        let told = format!("{deaths:?}\n{}", played.summary());
        assert_eq!(came(&scenario, &played), wanted, "{told}");
    }
}

/// Nothing that is taken out of the record of a reboot that was gone on with opens its gate.
#[tokio::test(start_paused = true)]
async fn nothing_missing_opens_the_gate_of_a_resumed_reboot() {
    let reboots = |world: &World, _: &RunDir| world.change(HOST, Effect::Rebooted);
    for (played, open) in [
        (unseen().await, true),
        (later(is_started, &|_, _| {}).await, false),
        (later(is_ended, &reboots).await, false),
    ] {
        let was_open = played.judgement.verdict.verdict == Decision::Open;
        assert_eq!(was_open, open, "{}", undecided(&played));
        for weak in patchgate_testkit::weakened(&played.events) {
            let now = patchgate_core::judge::judge(&played.plan, &weak.events);
            let opens = now.verdict.verdict == Decision::Open;
            assert!(!opens || (was_open && !weak.evidence), "{}", weak.how);
        }
    }
}

/// Boots that only the dead had met, and an order that the host refused them, are forgotten: that may keep a
/// gate shut for another reason, and never opens it.
#[tokio::test(start_paused = true)]
async fn no_death_opens_the_gate_of_a_reboot_that_goes_wrong() {
    for name in WRONG {
        let scenario = scenario(name);
        let whole = scenario.play().await;
        let wanted = came(&scenario, &whole);
        for death in deaths::deaths(&whole).step_by(2) {
            let played = scenario.play_killed(&[death], 0).await;
            let told = format!("{name}, {death:?}\n{}", played.summary());
            // A host that never heard the order has done nothing wrong.
            if orders(&played, HOST) > 0 {
                assert_awaited(&came(&scenario, &played), &wanted, &told);
            }
        }
    }
}
