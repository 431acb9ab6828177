//! Hosts that are only looked at, and records that are compared.

use super::{place, program::Ended, recorded};

#[test]
fn a_host_that_is_not_reached_is_told_and_ends_with_3() {
    let place = place();
    let ended = place.run("facts -i inventory.yaml -o look").with(3);
    let told = [
        "web1, 127.0.0.1",
        "Connection refused",
        "not seen: it is not in the record",
    ];
    let page = ended.telling(&told).stdout;
    assert_eq!(place.run("facts --of look").with(0).stdout, page);
    let json = place
        .run("facts --of look:web1 --format json")
        .with(0)
        .stdout;
    let hosts: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(hosts[0]["snapshot"], serde_json::Value::Null);
    // There is nothing to judge, and nobody wrote a verdict.
    assert!(!place.path("look/verdict.json").exists());
    let _judged = place.run("judge look").with(4);
}

#[test]
fn no_host_left_is_nothing_looked_at() {
    let place = place();
    let ended = place
        .run("facts -i inventory.yaml --limit all:!web1 -o look")
        .with(4);
    let _told = ended.telling(&["nothing to look at"]);
    assert!(!place.path("look").exists());
}

fn refused(arguments: &str, told: &[&str]) -> Ended {
    recorded().run(arguments).with(2).telling(told)
}

#[test]
fn what_cannot_be_compared_is_a_mistake_of_usage_that_says_why() {
    let no_snapshot = "web1: no snapshot in 20";
    let _told = refused(
        "facts --diff run",
        &["nothing to compare", no_snapshot, "--diff RUN OTHER"],
    );
    let _told = refused(
        "facts --diff run run",
        &["nothing to compare", "Connection refused"],
    );
    let _told = refused(
        "facts --diff run:web2",
        &["has no host `web2`", "its hosts are web1"],
    );
    let _told = refused(
        "facts --diff run:web1:reborn",
        &["there is no state `reborn`", "patched"],
    );
    let _told = refused(
        "facts --diff nowhere",
        &["`nowhere` is not the directory of a run"],
    );
    let _told = refused(
        "facts --of run:web1:baseline",
        &["a page is of a host's last state"],
    );
}

#[test]
fn a_damaged_record_ends_with_6() {
    let place = recorded();
    let events = place.read("run/events.jsonl");
    std::fs::write(
        place.path("run/events.jsonl"),
        events.replacen("web1", "web2", 1),
    )
    .unwrap();
    for arguments in ["facts --of run", "facts --diff run run"] {
        assert_eq!(place.run(arguments).with(6).stdout, "");
    }
}
