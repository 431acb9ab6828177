//! What is needed to reach one host.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// Where a host is and how to log in to it. It holds no secret, only where one is found: a run writes it
/// down for whoever resumes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The inventory's name of the host; for messages only.
    pub name: String,
    /// Host name or IP address to connect to, as in ssh's `HostName`.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Account to log in to.
    pub user: String,
    /// Private keys, offered in this order, before the agent's.
    pub key_files: Vec<PathBuf>,
    /// Files of known host keys; one that does not exist counts as empty.
    pub known_hosts: Vec<PathBuf>,
    /// The name under which the key is looked up instead of the address, as ssh's `HostKeyAlias`
    /// (the port then plays no part).
    pub host_key_alias: Option<String>,
    /// Whether an ssh-agent may sign.
    pub use_agent: bool,
    /// The agent's socket; `SSH_AUTH_SOCK` of the environment where this is absent.
    pub agent_socket: Option<PathBuf>,
    /// Whether SHA-1 algorithms may be used, for hosts that have nothing newer (EL5, EL6).
    pub legacy_algorithms: bool,
    /// The machine through which the host is reached, held to its own key; it never has a jump host itself.
    pub jump: Option<Box<Self>>,
    /// Whether scripts run through `sudo -n`.
    pub become_root: bool,
    /// How long name lookup and TCP connect may take together, for each try.
    pub connect_timeout: Duration,
    /// How long banner, key exchange and login may take together, for each try.
    pub login_timeout: Duration,
}

impl Target {
    /// Makes a target with ssh's usual values: port 22, user root, no keys, 10 s to connect, 20 s
    /// to log in.
    #[must_use]
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            address: address.into(),
            port: 22,
            user: "root".into(),
            key_files: Vec::new(),
            known_hosts: Vec::new(),
            host_key_alias: None,
            use_agent: false,
            agent_socket: None,
            legacy_algorithms: false,
            jump: None,
            become_root: false,
            connect_timeout: Duration::from_secs(10),
            login_timeout: Duration::from_secs(20),
        }
    }

    /// Returns the name under which this host's key stands in a known_hosts file: the alias as it
    /// is, else the address, as `[address]:port` where the port is not 22.
    #[must_use]
    pub fn known_hosts_name(&self) -> String {
        match (&self.host_key_alias, self.port) {
            (Some(alias), _) => alias.to_ascii_lowercase(),
            (None, 22) => self.address.to_ascii_lowercase(),
            (None, port) => format!("[{}]:{port}", self.address.to_ascii_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hosts_name_follows_ssh() {
        let mut target = Target::new("web1", "Web1.Example.org");
        assert_eq!(target.known_hosts_name(), "web1.example.org");
        target.port = 2222;
        assert_eq!(target.known_hosts_name(), "[web1.example.org]:2222");
        target.host_key_alias = Some("lab-web1".into());
        assert_eq!(target.known_hosts_name(), "lab-web1");
    }
}
