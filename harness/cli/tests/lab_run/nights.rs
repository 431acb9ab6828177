//! Three nights: nothing new, the outage of February 2013, and the healing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::lab::{Ended, Lab, REBUILD, UPSTREAM, await_that};

#[test]
fn a_night_without_updates_opens_the_gate() {
    let verdict = night("quiet", 0);
    assert_eq!(verdict["verdict"], "open");
    assert_eq!(verdict["findings"], json!([]));
    for host in verdict["hosts"].as_array().unwrap() {
        assert_eq!(host["packages"], json!([]), "{host}");
        for state in host["denials"].as_array().unwrap() {
            assert_eq!(state["statement"], "no denials", "{host}");
        }
    }
}

#[test]
fn the_outage_of_february_closes_the_gate_and_names_what_brought_it() {
    let verdict = night("february", 1);
    assert_eq!(verdict["verdict"], "closed");
    let unseen = verdict["undecided"].as_array().unwrap().iter();
    let unseen: Vec<_> = unseen.map(|u| (&u["host"], &u["state"])).collect();
    let (host, patched, restarted) = (json!(REBUILD), json!("patched"), json!("restarted"));
    assert_eq!(unseen, [(&host, &patched), (&host, &restarted)]);
    let [finding] = &verdict["findings"].as_array().unwrap()[..] else {
        panic!("one finding, not {}", verdict["findings"]);
    };
    assert_eq!(finding["class"], "rebuild-only-regression");
    assert_eq!(finding["hosts"], json!([REBUILD]));
    assert_seen(finding, "patched", "timed out without a byte");
    assert_seen(finding, "restarted", "connection refused");
    assert_eq!(finding["cause"]["kind"], "selinux-silent-denial");
    let denial = json!({
        "source": "httpd_t", "target": "httpd_t", "class": "tcp_socket",
        "perms": ["accept", "listen"], "silenced": true,
    });
    assert_eq!(finding["cause"]["denial"], denial);
    let suspect = finding["suspects"][0]["nevra"].as_str().unwrap();
    assert!(
        suspect.starts_with("selinux-policy-targeted-3.14.3-155."),
        "{suspect}"
    );
    assert_eq!(
        finding["twin"],
        json!({ "host": UPSTREAM, "fate": "unaffected" })
    );
    // Between the checks remote clients felt it from the transaction on, and to the end.
    let outages = probed(&verdict, REBUILD)["outages"].as_array().unwrap();
    let last = outages.last().unwrap();
    assert_eq!(last["at_most_ms"], Value::Null, "it never ended: {last}");
    let during = outages[0]["during"].as_str().unwrap();
    assert!(during.starts_with("during the transaction"), "{outages:?}");
    let upstream = host_of(&verdict, UPSTREAM);
    assert!(
        upstream["packages"].to_string().contains("-155."),
        "the twin was patched too: {upstream}"
    );
}

#[test]
fn the_updates_of_march_open_the_gate_again() {
    let verdict = night("march", 0);
    assert_eq!(verdict["verdict"], "open");
    assert_eq!(verdict["findings"], json!([]));
    for name in [UPSTREAM, REBUILD] {
        let packages = host_of(&verdict, name)["packages"].to_string();
        assert!(
            packages.contains("selinux-policy-targeted-3.14.3-195."),
            "{packages}"
        );
    }
}

/// Runs a night on clean hosts, and says of it what is true of every night.
fn night(name: &str, code: i32) -> Value {
    let lab = Lab::with(&[UPSTREAM, REBUILD]);
    let before = [UPSTREAM, REBUILD].map(|host| (host, lab.processes(host)));
    let ended = lab.start_night(name).end().with_code(code);
    assert_whole(&ended);
    for host in [UPSTREAM, REBUILD] {
        let told = probed(&ended.record.verdict(), host).clone();
        assert!(told["probes"].as_u64() > Some(5), "{told}");
    }
    for (host, before) in before {
        let locked = lab.try_in_guest(host, "test -e /var/lib/patchgate/lock/owner");
        assert_eq!(locked.status.code(), Some(1), "{host} is locked");
        await_that("nothing of ours runs", Duration::from_secs(30), || {
            lab.processes(host).is_subset(&before)
        });
    }
    ended.record.verdict()
}

/// The record accounts for every check, has no gap in its evidence but what a policy silenced, and gives
/// the same verdict again.
fn assert_whole(ended: &Ended) {
    let verdict = ended.record.verdict();
    for undecided in verdict["undecided"].as_array().unwrap() {
        let why = undecided["why"].as_str().unwrap();
        let silenced = "httpd/no-new-denials: cannot be said: httpd_t may not { accept listen } on \
                        tcp_socket of httpd_t, silenced by dontaudit";
        assert!(why.starts_with(silenced), "{undecided}");
    }
    assert_eq!(verdict["exit"].as_i64(), ended.code.map(i64::from));
    ended.record.assert_accounts_for_every_check();
    ended.record.assert_judged_again_the_same();
}

/// A remote client saw this in this state.
fn assert_seen(finding: &Value, state: &str, text: &str) {
    let symptoms = finding["symptoms"].as_array().unwrap();
    let seen = symptoms.iter().any(|seen| {
        seen["state"] == state
            && seen["check"] == "httpd/root-page"
            && seen["vantage"] == "controller"
            && seen["text"].as_str().unwrap().starts_with(text)
    });
    assert!(seen, "{state}: {text}: {finding}");
}

/// What the probes of a host's page saw between the checks.
fn probed<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    let told = verdict["soak"].as_array().unwrap();
    told.iter().find(|told| told["host"] == name).unwrap()
}

fn host_of<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    let hosts = verdict["hosts"].as_array().unwrap();
    hosts.iter().find(|host| host["host"] == name).unwrap()
}
