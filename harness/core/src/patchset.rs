//! What is to be applied to the hosts.

mod advisory;
mod glob;
mod parse;
mod select;

use serde::{Deserialize, Serialize};

pub use self::{
    advisory::{ADVISORY, Advisory},
    glob::excludes,
    parse::{DEFAULT_DEADLINE, parse},
};
use crate::package::{Nevra, NevraSpec};

/// A patch set: what to apply, from where, and what follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchSet {
    /// Its name.
    pub name: String,
    /// What is applied.
    pub select: Selection,
    /// Package globs that are left out.
    pub exclude: Vec<String>,
    /// Repositories enabled for this transaction only.
    pub enable_repos: Vec<String>,
    /// Repositories disabled for this transaction only.
    pub disable_repos: Vec<String>,
    /// What happens to services once the packages are in.
    pub services: Services,
    /// How long the transaction may take on one host, in seconds.
    pub deadline_s: u64,
}

/// What a patch set applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// Everything that the enabled repositories hold newer.
    AllUpdates,
    /// What the repositories' advisories call security updates.
    Security,
    /// The packages of these advisories, as far as they are installed; each under the id that the host's
    /// distribution gives it.
    Advisories(Vec<Advisory>),
    /// Exactly these packages, whether or not another version is installed.
    Packages(Vec<NevraSpec>),
    /// These files of this machine.
    Rpms(Vec<RpmFile>),
}

/// An RPM file of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpmFile {
    /// Its path: as the patch set has it, from that file's own folder, until it is read.
    pub file: String,
    /// What it holds, once it is read.
    pub read: Option<RpmRead>,
}

/// What was found in an RPM file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpmRead {
    /// The package, by the file's own header.
    pub package: Nevra,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// What happens to services after a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Services {
    /// Nothing: there is no `restarted` state.
    Leave,
    /// These units are restarted, which makes the `restarted` state.
    Restart(Vec<String>),
}

impl PatchSet {
    /// The files of this machine that it names, to be read.
    pub fn rpm_files(&mut self) -> &mut [RpmFile] {
        match &mut self.select {
            Selection::Rpms(files) => files,
            Selection::AllUpdates
            | Selection::Security
            | Selection::Advisories(_)
            | Selection::Packages(_) => &mut [],
        }
    }
}

#[cfg(test)]
mod tests;
