//! What a snapshot finds on scripted hosts, through the real runner and record.

#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

use patchgate_core::{
    event::What,
    snapshot::{Snapshot, policy::PolicySnapshot, system::SystemSnapshot},
    state::State,
};
use patchgate_testkit::{Change, Effect, HostScript, Moment, Scenario};

/// The snapshots of a host's states, in order.
async fn snapshots(host: HostScript) -> Vec<(State, Snapshot)> {
    let played = Scenario::new("snapshots", [host]).play().await;
    assert!(played.world.unknown().is_empty());
    let taken = |event: &patchgate_core::event::Event| {
        let What::SnapshotTaken { snapshot } = &event.what else {
            return None;
        };
        Some((event.state.unwrap(), (**snapshot).clone()))
    };
    played.recorded.iter().filter_map(taken).collect()
}

/// Policy and system of the last state of a host to which this happened before.
async fn after(effect: impl Into<Effect>) -> (PolicySnapshot, SystemSnapshot) {
    let host = HostScript::rebuild().when(Moment::Before, effect);
    let host = HostScript {
        inventory: "",
        ..host
    };
    let (_, last) = snapshots(host).await.pop().unwrap();
    let system = last.system.known().unwrap().clone();
    (last.policy.known().unwrap().clone(), system)
}

#[tokio::test(start_paused = true)]
async fn every_state_has_one_and_nothing_is_missing_on_a_healthy_host() {
    let host = HostScript {
        inventory: "",
        ..HostScript::rebuild()
    };
    let taken = snapshots(host).await;
    let states: Vec<_> = taken.iter().map(|(state, _)| *state).collect();
    assert_eq!(states, [State::Baseline, State::Patched, State::Restarted]);
    for (_, snapshot) in &taken {
        let json = serde_json::to_string(snapshot).unwrap();
        assert!(!json.contains("missing"), "{json}");
    }
    let first = &taken[0].1;
    let system = first.system.known().unwrap();
    let listens: Vec<_> = system
        .listeners
        .known()
        .unwrap()
        .iter()
        .map(|l| (l.address.as_str(), l.port, l.program.as_deref()))
        .collect();
    assert_eq!(
        listens,
        [
            ("0.0.0.0", 22, Some("sshd")),
            ("::", 22, Some("sshd")),
            ("*", 80, Some("httpd"))
        ]
    );
    assert_eq!(system.units.known().unwrap()["httpd"].active, "active");
    let policy = first.policy.known().unwrap();
    assert_eq!(policy.mode.known().unwrap(), "Enforcing");
    let labels = policy.labels.known().unwrap();
    assert!(
        labels.len() > 5 && !labels.iter().any(|l| l.is_wrong()),
        "{labels:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_is_found() {
    let (policy, _) = after(Change::Boolean("httpd_can_network_connect", true)).await;
    assert!(policy.booleans.known().unwrap()["httpd_can_network_connect"]);

    let (policy, _) = after(Change::Module("permissive_httpd_t", 400)).await;
    assert!(policy.permissive.known().unwrap().contains("httpd_t"));

    let line = "portcon tcp 9009 system_u:object_r:http_port_t:s0";
    let (policy, _) = after(Change::Customized("ports.local", line)).await;
    assert_eq!(
        policy.customizations.known().unwrap()["ports.local"],
        [line]
    );

    let (policy, _) = after(Change::Label("/var/www/html/index.html", "user_home_t")).await;
    let labels = policy.labels.known().unwrap();
    let wrong: Vec<_> = labels.iter().filter(|l| l.is_wrong()).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0].path, "/var/www/html/index.html");

    let (_, system) = after(Change::FirewallRule("tcp dport 80 drop")).await;
    let rules = system.firewall.known().unwrap();
    assert_eq!(
        rules.last().unwrap(),
        "inet filter input: tcp dport 80 drop"
    );

    let (_, system) = after(Change::Disk("/var", 100)).await;
    assert_eq!(system.disks.known().unwrap()[1].used_percent, 100);

    let (_, system) = after(Effect::OomKill("httpd")).await;
    let kills = system.oom_kills.known().unwrap();
    assert_eq!(
        (kills.len(), kills[0].victim.as_str(), kills[0].pid),
        (1, "httpd", 283)
    );

    let crt = "/etc/pki/tls/certs/localhost.crt";
    let (_, system) = after(Change::ValidUntil(crt, "Feb  5 03:04:05 2013 GMT")).await;
    assert_eq!(
        system.certificates.known().unwrap()[0].not_after,
        1_360_033_445
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_without_selinux_says_what_it_does_not_have() {
    let (policy, system) = after(Effect::NoSelinux).await;
    assert_eq!(policy.mode.known().unwrap(), "Disabled");
    for why in [
        policy.booleans.why(),
        policy.labels.why(),
        policy.loaded_sha256.why(),
    ] {
        assert_eq!(why, Some("there is no selinuxfs"));
    }
    assert!(system.listeners.known().is_some());
}
