//! Experiments over scripted hosts: through the real runner and record, one at a time.

#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

use patchgate_core::{
    diagnosis::{ExperimentEvent, Found, HostMark},
    event::{Event, What},
    id::{CheckId, HostName},
    state::State,
};
use patchgate_engine::runner::Wanted;
use patchgate_testkit::{Break, Comeback, Effect, HostScript, Machine, Moment, Played, Scenario};

const HOST: &str = "centos-web";

/// The policy of February 2013 is in force on a host that is asked from afar and by itself.
fn host() -> HostScript {
    HostScript::healthy(HOST, "192.0.2.2").when(Moment::Before, Effect::FebruaryPolicy)
}

fn scenario(name: &'static str, host: HostScript) -> Scenario {
    let check = |name: &str| CheckId::try_from(format!("httpd/{name}")).unwrap();
    let wanted = Wanted {
        host: HostName::new(HOST).unwrap(),
        state: State::Patched,
        domain: "httpd_t".to_owned(),
        checks: ["root-page", "root-page-local", "service", "no-new-denials"]
            .map(check)
            .to_vec(),
    };
    Scenario {
        experiment: Some(wanted),
        ..Scenario::new(name, [host])
    }
}

/// Plays it; all hosts know all scripts, and no host is left locked or armed unless said so.
async fn play(scenario: &Scenario) -> Played {
    let played = scenario.play().await;
    let unknown = played.world.unknown();
    assert!(unknown.is_empty(), "no scripted host knows {unknown:?}");
    played
}

/// What was told of the experiment, without numbers and names that are always the same.
fn told(played: &Played) -> Vec<String> {
    let text = played.event_lines();
    let lines = text.lines().filter_map(|line| {
        let (_, found) = line.split_once("diagnosed ")?;
        let found = found
            .strip_prefix("experiment on httpd_t: ")
            .unwrap_or(found);
        Some(found.to_owned())
    });
    lines.collect()
}

fn dirty(played: &Played) -> Option<String> {
    played.events.iter().find_map(|event| {
        if let What::HostFinished { dirty } = &event.what {
            dirty.clone()
        } else {
            None
        }
    })
}

fn step(event: &Event) -> Option<&ExperimentEvent> {
    if let What::Diagnosed { diagnosis } = &event.what
        && let Found::Experiment { event, .. } = &diagnosis.found
    {
        Some(event)
    } else {
        None
    }
}

/// What the host was, and what it is.
fn marks(played: &Played) -> (HostMark, HostMark) {
    let mut marks = (None, None);
    for step in played.events.iter().filter_map(step) {
        if let ExperimentEvent::Armed { before, .. } = step {
            marks.0 = Some(before.clone());
        } else if let ExperimentEvent::Restored { after } = step {
            marks.1 = Some(after.clone());
        }
    }
    (marks.0.unwrap(), marks.1.unwrap())
}

fn assert_as_before(played: &Played) {
    let (before, after) = marks(played);
    assert_eq!(before.differences(&after), Vec::<String>::new());
    let (locked, armed) = played
        .world
        .look(HOST, |machine| (machine.is_locked(), machine.is_armed()));
    assert!(!locked && !armed, "locked {locked}, armed {armed}");
    assert_eq!(dirty(played), None);
}

