//! Where the snapshot of a host is: `patchgate_snapshot`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a host is brought back to its snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotSource {
    /// The clean state of a machine of the built-in lab.
    Lab,
    /// A snapshot of a libvirt domain.
    Libvirt {
        /// The connection, as `virsh -c` takes it.
        uri: String,
        /// The domain.
        domain: String,
        /// The snapshot.
        snapshot: String,
    },
    /// A command on the controller, which is back only when the host may be awaited.
    Command(Vec<String>),
}

impl fmt::Display for SnapshotSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lab => f.write_str("the lab's clean state"),
            Self::Libvirt {
                uri,
                domain,
                snapshot,
            } => write!(f, "snapshot {snapshot} of domain {domain} at {uri}"),
            Self::Command(words) => match words.first() {
                Some(program) => write!(f, "the command {program}"),
                None => f.write_str("no command"),
            },
        }
    }
}
