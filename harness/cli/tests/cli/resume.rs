//! Going on with a run, as people meet it.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
};

use patchgate_engine::record::digest;

use super::{CHECK, place, recorded};
use crate::program::Place;

const EVENTS: &str = "run/events.jsonl";

/// Leaves so many lines of a record, and this behind them.
fn cut(place: &Place, lines: usize, torn: &str) {
    let text = place.read(EVENTS);
    let left: String = text.split_inclusive('\n').take(lines).collect();
    fs::write(place.path(EVENTS), left + torn).unwrap();
}

/// Writes the record anew with another first event, in a chain of its own.
fn began_otherwise(place: &Place, from: &str, to: &str) {
    let (mut chain, mut text) = (String::new(), String::new());
    for line in place.read(EVENTS).lines() {
        let body = line.strip_prefix("{\"event\":").unwrap();
        let body = body.rsplit_once(",\"chain\":").unwrap().0;
        let body = body.replacen(from, to, 1);
        chain = digest(format!("{chain}{body}").as_bytes());
        text += &["{\"event\":", &body, ",\"chain\":\"", &chain, "\"}\n"].concat();
    }
    fs::write(place.path(EVENTS), text).unwrap();
}

#[test]
fn a_run_that_was_cut_off_goes_on_and_ends() {
    let place = recorded();
    let verdict = place.read("run/verdict.json");
    cut(&place, 1, "{\"event\":{\"v\":1,\"se");
    let told = [
        "the run goes on",
        "19 bytes of it were cut off",
        "run finished",
    ];
    let _went_on = place.run("resume run").with(3).telling(&told);
    let ended: serde_json::Value = serde_json::from_str(&place.read("run/verdict.json")).unwrap();
    let before: serde_json::Value = serde_json::from_str(&verdict).unwrap();
    for same in ["verdict", "exit", "checks", "run"] {
        assert_eq!(ended[same], before[same], "{same}");
    }
    let record = place.read(EVENTS);
    let again = place.run("resume run").with(3);
    let _told = again.telling(&["the run had come to its end: nothing is left to do"]);
    assert_eq!(place.read(EVENTS), record);
    assert_eq!(
        place.run("judge run --json").with(3).stdout,
        place.read("run/verdict.json")
    );
}

#[test]
fn one_controller_at_a_time_works_on_a_run() {
    let place = recorded();
    cut(&place, 1, "");
    let held = File::options()
        .append(true)
        .open(place.path(EVENTS))
        .unwrap();
    held.lock().unwrap();
    let busy = place.run("resume run").with(7);
    let _told = busy.telling(&["another controller works on `run`"]);
    let _judged = place.run("judge run").with(3);
    drop(held);
    let _went_on = place.run("resume run").with(3);
}

#[test]
fn a_damaged_record_and_other_targets_are_a_security_stop() {
    let place = recorded();
    cut(&place, 1, "");
    let whole = place.read(EVENTS);
    for (file, from, to) in [
        (EVENTS, "run-started", "run-starved"),
        ("run/plan.json", "web1", "web2"),
        ("run/targets.json", "127.0.0.1", "127.0.0.2"),
    ] {
        let text = place.read(file);
        fs::write(place.path(file), text.replacen(from, to, 1)).unwrap();
        let _stopped = place.run("resume run").with(6);
        fs::write(place.path(file), text).unwrap();
    }
    assert_eq!(place.read(EVENTS), whole, "nothing was written");
}

#[test]
fn what_cannot_be_resumed_is_refused_in_a_sentence() {
    let place = recorded();
    fs::remove_file(place.path("run/targets.json")).unwrap();
    cut(&place, 1, "");
    let _no_targets = place.run("resume run").with(2).telling(&["targets.json"]);
    began_otherwise(&place, "\"version\":\"", "\"version\":\"0.0.");
    let _other = place.run("resume run").with(2).telling(&[
        "the run cannot be resumed: patchgate 0.0.",
        "only the same version goes on with it",
    ]);
    cut(&place, 0, "{\"ev");
    let empty = place.run("resume run").with(2);
    let _told = empty.telling(&["the record ends before the run's begin: no host was touched"]);
    let _no_run = place.run("resume elsewhere").with(2);
    let _looked = place.run("facts -i inventory.yaml -o looked").with(3);
    let looked = place.run("resume looked").with(2);
    let _told = looked.telling(&["the run only looks at hosts"]);
}

#[test]
fn a_key_that_is_gone_is_told_before_anything_is_done() {
    let place = place();
    let key = "ansible_ssh_private_key_file: key, ansible_user: root";
    let inventory = place
        .read("inventory.yaml")
        .replace("ansible_user: root", key);
    fs::write(place.path("inventory.yaml"), inventory).unwrap();
    fs::write(place.path("key"), "").unwrap();
    fs::set_permissions(place.path("key"), fs::Permissions::from_mode(0o600)).unwrap();
    let _ran = place.run(&format!("{CHECK} -o run")).with(3);
    cut(&place, 1, "");
    fs::remove_file(place.path("key")).unwrap();
    let _told = place
        .run("resume run")
        .with(2)
        .telling(&["cannot read the key", "web1"]);
    assert_eq!(place.read(EVENTS).lines().count(), 1);
}
