//! Transactions that do not end as planned.

use super::{Case, Cells, pair, undecided};
use crate::script::{Effect, HostScript, Moment};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![
        dirty(),
        failed_clean(),
        transaction_lost(),
        transaction_hangs(),
        plan_differs(),
        conflict(),
        needs_unmet(),
        packages_unknown(),
    ]
}

const NOT_RESTARTED: Cells = &[("centos-web restarted *", "not-run")];
const ONLY_BASELINE: Cells = &[
    ("centos-web patched *", "not-run"),
    ("centos-web restarted *", "not-run"),
];

/// dnf fails when one of two packages is in.
#[must_use]
pub fn dirty() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Transaction, Effect::DnfFails(1, 1));
    (pair("dirty", rebuild), undecided(5, &[], NOT_RESTARTED))
}

/// dnf fails before it changes anything.
#[must_use]
pub fn failed_clean() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Transaction, Effect::DnfFails(1, 0));
    (
        pair("failed-clean", rebuild),
        undecided(3, &[], NOT_RESTARTED),
    )
}

/// The transaction's runner dies in the middle.
#[must_use]
pub fn transaction_lost() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Transaction, Effect::TransactionLost(1));
    (
        pair("transaction-lost", rebuild),
        undecided(5, &[], NOT_RESTARTED),
    )
}

/// The transaction does not end by its deadline; it goes on, and keeps the lock.
#[must_use]
pub fn transaction_hangs() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Transaction, Effect::TransactionHangs);
    (
        pair("transaction-hangs", rebuild),
        undecided(3, &[], NOT_RESTARTED),
    )
}

/// dnf said one release and brought another.
#[must_use]
pub fn plan_differs() -> Case {
    let rebuild = HostScript {
        brings_instead: Some(vec![
            "selinux-policy (none) 3.14.3 155.el9_3.14 noarch",
            "selinux-policy-targeted (none) 3.14.3 156.el9_3.1 noarch",
        ]),
        ..HostScript::rebuild()
    };
    (pair("plan-differs", rebuild), undecided(3, &[], &[]))
}

/// dnf finds no way to do it.
#[must_use]
pub fn conflict() -> Case {
    let why = "Error: \n Problem: package httpd-2.4.57-5.el9.x86_64 requires httpd-core = \
               2.4.57-5.el9, but none of the providers can be installed\n";
    let rebuild = HostScript::rebuild().when(Moment::Before, Effect::PlanFails(why));
    (pair("conflict", rebuild), undecided(3, &[], NOT_RESTARTED))
}

/// The host has no httpd: it is not touched.
#[must_use]
pub fn needs_unmet() -> Case {
    let mut rebuild = HostScript::rebuild().when(Moment::Before, Effect::Unit("httpd", "inactive"));
    rebuild.installed.retain(|p| !p.starts_with("httpd "));
    let cells: Cells = &[
        ("centos-web baseline httpd/root-page", "failed"),
        ("centos-web baseline httpd/root-page-local", "failed"),
        ("centos-web baseline httpd/service", "failed"),
        ("centos-web patched *", "not-run"),
        ("centos-web restarted *", "not-run"),
    ];
    (pair("needs-unmet", rebuild), undecided(3, &[], cells))
}

/// rpm does not answer: what the host has is not known, so it is not touched.
#[must_use]
pub fn packages_unknown() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Before, Effect::NoRpm);
    (
        pair("packages-unknown", rebuild),
        undecided(3, &[], ONLY_BASELINE),
    )
}
