//! A host of which little can be seen: no SELinux, no audit, and no root to look with.

use super::{
    apache::Apache,
    net::SERVER,
    rig::{CHECK, QUICK, Rig, outcome},
    sshd::{Sshd, USER},
};

const WHOLE: &str = include_str!("whole.yaml");
const PAGE: &str = include_str!("page.yaml");

const NO_SELINUX: [&str; 3] = [
    "the kernel has no SELinux",
    "selinux-absent",
    "suite web needs SELinux enforcing: it is disabled",
];

/// Checks one host that serves its page: the gaps are named wherever something is told, and nowhere
/// are the words that only complete evidence allows.
fn undecided(rig: &Rig, user: &str, gaps: &[&str]) {
    let _apache = Apache::start(&rig.net, "80");
    rig.describe(user, &[("web1", SERVER)]);
    let ended = rig.run(CHECK).with(3);
    let ended = ended.telling(&["gate: UNDECIDED, exit code 3"]);
    let (verdict, junit) = (rig.verdict(), rig.place.read("run/junit.xml"));
    for text in [&ended.stdout, &verdict.to_string(), &junit] {
        for gap in gaps.iter().chain(&["suite web needs package httpd: "]) {
            assert!(text.contains(gap), "`{gap}` is not told:\n{text}");
        }
        assert!(!text.to_lowercase().contains("no denials"), "{text}");
    }
    assert_eq!(verdict["verdict"], "undecided");
    let checks = &verdict["checks"];
    let count = |name: &str| checks[name].as_u64().unwrap();
    assert_eq!(["planned", "passed", "blind"].map(count), [3, 2, 1]);
    assert_eq!(outcome(&junit, "page"), "passed");
    assert_eq!(outcome(&junit, "page-local"), "passed");
    let blind = outcome(&junit, "no-new-denials");
    assert!(blind.starts_with("error patchgate.blind"), "{blind}");
    assert_eq!(rig.run("judge run").with(3).stdout, ended.stdout);
}

#[test]
fn a_plain_host_is_undecided_as_a_user_without_rights() {
    undecided(&Rig::new(WHOLE), USER, &NO_SELINUX);
}

#[test]
fn a_plain_host_is_undecided_as_root() {
    undecided(&Rig::new(WHOLE), "root", &NO_SELINUX);
}

#[test]
fn an_enforcing_host_whose_log_may_not_be_read_is_undecided() {
    let rig = Rig::with(WHOLE, Sshd::start_enforcing);
    let gaps = ["log-unreadable", "the log could not be read", "audit.log"];
    undecided(&rig, USER, &gaps);
    let verdict = rig.verdict().to_string();
    assert!(!verdict.contains("needs SELinux"), "{verdict}");
}

#[test]
fn the_built_in_suites_never_open_for_a_plain_host() {
    let rig = Rig::new(PAGE);
    let _apache = Apache::start(&rig.net, "80");
    let ended = rig.run("check -i inventory.yaml -o run");
    assert_ne!(ended.code, Some(0));
    let _told = ended.telling(&["needs SELinux enforcing", "suite httpd needs package httpd"]);
}

#[test]
fn a_gate_that_wants_no_evidence_opens_when_all_passed() {
    let rig = Rig::new(PAGE);
    let _apache = Apache::start(&rig.net, "80");
    let ended = rig.run(QUICK).with(0).telling(&["gate: OPEN", "2 passed"]);
    assert!(
        !ended.all().to_lowercase().contains("no denials"),
        "{}",
        ended.stdout
    );
    assert_eq!(rig.verdict()["undecided"], serde_json::json!([]));
    // The same checks do not open a gate that wants evidence.
    let strict = rig
        .run("check -i inventory.yaml --suite ./suite.yaml -o strict")
        .with(3);
    let _told = strict.telling(&["selinux-absent"]);
}
