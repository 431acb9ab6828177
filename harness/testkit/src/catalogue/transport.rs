//! Hosts that cannot be had, are lost, or are not what they were.

use patchgate_core::observation::HttpPhase;

use super::{Case, Cells, alone, closed, pair, undecided};
use crate::{
    expected::Expectation,
    scenario::Scenario,
    script::{Effect, HostScript, Moment},
    serve::Served,
    transport::{Break, Comeback, Connecting},
};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![
        unreachable(),
        key_changed(),
        key_changed_meanwhile(),
        locked(),
        locked_by_a_dead_run(),
        lock_broken(),
        lock_not_broken(),
        lost_at_baseline(),
        lost_while_planning(),
        lost_while_patching(),
        lost_while_patching_with_control(),
        network_gone(),
        lost_when_patched(),
        lost_when_restarted(),
        lost_at_the_end(),
        comes_back(),
        comes_back_changed(),
        lost_among_checks(),
        job_start_unheard(),
        never_holds(),
        interrupted(),
        stopped_while_planning(),
        panics(),
        diagnosis_comes_back(),
        diagnosis_lost(),
        diagnosis_comes_back_changed(),
        diagnosis_stopped(),
    ]
}

const NOTHING: Cells = &[("centos-web * *", "not-run")];
const AFTER_BASELINE: Cells = &[
    ("centos-web patched *", "not-run"),
    ("centos-web restarted *", "not-run"),
];
const AFTER_PATCHED: Cells = &[("centos-web restarted *", "not-run")];

/// Nobody answers.
#[must_use]
pub fn unreachable() -> Case {
    let rebuild = HostScript::rebuild().connecting(Connecting::Refused);
    (pair("unreachable", rebuild), undecided(3, &[], NOTHING))
}

/// Somebody else answers.
#[must_use]
pub fn key_changed() -> Case {
    let rebuild = HostScript::rebuild().connecting(Connecting::KeyChanged);
    (pair("key-changed", rebuild), undecided(6, &[], NOTHING))
}

/// The connection breaks after the patch, and somebody else answers.
#[must_use]
pub fn key_changed_meanwhile() -> Case {
    let how = Break::before("checks")
        .nth(2)
        .then(Comeback::WithAnotherKey);
    let rebuild = HostScript::rebuild().breaks(how);
    (
        pair("key-changed-meanwhile", rebuild),
        undecided(6, &[], AFTER_BASELINE),
    )
}

fn held(job: &'static str) -> HostScript {
    let held = Effect::LockedBy("20130222T020000Z-other", job);
    HostScript::rebuild().when(Moment::Before, held)
}

/// Another run works on the host.
#[must_use]
pub fn locked() -> Case {
    (pair("locked", held("running")), undecided(7, &[], NOTHING))
}

/// Another run broke off on the host.
#[must_use]
pub fn locked_by_a_dead_run() -> Case {
    (
        pair("locked-by-a-dead-run", held("lost")),
        undecided(7, &[], NOTHING),
    )
}

/// The same, and somebody said that its lock may be broken.
#[must_use]
pub fn lock_broken() -> Case {
    let scenario = Scenario {
        break_lock: Some("20130222T020000Z-other"),
        ..pair("lock-broken", held("finished 0"))
    };
    (scenario, Expectation::OPEN)
}

/// A lock is never broken while its transaction runs.
#[must_use]
pub fn lock_not_broken() -> Case {
    let scenario = Scenario {
        break_lock: Some("20130222T020000Z-other"),
        ..pair("lock-not-broken", held("running"))
    };
    (scenario, undecided(7, &[], NOTHING))
}

/// The host is lost before the checks of the baseline.
#[must_use]
pub fn lost_at_baseline() -> Case {
    let rebuild = HostScript::rebuild().breaks(Break::before("checks"));
    (
        pair("lost-at-baseline", rebuild),
        undecided(3, &[], NOTHING),
    )
}

/// The host is lost while dnf plans.
#[must_use]
pub fn lost_while_planning() -> Case {
    let rebuild = HostScript::rebuild().breaks(Break::before("planning the transaction"));
    (
        pair("lost-while-planning", rebuild),
        undecided(3, &[], AFTER_BASELINE),
    )
}

fn lost_patching() -> HostScript {
    HostScript::rebuild().breaks(Break::before("waiting for the transaction").nth(2))
}

/// The host is lost while the transaction runs, and no host stood by that was not being patched.
#[must_use]
pub fn lost_while_patching() -> Case {
    (
        pair("lost-while-patching", lost_patching()),
        undecided(3, &[], AFTER_BASELINE),
    )
}

