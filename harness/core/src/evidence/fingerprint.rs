//! Denials counted by what they have in common: a flood of lines becomes a handful of facts.

use std::{collections::BTreeMap, fmt};

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
    /// Whether it says who was denied what; of a record that was cut it does not.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let Self {
            source_type,
            target_type,
            class,
            permissions,
            ..
        } = self;
        let named = source_type.is_some() && target_type.is_some() && class.is_some();
        named && !permissions.is_empty()
    }

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

impl fmt::Display for Fingerprint {
    /// `httpd_t { getattr } on file of user_home_t, by httpd`; `?` for what was cut off.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |text: &'_ Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        write!(
            f,
            "{} {{ {} }} on {} of {}",
            word(&self.source_type),
            self.permissions.join(" "),
            word(&self.class),
            word(&self.target_type)
        )?;
        self.program.iter().try_for_each(|p| write!(f, ", by {p}"))
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

impl Tally {
    /// Counts denials of one fingerprint.
    #[must_use]
    pub fn of(fingerprint: Fingerprint, denials: &[&Decision]) -> Self {
        let count = |permissive| {
            let same = |d: &&&Decision| d.permissive == Some(permissive);
            denials.iter().filter(same).count()
        };
        Self {
            fingerprint,
            count: denials.len(),
            enforced: count(false),
            permissive: count(true),
            first: denials.first().map_or(String::new(), |d| d.raw.clone()),
        }
    }
}

/// The denials among decisions by fingerprint, each with its own in the log's order.
#[must_use]
pub fn by_fingerprint(decisions: &[Decision]) -> BTreeMap<Fingerprint, Vec<&Decision>> {
    let mut groups: BTreeMap<Fingerprint, Vec<&Decision>> = BTreeMap::new();
    for decision in decisions.iter().filter(|decision| decision.is_denial()) {
        let fingerprint = Fingerprint::of(decision);
        groups.entry(fingerprint).or_default().push(decision);
    }
    groups
}

/// Counts the denials among decisions by fingerprint, in the fingerprints' order.
///
/// `count` less `enforced` less `permissive` is the number that did not say (EL5, EL6).
#[must_use]
pub fn fingerprints(decisions: &[Decision]) -> Vec<Tally> {
    by_fingerprint(decisions)
        .into_iter()
        .map(|(fingerprint, denials)| Tally::of(fingerprint, &denials))
        .collect()
}