#[tokio::test(start_paused = true)]
async fn a_silent_denial_turns_green_with_the_domain_permissive_and_red_again() {
    let played = play(&scenario("accept", host())).await;
    assert_eq!(
        told(&played),
        [
            "armed for 180 s",
            "asked before httpd/root-page: timed out without a byte",
            "asked before httpd/root-page-local: timed out without a byte",
            "asked before httpd/service: active",
            "changed to dontaudit-off",
            "asked dontaudit-off httpd/root-page: timed out without a byte",
            "asked dontaudit-off httpd/root-page-local: timed out without a byte",
            "asked dontaudit-off httpd/service: active",
            "window dontaudit-off: 2 denials",
            "changed to domain-permissive",
            "asked domain-permissive httpd/root-page: status 200",
            "asked domain-permissive httpd/root-page-local: status 200",
            "asked domain-permissive httpd/service: active",
            "asked domain-permissive httpd/root-page: status 200",
            "asked domain-permissive httpd/root-page-local: status 200",
            "asked domain-permissive httpd/service: active",
            "window domain-permissive: 5 denials",
            "changed to restored",
            "asked restored httpd/root-page: timed out without a byte",
            "asked restored httpd/root-page-local: timed out without a byte",
            "asked restored httpd/service: active",
            "asked restored httpd/root-page: timed out without a byte",
            "asked restored httpd/root-page-local: timed out without a byte",
            "asked restored httpd/service: active",
            "restored",
        ]
    );
    assert_as_before(&played);
}

