//! The inventory as it is written: groups, their edges, hosts, variables; nothing inherited yet.

use std::collections::{BTreeMap, BTreeSet};

use super::vars::Vars;
use crate::{
    id::{GroupName, HostName},
    source::Span,
};

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
    pub(super) span: Span,
    pub(super) vars: Vars,
    pub(super) groups: BTreeSet<GroupName>,
}

/// One place that names a host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'p> {
    pub(super) span: Span,
    /// The port behind the name.
    pub(super) port: Option<u16>,
    pub(super) group: &'p GroupName,
}

/// All groups and hosts of a file.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) groups: BTreeMap<GroupName, RawGroup>,
    pub(super) hosts: Vec<RawHost>,
    places: BTreeMap<HostName, usize>,
}

impl Raw {
    /// The group of a name, new or known.
    pub(super) fn group(&mut self, name: &GroupName) -> &mut RawGroup {
        self.groups.entry(name.clone()).or_default()
    }

    /// Puts a host into a group; what is said later about a host counts more than what was said before,
    /// except that only the first place gives the port behind its name.
    pub(super) fn add_host(&mut self, name: HostName, at: &Place<'_>, vars: Vars) {
        let next = self.hosts.len();
        let place = *self.places.entry(name.clone()).or_insert(next);
        if place == next {
            self.hosts.push(RawHost {
                name,
                span: at.span,
                vars: at
                    .port
                    .map_or_else(Vars::default, |port| Vars::of_port(port, at.span)),
                groups: BTreeSet::new(),
            });
        }
        let host = &mut self.hosts[place];
        host.vars = vars.lay_over(std::mem::take(&mut host.vars));
        host.groups.insert(at.group.clone());
    }

    /// Puts a group under another; false where that would close a circle.
    pub(super) fn add_child(&mut self, parent: &GroupName, child: &GroupName) -> bool {
        if parent == child || self.ancestors(parent).contains(child) || child.as_str() == ALL {
            return false;
        }
        self.group(child).parents.insert(parent.clone());
        true
    }

    /// All groups above one, without itself and without `all`, which is above every one.
    pub(super) fn ancestors(&self, group: &GroupName) -> BTreeSet<GroupName> {
        let mut found = BTreeSet::new();
        let mut open = vec![group];
        while let Some(next) = open.pop() {
            for parent in self.groups.get(next).iter().flat_map(|g| &g.parents) {
                if parent.as_str() != ALL && found.insert(parent.clone()) {
                    open.push(parent);
                }
            }
        }
        found
    }

    /// The longest way from `all` down to a group.
    pub(super) fn depth(&self, group: &GroupName) -> usize {
        if group.as_str() == ALL {
            return 0;
        }
        let mut level: BTreeSet<&GroupName> = BTreeSet::from([group]);
        let mut depth = 0;
        while !level.is_empty() {
            depth += 1;
            let groups = level.iter().filter_map(|name| self.groups.get(name));
            let parents = groups.flat_map(|g| &g.parents);
            level = parents.filter(|p| p.as_str() != ALL).collect();
        }
        depth
    }
}
