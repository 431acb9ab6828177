//! What differs between two snapshots, one line a difference, in words that a sysadmin reads at once.
//!
//! What moves by itself is no difference: the clock, process ids, how long a route has still to live, a
//! disk that fills a little, the order of things. What could not be read on one side is told as not
//! comparable and never taken for gone.

mod compare;
mod facts;
mod policy;
mod system;
#[cfg(test)]
mod tests;

use serde::Serialize;

use self::compare::Compare;
use super::Snapshot;
use crate::facts::Facts;

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// Distribution, kernel, boot.
    Host,
    /// Installed packages.
    Packages,
    /// Mode, configured mode, kernel arguments, a relabelling to come.
    SelinuxMode,
    /// The loaded policy, and the one on disk.
    LoadedPolicy,
    /// Modules of the policy store.
    Modules,
    /// Booleans.
    Booleans,
    /// Permissive domains.
    PermissiveDomains,
    /// Local changes of the policy: ports, file contexts and the like.
    Customizations,
    /// Labels of the paths that suites touch.
    Labels,
    /// Listening sockets.
    Listeners,
    /// Packet filter rules.
    Firewall,
    /// Units.
    Units,
    /// File systems.
    Disks,
    /// Processes killed for lack of memory.
    OomKills,
    /// Kernel settings.
    Sysctls,
    /// Routes.
    Routes,
    /// Certificates.
    Certificates,
    /// The host's clock. Two of them never differ; it can only be missing.
    Clock,
}

impl Area {
    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Packages => "packages",
            Self::SelinuxMode => "SELinux mode",
            Self::LoadedPolicy => "policy",
            Self::Modules => "policy modules",
            Self::Booleans => "booleans",
            Self::PermissiveDomains => "permissive domains",
            Self::Customizations => "local policy changes",
            Self::Labels => "file labels",
            Self::Listeners => "listeners",
            Self::Firewall => "firewall",
            Self::Units => "units",
            Self::Disks => "disks",
            Self::OomKills => "OOM kills",
            Self::Sysctls => "sysctls",
            Self::Routes => "routes",
            Self::Certificates => "certificates",
            Self::Clock => "clock",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// What it is about.
    pub area: Area,
    /// One line: `boolean httpd_can_network_connect: on → off`.
    pub what: String,
}

/// Everything that a comparison found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// What differs, by area; within an area by name.
    pub differences: Vec<Difference>,
    /// What is missing on both sides, and why: nobody can say whether it differs.
    pub unseen: Vec<Difference>,
}

/// What the two snapshots of a comparison are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair<'a> {
    /// One host, earlier and later.
    Times,
    /// Two hosts, by name. What is bound to differ between hosts (checksums, addresses, how full a disk
    /// is) is not compared.
    Hosts(&'a str, &'a str),
}

/// What differs between two snapshots of one host.
#[must_use]
pub fn differences(before: &Snapshot, after: &Snapshot) -> Vec<Difference> {
    let side = |snapshot| Side {
        facts: None,
        snapshot,
    };
    compare(Pair::Times, side(before), side(after)).differences
}

/// What is known of a host in one state.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The facts, where they are in the record.
    pub facts: Option<&'a Facts>,
    /// The snapshot.
    pub snapshot: &'a Snapshot,
}

/// What differs between two hosts, or between two states of one, and what nobody can say of.
#[must_use]
pub fn compare(pair: Pair<'_>, first: Side<'_>, second: Side<'_>) -> Compared {
    let mut compare = Compare::new(pair);
    if let (Some(a), Some(b)) = (first.facts, second.facts) {
        facts::compare(&mut compare, a, b);
    }
    let (first, second) = (first.snapshot, second.snapshot);
    if let Some((a, b)) =
        compare.both_of(Area::LoadedPolicy, "policy", &first.policy, &second.policy)
    {
        policy::compare(&mut compare, a, b);
    }
    if let Some((a, b)) = compare.both_of(Area::Listeners, "system", &first.system, &second.system)
    {
        system::compare(&mut compare, a, b);
    }
    compare.end()
}
