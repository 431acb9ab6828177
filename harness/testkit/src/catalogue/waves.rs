//! Canaries and batches: who is patched when, and who is not touched any more.

use super::{Case, Cells, closed, open, undecided};
use crate::{
    expected::Expectation,
    scenario::Scenario,
    script::{Effect, HostScript, Moment},
    transport::Connecting,
};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![
        waves_pass(),
        canary_fails(),
        canary_of_the_inventory(),
        waves_within_the_budget(),
        waves_of_unreachable_hosts(),
        interrupted_between_waves(),
        kind_not_in_the_first_wave(),
    ]
}

/// One more rebuild, twin of the upstream host.
fn other(name: &'static str, address: &'static str) -> HostScript {
    HostScript {
        name,
        address,
        ..HostScript::rebuild()
    }
}

/// The upstream host and three rebuilds.
fn fleet() -> Vec<HostScript> {
    vec![
        HostScript::upstream(),
        HostScript::rebuild(),
        other("centos-db", "192.0.2.3"),
        other("centos-mx", "192.0.2.4"),
    ]
}

fn in_waves(name: &'static str, batch: &'static str, hosts: Vec<HostScript>) -> Scenario {
    Scenario {
        batch,
        ..Scenario::new(name, hosts)
    }
}

const FEBRUARY: &str = "rebuild-only-regression.centos-web.httpd selinux-silent-denial proven";

/// Two waves, the first of a host and its twin, and all is well.
#[must_use]
pub fn waves_pass() -> Case {
    (in_waves("waves-pass", "1,100%", fleet()), Expectation::OPEN)
}

/// The canary has the outage: nobody else is touched.
#[must_use]
pub fn canary_fails() -> Case {
    let mut hosts = fleet();
    hosts[1] = HostScript::rebuild().february();
    let cells: Cells = &[
        ("centos-web patched httpd/root-page", "failed"),
        ("centos-web patched httpd/root-page-local", "failed"),
        ("centos-web restarted httpd/root-page", "failed"),
        ("centos-web restarted httpd/root-page-local", "failed"),
        ("centos-web restarted httpd/service", "failed"),
        ("centos-web patched httpd/no-new-denials", "blind"),
        ("centos-web restarted httpd/no-new-denials", "blind"),
        ("centos-db * *", "not-run"),
        ("centos-mx * *", "not-run"),
    ];
    let scenario = in_waves("canary-fails", "1,1,100%", hosts);
    (scenario, closed(&[FEBRUARY], cells))
}

/// The inventory names the canaries; one of them cannot be said to be well, so nobody else is touched.
#[must_use]
pub fn canary_of_the_inventory() -> Case {
    let mut hosts = fleet();
    hosts[3].inventory = "patchgate_role: rebuild, patchgate_twin: rhel-web, patchgate_wave: 1";
    let down = (Moment::Transaction, Effect::AuditdDown);
    hosts[3].effects.push(down);
    let cells: Cells = &[
        ("centos-mx patched httpd/no-new-denials", "blind"),
        ("centos-mx restarted httpd/no-new-denials", "blind"),
        ("centos-web * *", "not-run"),
        ("centos-db * *", "not-run"),
    ];
    let scenario = in_waves("canary-of-the-inventory", "", hosts);
    (scenario, undecided(3, &[], cells))
}

/// One host of the first wave cannot be had, which is as many as may be: the others are patched, and the
/// gate does not open.
#[must_use]
pub fn waves_within_the_budget() -> Case {
    let mut hosts = fleet();
    hosts[1] = HostScript::rebuild().connecting(Connecting::Refused);
    let scenario = Scenario {
        max_bad: "25%",
        ..in_waves("waves-within-the-budget", "2", hosts)
    };
    (
        scenario,
        undecided(3, &[], &[("centos-web * *", "not-run")]),
    )
}

/// A host of each of two waves cannot be had: together more than may be.
#[must_use]
pub fn waves_of_unreachable_hosts() -> Case {
    let mut hosts = fleet();
    hosts[1] = HostScript::rebuild().connecting(Connecting::Refused);
    hosts[2] = other("centos-db", "192.0.2.3").connecting(Connecting::Refused);
    let cells: Cells = &[
        ("centos-web * *", "not-run"),
        ("centos-db * *", "not-run"),
        ("centos-mx * *", "not-run"),
    ];
    let scenario = Scenario {
        max_bad: "1",
        ..in_waves("waves-of-unreachable-hosts", "2,1", hosts)
    };
    (scenario, undecided(3, &[], cells))
}

/// Somebody stops the run when the first wave is nearly over: the next is not begun.
#[must_use]
pub fn interrupted_between_waves() -> Case {
    let hosts = vec![HostScript::upstream(), HostScript::rebuild()];
    let mut scenario = in_waves("interrupted-between-waves", "1", hosts);
    scenario.hosts[0].inventory = "patchgate_role: upstream, patchgate_wave: 1";
    scenario.stop_at = Some(("rhel-web", "giving the lock back"));
    (
        scenario,
        undecided(143, &[], &[("centos-web * *", "not-run")]),
    )
}

/// A later wave has a distribution that the first had not: told, and no reason against the gate.
#[must_use]
pub fn kind_not_in_the_first_wave() -> Case {
    let mut hosts = fleet();
    hosts[3].os = ["almalinux", "8.10", "AlmaLinux 8.10 (Cerulean Leopard)"];
    (
        in_waves("kind-not-in-the-first-wave", "1,100%", hosts),
        open(&[], &[]),
    )
}
