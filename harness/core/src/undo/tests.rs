//! What may be done to undo a patch, and what its events look like in a record.

use std::time::Duration;

use super::*;
use crate::{
    event::What,
    facts::Facts,
    ledger::{At, HostLedger},
    package::Nevra,
    plan::PlannedHost,
    state::State,
    transaction::{Manager, Preview},
};

const BASH: &str = "bash (none) 5.1.8 6.el9 x86_64";
const NEW_BASH: &str = "bash (none) 5.1.8 9.el9 x86_64";

fn packages(lines: &[&str]) -> Vec<Nevra> {
    let all = lines.iter().map(|l| Nevra::parse_query(l).unwrap());
    all.collect()
}

fn facts(lines: &[&str]) -> Facts {
    Facts {
        os: Reading::missing("not read"),
        kernel: Reading::missing("not read"),
        boot_id: Reading::missing("not read"),
        uid: Reading::missing("not read"),
        selinux: Reading::missing("not read"),
        packages: Reading::Known(packages(lines)),
    }
}

fn host(before: &[&str], after: &[&str], number: Option<&str>) -> HostLedger {
    let mut host = HostLedger::default();
    for (state, lines) in [(State::Baseline, before), (State::Patched, after)] {
        let value = facts(lines);
        host.states.entry(state).or_default().facts = Some(At { seq: 1, value });
    }
    host.transaction = number.map(str::to_owned);
    host.preview = Some(Box::new(Preview {
        manager: Manager::Dnf4,
        rows: Vec::new(),
        advisories: Vec::new(),
        at_least: Vec::new(),
        held: None,
    }));
    host
}

fn planned(snapshot: Option<SnapshotSource>) -> PlannedHost {
    PlannedHost {
        name: HostName::new("web").unwrap(),
        address: "192.0.2.1".to_owned(),
        role: None,
        twin: None,
        lab: false,
        snapshot,
    }
}

fn why(host: &HostLedger) -> String {
    way(OnFailure::Rollback, &planned(None), host).unwrap_err()
}

#[test]
fn a_transaction_with_a_number_can_be_undone() {
    let found = way(
        OnFailure::Rollback,
        &planned(None),
        &host(&[BASH], &[NEW_BASH], Some("12")),
    );
    let wanted = Way::Rollback {
        manager: Manager::Dnf4,
        transaction: "12".to_owned(),
    };
    assert_eq!(found, Ok(wanted));
}

/// Downgraded, installed beside others, removed: whatever the transaction did with them.
#[test]
fn what_the_vendor_does_not_support_is_refused_by_name() {
    for (before, after, named) in [
        (
            "selinux-policy-targeted (none) 3.14.3 154.el9 noarch",
            "selinux-policy-targeted (none) 3.14.3 155.el9 noarch",
            "selinux-policy-targeted-3.14.3-155.el9.noarch",
        ),
        (
            "glibc-common (none) 2.34 60.el9 x86_64",
            "glibc-common (none) 2.34 83.el9 x86_64",
            "glibc-common-2.34-83.el9.x86_64",
        ),
        (
            BASH,
            "kernel-core (none) 5.14.0 427.13.1.el9_4 x86_64",
            "kernel-core-5.14.0-427.13.1.el9_4.x86_64",
        ),
        (
            "dbus-daemon 1 1.12.20 8.el9 x86_64",
            "dbus-daemon 1 1.12.20 9.el9 x86_64",
            "dbus-daemon-1:1.12.20-9.el9.x86_64",
        ),
        (
            "libgcc (none) 11.4.1 2.el9 x86_64",
            NEW_BASH,
            "libgcc-11.4.1-2.el9.x86_64",
        ),
    ] {
        let told = why(&host(&[before], &[after, NEW_BASH], Some("12")));
        assert!(told.contains(named), "{told}");
        assert!(!told.contains("bash"), "{told}");
        assert!(told.contains("on_failure: reset"), "{told}");
    }
}

