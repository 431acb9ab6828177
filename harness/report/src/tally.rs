//! The short table: hosts by states, and how many checks stand where.

use std::collections::BTreeMap;

use patchgate_core::{id::HostName, inventory::Role, judge::Judgement, plan::Plan, state::State};

use crate::cells::{Standing, results};

/// One row of the table: a host, and for each of the plan's states how its checks stand.
pub(crate) struct Row {
    /// The host, with its role where it has one: `lab-rebuild (rebuild)`.
    pub(crate) host: String,
    /// `3 passed, 2 failed`, one for each state of the plan; `-` where nothing was planned.
    pub(crate) states: Vec<String>,
}

type Counts = BTreeMap<(HostName, State), BTreeMap<Standing, usize>>;

/// One row for each planned host.
pub(crate) fn rows(plan: &Plan, judgement: &Judgement) -> Vec<Row> {
    let mut counts = Counts::new();
    for result in results(plan, judgement) {
        let key = (result.cell.host.clone(), result.cell.state);
        let standing = Standing::of(&result, &judgement.verdict);
        *counts.entry(key).or_default().entry(standing).or_default() += 1;
    }
    let row = |host: &patchgate_core::plan::PlannedHost| Row {
        host: with_role(&host.name, host.role),
        states: plan
            .states
            .iter()
            .map(|s| in_words(counts.get(&(host.name.clone(), *s))))
            .collect(),
    };
    plan.hosts.iter().map(row).collect()
}

fn with_role(host: &HostName, role: Option<Role>) -> String {
    match role {
        Some(role) => format!("{host} ({})", role_word(role)),
        None => host.to_string(),
    }
}

/// The word of a role.
pub(crate) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Upstream => "upstream",
        Role::Rebuild => "rebuild",
    }
}

fn in_words(counts: Option<&BTreeMap<Standing, usize>>) -> String {
    let words = |(standing, n): (&Standing, &usize)| format!("{n} {}", standing.word());
    match counts {
        Some(counts) => counts.iter().map(words).collect::<Vec<_>>().join(", "),
        None => "-".to_owned(),
    }
}
