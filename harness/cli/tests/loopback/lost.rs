//! Hosts that go away, and runs that are stopped, in the midst of a check.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    net::{OTHER, SERVER},
    program::Ended,
    rig::{QUICK, Rig, outcome},
    wait::wait_for,
};

/// Three commands; the second one leaves a mark in a directory and stays for so many seconds.
fn suite(marks: &Path, seconds: u32) -> String {
    let marks = marks.display();
    format!(
        "suite: web\nchecks:\n  - id: before\n    command: {{ run: \"true\" }}\n  - id: long\n    \
         command: {{ run: \": > {marks}/$$; sleep {seconds}\", within: 5s }}\n  - id: after\n    \
         command: {{ run: \"true\" }}\n"
    )
}

/// A rig whose suite takes so long, and the directory of its marks.
fn rig(seconds: u32) -> (Rig, PathBuf) {
    let rig = Rig::new("");
    let marks = rig.place.path("marks");
    fs::create_dir(&marks).unwrap();
    fs::set_permissions(&marks, PermissionsExt::from_mode(0o777)).unwrap();
    // The account on the host has to find it.
    let dir = marks.parent().unwrap();
    fs::set_permissions(dir, PermissionsExt::from_mode(0o755)).unwrap();
    fs::write(rig.place.path("suite.yaml"), suite(&marks, seconds)).unwrap();
    (rig, marks)
}

/// Starts a run and waits until so many hosts are in the midst of the long command, and the record
/// holds all that was before it.
fn start(rig: &Rig, marks: &Path, hosts: usize) -> Child {
    let child = rig.place.command(QUICK).spawn().unwrap();
    wait_for("the long command", || {
        fs::read_dir(marks).unwrap().count() == hosts
    });
    wait_for("the first command's answer", || {
        let events = fs::read_to_string(rig.place.path("run/events.jsonl"));
        events.unwrap_or_default().matches("\"web/before\"").count() == hosts
    });
    child
}

fn end(child: Child) -> Ended {
    Ended::of(&child.wait_with_output().unwrap())
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_host_whose_sshd_dies_is_accounted_for() {
    let (mut rig, marks) = rig(4);
    let child = start(&rig, &marks, 1);
    rig.sshd.kill();
    let begun = Instant::now();
    let _told = end(child)
        .with(3)
        .telling(&["connection lost", "web/long, web/after"]);
    assert!(
        begun.elapsed() < Duration::from_secs(40),
        "{:?}",
        begun.elapsed()
    );
    accounted_for(&rig, 3, 1);
}

#[test]
fn a_host_whose_sshd_comes_back_is_gone_on_with() {
    let (mut rig, marks) = rig(4);
    let child = start(&rig, &marks, 1);
    rig.sshd.kill();
    rig.sshd.start_again(&rig.net);
    let ended = end(child).with(3).telling(&["web/long, web/after"]);
    assert!(
        !ended.stdout.contains("connection lost:"),
        "{}",
        ended.stdout
    );
    accounted_for(&rig, 3, 1);
    let events = rig.place.read("run/events.jsonl");
    assert_eq!(events.matches("\"host-connected\"").count(), 2);
    assert_eq!(events.matches("\"host-finished\"").count(), 1);
}

#[test]
fn a_host_that_falls_silent_does_not_touch_another_one() {
    let (rig, marks) = rig(4);
    rig.describe("checker", &[("web1", SERVER), ("web2", OTHER)]);
    let child = start(&rig, &marks, 2);
    rig.net.black_hole(OTHER);
    let begun = Instant::now();
    let ended = end(child).with(3).telling(&["web2: connection lost"]);
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    let row = |host: &str| {
        let line = ended.stdout.lines().find(|l| l.starts_with(host)).unwrap();
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(row("web1"), "3 passed");
    assert_eq!(row("web2"), "1 passed, 2 errored");
    accounted_for(&rig, 6, 4);
}

#[test]
fn a_run_is_interrupted_at_once_and_judged_later() {
    for (with, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)] {
        let (rig, marks) = rig(4);
        let child = start(&rig, &marks, 1);
        signal(&child, with);
        let begun = Instant::now();
        let ended = end(child)
            .with(code)
            .telling(&["the run was stopped by SIG"]);
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{:?}",
            begun.elapsed()
        );
        accounted_for(&rig, 3, 1);
        let (verdict, junit) = (rig.verdict(), rig.place.read("run/junit.xml"));
        assert!(
            outcome(&junit, "long").contains("the run was stopped by"),
            "{junit}"
        );
        let judged = rig.run("judge run").with(code);
        assert_eq!(judged.stdout, ended.stdout);
        assert_eq!(
            (rig.verdict(), rig.place.read("run/junit.xml")),
            (verdict, junit)
        );
    }
}

#[test]
fn a_run_that_waits_for_a_connection_is_interrupted_at_once() {
    let (rig, _) = rig(1);
    rig.net.black_hole(SERVER);
    let child = rig.place.command(QUICK).spawn().unwrap();
    wait_for("the connect", || rig.net.is_connecting(22));
    signal(&child, Signal::INT);
    let begun = Instant::now();
    let _told = end(child)
        .with(130)
        .telling(&["the run was stopped by SIGINT", "3 not-run"]);
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    accounted_for(&rig, 3, 0);
}

#[test]
fn a_patch_run_that_is_interrupted_gives_the_lock_back_and_patches_nothing() {
    let (rig, marks) = rig(4);
    rig.describe("root", &[("web1", SERVER)]);
    let patch = "patch_set: all\nselect: { updates: all }\n";
    fs::write(rig.place.path("patch.yaml"), patch).unwrap();
    let run = QUICK.replace("check", "run") + " --patch patch.yaml --rollout";
    let child = rig.place.command(&run).spawn().unwrap();
    wait_for("the long command", || {
        fs::read_dir(&marks).unwrap().count() == 1
    });
    let lock = rig.sshd.path("var/patchgate/lock/owner");
    assert!(lock.exists(), "there is no lock to give back");
    signal(&child, Signal::INT);
    let begun = Instant::now();
    let _told = end(child).with(130);
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert!(!lock.exists(), "the lock stays behind");
    let events = rig.place.read("run/events.jsonl");
    assert!(!events.contains("patch-"), "{events}");
    assert!(
        events.contains("\"host-finished\",\"dirty\":null"),
        "{events}"
    );
}

#[test]
fn a_run_that_is_killed_leaves_a_record_that_can_be_judged() {
    let (rig, marks) = rig(4);
    let mut child = start(&rig, &marks, 1);
    signal(&child, Signal::KILL);
    drop(child.wait());
    let _told = rig
        .run("judge run")
        .with(3)
        .telling(&["the record has no end"]);
    accounted_for(&rig, 3, 1);
}

/// Every planned check is in the verdict, and so many of them passed.
fn accounted_for(rig: &Rig, planned: u64, passed: u64) {
    let counts = rig.verdict()["checks"].clone();
    let count = |name: &str| counts[name].as_u64().unwrap();
    let all = ["passed", "flaky", "failed", "blind", "errored", "not_run"];
    assert_eq!(count("planned"), planned, "{counts}");
    assert_eq!(count("passed"), passed, "{counts}");
    assert_eq!(
        all.iter().map(|name| count(name)).sum::<u64>(),
        planned,
        "{counts}"
    );
    let cases = rig
        .place
        .read("run/junit.xml")
        .matches("[baseline]\"")
        .count();
    assert!(cases as u64 >= planned, "{cases} cases in JUnit");
}
