//! Patches that fail and are undone, undos that fail, and hosts that earlier ones left dirty.

use super::{Case, Cells, Expectation, Findings, closed, open, pair, undecided};
use crate::{
    scenario::Scenario,
    script::{Change, Effect, HostScript, Moment, Undoing},
    transport::{Break, Comeback},
};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![
        undo_not_needed(),
        undo_of_nothing_seen(),
        rolled_back(),
        rolled_back_with_yum(),
        rollback_refused(),
        rollback_of_half_a_patch(),
        rollback_fails(),
        rollback_lost(),
        rollback_hangs(),
        rollback_leaves_something(),
        rollback_unmarked(),
        rollback_host_lost(),
        rollback_stopped(),
        reset(),
        reset_to_the_same_boot(),
        reset_of_half_a_patch(),
        reset_after_a_lost_reboot(),
        reset_fails(),
        reset_gone(),
        reset_only_boots(),
        reset_stopped(),
        marked(),
        mark_cleared(),
        mark_of_another_run(),
        marked_and_only_checked(),
    ]
}

const ROLLBACK: &str = "patch_set: 2013-02-22\nselect: { updates: all }\nwithin: 15m\n\
                        services: { restart: [httpd] }\non_failure: rollback\n";
const RESET: &str = "patch_set: 2013-02-22\nselect: { updates: all }\nwithin: 15m\n\
                     services: { restart: [httpd] }\non_failure: reset\nreboot_within: 3m\n";
const RESET_AND_REBOOT: &str = "patch_set: 2013-02-22\nselect: { updates: all }\nwithin: 15m\n\
                                services: { restart: [httpd] }\nreboot: always\nreboot_within: 3m\n\
                                on_failure: reset\n";

/// An earlier run.
const EARLIER: &str = "20130221T020000Z-earlier";

const TWIN_STAYS: (&str, &str) = ("rhel-web undone *", "not-needed");
/// The service does not start with what the patch brought.
const BROKEN: Findings = &["rebuild-only-regression.centos-web.httpd config supported"];
const ROOT_PAGE: (&str, &str) = ("centos-web restarted httpd/root-page", "failed");
const ROOT_PAGE_LOCAL: (&str, &str) = ("centos-web restarted httpd/root-page-local", "failed");
const SERVICE: (&str, &str) = ("centos-web restarted httpd/service", "failed");
const UNDONE: Cells = &[TWIN_STAYS, ROOT_PAGE, ROOT_PAGE_LOCAL, SERVICE];
const NOT_UNDONE: Cells = &[
    TWIN_STAYS,
    ROOT_PAGE,
    ROOT_PAGE_LOCAL,
    SERVICE,
    ("centos-web undone *", "not-run"),
];

/// A confirmed failure, on a host that is left dirty.
fn closed_and_dirty(findings: Findings, cells: Cells) -> Expectation {
    Expectation {
        exit: 5,
        ..closed(findings, cells)
    }
}

/// A rebuild whose update brings a web server that does not accept its configuration when it starts.
fn breaking() -> HostScript {
    HostScript::rebuild()
        .offers(&["httpd (none) 2.4.57 8.el9 x86_64"])
        .when(Moment::Transaction, Effect::ConfigBroken)
}

fn rolling_back(name: &'static str, rebuild: HostScript) -> Scenario {
    Scenario {
        patch: Some(ROLLBACK),
        ..pair(name, rebuild)
    }
}

fn resetting(name: &'static str, rebuild: HostScript) -> Scenario {
    let upstream = HostScript {
        inventory: "patchgate_role: upstream, patchgate_snapshot: { command: [revert, web] }",
        ..HostScript::upstream()
    };
    let rebuild = HostScript {
        inventory: "patchgate_role: rebuild, patchgate_twin: rhel-web, \
                    patchgate_snapshot: { command: [revert, web] }",
        ..rebuild
    };
    Scenario {
        patch: Some(RESET),
        ..Scenario::new(name, [upstream, rebuild])
    }
}

/// Nothing fails, and nothing is undone.
#[must_use]
pub fn undo_not_needed() -> Case {
    let scenario = rolling_back("undo-not-needed", HostScript::rebuild());
    (scenario, open(&[], &[("* undone *", "not-needed")]))
}

