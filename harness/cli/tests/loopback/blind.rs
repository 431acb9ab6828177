//! A host of which little can be seen: no SELinux, no audit, and no root to look with.

use super::{
    apache::Apache,
    net::SERVER,
    rig::{CHECK, QUICK, Rig, outcome},
    sshd::USER,
};

const WHOLE: &str = include_str!("whole.yaml");
const PAGE: &str = include_str!("page.yaml");

/// The gap, the needs, and nowhere the words that only complete evidence allows.
fn a_plain_host_is_undecided_as(user: &str) {
    let rig = Rig::new(WHOLE);
    let _apache = Apache::start(&rig.net, "80");
    rig.describe(user, &[("web1", SERVER)]);
    let ended = rig
        .run(CHECK)
        .with(3)
        .telling(&["gate: UNDECIDED, exit code 3"]);
    let (verdict, junit) = (rig.verdict(), rig.place.read("run/junit.xml"));
    let told = [&ended.stdout, &verdict.to_string(), &junit];
    for text in told {
        for gap in [
            "the kernel has no SELinux",
            "selinux-absent",
            "suite web needs SELinux enforcing: it is disabled",
            "suite web needs package httpd: ",
        ] {
            assert!(text.contains(gap), "`{gap}` is not told:\n{text}");
        }
        assert!(!text.to_lowercase().contains("no denials"), "{text}");
    }
    assert_eq!(verdict["verdict"], "undecided");
    let checks = &verdict["checks"];
    assert_eq!(
        (&checks["planned"], &checks["passed"], &checks["blind"]),
        (&3.into(), &2.into(), &1.into())
    );
    assert_eq!(outcome(&junit, "page"), "passed");
    assert_eq!(outcome(&junit, "page-local"), "passed");
    let blind = outcome(&junit, "no-new-denials");
    assert!(blind.starts_with("error patchgate.blind"), "{blind}");
    let _same = rig.run("judge run").with(3);
}

#[test]
fn a_plain_host_is_undecided_as_a_user_without_rights() {
    a_plain_host_is_undecided_as(USER);
}

#[test]
fn a_plain_host_is_undecided_as_root() {
    a_plain_host_is_undecided_as("root");
}

#[test]
fn the_built_in_suites_never_open_for_a_plain_host() {
    let rig = Rig::new(PAGE);
    let _apache = Apache::start(&rig.net, "80");
    let ended = rig.run("check -i inventory.yaml -o run");
    assert_ne!(ended.code, Some(0));
    let _told = ended.telling(&["SELinux is disabled", "suite httpd needs package httpd"]);
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
