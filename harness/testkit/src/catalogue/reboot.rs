//! Reboots after the patch: needed, not needed, and those that do not go well.

use super::{Case, Cells, Expectation, alone, closed, pair, undecided};
use crate::{
    scenario::Scenario,
    script::{Effect, HostScript, Moment, Rebooting},
    transport::{Break, Comeback},
};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![
        reboot_not_needed(),
        rebooted(),
        rebooted_without_restart(),
        reboot_always(),
        reboot_advised(),
        reboot_unknown(),
        reboot_by_install_times(),
        reboot_reply_lost(),
        reboot_never_back(),
        reboot_never_back_alone(),
        reboot_all_away(),
        reboot_another_key(),
        reboot_another_machine(),
        reboot_stays(),
        reboot_refused(),
        reboot_twice(),
        reboot_breaks_service(),
        reboot_brings_a_denial(),
        reboot_ends_enforcing(),
        reboot_old_kernel(),
        reboot_stopped(),
        reboot_stops_waves(),
    ]
}

const WHEN_NEEDED: &str = "patch_set: 2013-02-22\nselect: { updates: all }\nwithin: 15m\n\
                           services: { restart: [httpd] }\nreboot: when-needed\n";
const ALWAYS: &str = "patch_set: 2013-02-22\nselect: { updates: all }\nwithin: 15m\n\
                      services: { restart: [httpd] }\nreboot: always\nreboot_within: 3m\n";
const NO_RESTART: &str =
    "patch_set: 2013-02-22\nselect: { updates: all }\nwithin: 15m\nreboot: when-needed\n";

const GLIBC: &str = "glibc (none) 2.34 83.el9 x86_64";
const KERNEL: &str = "kernel-core (none) 5.14.0 362.8.1.el9_3 x86_64";
const NEW_KERNEL: &str = "kernel-core (none) 5.14.0 427.13.1.el9_4 x86_64";

/// The twin needs no reboot.
const TWIN_STAYS: (&str, &str) = ("rhel-web rebooted *", "not-needed");
const NOT_REBOOTED: Cells = &[TWIN_STAYS, ("centos-web rebooted *", "not-run")];

fn when_needed(name: &'static str, rebuild: HostScript) -> Scenario {
    Scenario {
        patch: Some(WHEN_NEEDED),
        ..pair(name, rebuild)
    }
}

/// A rebuild whose update brings a C library.
fn glibc() -> HostScript {
    let mut rebuild = HostScript::rebuild();
    rebuild.installed.push("glibc (none) 2.34 60.el9 x86_64");
    rebuild.offers(&[GLIBC])
}

/// Neither host needs a reboot: the cells say so, and the gate opens.
#[must_use]
pub fn reboot_not_needed() -> Case {
    let scenario = when_needed("reboot-not-needed", HostScript::rebuild());
    let cells: Cells = &[("* rebooted *", "not-needed")];
    (
        scenario,
        Expectation {
            cells,
            ..Expectation::OPEN
        },
    )
}

fn one_rebooted() -> Expectation {
    Expectation {
        cells: &[TWIN_STAYS],
        ..Expectation::OPEN
    }
}

/// The update brings a new C library; the host reboots and all is well.
#[must_use]
pub fn rebooted() -> Case {
    (when_needed("rebooted", glibc()), one_rebooted())
}

/// The same where no service is restarted before.
#[must_use]
pub fn rebooted_without_restart() -> Case {
    let scenario = Scenario {
        patch: Some(NO_RESTART),
        ..pair("rebooted-without-restart", glibc())
    };
    (scenario, one_rebooted())
}

/// Both hosts reboot because the patch set says so.
#[must_use]
pub fn reboot_always() -> Case {
    let scenario = Scenario {
        patch: Some(ALWAYS),
        ..pair("reboot-always", HostScript::rebuild())
    };
    (scenario, Expectation::OPEN)
}

/// An advisory asks for a reboot, as dnf5 tells; no core package is in the transaction.
#[must_use]
pub fn reboot_advised() -> Case {
    let words = "Core libraries or services have been updated since boot-up:\n  * lz4\n\n\
                 Reboot is required to fully utilize these updates.\n";
    let rebuild = HostScript::rebuild().when(Moment::Before, Rebooting::Advises(1, words));
    (when_needed("reboot-advised", rebuild), one_rebooted())
}

