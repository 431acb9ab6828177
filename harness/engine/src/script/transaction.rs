//! Transactions of packages with whatever manager a host has: what one would do, and doing it.
//!
//! | | `updates: all` | `updates: security` | `advisories` | `packages`, `rpms` |
//! |---|---|---|---|---|
//! | yum 3 | `update` | `update --security` | `update-minimal --advisory=` | `install` |
//! | dnf 4 | `upgrade` | `upgrade --security` | `upgrade-minimal --advisory=` | `install` |
//! | dnf5 | `upgrade` | `upgrade --security` | `upgrade --minimal --advisories=` | `install` |
//!
//! A manager that does not know an advisory says that there is nothing to do, and 0 (seen with dnf 4.14).
//! So the host is asked first which of the ids its repositories have.

mod advisories;
mod apply;
mod arguments;
mod offered;
mod plan;
mod undo;

use patchgate_core::{package::NevraSpec, patchset::PatchSet, transaction::AdvisoryHere};

pub use self::{
    advisories::{advisories_item, needs_advisories, read_advisories},
    apply::{apply_script, transaction},
    offered::{offered_item, read_offered},
    plan::{Planned, plan_item, read_plan},
    undo::undo_script,
};

/// A patch set made ready for one host.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The patch set.
    pub set: &'a PatchSet,
    /// The advisories that it names, under the ids of the host's repositories.
    pub advisories: Vec<AdvisoryHere>,
    /// What the host's advisories say must be there afterwards.
    pub at_least: Vec<NevraSpec>,
    /// Its files, where they are on the host.
    pub files: Vec<FileThere>,
}

/// A file that was brought to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileThere {
    /// Its absolute path there.
    pub path: String,
    /// SHA-256, in lower-case hexadecimal.
    pub sha256: String,
}

impl<'a> Order<'a> {
    /// A patch set that needs nothing to be found out or brought.
    #[must_use]
    pub fn new(set: &'a PatchSet) -> Self {
        Self {
            set,
            advisories: Vec::new(),
            at_least: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// Finds the host's package manager: `$pm` is which, `$p` its program. On EL8 and later `yum` is dnf, and
/// on Fedora `dnf` is dnf5: what the name leads to tells, without starting Python.
pub(super) const FIND: &str = r#"pm=
if p=$(command -v dnf); then
  case $(readlink -f "$p") in */dnf5) pm=dnf5;; *) pm=dnf4;; esac
elif p=$(command -v dnf5); then pm=dnf5
elif p=$(command -v yum); then
  case $(readlink -f "$p") in */dnf5) pm=dnf5;; */dnf*) pm=dnf4;; *) pm=yum;; esac
else echo 'there is none of dnf, dnf5 and yum' >&2; exit 127
fi
export HOME=/root LC_ALL=C COLUMNS=400 FORCE_COLUMNS=400
"#;

#[cfg(test)]
mod tests;
