//! Inheritance: what a host gets from its groups, by Ansible's order.
//!
//! From least to most: the variables of `all`; of the groups, by depth (the longest way down from `all`), by
//! `ansible_group_priority`, by name; `group_vars/all` of every place that was named; `group_vars/` of the
//! groups, place by place and in each by depth, priority, name; the host's own; `host_vars/`, place by
//! place. Checked against `ansible-inventory` 2.19.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    given::At,
    raw::{ALL, Raw, RawHost, UNGROUPED},
    vars::Vars,
};
use crate::id::{GroupName, HostName};

/// Ansible's priority of a group that gives none.
const DEFAULT_PRIORITY: u64 = 1;

/// A host, all variables of its groups applied, nothing of them settled.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) name: HostName,
    /// Where it is named first.
    pub(super) at: At,
    pub(super) groups: BTreeSet<GroupName>,
    pub(super) vars: Vars,
}

/// Every host and the groups that it is in, in the order of the inventory.
pub(super) fn members(raw: &Raw) -> Vec<(&HostName, BTreeSet<GroupName>)> {
    let hosts = raw.hosts.iter();
    hosts.map(|h| (&h.name, groups_of(raw, h))).collect()
}

/// Gives every host the variables of its groups.
pub(super) fn resolve(raw: &Raw) -> Vec<Resolved> {
    let depths = raw.depths();
    let resolved = |h: &RawHost| {
        let groups = groups_of(raw, h);
        Resolved {
            name: h.name.clone(),
            at: h.at,
            vars: vars_of(raw, h, &groups, &depths),
            groups,
        }
    };
    raw.hosts.iter().map(resolved).collect()
}

/// The groups that a host is in, itself or through children, without `all`.
fn groups_of(raw: &Raw, host: &RawHost) -> BTreeSet<GroupName> {
    let own = host.groups.iter().filter(|g| g.as_str() != ALL);
    let mut found: BTreeSet<GroupName> = own.clone().cloned().collect();
    found.extend(own.flat_map(|g| raw.ancestors(g)).cloned());
    if found.len() > 1 {
        found.retain(|g| g.as_str() != UNGROUPED);
    }
    if found.is_empty() {
        found.extend(GroupName::new(UNGROUPED));
    }
    found
}

/// The variables of a host, all of its groups applied.
fn vars_of(
    raw: &Raw,
    host: &RawHost,
    groups: &BTreeSet<GroupName>,
    depths: &BTreeMap<&GroupName, usize>,
) -> Vars {
    let mut groups: Vec<(usize, u64, &GroupName)> = groups
        .iter()
        .map(|name| {
            let priority = raw.groups.get(name).and_then(|g| g.vars.priority.as_ref());
            let priority = priority.and_then(|p| p.good()).copied();
            let depth = depths.get(name).copied().unwrap_or(1);
            (depth, priority.unwrap_or(DEFAULT_PRIORITY), name)
        })
        .collect();
    groups.sort();
    let nearest = || groups.iter().rev().map(|(_, _, name)| *name);
    // From most to least: what is given already stays.
    let mut vars = Vars::default();
    let own = raw
        .host_files
        .iter()
        .rev()
        .filter_map(|f| f.get(&host.name));
    own.for_each(|below| vars.fill_from(below));
    vars.fill_from(&host.vars);
    for files in raw.group_files.iter().rev() {
        let found = nearest().filter_map(|name| files.get(name.as_str()));
        found.for_each(|below| vars.fill_from(below));
    }
    let of_all = raw.group_files.iter().rev().filter_map(|f| f.get(ALL));
    of_all.for_each(|below| vars.fill_from(below));
    for name in nearest().chain(raw.all()) {
        if let Some(group) = raw.groups.get(name) {
            vars.fill_from(&group.vars);
        }
    }
    vars
}
