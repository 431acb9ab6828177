//! What an experiment can be told by: the host before and after it, and whether there is still a failure
//! to make one about.

use super::HostMark;
use crate::{
    id::CheckId,
    observation::Observation,
    outcome::{self, Outcome},
    plan::Plan,
};

impl HostMark {
    /// What is another thing after than before, one phrase each; empty when the host is the same.
    #[must_use]
    pub fn differences(&self, after: &Self) -> Vec<String> {
        let plain = [
            ("the SELinux mode", &self.mode, &after.mode),
            (
                "the loaded policy",
                &self.loaded_sha256,
                &after.loaded_sha256,
            ),
            ("the policy on disk", &self.disk_sha256, &after.disk_sha256),
            (
                "the list of policy modules",
                &self.modules_sha256,
                &after.modules_sha256,
            ),
            (
                "the booleans in force",
                &self.booleans_sha256,
                &after.booleans_sha256,
            ),
        ];
        let changed = plain.iter().filter(|(_, before, after)| before != after);
        let mut all: Vec<_> = changed
            .map(|(what, ..)| format!("{what} changed"))
            .collect();
        for (unit, was) in &self.units {
            match after.units.get(unit) {
                Some(is) if alike(was, is) => {}
                Some(is) => all.push(format!("{unit} was {was} and is {is}")),
                None => all.push(format!("{unit} was {was} and does not say what it is")),
            }
        }
        all
    }
}

/// Whether two states of a unit are one: a unit that was caught while it failed again and again is `failed`
/// now and `activating` then. One that had failed for good and is `activating` is not: its start has no end.
fn alike(was: &str, is: &str) -> bool {
    was == is || (was == "activating" && is == "failed")
}

/// Whether at least one of the checks still fails, as it was seen when it was asked again: without a
/// failure there is nothing that an experiment could turn.
#[must_use]
pub fn still_fails(plan: &Plan, asked: &[(CheckId, Observation)]) -> bool {
    asked.iter().any(|(id, saw)| {
        let outcome = plan
            .check(id)
            .and_then(|(_, check)| outcome::evaluate(&check.kind, saw));
        match outcome {
            Some(Outcome::Failed { .. }) => true,
            Some(
                Outcome::Passed
                | Outcome::Blind { .. }
                | Outcome::Errored { .. }
                | Outcome::NotRun { .. }
                | Outcome::NotNeeded { .. },
            )
            | None => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use super::*;
    use crate::{
        id::RunId,
        inventory,
        observation::{CommandEnd, CommandSeen},
        policy::Policy,
        suite,
    };

    fn mark() -> HostMark {
        HostMark {
            mode: "1".to_owned(),
            loaded_sha256: "aa".to_owned(),
            disk_sha256: "bb".to_owned(),
            modules_sha256: "cc".to_owned(),
            booleans_sha256: "dd".to_owned(),
            units: BTreeMap::from([("httpd".to_owned(), "failed".to_owned())]),
        }
    }

    #[test]
    fn a_host_that_is_the_same_has_no_differences() {
        assert_eq!(mark().differences(&mark()), Vec::<String>::new());
    }

    #[test]
    fn a_unit_that_fails_again_and_again_is_the_same_and_one_whose_start_hangs_is_not() {
        let of = |state: &str| HostMark {
            units: BTreeMap::from([("httpd".to_owned(), state.to_owned())]),
            ..mark()
        };
        let (failed, activating) = (of("failed"), of("activating"));
        assert_eq!(activating.differences(&failed), Vec::<String>::new());
        assert_eq!(activating.differences(&activating), Vec::<String>::new());
        let hangs = ["httpd was failed and is activating"];
        assert_eq!(failed.differences(&activating), hangs);
    }

    type Change = fn(&mut HostMark);

    /// Each field by itself: one that was forgotten would pass for the same.
    #[test]
    fn every_part_of_the_mark_counts() {
        let changes: [(Change, &str); 7] = [
            (|m| m.mode = "0".into(), "the SELinux mode changed"),
            (|m| m.loaded_sha256.clear(), "the loaded policy changed"),
            (|m| m.disk_sha256.clear(), "the policy on disk changed"),
            (
                |m| m.modules_sha256.clear(),
                "the list of policy modules changed",
            ),
            (
                |m| m.booleans_sha256.clear(),
                "the booleans in force changed",
            ),
            (
                |m| m.units = BTreeMap::from([("httpd".into(), "active".into())]),
                "httpd was failed and is active",
            ),
            (
                |m| m.units.clear(),
                "httpd was failed and does not say what it is",
            ),
        ];
        for (change, told) in changes {
            let mut after = mark();
            change(&mut after);
            assert_eq!(mark().differences(&after), [told]);
        }
    }

    fn plan() -> Plan {
        let text = "suite: s\ntitle: S\nchecks:\n  - id: c\n    command: { run: 'true' }\n";
        let suites = vec![suite::parse(text, "suite.yaml").unwrap()];
        let hosts = "all: { hosts: { web: { ansible_host: 192.0.2.1, ansible_user: root } } }\n";
        let inventory =
            inventory::parse(hosts, "hosts.yaml", &inventory::Defaults::default()).unwrap();
        let policy = Policy::strict([]);
        Plan::lay(RunId::new("r").unwrap(), &inventory, suites, None, policy)
    }

    #[test]
    fn a_failure_is_there_only_if_it_was_seen() {
        let ran = |code| {
            Observation::Command(CommandSeen {
                end: CommandEnd::Exited(code),
                stdout: String::new(),
                stderr: String::new(),
                dropped: 0,
                elapsed: Duration::ZERO,
            })
        };
        let errored = Observation::Errored { why: "x".into() };
        let id = |name: &str| CheckId::try_from(name.to_owned()).unwrap();
        let still = |all: &[(&str, &Observation)]| {
            let asked: Vec<_> = all.iter().map(|(n, o)| (id(n), (*o).clone())).collect();
            still_fails(&plan(), &asked)
        };
        assert!(still(&[("s/c", &ran(1))]));
        assert!(still(&[("s/c", &ran(0)), ("s/c", &ran(1))]));
        for gone in [&ran(0), &errored, &Observation::Window] {
            assert!(!still(&[("s/c", gone)]), "{gone:?}");
        }
        assert!(!still(&[("s/unknown", &ran(1))]) && !still(&[]));
    }
}
