//! The keys that an inventory names, before anybody logs in with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::Path,
};

use patchgate_core::inventory::Inventory;

use crate::error::CliError;

/// Whether every key that the inventory names can be read: one that cannot is a mistake of the
/// configuration, not an unreachable host. What is in it, and who else may read it, is for the login.
pub(super) fn readable(inventory: &Inventory) -> Result<(), CliError> {
    let mut wanted: BTreeMap<&Path, BTreeSet<&str>> = BTreeMap::new();
    for host in &inventory.hosts {
        if let Some(key) = &host.key_file {
            wanted.entry(key).or_default().insert(host.name.as_str());
        }
    }
    let unreadable = wanted.into_iter().filter_map(|(path, hosts)| {
        let error = File::open(path).err()?;
        let hosts: Vec<&str> = hosts.into_iter().collect();
        Some(format!(
            "`{}` of {}: {error}",
            path.display(),
            hosts.join(", ")
        ))
    });
    let unreadable: Vec<String> = unreadable.collect();
    if unreadable.is_empty() {
        return Ok(());
    }
    let message = format!("cannot read the key {}", unreadable.join("; "));
    Err(CliError::usage(message).hint(
        "`ansible_ssh_private_key_file` names it; without that the keys of the agent (SSH_AUTH_SOCK) and one's own are tried",
    ))
}