const NO_ADVICE: Rebooting = Rebooting::Advises(
    1,
    "No such command: needs-restarting. Please use /usr/bin/dnf --help\n",
);

/// Nobody can say whether the host needs one.
#[must_use]
pub fn reboot_unknown() -> Case {
    let rebuild = HostScript::rebuild()
        .when(Moment::Before, NO_ADVICE)
        .when(Moment::Before, Rebooting::NoInstallTimes);
    (
        when_needed("reboot-unknown", rebuild),
        undecided(3, &[], NOT_REBOOTED),
    )
}

/// There is no needs-restarting, and rpm's install times say that none is needed.
#[must_use]
pub fn reboot_by_install_times() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Before, NO_ADVICE);
    let cells: Cells = &[("* rebooted *", "not-needed")];
    (
        when_needed("reboot-by-install-times", rebuild),
        Expectation {
            cells,
            ..Expectation::OPEN
        },
    )
}

/// The host takes the order, and its answer is lost: it is not given again.
#[must_use]
pub fn reboot_reply_lost() -> Case {
    let how = Break::before("rebooting").at(0).carried_out();
    let rebuild = glibc().breaks(how.then(Comeback::After(2)));
    (when_needed("reboot-reply-lost", rebuild), one_rebooted())
}

/// The host does not come back, and its twin answers: the patch is to blame.
#[must_use]
pub fn reboot_never_back() -> Case {
    let rebuild = glibc().comes_back(Comeback::Never);
    let findings = &["host-lost.centos-web unknown suspected"];
    (
        when_needed("reboot-never-back", rebuild),
        closed(findings, NOT_REBOOTED),
    )
}

/// The host does not come back, and there is no other that could show that it is not us.
#[must_use]
pub fn reboot_never_back_alone() -> Case {
    let scenario = Scenario {
        patch: Some(WHEN_NEEDED),
        ..alone(
            "reboot-never-back-alone",
            glibc().comes_back(Comeback::Never),
        )
    };
    let cells: Cells = &[("centos-web rebooted *", "not-run")];
    (scenario, undecided(3, &[], cells))
}

/// No host comes back: it may well be the network, and none is blamed.
#[must_use]
pub fn reboot_all_away() -> Case {
    let away = |host: HostScript| host.comes_back(Comeback::Never);
    let hosts = [away(HostScript::upstream()), away(HostScript::rebuild())];
    let scenario = Scenario {
        patch: Some(ALWAYS),
        ..Scenario::new("reboot-all-away", hosts)
    };
    (scenario, undecided(3, &[], &[("* rebooted *", "not-run")]))
}

/// Somebody with another key has the host's address afterwards.
#[must_use]
pub fn reboot_another_key() -> Case {
    let rebuild = glibc().comes_back(Comeback::WithAnotherKey);
    (
        when_needed("reboot-another-key", rebuild),
        undecided(6, &[], NOT_REBOOTED),
    )
}

/// Another machine has its address and its key afterwards.
#[must_use]
pub fn reboot_another_machine() -> Case {
    let rebuild = glibc().when(Moment::Before, Rebooting::OtherMachine);
    (
        when_needed("reboot-another-machine", rebuild),
        undecided(6, &[], NOT_REBOOTED),
    )
}

/// The host takes the order and goes on as before: a reboot may come at any time.
#[must_use]
pub fn reboot_stays() -> Case {
    let rebuild = glibc().when(Moment::Before, Rebooting::StaysUp);
    (
        when_needed("reboot-stays", rebuild),
        undecided(5, &[], NOT_REBOOTED),
    )
}

/// The host does not take the order.
#[must_use]
pub fn reboot_refused() -> Case {
    let why = "Operation inhibited by \"backup\" (PID 811), reason is \"a backup is running\".";
    let rebuild = glibc().when(Moment::Before, Rebooting::Refused(why));
    (
        when_needed("reboot-refused", rebuild),
        undecided(3, &[], NOT_REBOOTED),
    )
}

