//! Inheritance: what a host gets from its groups, by Ansible's order.
//!
//! `all` first, then groups by depth (the longest way down from `all`), by `ansible_group_priority`, by
//! name; the host's own variables last. Later beats earlier. Checked against `ansible-inventory` 2.19.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Defaults, InventoryHost,
    raw::{ALL, Raw, RawHost, UNGROUPED},
    vars::Vars,
};
use crate::{
    id::GroupName,
    source::{Problem, Sink, Span, address::check_address, quote},
};

/// The port of SSH.
const SSH_PORT: u16 = 22;

/// Ansible's priority of a group that gives none.
const DEFAULT_PRIORITY: u64 = 1;

/// Gives every host the variables of its groups and the defaults.
pub(super) fn resolve(sink: &Sink<'_>, raw: &Raw, defaults: &Defaults) -> Vec<Resolved> {
    let depths = raw.depths();
    let resolved = |h: &RawHost| {
        let groups = groups_of(raw, h);
        let vars = vars_of(raw, h, &groups, &depths);
        Resolved {
            host: host(sink, h, groups, &vars, defaults),
            span: h.span,
            vars,
        }
    };
    raw.hosts.iter().map(resolved).collect()
}

/// A host, and where that about it comes from.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) host: InventoryHost,
    /// Where it is named first.
    pub(super) span: Span,
    pub(super) vars: Vars,
}

/// The groups that a host is in, itself or through children, without `all`.
fn groups_of(raw: &Raw, host: &RawHost) -> BTreeSet<GroupName> {
    let own = host.groups.iter().filter(|g| g.as_str() != ALL);
    let mut found: BTreeSet<GroupName> = own.clone().cloned().collect();
    found.extend(own.flat_map(|g| raw.ancestors(g)).cloned());
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
    let all = raw.all();
    let mut groups: Vec<(usize, u64, &GroupName)> = groups
        .iter()
        .chain(all)
        .map(|name| {
            let priority = raw.groups.get(name).and_then(|g| g.vars.priority.as_ref());
            let priority = priority.map_or(DEFAULT_PRIORITY, |p| p.value);
            let depth = depths.get(name).copied().unwrap_or_default();
            (depth, priority, name)
        })
        .collect();
    groups.sort();
    let inherited = groups
        .iter()
        .filter_map(|(_, _, name)| raw.groups.get(*name))
        .fold(Vars::default(), |below, group| {
            group.vars.clone().lay_over(below)
        });
    host.vars.clone().lay_over(inherited)
}

fn host(
    sink: &Sink<'_>,
    host: &RawHost,
    groups: BTreeSet<GroupName>,
    vars: &Vars,
    defaults: &Defaults,
) -> InventoryHost {
    let become_root = vars.become_root.as_ref().is_some_and(|b| b.value);
    if become_root {
        check_become(sink, vars);
    }
    InventoryHost {
        name: host.name.clone(),
        address: address(sink, host, vars),
        port: vars
            .port
            .settle(sink, "ansible_port", "ansible_ssh_port")
            .unwrap_or(SSH_PORT),
        user: vars
            .user
            .settle(sink, "ansible_user", "ansible_ssh_user")
            .unwrap_or_else(|| defaults.user.clone()),
        key_file: vars.key_file.settle(
            sink,
            "ansible_ssh_private_key_file",
            "ansible_private_key_file",
        ),
        known_hosts: vars
            .known_hosts
            .as_ref()
            .map_or_else(|| defaults.known_hosts.clone(), |k| k.value.clone()),
        become_root,
        legacy_algorithms: vars.legacy_algorithms.as_ref().is_some_and(|l| l.value),
        role: vars.role.as_ref().and_then(|r| r.value),
        twin: vars.twin.as_ref().map(|t| t.value.clone()),
        lab: vars.lab.as_ref().is_some_and(|l| l.value),
        wave: vars.wave.as_ref().map(|w| w.value),
        groups,
    }
}

fn address(sink: &Sink<'_>, host: &RawHost, vars: &Vars) -> String {
    if let Some(address) = vars
        .address
        .settle(sink, "ansible_host", "ansible_ssh_host")
    {
        return address;
    }
    let name = host.name.as_str();
    if let Err(why) = check_address(name) {
        let message = format!(
            "{} has no `ansible_host` and is no address: {why}",
            quote(name)
        );
        sink.report(Problem::new(host.span, message));
    }
    name.to_owned()
}

fn check_become(sink: &Sink<'_>, vars: &Vars) {
    let user = vars.become_user.as_ref().filter(|u| u.value != "root");
    if let Some(user) = user {
        let message = format!("`ansible_become_user` cannot be {}", quote(&user.value));
        sink.report(Problem::new(user.span, message).expected("`root`"));
    }
    let is_sudo = |m: &str| m == "sudo" || m == "ansible.builtin.sudo";
    let method = vars.become_method.as_ref().filter(|m| !is_sudo(&m.value));
    if let Some(method) = method {
        let message = format!("`ansible_become_method` cannot be {}", quote(&method.value));
        sink.report(Problem::new(method.span, message).expected("`sudo`"));
    }
}
