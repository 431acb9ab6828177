//! Who the host is, and who we are on it.

use std::{fs, path::Path, process::Command, time::Duration};

use serde_json::{Value, json};

use crate::{
    evidence::assert_never_says_no_denials,
    lab::{Ended, Lab, REBUILD, await_that},
};

#[test]
fn a_changed_or_unknown_host_key_stops_everything_before_the_login() {
    let lab = Lab::with(&[REBUILD]);
    let other = new_host_key(&lab);
    for (pinned, told) in [
        (&*format!("{REBUILD},10.77.0.11 {other}\n"), "changed"),
        ("", "is not known"),
    ] {
        let known_hosts = lab.file("known_hosts", pinned);
        let real = lab.inventory().with_file_name("known_hosts");
        let inventory = lab.inventory_with(&real.to_string_lossy(), &known_hosts.to_string_lossy());
        let ended = lab.check(&inventory).with_code(6);
        ended.assert_told(told);
        for key in pinned.lines().chain([&*key_of_the_host(&real)]) {
            ended.assert_told(&fingerprint(&lab, key));
        }
        assert_stopped(&ended);
    }
    let mut said = String::new();
    await_that("sshd's own words", Duration::from_secs(20), || {
        said = lab.in_guest(REBUILD, "journalctl --quiet --no-pager -t sshd");
        said.matches("host key not verified [preauth]").count() == 2
    });
    assert!(!said.contains("authenticating user"), "{said}");
}

/// Nothing but the stop is in the record: no connection, no check.
fn assert_stopped(ended: &Ended) {
    let kinds = [("security-stopped", 1), ("host-connected", 0)];
    for (kind, count) in kinds {
        assert_eq!(ended.record.events(kind, REBUILD).len(), count, "{kind}");
    }
    let checks = &ended.record.verdict()["checks"];
    assert_eq!(checks["not_run"], checks["planned"]);
}

/// The ed25519 line of a `known_hosts` file.
fn key_of_the_host(known_hosts: &Path) -> String {
    let text = fs::read_to_string(known_hosts).unwrap();
    let mut lines = text.lines().filter(|line| line.contains("ssh-ed25519"));
    lines.next().unwrap().to_owned()
}

fn new_host_key(lab: &Lab) -> String {
    let path = lab.file("hostkey", "");
    fs::remove_file(&path).unwrap();
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    let line = fs::read_to_string(path.with_extension("pub")).unwrap();
    line.trim().to_owned()
}

/// The fingerprint as `ssh-keygen -l` shows it.
fn fingerprint(lab: &Lab, known_hosts_line: &str) -> String {
    let file = lab.file("key", known_hosts_line);
    let output = Command::new("ssh-keygen").arg("-lf").arg(file).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    text.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn an_account_with_sudo_sees_all_and_one_without_says_what_it_cannot_see() {
    let lab = Lab::with(&[REBUILD]);
    let root = "ansible_user: root\n";
    only_what_the_docs_say(&lab);
    let sudo = "ansible_user: cloud-user\n    ansible_become: true\n";
    let ended = lab.check(&lab.inventory_with(root, sudo)).with_code(0);
    assert_eq!(gaps(&ended), json!([]));

    let plain = lab.inventory_with(root, "ansible_user: cloud-user\n");
    let ended = lab.check(&plain).with_code(3);
    let gaps = gaps(&ended);
    for gap in [
        "audit-status-unreadable",
        "marker-not-written",
        "kernel-log-unreadable",
    ] {
        assert!(gaps.as_array().unwrap().contains(&json!(gap)), "{gaps}");
    }
    assert_never_says_no_denials(&ended);
}

/// Gives the account what docs/hosts.md says, in place of all that it may do.
fn only_what_the_docs_say(lab: &Lab) {
    let docs = include_str!("../../../../docs/hosts.md");
    let line = docs
        .lines()
        .find_map(|l| l.trim().strip_prefix("patchgate ALL="));
    let rule = format!("cloud-user ALL={}", line.unwrap());
    let file = "/etc/sudoers.d/90-cloud-user";
    let script = format!(
        "cat >{file} <<'END'\n{rule}\nEND\nvisudo -qcf {file} && sed -i '/^ssh-/s/^/restrict /' ~cloud-user/.ssh/authorized_keys"
    );
    lab.in_guest(REBUILD, &script);
    let other = lab.try_in_guest(REBUILD, "runuser -u cloud-user -- sudo -n -- id -u");
    assert!(!other.status.success(), "another command is let through");
}

fn gaps(ended: &Ended) -> Value {
    ended.record.verdict()["hosts"][0]["denials"][0]["gaps"].clone()
}
