//! Laying waves: every host exactly once, and no twin later than a host that is compared with it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Size, Staging, Waves};
use crate::{
    id::HostName,
    inventory::{Inventory, InventoryHost, Role},
};

impl Waves {
    /// Lays the waves; none where neither the inventory nor the options ask for any.
    ///
    /// The waves that the inventory names come first, in their numbers' order; the hosts that name none
    /// follow, in `batch`es. A twin that names no wave goes before, or with, the first host that is
    /// compared with it. Where the inventory names none, the first wave has a host of every role.
    #[must_use]
    pub fn lay(inventory: &Inventory, staging: &Staging) -> Option<Self> {
        let mut named = named(inventory);
        if named.is_empty() && staging.batch.is_empty() {
            return None;
        }
        let taken: BTreeSet<&HostName> = named.values().flatten().copied().collect();
        let rest = twins_first(inventory, &taken);
        let mut waves: Vec<Vec<&HostName>> = Vec::new();
        while let Some((_, wave)) = named.pop_first() {
            waves.push(wave);
        }
        let canaries = waves.is_empty().then(|| canaries(inventory, &rest));
        waves.extend(in_batches(
            rest,
            canaries.unwrap_or_default(),
            &staging.batch,
        ));
        let all = inventory.hosts.len();
        Some(Self {
            hosts: waves.iter().map(|w| in_order(inventory, w)).collect(),
            max_bad: staging.max_bad.map_or(0, |size| size.at_most(all)),
        })
    }
}

/// The waves that the inventory names; a twin that names none is in the first of those of its hosts.
fn named(inventory: &Inventory) -> BTreeMap<u64, Vec<&HostName>> {
    let mut numbers: BTreeMap<&HostName, u64> = BTreeMap::new();
    for (host, wave) in inventory.hosts.iter().filter_map(|h| Some((h, h.wave?))) {
        numbers.insert(&host.name, wave);
        let twin = twin_of(inventory, host).filter(|t| t.wave.is_none());
        if let Some(twin) = twin {
            let first = numbers.entry(&twin.name).or_insert(wave);
            *first = wave.min(*first);
        }
    }
    let mut waves: BTreeMap<u64, Vec<&HostName>> = BTreeMap::new();
    for (host, wave) in numbers {
        waves.entry(wave).or_default().push(host);
    }
    waves
}

/// The twin of a host, where it is in this run.
fn twin_of<'i>(inventory: &'i Inventory, host: &InventoryHost) -> Option<&'i InventoryHost> {
    inventory.host(host.twin.as_ref()?)
}

/// The hosts that are in no wave yet, in the inventory's order, but no host before its twin.
fn twins_first<'i>(
    inventory: &'i Inventory,
    taken: &BTreeSet<&HostName>,
) -> Vec<&'i InventoryHost> {
    let mut placed: BTreeSet<&HostName> = taken.iter().copied().collect();
    let mut rest = Vec::new();
    for host in &inventory.hosts {
        let twin = twin_of(inventory, host);
        rest.extend(
            twin.into_iter()
                .chain([host])
                .filter(|h| placed.insert(&h.name)),
        );
    }
    rest
}

/// A host of every role that there is, with its twin.
fn canaries<'i>(inventory: &'i Inventory, rest: &[&'i InventoryHost]) -> Vec<&'i InventoryHost> {
    let mut chosen: Vec<&InventoryHost> = Vec::new();
    for role in [Some(Role::Rebuild), Some(Role::Upstream), None] {
        if chosen.iter().any(|h| h.role == role) {
            continue;
        }
        let first = rest.iter().find(|h| h.role == role);
        let twin = first.and_then(|host| twin_of(inventory, host));
        chosen.extend(twin.into_iter().chain(first.copied()));
    }
    chosen
}

/// Batches of the hosts that are left, the canaries all in the first of them.
fn in_batches<'i>(
    rest: Vec<&'i InventoryHost>,
    canaries: Vec<&'i InventoryHost>,
    sizes: &[Size],
) -> Vec<Vec<&'i HostName>> {
    let all = rest.len();
    let mut least = canaries.len();
    let names = canaries.into_iter().chain(rest).map(|h| &h.name);
    let mut seen = BTreeSet::new();
    let mut left = names.filter(|name| seen.insert(*name)).peekable();
    let mut sizes = sizes.iter().map(|size| size.at_least(all));
    let (mut size, mut batches) = (all, Vec::new());
    while left.peek().is_some() {
        size = sizes.next().unwrap_or(size);
        batches.push(left.by_ref().take(size.max(least).max(1)).collect());
        least = 0;
    }
    batches
}

/// Hosts in the inventory's order.
fn in_order(inventory: &Inventory, wave: &[&HostName]) -> Vec<HostName> {
    let names = inventory.hosts.iter().map(|h| &h.name);
    names.filter(|name| wave.contains(name)).cloned().collect()
}
