//! What can be said of denials, and what cannot.

use serde_json::json;

use crate::lab::{Ended, Lab, REBUILD};

#[test]
fn without_auditd_nobody_says_that_there_are_no_denials() {
    let lab = Lab::with(&[REBUILD]);
    lab.in_guest(REBUILD, "systemctl stop auditd");
    let ended = lab.check(lab.inventory()).with_code(3);
    let verdict = ended.record.verdict();
    assert_eq!(verdict["verdict"], "undecided");
    assert!(
        verdict["undecided"]
            .to_string()
            .contains("auditd-not-running"),
        "{verdict}"
    );
    assert_never_says_no_denials(&ended);

    lab.in_guest(REBUILD, "systemctl start auditd");
    let ended = lab.check(lab.inventory()).with_code(0);
    ended.assert_told("no denials");
}

/// Neither people nor programs are told that there are no denials.
pub(crate) fn assert_never_says_no_denials(ended: &Ended) {
    let verdict = ended.record.text("verdict.json");
    let junit = ended.record.text("junit.xml");
    for text in [&ended.console, &verdict, &junit] {
        assert!(!text.contains("no denials"), "{text}");
    }
}

#[test]
fn a_denial_that_clients_feel_is_found_and_named() {
    let lab = Lab::with(&[REBUILD]);
    let page = "/var/www/html/index.html";
    lab.in_guest(REBUILD, &format!("chcon -t user_home_t {page}"));
    let ended = lab.check(lab.inventory()).with_code(1);
    let verdict = ended.record.verdict();
    let finding = &verdict["findings"][0];
    assert_eq!(finding["class"], "failure", "{verdict}");
    assert!(
        finding["symptom"].as_str().unwrap().contains("403"),
        "{finding}"
    );
    assert_eq!(finding["cause"]["kind"], "selinux-label");
    let denial = &finding["cause"]["denial"];
    assert_eq!(denial["source"], "httpd_t");
    assert_eq!(denial["target"], "user_home_t");
    assert_eq!(denial["class"], "file");
    assert_eq!(denial["silenced"], json!(false));

    lab.in_guest(REBUILD, &format!("restorecon {page}"));
    let ended = lab.check(lab.inventory()).with_code(0);
    ended.assert_told("gate: OPEN");
}
