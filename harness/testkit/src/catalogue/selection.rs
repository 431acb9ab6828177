//! Patch sets that choose, and hosts with other package managers.

use patchgate_core::transaction::Manager;

use super::{Case, Cells, alone, pair, undecided};
use crate::{
    expected::Expectation,
    scenario::Scenario,
    script::{Effect, HostScript, Moment},
};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![
        by_advisory(),
        advisory_converged(),
        advisory_unknown(),
        advisory_not_brought(),
        by_security(),
        by_package(),
        package_not_brought(),
        package_only_claimed(),
        by_rpm_file(),
        rpm_file_damaged(),
        with_yum(),
        with_dnf5(),
    ]
}

const NOT_RESTARTED: Cells = &[("centos-web restarted *", "not-run")];

const POLICY: &str = "selinux-policy-targeted-3.14.3-155.el9_3.14.noarch";

const BY_ADVISORY: &str = "patch_set: 2013-02-22\nselect: { advisories: [RHSA-2013:0263] }\n\
                           services: { restart: [httpd] }\n";
const BY_SECURITY: &str = "patch_set: 2013-02-22\nselect: { updates: security }\n\
                           services: { restart: [httpd] }\n";
const BY_PACKAGE: &str = "patch_set: 2013-02-22\nselect:\n  packages:\n\
                          \x20   - selinux-policy-targeted-3.14.3-155.el9_3.14.noarch\n\
                          services: { restart: [httpd] }\n";
const BY_FILE: &str = "patch_set: 2013-02-22\nselect: { rpms: [openssl-libs.rpm] }\n\
                       services: { restart: [httpd] }\n";

/// A rebuild that issued the erratum under its own id, and something else.
fn advised() -> HostScript {
    HostScript::rebuild().advises(&[
        ("CESA-2013:0263", POLICY),
        (
            "CEBA-2013:0300",
            "selinux-policy-3.14.3-155.el9_3.14.noarch",
        ),
    ])
}

fn twins(name: &'static str, patch: &'static str, rebuild: HostScript) -> Scenario {
    let upstream = HostScript::upstream().advises(&[("RHSA-2013:0263", "bash-5.1.8-9.el9.x86_64")]);
    Scenario {
        patch: Some(patch),
        ..Scenario::new(name, [upstream, rebuild])
    }
}

/// One erratum, under Red Hat's id upstream and under CentOS's on the rebuild.
#[must_use]
pub fn by_advisory() -> Case {
    (
        twins("by-advisory", BY_ADVISORY, advised()),
        Expectation::OPEN,
    )
}

/// The erratum is in already: nothing is changed, and that is proven.
#[must_use]
pub fn advisory_converged() -> Case {
    let mut rebuild = advised();
    let policy = "selinux-policy-targeted (none) 3.14.3 154.el9 noarch";
    let newer = "selinux-policy-targeted (none) 3.14.3 155.el9_3.14 noarch";
    for package in &mut rebuild.installed {
        if *package == policy {
            *package = newer;
        }
    }
    let scenario = Scenario {
        patch: Some(BY_ADVISORY),
        ..alone("advisory-converged", rebuild)
    };
    (scenario, Expectation::OPEN)
}

/// The rebuild has not issued the erratum yet. dnf would say that there is nothing to do.
#[must_use]
pub fn advisory_unknown() -> Case {
    let rebuild = HostScript::rebuild().advises(&[("CEBA-2013:0263", POLICY)]);
    (
        twins("advisory-unknown", BY_ADVISORY, rebuild),
        undecided(3, &[], NOT_RESTARTED),
    )
}

/// dnf says that there is nothing to do, and the erratum's package is not in.
#[must_use]
pub fn advisory_not_brought() -> Case {
    let rebuild = advised().when(Moment::Before, Effect::PlansNothing);
    (
        twins("advisory-not-brought", BY_ADVISORY, rebuild),
        undecided(3, &[], &[]),
    )
}

/// What is called security, and nothing else.
#[must_use]
pub fn by_security() -> Case {
    (
        twins("by-security", BY_SECURITY, advised()),
        Expectation::OPEN,
    )
}

/// Exactly one package.
#[must_use]
pub fn by_package() -> Case {
    let scenario = Scenario {
        patch: Some(BY_PACKAGE),
        ..alone("by-package", HostScript::rebuild())
    };
    (scenario, Expectation::OPEN)
}

/// dnf plans the package and says that it is done, and the package is not there.
#[must_use]
pub fn package_not_brought() -> Case {
    let host = HostScript {
        brings_instead: Some(vec!["selinux-policy (none) 3.14.3 155.el9_3.14 noarch"]),
        ..HostScript::rebuild()
    };
    let scenario = Scenario {
        patch: Some(BY_PACKAGE),
        ..alone("package-not-brought", host)
    };
    (scenario, undecided(3, &[], &[]))
}

/// dnf says that there is nothing to do, and the package is not there.
#[must_use]
pub fn package_only_claimed() -> Case {
    let host = HostScript::rebuild().when(Moment::Before, Effect::PlansNothing);
    let scenario = Scenario {
        patch: Some(BY_PACKAGE),
        ..alone("package-only-claimed", host)
    };
    (scenario, undecided(3, &[], &[]))
}

fn with_file(name: &'static str) -> (Scenario, HostScript) {
    let host = HostScript::rebuild().offers(&["openssl-libs (none) 3.0.7 25.el9_3 x86_64"]);
    let scenario = Scenario {
        patch: Some(BY_FILE),
        ..alone(name, host.clone())
    };
    (scenario, host)
}

/// A file of the controller is brought, applied, and taken away.
#[must_use]
pub fn by_rpm_file() -> Case {
    (with_file("by-rpm-file").0, Expectation::OPEN)
}

/// The file does not arrive as it was read: nothing is applied.
#[must_use]
pub fn rpm_file_damaged() -> Case {
    let (scenario, host) = with_file("rpm-file-damaged");
    let host = host.when(Moment::Before, Effect::FilesDamaged);
    let scenario = Scenario {
        patch: Some(BY_FILE),
        ..alone(scenario.name, host)
    };
    (scenario, undecided(3, &[], NOT_RESTARTED))
}

/// A host with yum 3.
#[must_use]
pub fn with_yum() -> Case {
    let rebuild = HostScript::rebuild().managed(Manager::Yum);
    (pair("with-yum", rebuild), Expectation::OPEN)
}

/// A host with dnf5.
#[must_use]
pub fn with_dnf5() -> Case {
    let rebuild = HostScript::rebuild().managed(Manager::Dnf5);
    (pair("with-dnf5", rebuild), Expectation::OPEN)
}
