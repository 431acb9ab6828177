//! How a run goes on after an interruption: what of a host is another thing than it was, and how old a
//! baseline may be.

use std::time::Duration;

use crate::{
    event::PatchEnd,
    facts::Facts,
    ledger::{HostLedger, Ledger},
    package,
    plan::Plan,
    reading::Reading,
    reboot::{Need, RebootEnd, need},
    state::State,
    undo::UndoHow,
};

/// How old a baseline may be when its host is resumed. What comes after the patch is held against it, and
/// within a day of it a host's own life (logs, timers, certificates) explains few differences.
pub const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How many changed packages a sentence names.
const MAX_NAMED: usize = 5;

/// Why a run cannot be gone on with by this version of patchgate; none where it can.
#[must_use]
pub fn refusal(plan: &Plan, ledger: &Ledger, version: &str) -> Option<String> {
    if plan.preview || plan.looks_only() {
        return Some("the run only looks at hosts: start it anew".to_owned());
    }
    let Some(began) = &ledger.version else {
        return Some("the record ends before the run's begin: no host was touched".to_owned());
    };
    if began != version {
        return Some(format!(
            "patchgate {began} began the run, and this is {version}: only the same version goes on with it"
        ));
    }
    let newer = |n| format!("event {n} was written by a newer patchgate");
    ledger.unknown.map(newer)
}

/// Why a baseline of this age, in seconds, is of no use any more; none where it is.
#[must_use]
pub fn stale(baseline_s: &Reading<u64>) -> Option<String> {
    match baseline_s {
        Reading::Known(age) if *age <= STALE_AFTER.as_secs() => None,
        Reading::Known(age) => Some(format!(
            "the baseline was {} hours old when the run was resumed",
            age / 3600
        )),
        Reading::Missing { why } => Some(format!("how old the baseline is, is not known: {why}")),
    }
}

/// What of a host is another thing than the record says, or cannot be compared, one sentence each.
///
/// Where the host has `heard` of a transaction or of its undo since the last facts, or may have, packages and
/// policy are its business: only the boot is compared. A host that was about to go back to its snapshot is
/// another one in any case.
#[must_use]
pub fn changed(known: &HostLedger, now: &Facts, heard: bool) -> Vec<String> {
    let Some((state, before)) = known.last_facts() else {
        return Vec::new();
    };
    let undo = known.undo.started.as_ref().map(|s| &s.value);
    let rolled_back = match undo.filter(|_| state < State::Undone) {
        Some(UndoHow::Reset { .. }) => return Vec::new(),
        Some(UndoHow::Rollback { .. }) => true,
        None => false,
    };
    let boot = boot(known, state, before, now);
    let patched = heard && state == State::Baseline && known.has_begun_transaction();
    if patched || rolled_back {
        return boot.into_iter().collect();
    }
    let packages = differs("packages", &before.packages, &now.packages, |a, b| {
        let changes = package::difference(a, b);
        let named = changes.iter().take(MAX_NAMED).map(ToString::to_string);
        let named: Vec<_> = named.collect();
        format!("{} packages changed: {}", changes.len(), named.join(", "))
    });
    let selinux = || {
        differs("SELinux", &before.selinux, &now.selinux, |_, _| {
            "SELinux's mode, configuration or policy changed".to_owned()
        })
    };
    // What SELinux is after an ordered reboot is that reboot's business, and judged as such.
    let selinux = (!is_across_reboot(known, state)).then(selinux).flatten();
    [boot, packages, selinux].into_iter().flatten().collect()
}

/// Whether a reboot of ours lies, or may lie, between the facts of this state and now.
fn is_across_reboot(known: &HostLedger, state: State) -> bool {
    let came = match known.reboot.end.as_ref().map(|e| &e.value) {
        None | Some(RebootEnd::CameBack { .. }) => true,
        Some(RebootEnd::Stayed { .. } | RebootEnd::Refused { .. } | RebootEnd::NotBack { .. }) => {
            false
        }
    };
    known.reboot.started.is_some() && state < State::Rebooted && came
}

/// How the boot differs from the one that the host is to be in: that of its last facts, or the last one that
/// was met after a reboot of ours. While such a one is awaited, either is right.
fn boot(known: &HostLedger, state: State, before: &Facts, now: &Facts) -> Option<String> {
    let met = known.reboot.end.as_ref().map(|e| &e.value);
    let due = match (is_across_reboot(known, state), met) {
        (true, Some(RebootEnd::CameBack { boots, .. })) => Reading::Known(boots.last()?.clone()),
        (true, _) => return None,
        (false, _) => before.boot_id.clone(),
    };
    differs("boot", &due, &now.boot_id, |_, _| {
        "the host was rebooted".to_owned()
    })
}

