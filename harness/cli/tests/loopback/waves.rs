//! Six hosts are patched in waves, and the first failure leaves the rest as they are.

use std::fs;

use super::fleet::{Fleet, NEW, OLD, PATCH};

/// One host, then two, then the other three.
const WAVES: &str = " --batch 1,2,100%";

#[test]
fn a_failure_in_a_wave_leaves_the_hosts_of_later_waves_untouched() {
    let fleet = Fleet::new(6);
    fs::write(fleet.on_host(3, "breaks"), "").unwrap();
    let run = PATCH.to_owned() + WAVES;
    let _told = fleet.run(&run).with(1).telling(&[
        "gate: CLOSED",
        "wave 3 was not begun",
        "regression on web3 (web)",
    ]);
    for host in 1..=3 {
        assert_eq!(fleet.packages(host), [NEW], "web{host}");
        assert!(was_connected_to(&fleet, host), "web{host}");
    }
    for host in 4..=6 {
        assert_eq!(fleet.packages(host), [OLD], "web{host}");
        assert_eq!(fleet.transactions(host), 0, "web{host}");
        assert!(!was_connected_to(&fleet, host), "web{host}");
    }
    let waves = &fleet.verdict()["waves"]["waves"];
    assert_eq!(
        waves[2]["untouched"],
        serde_json::json!(["web4", "web5", "web6"])
    );
    assert_eq!(waves[1]["patched"], serde_json::json!(["web2", "web3"]));
}

fn was_connected_to(fleet: &Fleet, host: usize) -> bool {
    fleet.hosts[host - 1]
        .log()
        .contains("Connection from 10.89.0.1 ")
}

#[test]
fn waves_without_a_failure_reach_every_host() {
    let fleet = Fleet::new(6);
    let run = PATCH.to_owned() + WAVES;
    let _told = fleet.run(&run).with(0).telling(&["gate: OPEN"]);
    for host in 1..=6 {
        assert_eq!(fleet.packages(host), [NEW], "web{host}");
        assert_eq!(fleet.transactions(host), 1, "web{host}");
    }
}
