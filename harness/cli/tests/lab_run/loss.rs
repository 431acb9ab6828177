//! A host that goes away in the middle.

use std::{fs, process::Command, time::Duration};

use serde_json::json;

use crate::lab::{Lab, REBUILD, UPSTREAM, status};

/// A vanished peer is noticed within 35 s by the kernel's keep-alives, and waited for for 60 s more.
const GIVEN_UP: Duration = Duration::from_secs(35 + 60 + 30);

#[test]
fn a_host_that_dies_amid_its_patch_is_told_as_lost_and_the_other_goes_on() {
    let lab = Lab::with(&[UPSTREAM, REBUILD]);
    let mut run = lab.start_night("february");
    run.await_event("patch-started", REBUILD);
    kill_machine(REBUILD);
    let killed = std::time::Instant::now();
    run.await_event("host-lost", REBUILD);
    let took = killed.elapsed();
    assert!(took < GIVEN_UP, "{took:?}");

    let ended = run.end();
    let verdict = ended.record.verdict();
    // Closed where the other host was not being patched at that moment: then it is no network trouble.
    assert!(
        matches!(ended.code, Some(1 | 3)),
        "{:?}: {}",
        ended.code,
        ended.console
    );
    assert!(ended.record.events("host-finished", UPSTREAM)[0]["what"]["dirty"].is_null());
    assert!(ended.record.events("host-finished", REBUILD).is_empty());
    let checks = &verdict["checks"];
    assert_eq!(
        (&checks["passed"], &checks["not_run"]),
        (&json!(20), &json!(10)),
        "{checks}"
    );
    ended.record.assert_accounts_for_every_check();
    ended.record.assert_judged_again_the_same();
}

/// Ends the virtual machine of a host as a power failure would.
fn kill_machine(host: &str) {
    let rows = status();
    let row = rows.iter().find(|row| row["host"] == host).unwrap();
    let pid = row["pid"].to_string();
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    assert!(name.starts_with("qemu"), "{pid} is {name}");
    let killed = Command::new("kill").args(["-9", &pid]).status();
    assert!(killed.unwrap().success());
}
