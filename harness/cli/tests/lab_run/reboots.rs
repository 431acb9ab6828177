//! Reboots of a real machine: one that is not needed, and one that is made.

use serde_json::{Value, json};

use crate::lab::{Ended, Lab, REBUILD};

const WHEN_NEEDED: &str = "patch_set: quiet\nselect: { updates: all }\nservices: { restart: [httpd] }\n\
                           reboot: when-needed\n";

const ALWAYS: &str = "patch_set: quiet\nselect: { updates: all }\nservices: { restart: [httpd] }\n\
                      reboot: always\nreboot_within: 5m\n";

#[test]
fn nightly_a_host_that_needs_no_reboot_goes_on_in_its_boot() {
    let lab = Lab::with(&[REBUILD]);
    let before = boot_of(&lab);
    let ended = run(&lab, WHEN_NEEDED).with_code(0);
    assert_eq!(boot_of(&lab), before);
    let verdict = ended.record.verdict();
    let checks = &verdict["checks"];
    assert_eq!(
        checks["planned"].as_u64(),
        Some(checks["passed"].as_u64().unwrap() + checks["not_needed"].as_u64().unwrap()),
        "{checks}"
    );
    assert_eq!(
        checks["not_needed"].as_u64().unwrap() * 4,
        checks["planned"].as_u64().unwrap()
    );
    assert!(
        reboot_of(&verdict).starts_with("not rebooted: "),
        "{verdict}"
    );
    assert!(ended.record.events("reboot-started", REBUILD).is_empty());
    ended.record.assert_accounts_for_every_check();
    ended.record.assert_judged_again_the_same();
}

#[test]
fn nightly_a_host_is_rebooted_and_checked_with_a_window_over_its_boot() {
    let lab = Lab::with(&[REBUILD]);
    let before = boot_of(&lab);
    let ended = run(&lab, ALWAYS).with_code(0);
    let after = boot_of(&lab);
    assert_ne!(after, before);
    let [started] = &ended.record.events("reboot-started", REBUILD)[..] else {
        panic!("it was ordered once");
    };
    assert_eq!(started["what"]["boot_id"], json!(before));
    let [end] = &ended.record.events("reboot-ended", REBUILD)[..] else {
        panic!("it ended once");
    };
    assert_eq!(end["what"]["end"]["came-back"]["boots"], json!([after]));
    let verdict = ended.record.verdict();
    assert_eq!(verdict["checks"]["planned"], verdict["checks"]["passed"]);
    let told = verdict["hosts"][0]["denials"]
        .as_array()
        .unwrap()
        .last()
        .unwrap();
    assert_eq!(told["state"], "rebooted");
    assert_eq!(told["gaps"], json!([]), "{told}");
    let locked = lab.try_in_guest(REBUILD, "test -e /var/lib/patchgate/lock/owner");
    assert_eq!(locked.status.code(), Some(1), "the lock was given back");
    ended.record.assert_accounts_for_every_check();
    ended.record.assert_judged_again_the_same();
}

fn run(lab: &Lab, patch_set: &str) -> Ended {
    let set = lab.file("patchset.yaml", patch_set);
    let words = ["run", "--patch", set.to_str().unwrap()];
    lab.start(lab.inventory(), &words).end()
}

fn boot_of(lab: &Lab) -> String {
    let text = lab.in_guest(REBUILD, "cat /proc/sys/kernel/random/boot_id");
    text.trim().to_owned()
}

fn reboot_of(verdict: &Value) -> &str {
    verdict["hosts"][0]["reboot"].as_str().unwrap_or_default()
}
