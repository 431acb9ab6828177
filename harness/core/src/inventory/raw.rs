//! The inventory as it is written: groups, their edges, hosts, variables; nothing inherited yet.

use std::collections::{BTreeMap, BTreeSet};

use super::{given::At, vars::Vars};
use crate::id::{GroupName, HostName};

/// How many groups an inventory may describe.
pub(super) const MAX_GROUPS: usize = 5_000;

/// The group above all groups.
pub(super) const ALL: &str = "all";
/// The group of the hosts that are in no other.
pub(super) const UNGROUPED: &str = "ungrouped";

/// A group as it is written, its parts from everywhere put together.
#[derive(Debug, Default)]
pub(super) struct RawGroup {
    pub(super) vars: Vars,
    pub(super) parents: BTreeSet<GroupName>,
}

/// A host as it is written, its parts from everywhere put together.
#[derive(Debug)]
pub(super) struct RawHost {
    pub(super) name: HostName,
    /// Where it is named first.
    pub(super) at: At,
    pub(super) vars: Vars,
    pub(super) groups: BTreeSet<GroupName>,
}

/// One place that names a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p> {
    pub(super) at: At,
    /// The port behind the name.
    pub(super) port: Option<u16>,
    pub(super) group: &'p GroupName,
}

/// All groups and hosts of an inventory.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) groups: BTreeMap<GroupName, RawGroup>,
    pub(super) hosts: Vec<RawHost>,
    /// What `group_vars/` says of groups, by the places that were named.
    pub(super) group_files: Vec<BTreeMap<String, Vars>>,
    /// What `host_vars/` says of hosts, by the places that were named.
    pub(super) host_files: Vec<BTreeMap<HostName, Vars>>,
    /// Whether there is more than an inventory may hold: the rest is not read.
    pub(super) full: bool,
    places: BTreeMap<HostName, usize>,
    with_children: BTreeSet<GroupName>,
}

impl Raw {
    /// The group of a name, new or known.
    pub(super) fn group(&mut self, name: &GroupName) -> &mut RawGroup {
        self.groups.entry(name.clone()).or_default()
    }

    /// Whether a group is there already, as `all` and `ungrouped` always are.
    pub(super) fn knows(&self, name: &GroupName) -> bool {
        [ALL, UNGROUPED].contains(&name.as_str()) || self.groups.contains_key(name)
    }

    /// Gives a group variables, which count more than those that it has.
    pub(super) fn add_group_vars(&mut self, name: &GroupName, mut vars: Vars) {
        let known = &mut self.group(name).vars;
        vars.fill_from(known);
        *known = vars;
    }

    /// Gives a host that is there variables, which count more than those that it has.
    pub(super) fn add_host_vars(&mut self, name: &HostName, mut vars: Vars) {
        if let Some(place) = self.places.get(name) {
            let known = &mut self.hosts[*place].vars;
            vars.fill_from(known);
            *known = vars;
        }
    }

    /// Puts a host into a group; what is said later about a host counts more than what was said before,
    /// except that only the first place gives the port behind its name.
    pub(super) fn add_host(&mut self, name: HostName, at: &Place<'_>, mut vars: Vars) {
        let next = self.hosts.len();
        let place = *self.places.entry(name.clone()).or_insert(next);
        if place == next {
            self.hosts.push(RawHost {
                name,
                at: at.at,
                vars: at
                    .port
                    .map_or_else(Vars::default, |port| Vars::of_port(port, at.at)),
                groups: BTreeSet::new(),
            });
        }
        let host = &mut self.hosts[place];
        vars.fill_from(&host.vars);
        host.vars = vars;
        host.groups.insert(at.group.clone());
    }

    /// Puts a group under another; false where that would close a circle.
    pub(super) fn add_child(&mut self, parent: &GroupName, child: &GroupName) -> bool {
        // Whoever has no children yet is above nobody: this spares the search in long chains.
        let is_above = self.with_children.contains(child) && self.ancestors(parent).contains(child);
        if parent == child || is_above || child.as_str() == ALL {
            return false;
        }
        self.group(child).parents.insert(parent.clone());
        self.with_children.insert(parent.clone());
        true
    }

    /// All groups above one, without itself and without `all`, which is above every one.
    pub(super) fn ancestors<'r>(&'r self, group: &'r GroupName) -> BTreeSet<&'r GroupName> {
        let mut found = BTreeSet::new();
        let mut open = vec![group];
        while let Some(next) = open.pop() {
            let new = self.parents(next).filter(|parent| found.insert(*parent));
            open.extend(new);
        }
        found
    }

    /// The group `all`, where the file says something of it.
    pub(super) fn all(&self) -> Option<&GroupName> {
        let all = GroupName::new(ALL).ok()?;
        self.groups.get_key_value(&all).map(|(name, _)| name)
    }

    /// The longest way from `all` down to every group.
    pub(super) fn depths(&self) -> BTreeMap<&GroupName, usize> {
        let mut depths: BTreeMap<&GroupName, usize> = BTreeMap::new();
        let mut waiting: BTreeMap<&GroupName, usize> = BTreeMap::new();
        let mut children: BTreeMap<&GroupName, Vec<&GroupName>> = BTreeMap::new();
        for name in self.groups.keys() {
            waiting.insert(name, self.parents(name).count());
            for parent in self.parents(name) {
                children.entry(parent).or_default().push(name);
            }
        }
        let tops = waiting.iter().filter(|(_, parents)| **parents == 0);
        let mut open: Vec<&GroupName> = tops.map(|(name, _)| *name).collect();
        while let Some(name) = open.pop() {
            let depth = *depths
                .entry(name)
                .or_insert(usize::from(name.as_str() != ALL));
            for child in children.get(name).into_iter().flatten() {
                let below = depths.entry(child).or_default();
                *below = (*below).max(depth + 1);
                let left = waiting.entry(child).or_default();
                *left = left.saturating_sub(1);
                if *left == 0 {
                    open.push(child);
                }
            }
        }
        depths
    }

    /// The groups that a group is directly under, without `all`.
    fn parents<'r>(&'r self, group: &GroupName) -> impl Iterator<Item = &'r GroupName> {
        let groups = self.groups.get(group).into_iter();
        groups
            .flat_map(|g| &g.parents)
            .filter(|p| p.as_str() != ALL)
    }
}
