//! A scenario's night: prepare the host, play the update through the main job, look at the verdict and
//! at the host.

use std::{collections::BTreeSet, ffi::OsStr, fs, time::Duration};

use crate::{
    lab::{Ended, Lab, REBUILD, await_that},
    others, row,
    scenario::Scenario,
    wrong::{self, Wrong},
};

/// Prints the state of a host: `ci/lab/specs/trigger/mark`.
const MARK: &str = "/usr/libexec/lab-trigger/mark";
/// The same as the sabotage left it.
const MARK_BEFORE: &str = "cat /root/after-sabotage";

/// Plays a scenario, and says of it all that must be true.
pub(crate) fn play(scenario: &Scenario) {
    let lab = Lab::with(&[REBUILD]);
    if let Some(setup) = scenario.file("setup.sh") {
        lab.in_guest(REBUILD, &fs::read_to_string(setup).unwrap());
    }
    let processes = lab.processes(REBUILD);
    let ended = run(&lab, scenario);
    keep(scenario, &ended);

    let mut wrong = Wrong::default();
    wrong::of_the_verdict(&mut wrong, scenario, &ended);
    compare_marks(&mut wrong, &lab, scenario);
    await_nothing_of_ours(&lab, &processes);
    let said = others::ask(&lab, scenario);
    row::write(scenario, &ended, &said, wrong.is_empty());
    wrong.assert_none(&ended.console);
}

/// Runs the night to its end; the client trusts the host's own authority, if it has one.
fn run(lab: &Lab, scenario: &Scenario) -> Ended {
    let patch = lab.file("patch.yaml", &scenario.patch_set());
    let suite = scenario.file("suite.yaml");
    let mut words = vec!["run", "--patch", patch.to_str().unwrap()];
    words.extend(["--suite", "httpd", "--suite", "selinux"]);
    if let Some(path) = &suite {
        words.extend(["--suite", path.to_str().unwrap()]);
    }
    let trusted = others::authority(lab);
    let environment: Vec<(&str, &OsStr)> = trusted
        .iter()
        .map(|path| ("SSL_CERT_FILE", path.as_os_str()))
        .collect();
    lab.start_with(lab.inventory(), &words, &environment).end()
}

/// Keeps what came of it where people can read it.
fn keep(scenario: &Scenario, ended: &Ended) {
    let dir = row::directory(scenario);
    for name in ["events.jsonl", "verdict.json"] {
        fs::write(dir.join(name), ended.record.text(name)).unwrap();
    }
    fs::write(dir.join("console"), &ended.console).unwrap();
}

/// The host is as the update left it: nothing that we looked at, tried and took back shows.
fn compare_marks(wrong: &mut Wrong, lab: &Lab, scenario: &Scenario) {
    let before = lab.in_guest(REBUILD, MARK_BEFORE);
    let after = lab.in_guest(REBUILD, MARK);
    // httpd's own state is the restart's work, which the patch set asks for.
    let ours = |line: &&str| !(scenario.restart && line.starts_with("httpd "));
    let (before, after): (BTreeSet<&str>, BTreeSet<&str>) = (
        before.lines().filter(ours).collect(),
        after.lines().filter(ours).collect(),
    );
    for line in before.difference(&after) {
        wrong.say(format!("the host had before, and has no more: {line}"));
    }
    for line in after.difference(&before) {
        wrong.say(format!("the host had not before, and has: {line}"));
    }
}

/// No lock, no switch that still waits, no process.
fn await_nothing_of_ours(lab: &Lab, before: &BTreeSet<String>) {
    let locked = lab.try_in_guest(REBUILD, "test -e /var/lib/patchgate/lock/owner");
    assert_eq!(locked.status.code(), Some(1), "the host is locked");
    await_that("nothing of ours runs", Duration::from_secs(30), || {
        lab.processes(REBUILD).is_subset(before)
    });
}