/// The host boots twice after one order.
#[must_use]
pub fn reboot_twice() -> Case {
    let rebuild = glibc().when(Moment::Before, Rebooting::BootsAgain);
    let findings = &["reboot-loop.centos-web unknown suspected"];
    let cells: Cells = &[
        TWIN_STAYS,
        ("centos-web rebooted httpd/no-new-denials", "blind"),
    ];
    (
        when_needed("reboot-twice", rebuild),
        closed(findings, cells),
    )
}

/// Everything passes until the boot, after which the service does not start.
#[must_use]
pub fn reboot_breaks_service() -> Case {
    let rebuild = glibc().when(Moment::Reboot, Effect::ConfigBroken);
    let findings = &["regression.centos-web.httpd config supported"];
    let cells: Cells = &[
        TWIN_STAYS,
        ("centos-web rebooted httpd/root-page", "failed"),
        ("centos-web rebooted httpd/root-page-local", "failed"),
        ("centos-web rebooted httpd/service", "failed"),
    ];
    (
        when_needed("reboot-breaks-service", rebuild),
        closed(findings, cells),
    )
}

/// A denial of the service while the host boots, which no client notices: the window spans the boot.
#[must_use]
pub fn reboot_brings_a_denial() -> Case {
    let denied = "type=AVC msg=audit(1361503140.250:11): avc:  denied  { getattr } for  pid=283 comm=\"httpd\" \
                  path=\"/var/www/html/.htaccess\" dev=\"vda\" ino=17035 \
                  scontext=system_u:system_r:httpd_t:s0 tcontext=unconfined_u:object_r:shadow_t:s0 \
                  tclass=file permissive=0";
    let rebuild = glibc().when(Moment::Reboot, Effect::AuditLine(denied));
    let findings = &["new-denial.centos-web.httpd selinux-denial supported"];
    let cells: Cells = &[
        TWIN_STAYS,
        ("centos-web rebooted httpd/no-new-denials", "failed"),
    ];
    (
        when_needed("reboot-brings-a-denial", rebuild),
        closed(findings, cells),
    )
}

/// The host enforces no more after the boot.
#[must_use]
pub fn reboot_ends_enforcing() -> Case {
    let rebuild = glibc().when(Moment::Reboot, Effect::Permissive);
    let findings = &[
        "regression.centos-web.selinux selinux-mode supported",
        "mode-drift.centos-web selinux-mode supported",
    ];
    let cells: Cells = &[
        TWIN_STAYS,
        ("centos-web rebooted selinux/enforcing", "failed"),
        ("centos-web rebooted httpd/no-new-denials", "blind"),
    ];
    (
        when_needed("reboot-ends-enforcing", rebuild),
        closed(findings, cells),
    )
}

/// The update brings a kernel, and the host boots the one of before.
#[must_use]
pub fn reboot_old_kernel() -> Case {
    let mut rebuild = HostScript::rebuild()
        .offers(&[NEW_KERNEL])
        .when(Moment::Before, Rebooting::OldKernel);
    rebuild.installed.push(KERNEL);
    let findings = &["other-kernel.centos-web unknown suspected"];
    (
        when_needed("reboot-old-kernel", rebuild),
        undecided(3, findings, &[TWIN_STAYS]),
    )
}

/// Somebody stops the run while the host boots.
#[must_use]
pub fn reboot_stopped() -> Case {
    let scenario = Scenario {
        stop_at: Some(("centos-web", "awaiting the reboot")),
        ..when_needed("reboot-stopped", glibc())
    };
    (scenario, undecided(143, &[], NOT_REBOOTED))
}

/// A host that does not come back keeps the next wave from beginning.
#[must_use]
pub fn reboot_stops_waves() -> Case {
    let next = HostScript {
        name: "centos-db",
        address: "192.0.2.3",
        ..HostScript::rebuild()
    };
    let canary = glibc().comes_back(Comeback::Never);
    let scenario = Scenario {
        batch: "1,100%",
        patch: Some(WHEN_NEEDED),
        ..Scenario::new("reboot-stops-waves", [HostScript::upstream(), canary, next])
    };
    let findings = &["host-lost.centos-web unknown suspected"];
    let cells: Cells = &[
        TWIN_STAYS,
        ("centos-web rebooted *", "not-run"),
        ("centos-db * *", "not-run"),
    ];
    (scenario, closed(findings, cells))
}