/// Whether a host left the last state that it comes to before an undo, as far as the record shows: what its
/// clients felt of the patch is over.
#[must_use]
pub fn is_through(plan: &Plan, known: &HostLedger) -> bool {
    let left = |state| known.states.get(&state).is_some_and(|s| s.left.is_some());
    last_state(plan, known).is_some_and(left)
}

/// The last state that a host comes to before an undo; none while that is not known.
fn last_state(plan: &Plan, known: &HostLedger) -> Option<State> {
    match known.patch.as_ref()?.value {
        PatchEnd::StillRunning => None,
        PatchEnd::Exited(0) | PatchEnd::NothingToDo => {
            let reached = |s: &&State| match **s {
                State::Undone => false,
                State::Rebooted => !goes_without_reboot(plan, known),
                State::Baseline | State::Patched | State::Restarted => true,
            };
            plan.states.iter().rev().find(reached).copied()
        }
        PatchEnd::Exited(_) | PatchEnd::Lost | PatchEnd::NotStarted { .. } => Some(State::Patched),
    }
}

/// Whether a host was asked whether it needs a reboot, and never comes to the state after one.
fn goes_without_reboot(plan: &Plan, known: &HostLedger) -> bool {
    let reboot = &known.reboot;
    match reboot.end.as_ref().map(|e| &e.value) {
        Some(RebootEnd::CameBack { .. }) => false,
        Some(RebootEnd::Stayed { .. } | RebootEnd::Refused { .. } | RebootEnd::NotBack { .. }) => {
            true
        }
        None if reboot.started.is_some() => false,
        None => match plan.patch.as_ref().and_then(|set| need(set, known)) {
            Some(Need::NotNeeded { .. } | Need::Unknown { .. }) => true,
            Some(Need::Needed { .. }) | None => false,
        },
    }
}

