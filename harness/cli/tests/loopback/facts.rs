//! Hosts that are only looked at.

use serde_json::Value;

use super::{
    apache::Apache,
    net::SERVER,
    rig::Rig,
    sshd::{Sshd, USER},
};

/// A suite that says what its checks rest on.
const SUITE: &str = "suite: web\nrests_on: { units: [httpd], paths: [/etc], \
                     certificates: [/etc/ssl/not-there.crt] }\n\
                     checks:\n  - id: shell\n    command: { run: \"true\" }\n";

const LOOK: &str = "facts -i inventory.yaml --suite ./suite.yaml";

fn look(rig: &Rig, to: &str) -> String {
    rig.run(&format!("{LOOK} -o {to}")).with(0).stdout
}

#[test]
fn a_plain_host_says_precisely_what_it_does_not_have() {
    let rig = Rig::new(SUITE);
    let _apache = Apache::start(&rig.net, "80");
    rig.describe("root", &[("web1", SERVER)]);
    let page = look(&rig, "run");
    for told in [
        "web1, 10.89.0.2\n",
        "seen as root",
        "\n  SELinux        Disabled, ",
        "\n  booleans       not seen: there is no selinuxfs",
        "\n  labels         not seen: there is no selinuxfs",
        "\n  policy         loaded: not seen: there is no selinuxfs; on disk: not seen: ",
        "\n  audit          not seen: ",
        "within 10 s of the controller's",
        "10.89.0.2:22 sshd",
        ":80 apache2",
        "\n  firewall       no rule",
        "\n  routes         10.89.0.0/24 dev ",
        "\n  sysctls        17 settings\n",
        "\n  certificates   none of the suites' files is there",
    ] {
        assert!(page.contains(told), "`{told}` is not told:\n{page}");
    }
    assert!(!page.to_lowercase().contains("denial"), "{page}");
    // Nothing was checked, so there is nothing to judge, and no report of a judgement.
    assert!(!rig.place.path("run/verdict.json").exists());
    let _judged = rig.run("judge run").with(4);
    assert_eq!(rig.run("facts --of run").with(0).stdout, page);
}

#[test]
fn a_user_without_rights_is_told_what_was_closed_to_him() {
    let rig = Rig::with(SUITE, Sshd::start_enforcing);
    let page = look(&rig, "run");
    for told in [
        "seen as user 4242, who may not see everything",
        "\n  SELinux        Enforcing, ",
        "\n  booleans       not seen: /sys/fs/selinux/booleans may not be read",
        "loaded: not seen: the loaded policy may not be read",
        "\n  firewall       not seen: nft: Operation not permitted (you must be root)",
        "\n  audit.log      not seen: ",
        "10.89.0.2:22",
    ] {
        assert!(page.contains(told), "`{told}` is not told:\n{page}");
    }
    assert!(
        !page.contains(":22 sshd"),
        "no user sees whose socket it is:\n{page}"
    );
    assert!(rig.sshd.log().contains(USER));
}

#[test]
fn what_changed_between_two_looks_is_told_offline() {
    let rig = Rig::new(SUITE);
    let apache = Apache::start(&rig.net, "80");
    rig.describe("root", &[("web1", SERVER)]);
    look(&rig, "before");
    rig.net.drop_packets(SERVER, 80);
    drop(apache);
    look(&rig, "after");
    let ended = rig.run("facts --diff before after").with(0);
    let ended = ended.telling(&[
        "listener 0.0.0.0:80 (apache2) is gone",
        "firewall: + inet hole in: ip daddr 10.89.0.2 tcp dport 80 drop\n",
        "seen on neither side: booleans: there is no selinuxfs\n",
    ]);
    assert!(!ended.stdout.contains("clock"), "{}", ended.stdout);
    let same = rig.run("facts --diff after after:web1").with(0);
    let _told = same.telling(&["nothing differs of what was seen"]);

    let json = rig
        .run("facts --diff before after --format json")
        .with(0)
        .stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let laid = &json["laid"][0];
    assert_eq!(laid["relation"], "times");
    assert_eq!(laid["compared"]["differences"][0]["area"], "listeners");

    let events = rig.place.read("after/events.jsonl");
    std::fs::write(
        rig.place.path("after/events.jsonl"),
        events.replacen("web1", "web2", 1),
    )
    .unwrap();
    let _told = rig.run("facts --diff before after").with(6);
    let _told = rig.run("facts --of after").with(6);
}

#[test]
fn json_holds_all_that_was_read() {
    let rig = Rig::new(SUITE);
    rig.describe("root", &[("web1", SERVER)]);
    let json = rig
        .run(&format!("{LOOK} -o run --format json"))
        .with(0)
        .stdout;
    let hosts: Value = serde_json::from_str(&json).unwrap();
    let host = &hosts[0];
    assert_eq!(host["host"], "web1");
    let why = &host["snapshot"]["policy"]["known"]["booleans"]["missing"]["why"];
    assert_eq!(why, "there is no selinuxfs");
    let sysctls = &host["snapshot"]["system"]["known"]["sysctls"]["known"];
    // In one piece, whatever the shell.
    assert!(
        sysctls["net.ipv4.ip_local_port_range"]
            .as_str()
            .unwrap()
            .contains(' ')
    );
    assert!(host["facts"]["kernel"]["known"].is_string());
}
