//! The scenarios, each with what it must come to.

use patchgate_core::verdict::Decision;

use crate::{expected::Expectation, scenario::Scenario, script::HostScript};

/// Scenarios and expectations, in the order in which they are told.
#[must_use]
pub fn all() -> Vec<(Scenario, Expectation)> {
    vec![quiet_night(), february()]
}

fn pair(name: &'static str, rebuild: HostScript) -> Scenario {
    Scenario::new(name, [HostScript::upstream(), rebuild])
}

/// Two hosts, an update each, nothing breaks.
#[must_use]
pub fn quiet_night() -> (Scenario, Expectation) {
    (
        pair("quiet-night", HostScript::rebuild()),
        Expectation::OPEN,
    )
}

/// The incident: the policy takes `accept` and `listen`, silently. The rebuild's clients get nothing,
/// after a restart they are refused; the twin goes on.
#[must_use]
pub fn february() -> (Scenario, Expectation) {
    let expected = Expectation {
        verdict: Decision::Closed,
        exit: 1,
        findings: &["rebuild-only-regression.centos-web.httpd selinux-silent-denial supported"],
        cells: &[
            ("centos-web patched httpd/root-page", "failed"),
            ("centos-web patched httpd/root-page-local", "failed"),
            ("centos-web restarted httpd/root-page", "failed"),
            ("centos-web restarted httpd/root-page-local", "failed"),
            ("centos-web restarted httpd/service", "failed"),
        ],
    };
    (pair("february", HostScript::rebuild().february()), expected)
}
