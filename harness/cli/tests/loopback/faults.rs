//! Faults that remote clients see, and the control on the host does or does not.

use super::{
    apache::Apache,
    net::{Net, SERVER},
    rig::{QUICK, Rig, outcome},
};

const PAGE: &str = include_str!("page.yaml");

/// Runs the two page checks and tells their outcomes, remote first; the gate is closed.
fn both(listen: Option<&str>, fault: impl Fn(&Net)) -> [String; 2] {
    let rig = Rig::new(PAGE);
    let _apache = listen.map(|listen| Apache::start(&rig.net, listen));
    fault(&rig.net);
    let ended = rig
        .run(QUICK)
        .with(1)
        .telling(&["gate: CLOSED, exit code 1", "failure on web1"]);
    let junit = rig.place.read("run/junit.xml");
    let outcomes = ["page", "page-local"].map(|check| outcome(&junit, check));
    let text = outcomes[0].split(": ").last().unwrap();
    assert!(
        ended.stdout.contains(text),
        "{text} is not told:\n{}",
        ended.stdout
    );
    outcomes
}

#[test]
fn a_stopped_server_refuses_both() {
    for outcome in both(None, |_| {}) {
        assert!(
            outcome.starts_with("failure patchgate.http-refused: connection refused"),
            "{outcome}"
        );
    }
}

#[test]
fn a_server_on_loopback_only_refuses_remote_clients() {
    let [remote, control] = both(Some("127.0.0.1:80"), |_| {});
    assert!(remote.contains("connection refused"), "{remote}");
    assert_eq!(control, "passed");
}

#[test]
fn a_packet_filter_lets_remote_clients_time_out() {
    let [remote, control] = both(Some("80"), |net| net.drop_packets(SERVER, 80));
    assert!(remote.contains("connect timed out after 3"), "{remote}");
    assert_eq!(control, "passed");
}
