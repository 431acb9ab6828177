//! A controller that is killed: the host restores itself.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use patchgate_core::{
    diagnosis::{ExperimentEvent, Found, Phase},
    event::What,
};

use crate::{
    controller::{Controller, is_asked, is_changed},
    guest::{Guest, assert_same},
};

/// How long after its deadline a host may be done with restoring itself: the web server is stopped and
/// started under it, on an emulated machine that is busy with other things.
const RESTORES_WITHIN: f64 = 60.0;

/// How far an experiment has come, and after how many seconds the host is to restore itself: long enough
/// to come that far.
struct Step {
    name: &'static str,
    after: u64,
    there: fn(&ExperimentEvent) -> bool,
}

const STEPS: [Step; 7] = [
    Step {
        name: "armed",
        after: 30,
        there: |e| matches!(e, ExperimentEvent::Armed { .. }),
    },
    Step {
        name: "asked before",
        after: 60,
        there: |e| is_asked(e, Phase::Before),
    },
    Step {
        name: "dontaudit off",
        after: 90,
        there: |e| is_changed(e, Phase::DontauditOff),
    },
    Step {
        name: "asked with dontaudit off",
        after: 90,
        there: |e| is_asked(e, Phase::DontauditOff),
    },
    Step {
        name: "domain permissive",
        after: 120,
        there: |e| is_changed(e, Phase::DomainPermissive),
    },
    Step {
        name: "asked with the domain permissive",
        after: 120,
        there: |e| is_asked(e, Phase::DomainPermissive),
    },
    Step {
        name: "restoring",
        after: 180,
        there: |e| {
            matches!(
                e,
                ExperimentEvent::Window {
                    phase: Phase::DomainPermissive,
                    ..
                }
            )
        },
    },
];

#[test]
fn nightly_a_host_restores_itself_whenever_its_controller_is_killed() {
    let guest = Guest::up();
    let dir = tempfile::tempdir().unwrap();
    guest.february();
    guest.restart_in_vain();
    let mut dead: Option<String> = None;
    for (number, step) in STEPS.iter().enumerate() {
        guest.watch_files();
        let (before, mark) = (guest.snapshot(), guest.mark());
        let place = dir.path().join(format!("kill{number}"));
        let mut controller = Controller::start(&guest, &place, step.after, dead.as_deref());
        let run = controller.run();
        controller.await_step(step.name, step.there);
        if step.name == "restoring" {
            let fired = format!("/var/lib/patchgate/switch/{run}.patched/fired");
            guest.run(&format!("until [ -e {fired} ]; do sleep 0.05; done"));
        }
        let swept = controller
            .events()
            .iter()
            .any(|e| is_swept(&e.what, dead.as_deref()));
        assert_eq!(swept, dead.is_some(), "{}: {dead:?} was swept", step.name);
        let steps = controller.kill();
        let restored = |e: &ExperimentEvent| matches!(e, ExperimentEvent::Restored { .. });
        assert!(
            !steps.iter().any(restored),
            "{}: killed too late",
            step.name
        );
        match step.name {
            "restoring" => assert_is_restored(&guest),
            name => assert_restores_itself(&guest, &run, name),
        }
        assert_eq!(mark.differences(&guest.mark()), Vec::<String>::new());
        assert_same(&before, &guest.snapshot(), step.name);
        dead = Some(run);
    }
    stopped_politely(&guest, &dir.path().join("last"), dead.as_deref());
}

/// Ctrl-C at the worst moment: the controller ends soon, and the host is restored, seen by it or not.
fn stopped_politely(guest: &Guest, dir: &Path, dead: Option<&str>) {
    let mark = guest.mark();
    let mut controller = Controller::start(guest, dir, 180, dead);
    controller.await_step("domain permissive", |e| {
        is_changed(e, Phase::DomainPermissive)
    });
    controller.interrupt();
    let asked = Instant::now();
    let events = controller.end();
    println!(
        "Ctrl-C: the end after {:.1} s",
        asked.elapsed().as_secs_f64()
    );
    assert!(
        asked.elapsed() < Duration::from_secs(20),
        "{:?}",
        asked.elapsed()
    );
    let last = events.last().map(|e| &e.what);
    assert!(
        matches!(last, Some(What::RunInterrupted { .. })),
        "{last:?}"
    );
    assert_is_restored(guest);
    assert_eq!(mark.differences(&guest.mark()), Vec::<String>::new());
}

/// Waits until a host that was told to restore itself has done so. What told it may have gone on without
/// its controller, and taken the switch away.
fn assert_is_restored(guest: &Guest) {
    let switch = "/var/lib/patchgate/switch";
    let over = format!("[ ! -e {switch} ] || grep -qx restored {switch}/*/result 2>/dev/null");
    let wait = format!("n=0; until {over}; do [ $((n += 1)) -lt 600 ] || exit 1; sleep 0.2; done");
    guest.run(&wait);
}

/// Waits where the switch is, without asking again and again, and says that the host was in time and keeps
/// nothing but the result.
fn assert_restores_itself(guest: &Guest, run: &str, step: &str) {
    let switch = format!("/var/lib/patchgate/switch/{run}.patched");
    let deadline: f64 = guest
        .run(&format!("cat {switch}/deadline"))
        .trim()
        .parse()
        .unwrap();
    let wait = format!("flock -s -w 400 {switch}/lock cat {switch}/result");
    assert_eq!(guest.run(&wait).trim(), "restored", "{step}");
    let now = guest.uptime();
    println!(
        "{step}: restored {:.0} s after the deadline",
        now - deadline
    );
    assert!(
        now < deadline + RESTORES_WITHIN,
        "{step}: {now} after {deadline}"
    );
    let left = guest.left();
    let big =
        |f: &&String| f.contains("/root/") || f.ends_with("/saved") || f.contains("permissive");
    assert_eq!(left.iter().filter(big).count(), 0, "{step}: {left:?}");
}

/// Whether an event says that this run's experiment was found and the host is restored.
fn is_swept(what: &What, dead: Option<&str>) -> bool {
    if let (What::Diagnosed { diagnosis }, Some(dead)) = (what, dead)
        && let Found::Unavailable { what, why } = &diagnosis.found
    {
        what.contains(dead) && why.ends_with("the host is restored")
    } else {
        false
    }
}
