//! Hosts as the inventory describes them.

mod check;
mod given;
mod ini;
pub mod input;
mod jump;
pub mod limit;
mod login;
mod names;
mod paths;
pub mod range;
mod raw;
mod resolve;
pub mod script;
mod secrets;
mod sinks;
mod snapshot;
mod ssh_args;
pub mod ssh_config;
mod vars;
mod vars_files;
mod words;
mod written;
mod yaml;

use std::{collections::BTreeSet, path::PathBuf};

use serde::{Deserialize, Serialize};

use self::{input::Place, ssh_config::SshConfigFiles};
pub use self::{
    jump::JumpHost,
    limit::{Limit, LimitError},
    written::{Written, read},
};
use crate::{
    id::{GroupName, HostName},
    source::Diagnostics,
    undo::SnapshotSource,
};

/// The longest text of hosts that is read, in bytes: what executables print of a large fleet is long.
const MAX_INVENTORY_BYTES: usize = 32 << 20;

/// The longest file of variables that is read, in bytes.
const MAX_VARS_BYTES: usize = 4 << 20;

/// What stands in where an inventory is silent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The login where there is no `ansible_user`.
    pub user: String,
    /// The files that pin host keys where there is no `patchgate_known_hosts`.
    pub known_hosts: Vec<PathBuf>,
    /// The folder that `~/` stands for.
    pub home: PathBuf,
    /// The configuration of OpenSSH's client, which counts where the inventory is silent.
    pub ssh_config: Option<SshConfigFiles>,
}

/// Reads an inventory of one YAML text, with nothing beside it.
///
/// `file` is the name that diagnostics give the text; `defaults` stands in where the inventory is silent.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn parse(text: &str, file: &str, defaults: &Defaults) -> Result<Inventory, Diagnostics> {
    read(&[Place::of_yaml(text, file)], defaults).settle()
}

/// Which side of a comparison a host stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A host of the distribution that the rebuilds follow.
    Upstream,
    /// A host of a rebuild (CentOS, AlmaLinux, Rocky …).
    Rebuild,
}

/// One host, all variables of its groups applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryHost {
    /// The name in the inventory.
    pub name: HostName,
    /// Where it is reached: a host name or an IP address (`ansible_host`, else the name).
    pub address: String,
    /// The SSH port (`ansible_port`).
    pub port: u16,
    /// The login (`ansible_user`).
    pub user: String,
    /// The private key (`ansible_ssh_private_key_file`); none: the agent's keys are tried.
    pub key_file: Option<PathBuf>,
    /// The known_hosts files that pin this host's key (`patchgate_known_hosts`, else the user's).
    pub known_hosts: Vec<PathBuf>,
    /// The machine through which it is reached (`ProxyJump`); none: directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<JumpHost>,
    /// Whether commands run as root through `sudo -n` (`ansible_become`).
    pub become_root: bool,
    /// Whether SHA-1 algorithms are offered to this host (`patchgate_ssh_legacy`): EL5 and EL6 only.
    pub legacy_algorithms: bool,
    /// Upstream or rebuild (`patchgate_role`).
    pub role: Option<Role>,
    /// The upstream host that this rebuild host is compared with (`patchgate_twin`).
    pub twin: Option<HostName>,
    /// True allows changes that only a lab may see (`patchgate_lab`).
    pub lab: bool,
    /// The wave that it is patched in (`patchgate_wave`); lower numbers come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<u64>,
    /// How it is brought back to its snapshot (`patchgate_snapshot`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotSource>,
    /// The groups that the host is in, itself or through children.
    pub groups: BTreeSet<GroupName>,
}

/// The hosts of a run, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// All hosts, each once.
    pub hosts: Vec<InventoryHost>,
}

impl Inventory {
    /// The host of a name.
    #[must_use]
    pub fn host(&self, name: &HostName) -> Option<&InventoryHost> {
        self.hosts.iter().find(|h| h.name == *name)
    }
}

#[cfg(test)]
mod tests;
