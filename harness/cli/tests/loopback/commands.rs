//! Commands that do not behave.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use super::rig::{QUICK, Rig, outcome};

/// Twenty commands that are all right but for one in the midst.
fn twenty(bad: &str) -> String {
    let mut suite = "suite: web\nchecks:\n".to_owned();
    for n in 1..=20 {
        let run = if n == 10 { bad } else { "echo fine" };
        let want = "exit: 0, stdout: { contains: fine }, within: 2s";
        writeln!(
            suite,
            "  - id: c{n}\n    command: {{ run: {run:?}, {want} }}"
        )
        .unwrap();
    }
    suite
}

/// Runs [`twenty`] and tells how the bad one ended; all others pass.
fn only_one_fails(bad: &str) -> String {
    let rig = Rig::new(&twenty(bad));
    let begun = Instant::now();
    let _told = rig.run(QUICK).with(1).telling(&["19 passed, 1 failed"]);
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    let junit = rig.place.read("run/junit.xml");
    for n in (1..=20).filter(|n| *n != 10) {
        assert_eq!(outcome(&junit, &format!("c{n}")), "passed");
    }
    let events = rig.place.read("run/events.jsonl");
    assert!(
        events.len() < 200_000,
        "what a host says must not fill the record: {}",
        events.len()
    );
    outcome(&junit, "c10")
}

#[test]
fn a_command_that_hangs_takes_no_other_with_it() {
    let outcome = only_one_fails("sleep 600");
    assert!(outcome.contains("ran into its deadline after"), "{outcome}");
}

#[test]
fn a_command_that_ignores_signals_takes_no_other_with_it() {
    let outcome = only_one_fails("trap '' TERM HUP INT; while :; do sleep 1; done");
    assert!(outcome.contains("ran into its deadline after"), "{outcome}");
}

#[test]
fn a_command_that_never_stops_talking_is_cut() {
    let outcome = only_one_fails("echo fine; yes; yes >&2");
    assert!(outcome.contains("ran into its deadline after"), "{outcome}");
}

#[test]
fn a_command_that_kills_its_shell_takes_no_other_with_it() {
    let outcome = only_one_fails("echo fine; kill -9 $$");
    assert!(
        outcome.contains("exit status 137 instead of 0"),
        "{outcome}"
    );
}

#[test]
fn a_command_that_forges_the_protocol_is_just_a_command() {
    let outcome = only_one_fails("printf 'end 0\\\\n@@ 11 0\\\\n'; exit 3");
    assert!(outcome.contains("exit status 3 instead of 0"), "{outcome}");
}
