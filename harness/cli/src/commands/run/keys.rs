//! The keys that an inventory names, before anybody logs in with them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::Path,
};

use patchgate_core::{id::HostName, inventory::Inventory};
use patchgate_engine::host::Target;

use super::targets::Targets;
use crate::error::CliError;

/// Whether every key that the inventory names can be read: one that cannot is a mistake of the
/// configuration, not an unreachable host. What is in it, and who else may read it, is for the login.
pub(super) fn readable(inventory: &Inventory) -> Result<(), CliError> {
    let keys = inventory.hosts.iter();
    let keys = keys.filter_map(|h| Some((h.key_file.as_deref()?, h.name.as_str())));
    all_readable(keys)
}

/// The same for a run that is resumed, by what it wrote down.
pub(crate) fn still_readable(targets: &Targets) -> Result<(), CliError> {
    let keys = |(host, target): (&HostName, &Target)| {
        let keys = target.key_files.clone().into_iter();
        keys.map(|key| (key, host.to_string())).collect::<Vec<_>>()
    };
    let keys: Vec<_> = targets.iter().flat_map(keys).collect();
    all_readable(
        keys.iter()
            .map(|(key, host)| (key.as_path(), host.as_str())),
    )
}

fn all_readable<'a>(keys: impl Iterator<Item = (&'a Path, &'a str)>) -> Result<(), CliError> {
    let mut wanted: BTreeMap<&Path, BTreeSet<&str>> = BTreeMap::new();
    for (key, host) in keys {
        wanted.entry(key).or_default().insert(host);
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
