//! How each host is reached: the inventory's words, as the engine needs them and as a run writes them down.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use patchgate_core::{
    id::HostName,
    inventory::{Inventory, InventoryHost},
};
use patchgate_engine::{host::Target, record::TARGETS};

use crate::error::CliError;

/// How each host of an inventory is reached.
pub(crate) type Targets = BTreeMap<HostName, Target>;

/// How each host of an inventory is reached, by paths that mean the same wherever the run is resumed.
pub(crate) fn of(inventory: &Inventory) -> Result<Targets, CliError> {
    let own = own_keys();
    let hosts = inventory.hosts.iter();
    let target = |h: &InventoryHost| Ok((h.name.clone(), anchored(target(h, &own))?));
    hosts.map(target).collect()
}

/// The targets, as the run's directory holds them.
pub(crate) fn json(targets: &Targets) -> Result<Vec<u8>, CliError> {
    serde_json::to_vec_pretty(targets)
        .map_err(|e| CliError::usage(format!("how hosts are reached cannot be written down: {e}")))
}

/// Reads what [`json`] made.
pub(crate) fn read(json: &[u8]) -> Result<Targets, CliError> {
    serde_json::from_slice(json).map_err(|e| CliError::usage(format!("cannot read {TARGETS}: {e}")))
}

fn anchored(mut target: Target) -> Result<Target, CliError> {
    let files = target.key_files.iter_mut().chain(&mut target.known_hosts);
    for path in files.chain(&mut target.agent_socket) {
        *path = std::path::absolute(&path)
            .map_err(|e| CliError::usage(format!("`{}`: {e}", path.display())))?;
    }
    if let Some(jump) = target.jump.take() {
        target.jump = Some(Box::new(anchored(*jump)?));
    }
    Ok(target)
}

/// The keys that ssh tries by itself.
fn own_keys() -> Vec<PathBuf> {
    let Some(home) = env::var_os("HOME") else {
        return Vec::new();
    };
    let names = ["id_ed25519", "id_ecdsa", "id_rsa"];
    let paths = names.map(|n| Path::new(&home).join(".ssh").join(n));
    paths.into_iter().filter(|p| p.is_file()).collect()
}

fn target(host: &InventoryHost, own: &[PathBuf]) -> Target {
    let jump = host.jump.as_ref().map(|jump| {
        let through = Target::new(format!("jump host of {}", host.name), jump.address.clone());
        Box::new(Target {
            port: jump.port,
            user: jump.user.clone(),
            known_hosts: host.known_hosts.clone(),
            ..with_keys(through, jump.key_file.as_ref(), own)
        })
    });
    let target = Target::new(host.name.to_string(), host.address.clone());
    Target {
        port: host.port,
        user: host.user.clone(),
        known_hosts: host.known_hosts.clone(),
        legacy_algorithms: host.legacy_algorithms,
        become_root: host.become_root,
        jump,
        ..with_keys(target, host.key_file.as_ref(), own)
    }
}

/// The key that is named; else the user's own and the agent's.
fn with_keys(target: Target, named: Option<&PathBuf>, own: &[PathBuf]) -> Target {
    Target {
        use_agent: named.is_none(),
        key_files: named.map_or_else(|| own.to_vec(), |key| vec![key.clone()]),
        ..target
    }
}