/// Evidence that is missing undoes nothing.
#[must_use]
pub fn undo_of_nothing_seen() -> Case {
    let blind = HostScript::rebuild().when(
        Moment::In(patchgate_core::state::State::Patched),
        Effect::AuditdDown,
    );
    let cells: Cells = &[
        ("* undone *", "not-needed"),
        ("centos-web patched httpd/no-new-denials", "blind"),
        ("centos-web restarted httpd/no-new-denials", "blind"),
    ];
    (
        rolling_back("undo-of-nothing-seen", blind),
        undecided(3, &[], cells),
    )
}

/// The service does not start with what the patch brought; the transaction is undone and all is as before.
#[must_use]
pub fn rolled_back() -> Case {
    (
        rolling_back("rolled-back", breaking()),
        closed(BROKEN, UNDONE),
    )
}

/// The same with yum.
#[must_use]
pub fn rolled_back_with_yum() -> Case {
    let rebuild = breaking().managed(patchgate_core::transaction::Manager::Yum);
    (
        rolling_back("rolled-back-with-yum", rebuild),
        closed(BROKEN, UNDONE),
    )
}

/// The policy of February: the vendor supports no downgrade, and none is tried.
#[must_use]
pub fn rollback_refused() -> Case {
    let findings = &["rebuild-only-regression.centos-web.httpd selinux-silent-denial proven"];
    let cells: Cells = &[
        TWIN_STAYS,
        ("centos-web patched httpd/root-page", "failed"),
        ("centos-web patched httpd/root-page-local", "failed"),
        ("centos-web patched httpd/no-new-denials", "blind"),
        ROOT_PAGE,
        ROOT_PAGE_LOCAL,
        SERVICE,
        ("centos-web restarted httpd/no-new-denials", "blind"),
        ("centos-web undone *", "not-run"),
    ];
    (
        rolling_back("rollback-refused", HostScript::rebuild().february()),
        closed_and_dirty(findings, cells),
    )
}

/// A transaction that failed half-way has no number that could be undone.
#[must_use]
pub fn rollback_of_half_a_patch() -> Case {
    let rebuild = HostScript::rebuild()
        .offers(&[
            "bash (none) 5.1.8 9.el9 x86_64",
            "httpd (none) 2.4.57 8.el9 x86_64",
        ])
        .when(Moment::Transaction, Effect::DnfFails(1, 1));
    let cells: Cells = &[
        TWIN_STAYS,
        ("centos-web restarted *", "not-run"),
        ("centos-web undone *", "not-run"),
    ];
    (
        rolling_back("rollback-of-half-a-patch", rebuild),
        undecided(5, &[], cells),
    )
}

/// The package manager cannot undo it: the old packages are to be had no more.
#[must_use]
pub fn rollback_fails() -> Case {
    let rebuild = breaking().when(Moment::Before, Undoing::Fails(1));
    (
        rolling_back("rollback-fails", rebuild),
        closed_and_dirty(BROKEN, NOT_UNDONE),
    )
}

/// The job of the undo breaks off.
#[must_use]
pub fn rollback_lost() -> Case {
    let rebuild = breaking().when(Moment::Before, Undoing::Lost);
    (
        rolling_back("rollback-lost", rebuild),
        closed_and_dirty(BROKEN, NOT_UNDONE),
    )
}

/// The undo does not end by its deadline; it goes on, and keeps the lock.
#[must_use]
pub fn rollback_hangs() -> Case {
    let rebuild = breaking().when(Moment::Before, Undoing::Hangs);
    (
        rolling_back("rollback-hangs", rebuild),
        closed_and_dirty(BROKEN, NOT_UNDONE),
    )
}

/// The undo goes through, and a boolean that the patch had set stays as it is.
#[must_use]
pub fn rollback_leaves_something() -> Case {
    let boolean = Change::Boolean("httpd_can_network_connect", true);
    let rebuild = breaking().when(Moment::Transaction, boolean);
    (
        rolling_back("rollback-leaves-something", rebuild),
        closed_and_dirty(BROKEN, UNDONE),
    )
}

/// The undo fails, and the host cannot be marked either.
#[must_use]
pub fn rollback_unmarked() -> Case {
    let rebuild = breaking()
        .when(Moment::Before, Undoing::Fails(1))
        .when(Moment::Before, Undoing::MarkFails);
    (
        rolling_back("rollback-unmarked", rebuild),
        closed_and_dirty(BROKEN, NOT_UNDONE),
    )
}

/// The host is lost while its transaction is undone.
#[must_use]
pub fn rollback_host_lost() -> Case {
    let rebuild = breaking().breaks(Break::before("waiting for the undo").nth(2));
    (
        rolling_back("rollback-host-lost", rebuild),
        closed_and_dirty(BROKEN, NOT_UNDONE),
    )
}