#[test]
fn names_that_only_look_alike_are_not_refused() {
    let before = [
        "httpd (none) 2.4.57 5.el9 x86_64",
        "python3-kernel (none) 1 1 noarch",
    ];
    let after = [
        "httpd (none) 2.4.57 8.el9 x86_64",
        "python3-kernel (none) 1 2 noarch",
    ];
    let found = way(
        OnFailure::Rollback,
        &planned(None),
        &host(&before, &after, Some("7")),
    );
    assert!(found.is_ok(), "{found:?}");
}

#[test]
fn a_transaction_without_a_number_or_of_unknown_changes_is_refused() {
    for number in [None, Some(""), Some("7; reboot"), Some("last"), Some("-1")] {
        let told = why(&host(&[BASH], &[NEW_BASH], number));
        assert!(
            told.contains("number of the transaction is not known"),
            "{told}"
        );
    }
    let mut unknown = host(&[BASH], &[NEW_BASH], Some("7"));
    unknown.states.remove(&State::Patched);
    assert!(why(&unknown).contains("what the transaction changed is not known"));
    let mut unplanned = host(&[BASH], &[NEW_BASH], Some("7"));
    unplanned.preview = None;
    assert!(way(OnFailure::Rollback, &planned(None), &unplanned).is_err());
}

#[test]
fn a_reset_takes_a_snapshot_and_nothing_else() {
    let policy = host(
        &["selinux-policy (none) 3.14.3 154.el9 noarch"],
        &["selinux-policy (none) 3.14.3 155.el9 noarch"],
        None,
    );
    let lab = planned(Some(SnapshotSource::Lab));
    let found = way(OnFailure::Reset, &lab, &policy);
    assert_eq!(found, Ok(Way::Reset(SnapshotSource::Lab)));
    assert!(way(OnFailure::Reset, &planned(None), &policy).is_err());
    assert!(way(OnFailure::Keep, &lab, &policy).is_err());
}

#[test]
fn a_mark_says_what_to_do() {
    let mark = Mark {
        run: "r1".to_owned(),
        since: "2026-12-01T20:00:00Z".to_owned(),
        why: "its undo failed".to_owned(),
    };
    let told = mark.told();
    for part in [
        "r1",
        "2026-12-01T20:00:00Z",
        "its undo failed",
        "`--clear-dirty r1`",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

fn libvirt() -> SnapshotSource {
    SnapshotSource::Libvirt {
        uri: "qemu:///system".to_owned(),
        domain: "web".to_owned(),
        snapshot: "clean".to_owned(),
    }
}

#[test]
fn the_events_of_an_undo_are_read_back() {
    let mark = Mark {
        run: "r1".to_owned(),
        ..Mark::default()
    };
    let ended = |end| What::UndoEnded {
        end,
        output: "Complete!".to_owned(),
        elapsed: Duration::from_secs(30),
    };
    for (kind, what) in [
        ("host-dirty", What::HostDirty { mark: mark.clone() }),
        (
            "undo-started",
            What::UndoStarted {
                how: UndoHow::Rollback {
                    job: "r1.undo".to_owned(),
                    transaction: "7".to_owned(),
                },
            },
        ),
        (
            "undo-started",
            What::UndoStarted {
                how: UndoHow::Reset {
                    snapshot: libvirt(),
                    boot_id: Reading::missing("the host could not be asked"),
                    marked: false,
                },
            },
        ),
        ("undo-ended", ended(UndoEnd::RolledBack)),
        (
            "undo-ended",
            ended(UndoEnd::Reset {
                boot_id: Reading::Known("b-2".to_owned()),
            }),
        ),
        (
            "undo-ended",
            ended(UndoEnd::Failed {
                why: "exit status 1".to_owned(),
            }),
        ),
        ("undo-ended", ended(UndoEnd::StillRunning)),
        (
            "dirty-mark",
            What::DirtyMark {
                mark,
                act: MarkAct::Written,
            },
        ),
    ] {
        let json = serde_json::to_value(&what).unwrap();
        assert_eq!(json["kind"], kind);
        assert_eq!(serde_json::from_value::<What>(json).unwrap(), what);
    }
}