/// What differs between two readings; what was never known tells nothing, and is told elsewhere.
fn differs<T: PartialEq>(
    what: &str,
    before: &Reading<T>,
    now: &Reading<T>,
    words: impl FnOnce(&T, &T) -> String,
) -> Option<String> {
    match (before, now) {
        (Reading::Known(a), Reading::Known(b)) => (a != b).then(|| words(a, b)),
        (Reading::Known(_), Reading::Missing { why }) => Some(format!(
            "whether the host's {what} changed is not known: {why}"
        )),
        (Reading::Missing { .. }, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        facts::{OsRelease, SelinuxFacts},
        id::RunId,
        inventory::Inventory,
        ledger::{At, Left, StateLedger},
        package::Nevra,
        patchset,
        policy::Policy,
        reboot::{Advice, Reboot, RebootSigns},
    };

    fn facts(boot: &str, packages: &[&str], mode: &str) -> Facts {
        let nevra = |line: &&str| Nevra::parse_query(line).unwrap();
        Facts {
            os: Reading::Known(OsRelease::default()),
            kernel: Reading::Known("5.14".to_owned()),
            boot_id: Reading::Known(boot.to_owned()),
            uid: Reading::Known(0),
            selinux: Reading::Known(SelinuxFacts {
                mode: mode.to_owned(),
                config_mode: None,
                policy: None,
                policy_version: None,
                policy_sha256: None,
            }),
            packages: Reading::Known(packages.iter().map(nevra).collect()),
        }
    }

    const OLD: &str = "httpd (none) 2.4.57 5.el9 x86_64";
    const NEW: &str = "httpd (none) 2.4.57 8.el9 x86_64";

    fn known(state: State, begun: bool) -> HostLedger {
        let at = |value| At { seq: 1, value };
        let known = StateLedger {
            facts: Some(at(facts("b1", &[OLD], "Enforcing"))),
            ..StateLedger::default()
        };
        HostLedger {
            states: [(state, known)].into(),
            patch_started: begun.then_some(2),
            ..HostLedger::default()
        }
    }

    #[test]
    fn what_differs_is_told() {
        let before = known(State::Baseline, false);
        for (now, want) in [
            (facts("b1", &[OLD], "Enforcing"), &[][..]),
            (facts("b2", &[OLD], "Enforcing"), &["the host was rebooted"]),
            (facts("b1", &[NEW], "Enforcing"), &["1 packages changed: "]),
            (facts("b1", &[OLD], "Permissive"), &["SELinux's mode"]),
            (
                facts("b2", &[], "Permissive"),
                &[
                    "the host was rebooted",
                    "1 packages changed: ",
                    "SELinux's mode",
                ],
            ),
        ] {
            let told = changed(&before, &now, true);
            assert_eq!(told.len(), want.len(), "{told:?}");
            assert!(
                told.iter().zip(want).all(|(t, w)| t.starts_with(w)),
                "{told:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_compared_is_told_and_never_passed_over() {
        let mut now = facts("b1", &[OLD], "Enforcing");
        now.boot_id = Reading::missing("no /proc");
        now.packages = Reading::missing("no rpm");
        now.selinux = Reading::missing("no answer");
        let told = changed(&known(State::Baseline, false), &now, true);
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told[1].ends_with("packages changed is not known: no rpm"),
            "{told:?}"
        );
    }

    /// A transaction that the host may have heard of changes packages and policy, and no boot.
    #[test]
    fn of_a_host_that_is_being_patched_only_the_boot_is_compared() {
        let now = facts("b2", &[NEW], "Permissive");
        let count = |state, begun, heard| changed(&known(state, begun), &now, heard).len();
        assert_eq!(count(State::Baseline, true, true), 1);
        assert_eq!(
            count(State::Baseline, true, false),
            3,
            "it never heard of it"
        );
        assert_eq!(count(State::Baseline, false, true), 3);
        assert_eq!(
            count(State::Patched, true, true),
            3,
            "its facts are of afterwards"
        );
        assert_eq!(
            changed(&HostLedger::default(), &now, true),
            Vec::<String>::new()
        );
    }

    /// A host whose reboot was ordered in `b1`, and how that ended.
    fn ordered(state: State, boot: &str, end: Option<RebootEnd>) -> HostLedger {
        let mut host = known(State::Patched, true);
        host.states.get_mut(&State::Patched).unwrap().facts = None;
        let facts = Some(At {
            seq: 3,
            value: facts(boot, &[OLD], "Enforcing"),
        });
        let reached = StateLedger {
            facts,
            ..StateLedger::default()
        };
        host.states.insert(state, reached);
        let at = |value| At { seq: 4, value };
        host.reboot.started = Some(at("b1".to_owned()));
        host.reboot.end = end.map(|value| At { seq: 5, value });
        host
    }

    fn came_back(boots: &[&str]) -> Option<RebootEnd> {
        Some(RebootEnd::CameBack {
            boots: boots.iter().map(ToString::to_string).collect(),
            settled: Reading::Known("running".to_owned()),
        })
    }

    #[test]
    fn a_reboot_that_was_ordered_is_no_difference_and_any_other_is() {
        let stayed = || {
            Some(RebootEnd::Stayed {
                why: "it answers".to_owned(),
            })
        };
        let (restarted, rebooted) = (State::Restarted, State::Rebooted);
        for (host, boot, differs) in [
            (ordered(restarted, "b1", None), "b1", false),
            (ordered(restarted, "b1", None), "b2", false),
            (ordered(restarted, "b1", came_back(&["b2"])), "b2", false),
            (ordered(restarted, "b1", came_back(&["b2"])), "b1", true),
            (ordered(restarted, "b1", came_back(&["b2"])), "b3", true),
            (
                ordered(restarted, "b1", came_back(&["b2", "b3"])),
                "b3",
                false,
            ),
            (
                ordered(restarted, "b1", came_back(&["b2", "b3"])),
                "b2",
                true,
            ),
            (ordered(restarted, "b1", stayed()), "b1", false),
            (ordered(restarted, "b1", stayed()), "b2", true),
            (ordered(rebooted, "b2", came_back(&["b2"])), "b2", false),
            (ordered(rebooted, "b2", came_back(&["b2"])), "b3", true),
            (known(restarted, true), "b2", true),
        ] {
            let told = changed(&host, &facts(boot, &[OLD], "Enforcing"), true);
            let wanted: &[&str] = if differs {
                &["the host was rebooted"]
            } else {
                &[]
            };
            assert_eq!(told, wanted, "{:?}, now {boot}", host.reboot);
        }
    }

    /// The state after the reboot is held against the baseline: what it did is found there.
    #[test]
    fn what_selinux_is_after_an_ordered_reboot_is_judged_and_not_compared() {
        let now = facts("b2", &[NEW], "Permissive");
        let count = |host: &HostLedger| changed(host, &now, true).len();
        let back = came_back(&["b2"]);
        assert_eq!(count(&ordered(State::Restarted, "b1", None)), 1, "packages");
        assert_eq!(count(&ordered(State::Restarted, "b1", back.clone())), 1);
        assert_eq!(count(&ordered(State::Rebooted, "b2", back)), 2);
    }

    fn plan(reboot: Reboot) -> Plan {
        let text = format!(
            "patch_set: p\nselect: {{ updates: all }}\nservices: {{ restart: [httpd] }}\nreboot: {}\n",
            reboot.word()
        );
        let set = patchset::parse(&text, "patch.yaml").unwrap();
        let run = RunId::new("r").unwrap();
        let (inventory, policy) = (Inventory::default(), Policy::strict([]));
        Plan::lay(run, &inventory, Vec::new(), Some(set), policy)
    }

    fn left(states: &[State], end: PatchEnd) -> HostLedger {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let whole = true;
        let known = || StateLedger {
            left: Some(Left { seq: 1, at, whole }),
            ..StateLedger::default()
        };
        HostLedger {
            states: states.iter().map(|s| (*s, known())).collect(),
            patch: Some(At { seq: 1, value: end }),
            ..HostLedger::default()
        }
    }

    #[test]
    fn a_host_is_through_with_the_last_state_that_it_comes_to() {
        let (patched, restarted) = ([State::Patched], [State::Patched, State::Restarted]);
        let good = || PatchEnd::Exited(0);
        for (host, without, with) in [
            (HostLedger::default(), false, false),
            (left(&patched, good()), false, false),
            (left(&patched, PatchEnd::StillRunning), false, false),
            (left(&patched, PatchEnd::Exited(1)), true, true),
            (left(&patched, PatchEnd::Lost), true, true),
            (left(&restarted, good()), true, false),
            (left(&restarted, PatchEnd::NothingToDo), true, false),
            (left(&State::ALL[1..], good()), true, true),
        ] {
            let through = |reboot| is_through(&plan(reboot), &host);
            assert_eq!(through(Reboot::Never), without, "{host:?}");
            assert_eq!(through(Reboot::Always), with, "{host:?}");
        }
    }

    #[test]
    fn a_host_that_does_not_come_to_its_reboot_is_through_without() {
        let after = |end: Option<RebootEnd>| HostLedger {
            reboot: ordered(State::Restarted, "b1", end).reboot,
            ..left(&[State::Patched, State::Restarted], PatchEnd::Exited(0))
        };
        let refused = RebootEnd::Refused { why: String::new() };
        let through = |host: &HostLedger| is_through(&plan(Reboot::WhenNeeded), host);
        assert!(through(&after(Some(refused))));
        assert!(!through(&after(None)), "it is on its way");
        assert!(
            !through(&after(came_back(&["b2"]))),
            "it is not checked yet"
        );
        let asked = |advice| {
            let mut host = left(&[State::Patched, State::Restarted], PatchEnd::Exited(0));
            let value = RebootSigns {
                boot_id: Reading::Known("b1".to_owned()),
                machine_id: Reading::missing("EL6"),
                advice: Reading::Known(advice),
                since_boot: Reading::Known(Vec::new()),
            };
            host.reboot.signs = Some(At { seq: 2, value });
            host
        };
        assert!(through(&asked(Advice::NotNeeded)));
        let packages = Vec::new();
        assert!(!through(&asked(Advice::Needed { packages })));
    }

    fn rollback() -> UndoHow {
        let (job, transaction) = ("r.undo".to_owned(), "7".to_owned());
        UndoHow::Rollback { job, transaction }
    }

    fn reset() -> UndoHow {
        UndoHow::Reset {
            snapshot: crate::undo::SnapshotSource::Lab,
            boot_id: Reading::Known("b1".to_owned()),
            marked: true,
        }
    }

    /// A host whose undo was begun after the facts of this state.
    fn undoing(state: State, how: UndoHow) -> HostLedger {
        let mut host = known(state, true);
        let at = |value| At { seq: 4, value };
        host.undo.started = Some(at(how));
        host
    }

    #[test]
    fn an_undo_changes_packages_and_policy_and_a_reset_everything() {
        let now = facts("b2", &[NEW], "Permissive");
        let count = |state, how| changed(&undoing(state, how), &now, false).len();
        assert_eq!(count(State::Restarted, rollback()), 1, "only the boot");
        assert_eq!(count(State::Restarted, reset()), 0);
        assert_eq!(
            count(State::Undone, rollback()),
            3,
            "its facts are of afterwards"
        );
        assert_eq!(count(State::Undone, reset()), 3);
    }

    #[test]
    fn what_clients_feel_is_over_before_an_undo() {
        let text = "patch_set: p\nselect: { updates: all }\nservices: { restart: [httpd] }\non_failure: rollback\n";
        let set = patchset::parse(text, "patch.yaml").unwrap();
        let run = RunId::new("r").unwrap();
        let (inventory, policy) = (Inventory::default(), Policy::strict([]));
        let plan = Plan::lay(run, &inventory, Vec::new(), Some(set), policy);
        assert_eq!(plan.states.last(), Some(&State::Undone));
        let good = PatchEnd::Exited(0);
        assert!(!is_through(&plan, &left(&[State::Patched], good.clone())));
        let states = [State::Patched, State::Restarted];
        assert!(is_through(&plan, &left(&states, good)));
    }

    #[test]
    fn a_baseline_is_good_for_a_day() {
        assert_eq!(stale(&Reading::Known(0)), None);
        assert_eq!(stale(&Reading::Known(24 * 3600)), None);
        assert!(stale(&Reading::Known(24 * 3600 + 1)).is_some());
        assert!(stale(&Reading::missing("the clock was set back")).is_some());
    }
}
