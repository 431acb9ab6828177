//! Tables of the decision: when a patch counts as failed on a host, and when its undo counts as good.

use patchgate_core::{
    event::{Event, PatchEnd, What},
    ledger::Ledger,
    observation::Observation,
    package::Nevra,
    reading::Reading,
    state::State,
    undo::{self, OnFailure},
};
use patchgate_testkit::{
    HostScript, Scenario,
    night::{Night, Seen, selinux, status, unit},
};

const ROLLBACK: &str = "patch_set: 2013-02-22\nselect: { updates: all }\n\
                        services: { restart: [httpd] }\non_failure: rollback\n";

/// A quiet night whose patch set undoes what fails, and which ends with the undo.
fn night() -> Night {
    let rebuild = HostScript {
        inventory: "patchgate_role: rebuild",
        ..HostScript::rebuild()
    };
    Night::of(&Scenario {
        patch: Some(ROLLBACK),
        ..Scenario::new("night", [rebuild])
    })
}

/// The same before anything was undone.
fn so_far() -> Night {
    let mut night = night();
    night.seen.remove(&State::Undone);
    night
}

fn wanted(night: &Night, events: &[Event]) -> Option<String> {
    undo::wanted(
        &night.plan,
        &Ledger::fold(events),
        &night.plan.hosts[0].name,
    )
}

/// With another end of the transaction.
fn ended(night: &Night, other: &PatchEnd) -> Vec<Event> {
    let mut events = night.events();
    for event in &mut events {
        if let What::PatchFinished { end, .. } = &mut event.what {
            *end = other.clone();
        }
    }
    events
}

fn broken(seen: &mut Seen) {
    seen.page(&status(500));
}

fn permissive(seen: &mut Seen) {
    if let Reading::Known(facts) = &mut seen.facts.selinux {
        facts.mode = "Permissive".to_owned();
    }
}

fn unit_down(seen: &mut Seen) {
    seen.sees("service", unit("failed", "exit-code"));
}

fn not_enforcing(seen: &mut Seen) {
    seen.sees("enforcing", selinux("Permissive"));
}

fn errored(seen: &mut Seen) {
    let why = "no client".to_owned();
    seen.sees("root-page", Observation::Errored { why });
}

fn blind(seen: &mut Seen) {
    seen.spoilt = Some(|c| c.begin = Reading::missing("gone"));
}

fn same_packages(seen: &mut Seen) {
    seen.facts = night().seen[&State::Baseline].facts.clone();
}

#[test]
fn what_is_confirmed_to_have_failed_is_undone() {
    for (name, night) in [
        ("from the patch on", so_far().from(State::Patched, broken)),
        ("once restarted", so_far().at(State::Restarted, broken)),
        ("until restarted", so_far().at(State::Patched, broken)),
        ("unit", so_far().at(State::Restarted, unit_down)),
        ("mode", so_far().from(State::Patched, permissive)),
        (
            "mode, by its check",
            so_far().from(State::Patched, not_enforcing),
        ),
    ] {
        assert!(wanted(&night, &night.events()).is_some(), "{name}");
    }
}

#[test]
fn what_nobody_saw_fail_is_not_undone() {
    let mut kept = so_far().from(State::Patched, broken);
    kept.plan.patch.as_mut().unwrap().on_failure = OnFailure::Keep;
    let mut lenient = so_far().from(State::Patched, broken);
    lenient.plan.policy.suites.clear();
    lenient.plan.policy.forbid.clear();
    let lost = Night {
        lost: Some("connection refused".to_owned()),
        ..so_far()
    };
    let unchanged = so_far().from(State::Patched, same_packages);
    for (name, night) in [
        ("quiet", so_far()),
        ("failed before", so_far().from(State::Baseline, broken)),
        ("errored", so_far().from(State::Patched, errored)),
        ("blind", so_far().from(State::Patched, blind)),
        ("lost", lost),
        ("nobody asks for it", lenient),
        ("kept", kept),
        ("nothing changed", unchanged.from(State::Patched, broken)),
    ] {
        assert_eq!(wanted(&night, &night.events()), None, "{name}");
    }
}

#[test]
fn a_transaction_that_is_only_partly_in_is_undone() {
    let lost = PatchEnd::Lost;
    let running = PatchEnd::StillRunning;
    let away = PatchEnd::NotStarted {
        why: "no lock".to_owned(),
    };
    for (end, due) in [
        (PatchEnd::Exited(0), false),
        (PatchEnd::Exited(1), true),
        (lost, true),
        (running, false),
        (away, false),
        (PatchEnd::NothingToDo, false),
    ] {
        let night = so_far();
        assert_eq!(
            wanted(&night, &ended(&night, &end)).is_some(),
            due,
            "{end:?}"
        );
    }
    let unchanged = so_far().from(State::Patched, same_packages);
    let failed = ended(&unchanged, &PatchEnd::Exited(1));
    assert_eq!(
        wanted(&unchanged, &failed),
        None,
        "it failed and changed nothing"
    );
}

fn trouble(night: &Night) -> Option<String> {
    let ledger = Ledger::fold(&night.events());
    undo::trouble(&night.plan, &ledger, &night.plan.hosts[0].name)
}

/// A patch that failed and was undone.
fn undone() -> Night {
    night().at(State::Restarted, broken)
}

#[test]
fn an_undo_is_good_where_all_is_as_before() {
    assert_eq!(trouble(&undone()), None);
    let before = undone().at(State::Baseline, |s| s.sees("root-page", status(500)));
    let still = before.at(State::Undone, |s| s.sees("root-page", status(500)));
    assert_eq!(trouble(&still), None, "what failed before may fail after");
    assert_eq!(
        trouble(&so_far().at(State::Restarted, broken)).unwrap(),
        "the patch failed and was not undone: restarted: status 500 instead of 200 (from the controller)"
    );
    assert_eq!(trouble(&so_far()), None);
}

#[test]
fn whatever_differs_after_an_undo_is_named() {
    let install = |seen: &mut Seen| {
        let package = Nevra::parse_query("telnet (none) 0.17 85.el9 x86_64").unwrap();
        if let Reading::Known(packages) = &mut seen.facts.packages {
            packages.push(package);
        }
    };
    let kernel = |s: &mut Seen| s.facts.kernel = Reading::Known("5.14.0-427.el9".to_owned());
    let spoilt = |s: &mut Seen| s.spoilt = Some(|c| c.end = Reading::missing("gone"));
    for (change, told) in [
        (
            &install as &dyn Fn(&mut Seen),
            "installed telnet-0.17-85.el9.x86_64",
        ),
        (
            &|s| s.facts.packages = Reading::missing("no rpm"),
            "its packages are not known",
        ),
        (&kernel, "the kernel is another one"),
        (&permissive, "SELinux is another one"),
        (
            &|s| s.facts.selinux = Reading::missing("gone"),
            "SELinux is another one",
        ),
        (
            &|s| s.snapshot = None,
            "its snapshots are not in the record",
        ),
        (&broken, "httpd/root-page: failed"),
        (&|s| s.february(), "httpd_t may not { accept listen }"),
        (
            &|s| s.vectors = Reading::missing("gone"),
            "the access vectors could not be read",
        ),
        (&spoilt, "httpd/no-new-denials: blind"),
    ] {
        let why = trouble(&undone().at(State::Undone, change));
        let why = why.unwrap_or_else(|| panic!("{told} is not seen"));
        assert!(why.contains(told), "{told}: {why}");
    }
}
