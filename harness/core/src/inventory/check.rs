//! What must hold between the hosts of an inventory.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    InventoryHost, Role,
    given::{At, Worth},
    resolve::Resolved,
    sinks::Sinks,
};
use crate::{
    id::HostName,
    source::{Problem, quote, reader::did_you_mean},
};

type ByName<'h> = BTreeMap<&'h HostName, &'h Resolved>;

/// Reports twins of the chosen hosts that are none.
pub(super) fn twins(sinks: &Sinks<'_>, all: &[Resolved], chosen: &[&Resolved]) {
    let by_name = all.iter().map(|h| (&h.name, h)).collect();
    let mut missing = BTreeSet::new();
    for host in chosen {
        twin(sinks, &by_name, host, &mut missing);
    }
}

fn twin(sinks: &Sinks<'_>, by_name: &ByName<'_>, host: &Resolved, missing: &mut BTreeSet<At>) {
    let Some(given) = &host.vars.twin else { return };
    let Some(twin) = given.good() else { return };
    let (at, name) = (given.at, &host.name);
    let report = |message: String, help: Option<String>| {
        sinks.report(at.file, Problem::new(at.span, message).maybe_help(help));
    };
    let Some(other) = by_name.get(twin) else {
        // A group's variable is one mistake, however many hosts it reaches.
        if !missing.insert(at) {
            return;
        }
        let names: Vec<&str> = by_name.keys().map(|name| name.as_str()).collect();
        let message = format!("the twin {} is not in this inventory", quote(twin.as_str()));
        return report(message, did_you_mean(twin.as_str(), &names));
    };
    if twin == name {
        return report(format!("`{name}` cannot be its own twin"), None);
    }
    if !has_role(host, Role::Rebuild) {
        let help = format!("give `{name}` the variable `patchgate_role: rebuild`");
        report(format!("`{name}` has a twin but is no rebuild"), Some(help));
    }
    if !has_role(other, Role::Upstream) {
        let help = format!("give `{twin}` the variable `patchgate_role: upstream`");
        report(
            format!("the twin `{twin}` of `{name}` is not upstream"),
            Some(help),
        );
    }
    check_wave(sinks, host, other);
}

/// A host that is patched before its twin has nothing to be compared with.
fn check_wave(sinks: &Sinks<'_>, host: &Resolved, twin: &Resolved) {
    let (Some(own), Some(of_twin)) = (&host.vars.wave, &twin.vars.wave) else {
        return;
    };
    let (Some(wave), Some(later)) = (own.good(), of_twin.good()) else {
        return;
    };
    if later > wave {
        let (name, twin) = (&host.name, &twin.name);
        let message = format!("`{name}` is in wave {wave} and its twin `{twin}` in wave {later}");
        let help = format!("put `{twin}` into wave {wave} or an earlier one");
        sinks.report(own.at.file, Problem::new(own.at.span, message).help(help));
    }
}

/// Whether a host has a role, or could have it: one that was refused is reported for itself.
fn has_role(host: &Resolved, role: Role) -> bool {
    host.vars
        .role
        .as_ref()
        .is_some_and(|given| match &given.worth {
            Worth::Good(own) => *own == role,
            Worth::Untold(_) | Worth::Told => true,
        })
}

/// Reports every address and port that more than one host has, at the second of them.
pub(super) fn addresses(sinks: &Sinks<'_>, chosen: &[&Resolved], hosts: &[InventoryHost]) {
    type Machine<'h> = (Option<&'h str>, String, u16);
    let mut seen: BTreeMap<Machine<'_>, Vec<(&HostName, At)>> = BTreeMap::new();
    for (Resolved { name, at, .. }, host) in chosen.iter().zip(hosts) {
        let address = host.address.trim_end_matches('.').to_ascii_lowercase();
        // Behind different jump hosts one address may be two machines.
        let behind = host.jump.as_ref().map(|jump| jump.address.as_str());
        let machine = (behind, address, host.port);
        seen.entry(machine).or_default().push((name, *at));
    }
    for ((_, address, port), hosts) in seen {
        let [(first, _), (second, at), more @ ..] = hosts.as_slice() else {
            continue;
        };
        let more = match more.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let message =
            format!("`{first}` and `{second}`{more} are one machine: {address} port {port}");
        let problem = Problem::new(at.span, message).help("name each machine once");
        sinks.report(at.file, problem);
    }
}
