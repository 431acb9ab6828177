//! A real dnf undoes its transaction, or cannot.

use std::{fs, process::Command};

use serde_json::Value;

use super::fleet::{Fleet, NEW, OLD, PATCH, must};

const ROLLBACK: &str =
    "patch_set: all\nselect: { updates: all }\non_failure: rollback\nreboot: never\n";

/// Fails where there is `/var/lib/breaks` and the old package is not what is installed.
const SUITE: &str = r#"suite: web
checks:
  - id: here
    command: { run: "test ! -e /var/lib/breaks || rpm -q pgtest-1", within: 30s }
"#;

/// A host whose service fails once it is patched.
fn breaking() -> Fleet {
    let fleet = Fleet::new(1);
    fs::write(fleet.place.path("patch.yaml"), ROLLBACK).unwrap();
    fs::write(fleet.place.path("suite.yaml"), SUITE).unwrap();
    fs::write(fleet.on_host(1, "breaks"), "").unwrap();
    fleet
}

/// Has the repository hold the old package too.
fn keep_old(fleet: &Fleet) {
    let name = format!("{OLD}.rpm");
    let repository = fleet.place.path("repository");
    fs::copy(fleet.place.path("old").join(&name), repository.join(name)).unwrap();
    must(Command::new("createrepo_c").arg("-q").arg(&repository));
}

fn dirty(fleet: &Fleet) -> Value {
    fleet.verdict()["hosts"][0]["dirty"].clone()
}

#[test]
fn a_host_on_which_the_patch_fails_is_rolled_back() {
    let fleet = breaking();
    keep_old(&fleet);
    let _told = fleet.run(PATCH).with(1).telling(&[
        "gate: CLOSED",
        "regression on web1 (web)",
        "rolled back: transaction",
    ]);
    assert_eq!(fleet.packages(1), [OLD]);
    assert_eq!(dirty(&fleet), Value::Null);
    assert!(!fleet.on_host(1, "patchgate/dirty").exists());
    let undone = fleet
        .events()
        .iter()
        .filter(|e| e.kind == "undo-ended")
        .count();
    assert_eq!(undone, 1);
}

#[test]
fn a_host_whose_old_package_is_gone_is_marked_until_somebody_clears_it() {
    let fleet = breaking();
    let _told = fleet
        .run(PATCH)
        .with(5)
        .telling(&["DIRTY HOSTS", "its undo failed"]);
    assert_eq!(fleet.packages(1), [NEW], "nothing was undone by half");
    let mark = fleet.on_host(1, "patchgate/dirty");
    let run = owner(&fs::read_to_string(&mark).unwrap());
    let again = PATCH.replace("-o run", "-o again");
    let _told = fleet
        .run(&again)
        .with(5)
        .telling(&["DIRTY HOSTS", "not touched", &run]);
    assert!(mark.exists());
    fs::remove_file(fleet.on_host(1, "breaks")).unwrap();
    let other = PATCH.replace("-o run", "-o other") + " --clear-dirty ";
    let _told = fleet.run(&(other + "20260101T000000Z-000000")).with(5);
    assert!(mark.exists(), "it was another run's");
    let cleared = PATCH.replace("-o run", "-o cleared") + " --clear-dirty ";
    let _told = fleet
        .run(&(cleared + &run))
        .with(0)
        .telling(&["gate: OPEN"]);
    assert!(!mark.exists());
}

/// The run that a mark names.
fn owner(mark: &str) -> String {
    let run = mark.lines().find_map(|l| l.strip_prefix("run="));
    run.unwrap().to_owned()
}