/// Somebody stops the run while the transaction is undone.
#[must_use]
pub fn rollback_stopped() -> Case {
    let scenario = Scenario {
        stop_at: Some(("centos-web", "waiting for the undo")),
        ..rolling_back("rollback-stopped", breaking())
    };
    (scenario, closed_and_dirty(BROKEN, NOT_UNDONE))
}

/// The host is brought back to its snapshot by a command.
#[must_use]
pub fn reset() -> Case {
    (resetting("reset", breaking()), closed(BROKEN, UNDONE))
}

/// The snapshot holds a running machine, so that the boot is the one of before.
#[must_use]
pub fn reset_to_the_same_boot() -> Case {
    let rebuild = breaking().when(Moment::Before, Undoing::SameBoot);
    (
        resetting("reset-to-the-same-boot", rebuild),
        closed(BROKEN, UNDONE),
    )
}

/// A transaction that failed half-way is undone by a snapshot: the host is clean.
#[must_use]
pub fn reset_of_half_a_patch() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Transaction, Effect::DnfFails(1, 1));
    let cells: Cells = &[TWIN_STAYS, ("centos-web restarted *", "not-run")];
    (
        resetting("reset-of-half-a-patch", rebuild),
        undecided(3, &[], cells),
    )
}

/// The host does not come back from its reboot; its snapshot does.
#[must_use]
pub fn reset_after_a_lost_reboot() -> Case {
    let rebuild = HostScript::rebuild().comes_back(Comeback::Never);
    let scenario = Scenario {
        patch: Some(RESET_AND_REBOOT),
        ..resetting("reset-after-a-lost-reboot", rebuild)
    };
    let findings = &["host-lost.centos-web unknown suspected"];
    let cells: Cells = &[TWIN_STAYS, ("centos-web rebooted *", "not-run")];
    (scenario, closed(findings, cells))
}

/// The command fails.
#[must_use]
pub fn reset_fails() -> Case {
    let why = "error: Domain snapshot not found";
    let rebuild = breaking().when(Moment::Before, Undoing::ResetFails(why));
    (
        resetting("reset-fails", rebuild),
        closed_and_dirty(BROKEN, NOT_UNDONE),
    )
}

/// The machine does not come back from its snapshot.
#[must_use]
pub fn reset_gone() -> Case {
    let rebuild = breaking().when(Moment::Before, Undoing::Gone);
    (
        resetting("reset-gone", rebuild),
        closed_and_dirty(BROKEN, NOT_UNDONE),
    )
}

/// The command says that it went well, and only boots the machine.
#[must_use]
pub fn reset_only_boots() -> Case {
    let rebuild = breaking().when(Moment::Before, Undoing::SameDisk);
    (
        resetting("reset-only-boots", rebuild),
        closed_and_dirty(BROKEN, NOT_UNDONE),
    )
}

/// Somebody stops the run while the host comes back.
#[must_use]
pub fn reset_stopped() -> Case {
    let scenario = Scenario {
        stop_at: Some(("centos-web", "awaiting the snapshot")),
        ..resetting("reset-stopped", breaking())
    };
    (scenario, closed_and_dirty(BROKEN, NOT_UNDONE))
}

fn marked_before() -> HostScript {
    HostScript::rebuild().when(Moment::Before, Undoing::MarkedBy(EARLIER))
}

const UNTOUCHED: Cells = &[("centos-web * *", "not-run")];

/// An earlier run left the host dirty.
#[must_use]
pub fn marked() -> Case {
    (
        pair("marked", marked_before()),
        undecided(5, &[], UNTOUCHED),
    )
}

/// The same, and somebody said that it is in order.
#[must_use]
pub fn mark_cleared() -> Case {
    let scenario = Scenario {
        clear_dirty: Some(EARLIER),
        ..pair("mark-cleared", marked_before())
    };
    (scenario, Expectation::OPEN)
}

/// What is said of another run clears nothing.
#[must_use]
pub fn mark_of_another_run() -> Case {
    let scenario = Scenario {
        clear_dirty: Some("20130220T020000Z-another"),
        ..pair("mark-of-another-run", marked_before())
    };
    (scenario, undecided(5, &[], UNTOUCHED))
}

/// A run that only checks tells of the mark and goes on.
#[must_use]
pub fn marked_and_only_checked() -> Case {
    let scenario = Scenario {
        patch: None,
        ..pair("marked-and-only-checked", marked_before())
    };
    (scenario, Expectation::OPEN)
}
