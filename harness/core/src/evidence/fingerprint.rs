//! Denials counted by what they have in common: a flood of lines becomes a handful of facts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::denial::Decision;

/// The sort of object that was asked for, told by its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// Files, directories, links, devices, file systems.
    File,
    /// Sockets, packets and other network objects.
    Network,
    /// Another process, or the process itself.
    Process,
    /// A capability of the process itself.
    Capability,
    /// A message on a bus.
    Message,
    /// A systemd unit or the system manager.
    Service,
    /// Anything else.
    Other,
}

impl ObjectKind {
    /// Tells the sort from the class name.
    #[must_use]
    pub fn of_class(class: &str) -> Self {
        match class {
            "file" | "dir" | "lnk_file" | "chr_file" | "blk_file" | "sock_file" | "fifo_file"
            | "anon_inode" | "filesystem" | "fd" => Self::File,
            "process" | "process2" => Self::Process,
            "dbus" => Self::Message,
            "service" | "system" => Self::Service,
            "packet" | "peer" | "node" | "netif" | "association" => Self::Network,
            _ if class.contains("socket") => Self::Network,
            _ if class.starts_with("cap") => Self::Capability,
            _ => Self::Other,
        }
    }
}

/// What makes two denials the same to a reader.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The type of the process; `None` when the record was cut.
    pub source_type: Option<String>,
    /// The type of the object; `None` when the record was cut.
    pub target_type: Option<String>,
    /// The class; `None` when the record was cut.
    pub class: Option<String>,
    /// The permissions, sorted, each once.
    pub permissions: Vec<String>,
    /// The task's name, or else its program file.
    pub program: Option<String>,
    /// The sort of object.
    pub object: Option<ObjectKind>,
}

impl Fingerprint {
    /// The fingerprint of one decision.
    #[must_use]
    pub fn of(decision: &Decision) -> Self {
        let mut permissions = decision.permissions.clone();
        permissions.sort();
        permissions.dedup();
        Self {
            source_type: decision
                .source
                .as_ref()
                .map(|context| context.type_.clone()),
            target_type: decision
                .target
                .as_ref()
                .map(|context| context.type_.clone()),
            class: decision.class.clone(),
            permissions,
            program: decision.comm.clone().or_else(|| decision.exe.clone()),
            object: decision.class.as_deref().map(ObjectKind::of_class),
        }
    }
}

/// How often one fingerprint was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// What the denials have in common.
    pub fingerprint: Fingerprint,
    /// All of them.
    pub count: usize,
    /// Those that were enforced.
    pub enforced: usize,
    /// Those that were let through (permissive mode or domain).
    pub permissive: usize,
    /// The text of the first.
    pub first: String,
}

/// Counts the denials among decisions by fingerprint, in the fingerprints' order.
///
/// `count` less `enforced` less `permissive` is the number that did not say (EL5, EL6).
#[must_use]
pub fn fingerprints(decisions: &[Decision]) -> Vec<Tally> {
    let mut tallies: BTreeMap<Fingerprint, Tally> = BTreeMap::new();
    for decision in decisions.iter().filter(|decision| decision.is_denial()) {
        let fingerprint = Fingerprint::of(decision);
        let tally = tallies.entry(fingerprint.clone()).or_insert_with(|| Tally {
            fingerprint,
            count: 0,
            enforced: 0,
            permissive: 0,
            first: decision.raw.clone(),
        });
        tally.count += 1;
        tally.enforced += usize::from(decision.permissive == Some(false));
        tally.permissive += usize::from(decision.permissive == Some(true));
    }
    tallies.into_values().collect()
}