/// Invariant 7, for experiments: permission and baseline are the caller's, lock and switch are ours.
#[tokio::test(start_paused = true)]
async fn nothing_is_changed_before_the_lock_is_held_and_the_switch_armed() {
    let played = play(&scenario("order", host())).await;
    let heard: Vec<_> = played.world.heard().iter().map(|h| h.ask).collect();
    let wanted = [
        "lock-acquire",
        "sweep",
        "mark",
        "arm",
        "build",
        "load",
        "start",
        "still",
        "load",
        "start",
        "still",
        "disarm",
        "mark",
        "mark",
        "lock-release",
    ];
    let ours = heard.into_iter().filter(|ask| wanted.contains(ask));
    assert_eq!(ours.collect::<Vec<_>>(), wanted);
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_failed_is_started_for_it_and_fails_again_afterwards() {
    let failed = host().when(Moment::Before, Effect::Unit("httpd", "failed"));
    let played = play(&scenario("listen", failed)).await;
    let told = told(&played);
    for line in [
        "asked before httpd/root-page: connection refused",
        "changed to dontaudit-off, started httpd",
        "asked dontaudit-off httpd/root-page: connection refused",
        "changed to domain-permissive, started httpd",
        "asked domain-permissive httpd/service: active",
        "asked domain-permissive httpd/root-page: status 200",
        "asked restored httpd/service: failed",
        "asked restored httpd/root-page: connection refused",
    ] {
        assert!(told.iter().any(|l| l == line), "{line}: {told:#?}");
    }
    assert_as_before(&played);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_went_away_is_not_experimented_with() {
    let healthy = HostScript::healthy(HOST, "192.0.2.2");
    let played = play(&scenario("gone", healthy)).await;
    let told = told(&played);
    assert_eq!(
        told[4..],
        [
            "failed: the failure had gone away before anything was changed",
            "restored"
        ],
        "{told:#?}"
    );
    assert_as_before(&played);
    let heard = played.world.heard();
    assert!(!heard.iter().any(|h| h.ask == "load"), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn where_no_experiment_may_be_made_the_host_hears_of_none() {
    let allowed = scenario("refused", host());
    let other = Scenario {
        lab: false,
        ..allowed.clone()
    };
    let off = Scenario {
        experiments: false,
        ..allowed.clone()
    };
    let checks_only = Scenario {
        patch: None,
        ..allowed
    };
    for (scenario, why) in [
        (other, "the inventory does not call it a lab host"),
        (off, "experiments are switched off for this run"),
        (checks_only, "a run that only checks changes nothing"),
    ] {
        let played = play(&scenario).await;
        assert_eq!(told(&played), [format!("unavailable: experiment: {why}")]);
        for heard in played.world.heard() {
            let changes = ["mark", "arm", "build", "load", "start", "still", "disarm"];
            assert!(!changes.contains(&heard.ask), "{why}: {heard:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_on_which_it_is_not_possible_says_so_and_is_not_armed() {
    let el6 = host().when(Moment::Before, Effect::NoModuleStore);
    let played = play(&scenario("el6", el6)).await;
    let [told] = &told(&played)[..] else { panic!() };
    assert!(told.contains("not possible on this host"), "{told}");
    assert!(!played.world.heard().iter().any(|h| h.ask == "arm"));
}

/// Ctrl-C at every step: the host is restored first.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_restores_the_host_first() {
    for label in [
        "building the policies",
        "asking again",
        "changing the policy",
        "closing the window",
        "restoring the policy",
    ] {
        let stopped = Scenario {
            stop_at: Some((HOST, label)),
            ..scenario("stopped", host())
        };
        let played = play(&stopped).await;
        assert_as_before(&played);
        let last = played.events.last().map(|e| &e.what);
        assert!(matches!(last, Some(What::RunInterrupted { .. })), "{label}");
        if label != "restoring the policy" {
            let told = told(&played);
            let stopped = "failed: the run was stopped";
            assert!(told.iter().any(|l| l == stopped), "{label}: {told:#?}");
        }
    }
}

/// A reply that was lost is asked for again; nothing is made twice.
#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_and_comes_back_changes_nothing() {
    let whole = told(&play(&scenario("whole", host())).await);
    for (label, item) in [
        ("arming the switch", 0),
        ("building the policies", 0),
        ("asking again", 0),
        ("changing the policy", 1),
        ("closing the window", 1),
        ("restoring the policy", 0),
    ] {
        let broken = Break::before(label).at(item).carried_out();
        let broken = host().breaks(broken.then(Comeback::AtOnce));
        let played = play(&scenario("broken", broken)).await;
        assert_eq!(told(&played).len(), whole.len(), "{label}");
        assert_as_before(&played);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_lost_amid_it_is_told_to_restore_itself_and_stays_locked() {
    let lost = host().breaks(Break::before("changing the policy").at(1));
    let played = play(&scenario("lost", lost)).await;
    let told = told(&played);
    let last = told.last().map(String::as_str);
    assert_eq!(last, Some("failed: the host was lost; it restores itself"));
    assert!(played.world.look(HOST, Machine::is_locked));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_not_what_it_was_is_dirty_and_its_part_is_over() {
    let failed = Effect::Unit("httpd", "failed");
    for (effect, why, locked) in [
        (
            Effect::PolicyStays,
            "the policy from before could not be loaded",
            true,
        ),
        (Effect::UnitStays, "httpd was failed and is active", false),
    ] {
        let host = host()
            .when(Moment::Before, failed.clone())
            .when(Moment::Before, effect);
        let played = play(&scenario("dirty", host)).await;
        let told = format!("an experiment with httpd_t is not undone: {why}");
        assert_eq!(dirty(&played), Some(told));
        assert_eq!(played.judgement.verdict.exit, 5);
        assert_eq!(played.world.look(HOST, Machine::is_locked), locked, "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_run_left_is_undone_and_told_before_anything_else() {
    for (state, fate) in [
        ("restored", "the host is restored"),
        ("stale", "a reboot had restored the host"),
    ] {
        let left = Effect::SwitchLeft("r0.patched", state);
        let played = play(&scenario("left", host().when(Moment::Before, left))).await;
        let first = format!(
            "unavailable: the experiment r0.patched of an earlier run: its controller left it; {fate}"
        );
        assert_eq!(told(&played)[0], first);
        assert_as_before(&played);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_an_earlier_run_left_changed_is_not_worked_on() {
    let left = Effect::SwitchLeft("r0.patched", "failed no");
    let mut night = Scenario::new("changed", [host().when(Moment::Before, left)]);
    night.experiment = None;
    let played = play(&night).await;
    let told = "an experiment of an earlier run is not undone: r0.patched: no";
    assert_eq!(dirty(&played).as_deref(), Some(told));
    assert_eq!(played.judgement.verdict.exit, 5);
    assert!(!played.world.heard().iter().any(|h| h.ask == "facts"));
    assert!(played.world.look(HOST, Machine::is_locked));
}
