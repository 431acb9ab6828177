//! Names and types in JUnit: stable across runs, unique within one, and none that a consumer casts.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_core::{
    id::{HostName, SuiteName},
    outcome::SymptomKind,
    plan::{Cell, Plan},
};

/// The class of the gate's case, and the suite's package.
pub(super) const GATE: &str = "gate";
/// What all class names begin with.
pub(super) const PREFIX: &str = "patchgate";

/// The last part of each host's class names: the host's name without dots, because consumers split
/// packages there.
pub(super) struct HostParts(BTreeMap<HostName, String>);

impl HostParts {
    /// One part for each host that the plan names; hosts that differ only in dots are numbered, in
    /// the inventory's order.
    pub(super) fn of(plan: &Plan) -> Self {
        let mut parts = BTreeMap::new();
        let mut taken = BTreeSet::new();
        let planned = plan.hosts.iter().map(|h| &h.name);
        for host in planned.chain(plan.cells.iter().map(|c| &c.host)) {
            if !parts.contains_key(host) {
                let part = free(&host.as_str().replace('.', "_"), &taken);
                taken.insert(part.clone());
                parts.insert(host.clone(), part);
            }
        }
        Self(parts)
    }

    /// `patchgate.<suite>.<host>`.
    pub(super) fn class(&self, suite: &SuiteName, host: &HostName) -> String {
        let part = self.0.get(host).map_or(host.as_str(), String::as_str);
        format!("{PREFIX}.{suite}.{part}")
    }
}

fn free(wanted: &str, taken: &BTreeSet<String>) -> String {
    let numbered = (2..).map(|n| format!("{wanted}_{n}"));
    std::iter::once(wanted.to_owned())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .expect("the numbers do not end")
}

/// `<check>[<state>]`.
pub(super) fn case(cell: &Cell) -> String {
    format!("{}[{}]", cell.check.check, cell.state)
}

/// `patchgate.http-refused`: the kind in the words of the record.
pub(super) fn of_symptom(kind: SymptomKind) -> String {
    let words = match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(map)) => map
            .iter()
            .map(|(key, value)| format!("{key}-{}", value.as_str().unwrap_or("other")))
            .collect(),
        Ok(_) | Err(_) => "failed".to_owned(),
    };
    format!("{PREFIX}.{words}")
}

#[cfg(test)]
mod tests {
    use patchgate_core::observation::HttpPhase;

    use super::*;
    use crate::testing;

    #[test]
    fn symptoms_are_named_as_in_the_record() {
        for (kind, name) in [
            (
                SymptomKind::Http(HttpPhase::FirstByteTimeout),
                "patchgate.http-first-byte-timeout",
            ),
            (
                SymptomKind::Http(HttpPhase::Refused),
                "patchgate.http-refused",
            ),
            (SymptomKind::HttpStatus, "patchgate.http-status"),
            (SymptomKind::Denials, "patchgate.denials"),
        ] {
            assert_eq!(of_symptom(kind), name);
        }
    }

    #[test]
    fn hosts_that_differ_only_in_dots_have_classes_of_their_own() {
        let mut plan = testing::plan();
        for (planned, name) in plan.hosts.iter_mut().zip(["web.1", "web_1"]) {
            planned.name = testing::host(name);
        }
        plan.cells[0].host = testing::host("web_1.2");
        let parts = HostParts::of(&plan);
        let suite = SuiteName::new("a.b").unwrap();
        for (host, class) in [
            ("web.1", "patchgate.a.b.web_1"),
            ("web_1", "patchgate.a.b.web_1_2"),
            ("web_1.2", "patchgate.a.b.web_1_2_2"),
        ] {
            assert_eq!(parts.class(&suite, &testing::host(host)), class);
        }
    }
}
