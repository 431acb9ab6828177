//! How a run goes on after an interruption: what of a host is another thing than it was, and how old a
//! baseline may be.

use std::time::Duration;

use crate::{
    facts::Facts,
    ledger::{HostLedger, Ledger},
    package,
    plan::Plan,
    reading::Reading,
    state::State,
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
/// Where the host has `heard` of a transaction since the last facts, or may have, packages and policy are
/// its business: only the boot is compared.
#[must_use]
pub fn changed(known: &HostLedger, now: &Facts, heard: bool) -> Vec<String> {
    let Some((state, before)) = known.last_facts() else {
        return Vec::new();
    };
    let boot = differs("boot", &before.boot_id, &now.boot_id, |_, _| {
        "the host was rebooted".to_owned()
    });
    if heard && state == State::Baseline && known.has_begun_transaction() {
        return boot.into_iter().collect();
    }
    let packages = differs("packages", &before.packages, &now.packages, |a, b| {
        let changes = package::difference(a, b);
        let named = changes.iter().take(MAX_NAMED).map(ToString::to_string);
        let named: Vec<_> = named.collect();
        format!("{} packages changed: {}", changes.len(), named.join(", "))
    });
    let selinux = differs("SELinux", &before.selinux, &now.selinux, |_, _| {
        "SELinux's mode, configuration or policy changed".to_owned()
    });
    [boot, packages, selinux].into_iter().flatten().collect()
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
        ledger::{At, StateLedger},
        package::Nevra,
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

    #[test]
    fn a_baseline_is_good_for_a_day() {
        assert_eq!(stale(&Reading::Known(0)), None);
        assert_eq!(stale(&Reading::Known(24 * 3600)), None);
        assert!(stale(&Reading::Known(24 * 3600 + 1)).is_some());
        assert!(stale(&Reading::missing("the clock was set back")).is_some());
    }
}
