//! The end of a controller, asked for or not, while a host works on.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::lab::{Ended, Lab, REBUILD, Run, patchgate};

/// Between a signal and the end of the program.
const AT_ONCE: Duration = Duration::from_secs(3);
/// How many seconds a transaction may take on a machine that is busy with other things.
const TRANSACTION: u32 = 300;

#[test]
fn ctrl_c_ends_the_controller_at_once_and_never_the_transaction() {
    let lab = Lab::with(&[REBUILD]);
    let mut run = lab.start_night("february");
    run.await_event("host-connected", REBUILD);
    lab.await_in_guest(REBUILD, "test -e /var/lib/patchgate/lock/owner");
    let ended = interrupt(run, AT_ONCE);
    let verdict = ended.record.verdict();
    assert_eq!(verdict["checks"]["planned"], 15);
    // Nothing was begun. A host that is too slow to take its lock back in time is the run's to go on with.
    if let Some(id) = holder(&lab) {
        assert_eq!(verdict["run"], Value::String(id.clone()));
        lab.in_guest(REBUILD, "rm /var/lib/patchgate/lock/owner");
    }

    let (run, id) = amid_the_transaction(&lab);
    let ended = interrupt(run, AT_ONCE);
    ended.assert_told("stopped by SIGINT");
    let finished = &ended.record.events("patch-finished", REBUILD)[0];
    assert_eq!(finished["what"]["end"], "still-running");
    assert_eq!(holder(&lab).as_deref(), Some(&*id));

    let next = lab.start_broken(&id).end().with_code(7);
    next.assert_told("its transaction is running");
}

#[test]
fn a_killed_controller_leaves_a_host_that_ends_its_transaction_and_can_be_taken_over() {
    let lab = Lab::with(&[REBUILD]);
    let (run, id) = amid_the_transaction(&lab);
    run.signal(Signal::KILL);
    let killed = run.end();
    assert_eq!(killed.code, None, "a signal ended it");
    let record = &killed.record;
    let judged = patchgate().arg("judge").arg(record.dir()).output().unwrap();
    assert_eq!(judged.status.code(), Some(3), "{judged:?}");
    assert_eq!(record.verdict()["verdict"], "undecided");
    record.assert_accounts_for_every_check();

    await_transaction(&lab, &id);
    let next = lab.start_night("march").end().with_code(7);
    next.assert_told(&id);
    next.assert_told("its transaction has ended well");

    let next = lab.start_broken(&id).end().with_code(0);
    next.assert_told("nothing to patch");
    assert_eq!(holder(&lab), None);
}

/// Starts March's updates, which heal, and waits until the host is at work on them.
fn amid_the_transaction(lab: &Lab) -> (Run, String) {
    let mut run = lab.start_night("march");
    run.await_event("patch-started", REBUILD);
    let plan: Value = serde_json::from_str(&run.record.text("plan.json")).unwrap();
    let id = plan["run"].as_str().unwrap().to_owned();
    lab.await_in_guest(
        REBUILD,
        &format!("test -e /var/lib/patchgate/jobs/{id}/started"),
    );
    (run, id)
}

/// Presses Ctrl-C; the program ends in time, with a whole record.
fn interrupt(run: Run, limit: Duration) -> Ended {
    run.signal(Signal::INT);
    let pressed = Instant::now();
    let ended = run.end().with_code(130);
    let took = pressed.elapsed();
    assert!(took < limit, "{took:?}: {}", ended.console);
    assert_eq!(ended.record.events("run-interrupted", "").len(), 1);
    assert_eq!(ended.record.verdict()["verdict"], "undecided");
    ended.record.assert_accounts_for_every_check();
    ended.record.assert_judged_again_the_same();
    ended
}

/// Waits until the host has ended a run's transaction by itself, and says that nothing is half done.
fn await_transaction(lab: &Lab, id: &str) {
    let job = format!("/var/lib/patchgate/jobs/{id}");
    // Waits where the job is: a login each second would cost the machine half of its processor.
    let wait = format!("flock --shared --wait {TRANSACTION} {job}/lock cat {job}/result");
    assert_eq!(lab.in_guest(REBUILD, &wait).trim(), "0");
    let policy = lab.in_guest(REBUILD, "rpm -q selinux-policy-targeted");
    assert_eq!(policy.lines().count(), 1, "{policy}");
    assert!(policy.contains("-195."), "{policy}");
    lab.in_guest(REBUILD, "dnf -q check && rpm -q --verify --nofiles --all");
}

/// The run that holds the host's lock.
fn holder(lab: &Lab) -> Option<String> {
    let owner = lab.try_in_guest(REBUILD, "cat /var/lib/patchgate/lock/owner");
    let text = String::from_utf8(owner.stdout).unwrap();
    let run = text.lines().find_map(|line| line.strip_prefix("run="));
    run.map(ToOwned::to_owned)
}
