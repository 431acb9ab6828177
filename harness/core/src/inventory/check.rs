//! What must hold between the hosts of an inventory.

use std::collections::{BTreeMap, BTreeSet};

use super::{Role, resolve::Resolved};
use crate::{
    id::HostName,
    source::{Problem, Sink, Span, quote, reader::did_you_mean},
};

/// Reports an inventory without hosts, twins that are none, and one machine under two names.
pub(super) fn across_hosts(sink: &Sink<'_>, hosts: &[Resolved]) {
    if hosts.is_empty() && sink.is_clean() {
        let problem = Problem::new(Span::default(), "this inventory has no hosts");
        sink.report(problem.help("name them under `all:`, `hosts:`, each as a key: `web1:`"));
    }
    let by_name = hosts.iter().map(|h| (&h.host.name, h)).collect();
    let mut missing = BTreeSet::new();
    for host in hosts {
        check_twin(sink, &by_name, host, &mut missing);
    }
    check_addresses(sink, hosts);
}

type ByName<'h> = BTreeMap<&'h HostName, &'h Resolved>;

fn check_twin(
    sink: &Sink<'_>,
    by_name: &ByName<'_>,
    host: &Resolved,
    missing: &mut BTreeSet<Span>,
) {
    let Some(twin) = &host.vars.twin else { return };
    let (span, twin, name) = (twin.span, &twin.value, &host.host.name);
    let Some(other) = by_name.get(twin) else {
        // A group's variable is one mistake, however many hosts it reaches.
        if !missing.insert(span) {
            return;
        }
        let names: Vec<&str> = by_name.keys().map(|name| name.as_str()).collect();
        let message = format!("the twin {} is not in this inventory", quote(twin.as_str()));
        let help = did_you_mean(twin.as_str(), &names);
        return sink.report(Problem::new(span, message).maybe_help(help));
    };
    if twin == name {
        let message = format!("`{name}` cannot be its own twin");
        return sink.report(Problem::new(span, message));
    }
    if !has_role(host, Role::Rebuild) {
        let message = format!("`{name}` has a twin but is no rebuild");
        let help = format!("give `{name}` the variable `patchgate_role: rebuild`");
        sink.report(Problem::new(span, message).help(help));
    }
    if !has_role(other, Role::Upstream) {
        let message = format!("the twin `{twin}` of `{name}` is not upstream");
        let help = format!("give `{twin}` the variable `patchgate_role: upstream`");
        sink.report(Problem::new(span, message).help(help));
    }
    check_wave(sink, host, other);
}

/// A host that is patched before its twin has nothing to be compared with.
fn check_wave(sink: &Sink<'_>, host: &Resolved, twin: &Resolved) {
    let (Some(own), Some(of_twin)) = (&host.vars.wave, &twin.vars.wave) else {
        return;
    };
    if of_twin.value > own.value {
        let (name, twin) = (&host.host.name, &twin.host.name);
        let message = format!(
            "`{name}` is in wave {} and its twin `{twin}` in wave {}",
            own.value, of_twin.value
        );
        let help = format!("put `{twin}` into wave {} or an earlier one", own.value);
        sink.report(Problem::new(own.span, message).help(help));
    }
}

/// Whether a host has a role, or could have it: one that was refused is reported for itself.
fn has_role(host: &Resolved, role: Role) -> bool {
    host.host.role == Some(role) || host.vars.role_is_refused()
}

/// Reports every address and port that more than one host has, at the second of them.
fn check_addresses(sink: &Sink<'_>, hosts: &[Resolved]) {
    let mut seen: BTreeMap<(String, u16), Vec<(&HostName, Span)>> = BTreeMap::new();
    for Resolved { host, span, .. } in hosts {
        let address = host.address.trim_end_matches('.').to_ascii_lowercase();
        let place = (&host.name, *span);
        seen.entry((address, host.port)).or_default().push(place);
    }
    for ((address, port), hosts) in seen {
        let [(first, _), (second, span), more @ ..] = hosts.as_slice() else {
            continue;
        };
        let more = match more.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let message =
            format!("`{first}` and `{second}`{more} are one machine: {address} port {port}");
        sink.report(Problem::new(*span, message).help("name each machine once"));
    }
}
