//! Undos on real machines: a transaction that real dnf undoes, one that is refused, and the lab's clean state.

use serde_json::{Value, json};

use crate::lab::{Ended, Lab, REBUILD};

/// An update whose scriptlet stops the service.
const STOPPED: &str = "patch_set: stopped\nselect: { updates: all }\n\
                       repos: { enable: [sabotage-service-stopped] }\nservices: { restart: [httpd] }\n\
                       on_failure: rollback\n";

/// February's policy.
const FEBRUARY: &str = "patch_set: february\nselect: { updates: all }\n\
                        repos: { enable: [updates-february] }\nservices: { restart: [httpd] }\n";

const QUIET: &str = "patch_set: quiet\nselect: { updates: all }\nservices: { restart: [httpd] }\n";

const MARK: &str = "/var/lib/patchgate/dirty";

#[test]
fn nightly_a_failing_update_is_rolled_back_by_dnf() {
    let lab = Lab::with(&[REBUILD]);
    let before = lab.in_guest(REBUILD, "rpm -qa | sort");
    let ended = run(&lab, STOPPED, &[]).with_code(1);
    assert_eq!(lab.in_guest(REBUILD, "rpm -qa | sort"), before);
    ended.assert_told("rolled back: transaction ");
    let verdict = ended.record.verdict();
    assert_eq!(verdict["verdict"], "closed");
    assert_eq!(host(&verdict)["dirty"], Value::Null);
    assert_gone(&lab, MARK);
    assert_gone(&lab, "/var/lib/patchgate/lock/owner");
    lab.in_guest(REBUILD, "systemctl is-active httpd");
    ended.record.assert_accounts_for_every_check();
    ended.record.assert_judged_again_the_same();
}

#[test]
fn nightly_the_policy_of_february_is_not_rolled_back_and_the_host_is_refused_until_cleared() {
    let lab = Lab::with(&[REBUILD]);
    let set = format!("{FEBRUARY}on_failure: rollback\n");
    let ended = run(&lab, &set, &[]).with_code(5);
    ended.assert_told("the vendor supports no downgrade of selinux-policy");
    assert!(ended.record.events("undo-started", REBUILD).is_empty());
    let first = run_of(&ended.record.verdict());
    let mark = lab.in_guest(REBUILD, &format!("cat {MARK}; stat -c %a {MARK}"));
    assert!(mark.starts_with(&format!("run={first}\n")), "{mark}");
    assert!(mark.ends_with("\n600\n"), "{mark}");

    let refused = run(&lab, QUIET, &[]).with_code(5);
    refused.assert_told(&format!("say `--clear-dirty {first}`"));
    assert!(refused.record.events("facts-collected", REBUILD).is_empty());
    lab.check(lab.inventory()).assert_told("DIRTY HOSTS");

    let set = FEBRUARY.replace("updates-february", "updates-march");
    let cleared = run(&lab, &set, &["--clear-dirty", &first]);
    assert_eq!(cleared.record.events("dirty-mark", REBUILD).len(), 1);
    assert!(!cleared.record.events("patch-finished", REBUILD).is_empty());
    assert_gone(&lab, MARK);
}

#[test]
fn nightly_february_is_taken_back_by_the_labs_clean_state() {
    let lab = Lab::with(&[REBUILD]);
    let before = lab.in_guest(REBUILD, "rpm -qa | sort; sha256sum </sys/fs/selinux/policy");
    let inventory = lab.inventory_with(
        "patchgate_lab: true",
        "patchgate_lab: true\n    patchgate_snapshot: lab",
    );
    let set = format!("{FEBRUARY}on_failure: reset\n");
    let set = lab.file("patchset.yaml", &set);
    let words = ["run", "--patch", set.to_str().unwrap()];
    let ended = lab.start(&inventory, &words).end().with_code(1);
    let after = lab.in_guest(REBUILD, "rpm -qa | sort; sha256sum </sys/fs/selinux/policy");
    assert_eq!(after, before);
    ended.assert_told("reset: the lab's clean state");
    let [end] = &ended.record.events("undo-ended", REBUILD)[..] else {
        panic!("it ended once");
    };
    assert!(end["what"]["end"]["reset"].is_object(), "{end}");
    let verdict = ended.record.verdict();
    assert_eq!(host(&verdict)["dirty"], Value::Null);
    assert_eq!(
        verdict["findings"][0]["cause"]["kind"],
        json!("selinux-silent-denial")
    );
    assert_gone(&lab, MARK);
    ended.record.assert_judged_again_the_same();
}

fn run(lab: &Lab, patch_set: &str, more: &[&str]) -> Ended {
    let set = lab.file("patchset.yaml", patch_set);
    let words = ["run", "--patch", set.to_str().unwrap()];
    let words: Vec<&str> = words.iter().chain(more).copied().collect();
    lab.start(lab.inventory(), &words).end()
}

fn host(verdict: &Value) -> &Value {
    &verdict["hosts"][0]
}

fn run_of(verdict: &Value) -> String {
    verdict["run"].as_str().unwrap().to_owned()
}

fn assert_gone(lab: &Lab, path: &str) {
    let there = lab.try_in_guest(REBUILD, &format!("test -e {path}"));
    assert_eq!(there.status.code(), Some(1), "{path}");
}