/// The same, while a host that is patched later goes on answering: it is not the network.
#[must_use]
pub fn lost_while_patching_with_control() -> Case {
    let scenario = Scenario {
        jobs: 1,
        ..Scenario::new(
            "lost-while-patching-with-control",
            [
                HostScript {
                    inventory: "patchgate_role: rebuild",
                    ..lost_patching()
                },
                HostScript::upstream(),
            ],
        )
    };
    let findings = &["host-lost.centos-web unknown suspected"];
    (scenario, closed(findings, AFTER_BASELINE))
}

/// The same, and then the host that stood by is lost too: it may well be the network. What the
/// controller writes of a host that is gone is no answer of that host.
#[must_use]
pub fn network_gone() -> Case {
    let cut = Effect::Remote(Served::Failed(HttpPhase::FirstByteTimeout, 5000));
    let bystander = HostScript::upstream()
        .offers(&[])
        .when(Moment::Before, cut)
        .breaks(Break::before("closing the window").nth(3));
    let scenario = Scenario::new("network-gone", [bystander, lost_patching()]);
    let findings = &["broken-before.rhel-web.httpd unknown suspected"];
    let cells: Cells = &[
        ("rhel-web * httpd/root-page", "failed"),
        ("rhel-web restarted httpd/root-page", "errored"),
        ("rhel-web restarted httpd/no-new-denials", "blind"),
        ("centos-web patched *", "not-run"),
        ("centos-web restarted *", "not-run"),
    ];
    (scenario, undecided(3, findings, cells))
}

/// The host is lost before the checks of the patched state.
#[must_use]
pub fn lost_when_patched() -> Case {
    let rebuild = HostScript::rebuild().breaks(Break::before("checks").nth(2));
    (
        pair("lost-when-patched", rebuild),
        undecided(3, &[], AFTER_BASELINE),
    )
}

/// The host is lost before the checks of the restarted state.
#[must_use]
pub fn lost_when_restarted() -> Case {
    let rebuild = HostScript::rebuild().breaks(Break::before("checks").nth(3));
    (
        pair("lost-when-restarted", rebuild),
        undecided(3, &[], AFTER_PATCHED),
    )
}

/// The host is lost when the last window is to be closed: every check was made, and not every
/// denial was seen.
#[must_use]
pub fn lost_at_the_end() -> Case {
    let rebuild = HostScript::rebuild().breaks(Break::before("closing the window").nth(3));
    let cells: Cells = &[("centos-web restarted httpd/no-new-denials", "blind")];
    (pair("lost-at-the-end", rebuild), undecided(3, &[], cells))
}

/// Connections break at every step that may be asked again, and come back.
#[must_use]
pub fn comes_back() -> Case {
    let labels = [
        "taking the lock",
        "planning the transaction",
        "starting the transaction",
        "waiting for the transaction",
        "closing the window",
        "giving the lock back",
    ];
    let broken =
        |host: HostScript, label| host.breaks(Break::before(label).then(Comeback::After(3)));
    let rebuild = labels.into_iter().fold(HostScript::rebuild(), broken);
    (pair("comes-back", rebuild), Expectation::OPEN)
}

/// The connection breaks while a window opens, and comes back after a reboot that nobody asked for.
#[must_use]
pub fn comes_back_changed() -> Case {
    let rebuild = HostScript::rebuild()
        .when(Moment::Transaction, Effect::Rebooted)
        .breaks(Break::before("waiting for the transaction").then(Comeback::After(2)));
    let cells: Cells = &[("centos-web patched httpd/no-new-denials", "blind")];
    (
        pair("comes-back-changed", rebuild),
        undecided(3, &[], cells),
    )
}

/// The connection breaks among the checks of the patched state, and comes back: nobody asks again,
/// and nobody claims to know.
#[must_use]
pub fn lost_among_checks() -> Case {
    let how = Break::before("checks").nth(2).at(6).then(Comeback::AtOnce);
    let rebuild = HostScript::rebuild().breaks(how);
    let cells: Cells = &[
        ("centos-web patched httpd/service", "errored"),
        ("centos-web patched selinux/enforcing", "errored"),
    ];
    (pair("lost-among-checks", rebuild), undecided(3, &[], cells))
}

