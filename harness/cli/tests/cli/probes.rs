//! Probes beside the patch on the command line: a gate that limits outages needs them, often enough.

use super::Place;

const PATCH: &str = "patch_set: x\nselect: { updates: all }\n";
const HOSTS: &str = "web1: { ansible_host: 127.0.0.1, ansible_port: 1, patchgate_lab: true }";
const LOCAL: &str = "suite: web\ntitle: t\nchecks:\n  - { id: shell, command: { run: 'true' } }\n";
const REMOTE: &str =
    "suite: web\ntitle: t\nchecks:\n  - { id: page, http: { url: 'http://{{ host }}/' } }\n";

const GATE: &str = "gate: g\nrequire: { suites: { web: all }, outage: { longer_than: 5s } }\n";

fn run(suite: &str, options: &str) -> super::program::Ended {
    let place = Place::new(&[])
        .with(
            "inventory.yaml",
            &format!("all: {{ hosts: {{ {HOSTS} }} }}\n"),
        )
        .with("suite.yaml", suite)
        .with("gate.yaml", GATE)
        .with("patch.yaml", PATCH);
    place.run(&format!(
        "run -i inventory.yaml -s ./suite.yaml -g gate.yaml -p patch.yaml -o run {options}"
    ))
}

#[test]
fn a_gate_that_limits_outages_refuses_to_do_without_probes() {
    let none = run(REMOTE, "--no-probes").with(2);
    assert!(
        none.stderr.contains("nothing is asked between the checks"),
        "{}",
        none.stderr
    );
    let rare = run(REMOTE, "--probe-every 5s").with(2);
    assert!(
        rare.stderr.contains("not made often enough"),
        "{}",
        rare.stderr
    );
    // Nobody is there to be patched: what counts is that it was begun.
    let often = run(REMOTE, "--probe-every 1s");
    assert_eq!(often.code, Some(3), "{}", often.stderr);
}

#[test]
fn a_gate_that_limits_outages_is_none_for_a_run_that_patches_nothing() {
    let place = Place::new(&[])
        .with(
            "inventory.yaml",
            &format!("all: {{ hosts: {{ {HOSTS} }} }}\n"),
        )
        .with("suite.yaml", REMOTE)
        .with("gate.yaml", GATE)
        .with("plain.yaml", "gate: g\nrequire: { suites: { web: all } }\n");
    let check = "check -i inventory.yaml -s ./suite.yaml -o run -g ";
    let refused = place.run(&(check.to_owned() + "gate.yaml")).with(2);
    assert!(
        refused
            .stderr
            .contains("give `check` a gate without `outage`"),
        "{}",
        refused.stderr
    );
    drop(place.run(&(check.to_owned() + "plain.yaml")).with(3));
    let judged = place.run("judge run -g gate.yaml").with(3);
    let why = "the gate limits outages, and a run that patches nothing is not probed";
    assert!(judged.stdout.contains(why), "{}", judged.stdout);
}

#[test]
fn a_suite_that_asks_nothing_from_afar_cannot_be_probed() {
    let ended = run(LOCAL, "").with(2);
    assert!(
        ended
            .stderr
            .contains("have a suite with a remote `http` check"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_rate_has_a_unit_and_bounds() {
    for bad in ["1", "50ms", "2m", "x"] {
        let ended = run(REMOTE, &format!("--probe-every {bad}")).with(2);
        assert!(
            ended.stderr.contains("from 100ms to 60s"),
            "{bad}: {}",
            ended.stderr
        );
    }
}
