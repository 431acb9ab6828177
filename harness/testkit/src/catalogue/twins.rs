//! What becomes of the upstream twin decides how a regression is called.

use super::{Case, closed, pair};
use crate::{scenario::Scenario, script::HostScript, transport::Connecting};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![twin_fails_too(), twin_unknown(), twin_only()]
}

fn faulty_upstream() -> HostScript {
    HostScript::upstream()
        .offers(&["selinux-policy-targeted (none) 3.14.3 155.el9_3.14 noarch"])
        .february()
}

/// The upstream host has the same policy and the same outage.
#[must_use]
pub fn twin_fails_too() -> Case {
    let hosts = [faulty_upstream(), HostScript::rebuild().february()];
    let expected = closed(
        &[
            "regression.centos-web.httpd selinux-silent-denial proven",
            "regression.rhel-web.httpd selinux-silent-denial proven",
        ],
        &[
            ("* patched httpd/root-page", "failed"),
            ("* patched httpd/root-page-local", "failed"),
            ("* restarted httpd/root-page", "failed"),
            ("* restarted httpd/root-page-local", "failed"),
            ("* restarted httpd/service", "failed"),
            ("* patched httpd/no-new-denials", "blind"),
            ("* restarted httpd/no-new-denials", "blind"),
        ],
    );
    (Scenario::new("twin-fails-too", hosts), expected)
}

/// The upstream host was not to be had: a regression, and nobody can say that it is the rebuild's.
#[must_use]
pub fn twin_unknown() -> Case {
    let upstream = HostScript::upstream().connecting(Connecting::Refused);
    let hosts = [upstream, HostScript::rebuild().february()];
    let expected = closed(
        &["regression.centos-web.httpd selinux-silent-denial proven"],
        &[
            ("rhel-web * *", "not-run"),
            ("centos-web patched httpd/root-page", "failed"),
            ("centos-web patched httpd/root-page-local", "failed"),
            ("centos-web restarted httpd/root-page", "failed"),
            ("centos-web restarted httpd/root-page-local", "failed"),
            ("centos-web restarted httpd/service", "failed"),
            ("centos-web patched httpd/no-new-denials", "blind"),
            ("centos-web restarted httpd/no-new-denials", "blind"),
        ],
    );
    (Scenario::new("twin-unknown", hosts), expected)
}

/// Only the upstream host has the outage.
#[must_use]
pub fn twin_only() -> Case {
    let mut scenario = pair("twin-only", HostScript::rebuild());
    scenario.hosts[0] = faulty_upstream();
    let expected = closed(
        &["regression.rhel-web.httpd selinux-silent-denial proven"],
        &[
            ("rhel-web patched httpd/root-page", "failed"),
            ("rhel-web patched httpd/root-page-local", "failed"),
            ("rhel-web restarted httpd/root-page", "failed"),
            ("rhel-web restarted httpd/root-page-local", "failed"),
            ("rhel-web restarted httpd/service", "failed"),
            ("rhel-web patched httpd/no-new-denials", "blind"),
            ("rhel-web restarted httpd/no-new-denials", "blind"),
        ],
    );
    (scenario, expected)
}