/// The job was started and nobody heard of it: asked again, it is found and not started twice.
#[must_use]
pub fn job_start_unheard() -> Case {
    let how = Break::before("starting the transaction").at(1);
    let how = how.carried_out().then(Comeback::AtOnce);
    let rebuild = HostScript::rebuild().breaks(how);
    (pair("job-start-unheard", rebuild), Expectation::OPEN)
}

/// Every connection breaks at the same question: it is not asked for ever.
#[must_use]
pub fn never_holds() -> Case {
    let how = Break::before("closing the window")
        .nth(0)
        .then(Comeback::AtOnce);
    let host = HostScript::rebuild().breaks(how);
    let cells: Cells = &[
        ("centos-web baseline httpd/no-new-denials", "blind"),
        ("centos-web patched *", "not-run"),
        ("centos-web restarted *", "not-run"),
    ];
    (alone("never-holds", host), undecided(3, &[], cells))
}

/// Somebody stops the run while a transaction is under way: it goes on by itself, and so does its
/// lock.
#[must_use]
pub fn interrupted() -> Case {
    let scenario = Scenario {
        stop_at: Some(("centos-web", "starting the transaction")),
        ..pair("interrupted", HostScript::rebuild())
    };
    let cells: Cells = &[("* patched *", "not-run"), ("* restarted *", "not-run")];
    (scenario, undecided(143, &[], cells))
}

/// Somebody stops the run while the host plans its transaction: none is begun, and nothing stays locked.
#[must_use]
pub fn stopped_while_planning() -> Case {
    let scenario = Scenario {
        stop_at: Some(("centos-web", "planning the transaction")),
        ..alone("stopped-while-planning", HostScript::rebuild())
    };
    let cells: Cells = &[("* patched *", "not-run"), ("* restarted *", "not-run")];
    (scenario, undecided(143, &[], cells))
}

/// A bug on the controller takes one host's task away: the other's goes on.
#[must_use]
pub fn panics() -> Case {
    let scenario = Scenario {
        panic_at: Some(("centos-web", "checks")),
        ..pair("panics", HostScript::rebuild())
    };
    (scenario, undecided(70, &[], NOTHING))
}

const NO_PAGE: Cells = &[
    ("centos-web baseline httpd/root-page", "failed"),
    ("centos-web baseline httpd/root-page-local", "failed"),
];

/// A check fails in a run that changes nothing, and the connection breaks while it is looked at.
fn broken_diagnosis(name: &'static str, comeback: Comeback) -> Scenario {
    let rebuild = HostScript::rebuild()
        .when(Moment::Before, Effect::FebruaryPolicy)
        .breaks(Break::before("diagnosing").at(3).then(comeback));
    Scenario {
        patch: None,
        ..alone(name, rebuild)
    }
}

/// The connection breaks in the midst of a diagnosis and comes back: everything is asked again.
#[must_use]
pub fn diagnosis_comes_back() -> Case {
    let scenario = broken_diagnosis("diagnosis-comes-back", Comeback::After(2));
    let findings = &["failure.centos-web.httpd selinux-silent-denial supported"];
    (scenario, closed(findings, NO_PAGE))
}

/// It does not come back: nothing was found, and the verdict is what it would have been.
#[must_use]
pub fn diagnosis_lost() -> Case {
    let scenario = broken_diagnosis("diagnosis-lost", Comeback::Never);
    let findings = &["failure.centos-web.httpd selinux-silent-denial supported"];
    (scenario, closed(findings, NO_PAGE))
}

/// It comes back as another host: that is a security stop, whatever it was asked for.
#[must_use]
pub fn diagnosis_comes_back_changed() -> Case {
    let scenario = broken_diagnosis("diagnosis-comes-back-changed", Comeback::WithAnotherKey);
    let findings = &["failure.centos-web.httpd selinux-silent-denial supported"];
    let expected = Expectation {
        exit: 6,
        ..closed(findings, NO_PAGE)
    };
    (scenario, expected)
}

/// Somebody stops the run during a diagnosis: the lock is given back, and the rest does not run.
#[must_use]
pub fn diagnosis_stopped() -> Case {
    let scenario = Scenario {
        stop_at: Some(("centos-web", "diagnosing")),
        ..alone("diagnosis-stopped", HostScript::rebuild().february())
    };
    let expected = closed(
        &["regression.centos-web.httpd selinux-silent-denial supported"],
        &[
            ("centos-web patched httpd/root-page", "failed"),
            ("centos-web patched httpd/root-page-local", "failed"),
            ("centos-web patched httpd/no-new-denials", "blind"),
            ("centos-web restarted *", "not-run"),
        ],
    );
    (scenario, expected)
}
