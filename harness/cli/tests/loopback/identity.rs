//! Hosts that are not, or not provably, those that were meant.

use std::{fs, os::unix::fs::PermissionsExt};

use super::rig::{QUICK, Rig, outcome};

const PAGE: &str = include_str!("page.yaml");

/// Runs into a security stop: exit code 6, nobody logs in, and every planned check is in the reports.
fn stopped(rig: &Rig, told: &[&str]) {
    let ended = rig.run(QUICK).with(6).telling(told);
    assert!(ended.stdout.contains("exit code 6"), "{}", ended.stdout);
    assert!(!rig.sshd.log().contains("Accepted"), "{}", rig.sshd.log());
    let (verdict, junit) = (rig.verdict().to_string(), rig.place.read("run/junit.xml"));
    for text in told {
        assert!(
            verdict.contains(text),
            "`{text}` is not in the verdict: {verdict}"
        );
        assert!(junit.contains(text), "`{text}` is not in JUnit: {junit}");
    }
    for check in ["page", "page-local"] {
        let outcome = outcome(&junit, check);
        assert!(
            outcome.starts_with("error patchgate.not-run"),
            "{check}: {outcome}"
        );
    }
    let _same = rig.run("judge run").with(6);
}

#[test]
fn a_changed_host_key_stops_with_both_fingerprints() {
    let rig = Rig::new(PAGE);
    rig.sshd.keygen("former");
    rig.pin(&rig.sshd.public("former.pub"));
    let (is, was) = (
        rig.sshd.fingerprint("host.pub"),
        rig.sshd.fingerprint("former.pub"),
    );
    stopped(&rig, &["host key of `10.89.0.2` changed", &is, &was]);
}

#[test]
fn an_unknown_host_key_stops() {
    let rig = Rig::new(PAGE);
    fs::write(rig.place.path("known"), "").unwrap();
    let is = rig.sshd.fingerprint("host.pub");
    stopped(&rig, &[&is, "of `10.89.0.2` is not known"]);
}

#[test]
fn a_private_key_that_others_can_read_stops() {
    let rig = Rig::new(PAGE);
    fs::set_permissions(rig.sshd.path("id"), PermissionsExt::from_mode(0o644)).unwrap();
    stopped(&rig, &["has mode 0644, others must not have access to it"]);
}

#[test]
fn a_login_that_is_refused_is_undecided() {
    let rig = Rig::new(PAGE);
    fs::write(rig.sshd.path("id.pub"), "").unwrap();
    let ended = rig.run(QUICK).with(3);
    let _told = ended.telling(&["login as `checker` refused", "2 not-run"]);
}
