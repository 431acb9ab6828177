//! What must hold between the hosts of an inventory.

use std::collections::BTreeMap;

use super::{
    Inventory, InventoryHost, Role,
    raw::{Raw, RawHost},
    resolve::vars_of,
};
use crate::{
    id::HostName,
    source::{Problem, Sink, Span, quote, reader::did_you_mean},
};

/// Reports an inventory without hosts, twins that are none, and one machine under two names.
pub(super) fn across_hosts(sink: &Sink<'_>, raw: &Raw, inventory: &Inventory) {
    if inventory.hosts.is_empty() && sink.is_clean() {
        let problem = Problem::new(Span::default(), "this inventory has no hosts");
        sink.report(problem.help("name them under `all:`, `hosts:`, each as a key: `web1:`"));
    }
    for (raw_host, host) in raw.hosts.iter().zip(&inventory.hosts) {
        check_twin(sink, inventory, host, twin_span(raw, raw_host));
    }
    check_addresses(sink, raw, inventory);
}

fn twin_span(raw: &Raw, host: &RawHost) -> Span {
    vars_of(raw, host).twin.map_or(host.span, |t| t.span)
}

fn check_twin(sink: &Sink<'_>, inventory: &Inventory, host: &InventoryHost, span: Span) {
    let Some(twin) = &host.twin else { return };
    let name = &host.name;
    let Some(other) = inventory.host(twin) else {
        let names: Vec<&str> = inventory.hosts.iter().map(|h| h.name.as_str()).collect();
        let message = format!("the twin {} is not in this inventory", quote(twin.as_str()));
        sink.report(Problem::new(span, message).maybe_help(did_you_mean(twin.as_str(), &names)));
        return;
    };
    if other.name == *name {
        sink.report(Problem::new(
            span,
            format!("`{name}` cannot be its own twin"),
        ));
        return;
    }
    if host.role != Some(Role::Rebuild) {
        let message = format!("`{name}` has a twin but is no rebuild");
        sink.report(Problem::new(span, message).help(format!(
            "give `{name}` the variable `patchgate_role: rebuild`"
        )));
    }
    if other.role != Some(Role::Upstream) {
        let message = format!("the twin `{twin}` of `{name}` is not upstream");
        sink.report(Problem::new(span, message).help(format!(
            "give `{twin}` the variable `patchgate_role: upstream`"
        )));
    }
}

/// Reports every address and port that more than one host has, at the second of them.
fn check_addresses(sink: &Sink<'_>, raw: &Raw, inventory: &Inventory) {
    let mut seen: BTreeMap<(String, u16), Vec<(&HostName, Span)>> = BTreeMap::new();
    for (raw_host, host) in raw.hosts.iter().zip(&inventory.hosts) {
        let address = host.address.trim_end_matches('.').to_ascii_lowercase();
        let place = (&host.name, raw_host.span);
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
