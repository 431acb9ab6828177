//! The record on a disk that fails, and a controller that is killed at each of its system calls: `strace`
//! injects both. Whatever happens, no verdict rests on a record that is not durable, and the run goes on.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

#[path = "support/program.rs"]
mod program;

use std::fs;

use program::Place;

const SUITE: &str =
    "suite: mine\nchecks:\n  - id: page\n    http: { url: \"http://{{ host }}/\" }\n";

/// Nobody listens at this port of this machine.
const INVENTORY: &str = "all:\n  hosts:\n    web1: { ansible_host: 127.0.0.1, ansible_port: 1, \
                         ansible_user: root, patchgate_known_hosts: known }\n";

const CHECK: &str = "check -i inventory.yaml --suite ./suite.yaml";

/// What makes the record durable.
const CALLS: [&str; 4] = ["fsync", "fdatasync", "/^rename", "write"];

fn place(through: &[&str]) -> Place {
    Place::new(through)
        .with("inventory.yaml", INVENTORY)
        .with("suite.yaml", SUITE)
        .with("known", "")
}

/// Runs a check with a fault in the `nth` such call of a thread. Returns the exit code, and whether the
/// fault came.
fn run(fault: &str, call: &str, nth: u32) -> (Place, Option<i32>, bool) {
    let inject = format!("inject={call}:{fault}:when={nth}");
    // Of all writes only those to the record. A path is compared whole.
    let only = if call == "write" {
        "-P \"$PWD/run/events.jsonl\""
    } else {
        ""
    };
    let strace = format!("exec strace -f -qqq -o trace -e '{inject}' {only} \"$@\"");
    let place = place(&["sh", "-c", &strace, "sh"]);
    let code = place.run(&format!("{CHECK} -o run")).code;
    let trace = place.read("trace");
    let came = trace.contains("INJECTED") || trace.contains("killed by SIGKILL");
    (place, code, came)
}

/// The run goes on, to the verdict that it would have come to; a run that never began is none.
fn goes_on(place: &Place, how: &str) {
    let clean = Place::new(&[]);
    let run = place.path("run").display().to_string();
    let began = fs::read_to_string(place.path("run/events.jsonl")).unwrap_or_default();
    let resumed = clean.run(&format!("resume {run}"));
    if !(began.contains("run-started") && began.contains('\n')) {
        let _refused = resumed.with(2);
        return;
    }
    let _told = resumed.with(3).telling(&["gate: UNDECIDED, exit code 3"]);
    let record = place.read("run/events.jsonl");
    assert!(record.contains("\"run-finished\""), "{how}");
    let _judged = clean.run(&format!("judge {run}")).with(3);
}

/// Puts a fault into one call after the other, until one run has fewer.
fn each(fault: &str, allowed: &[Option<i32>]) {
    for call in CALLS {
        let mut faults = 0;
        for nth in 1.. {
            let (place, code, came) = run(fault, call, nth);
            let how = format!("{fault} at {call} {nth}");
            if !came {
                assert_eq!(code, Some(3), "{how}");
                break;
            }
            assert!(allowed.contains(&code), "{how}: {code:?}");
            goes_on(&place, &how);
            faults += 1;
        }
        assert!(faults > 0, "{fault}: no {call} was met");
    }
}

#[test]
fn a_controller_that_is_killed_at_any_call_leaves_a_run_that_goes_on() {
    each("signal=SIGKILL", &[None, Some(137)]);
}

#[test]
fn no_verdict_rests_on_a_disk_that_failed() {
    each("error=EIO", &[Some(74), Some(2)]);
}

#[test]
fn no_verdict_rests_on_a_disk_that_is_full() {
    each("error=ENOSPC", &[Some(74), Some(2)]);
}

/// Whoever goes on with a run may be killed too, also while it cuts a torn line off.
#[test]
fn a_controller_that_is_killed_while_it_goes_on_is_gone_on_with() {
    for call in ["fsync", "fdatasync", "ftruncate", "/^rename"] {
        for nth in 1.. {
            let cut_off = place(&[]);
            let _ran = cut_off.run(&format!("{CHECK} -o run")).with(3);
            let events = cut_off.path("run/events.jsonl");
            let text = fs::read_to_string(&events).unwrap();
            let begin = text.split_inclusive('\n').next().unwrap();
            fs::write(&events, format!("{begin}{{\"event\":{{")).unwrap();
            let inject = format!("inject={call}:signal=SIGKILL:when={nth}");
            let killer = Place::new(&["strace", "-f", "-qqq", "-o", "trace", "-e", &inject]);
            let run = cut_off.path("run").display().to_string();
            let code = killer.run(&format!("resume {run}")).code;
            goes_on(&cut_off, &format!("resume, {call} {nth}"));
            if code == Some(3) {
                assert!(nth > 1, "no {call} was met");
                break;
            }
        }
    }
}

/// A write that takes only a part: the rest is written, or the record ends with a torn line.
#[test]
fn a_short_write_loses_nothing() {
    let (place, code, came) = run("retval=10", "write", 2);
    assert!(came && code.is_some(), "{code:?}");
    let judged = Place::new(&[]).run(&format!("judge {}", place.path("run").display()));
    assert_ne!(judged.code, Some(0), "{judged:?}");
}
