//! What is to be applied to the hosts.

mod advisory;
mod glob;
mod parse;
mod select;

use serde::{Deserialize, Serialize};

pub use self::{
    advisory::{ADVISORY, Advisory},
    glob::excludes,
    parse::{DEFAULT_DEADLINE, DEFAULT_REBOOT, parse, refuse_without_snapshot},
};
use crate::{
    package::{Nevra, NevraSpec},
    reboot::Reboot,
    undo::OnFailure,
};

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
    /// Whether hosts are rebooted after it. Versions that knew no reboots made none.
    #[serde(default)]
    pub reboot: Reboot,
    /// How long a host may take to come back, from its reboot or its snapshot, and to start everything, in
    /// seconds.
    #[serde(default = "parse::default_reboot_s")]
    pub reboot_within_s: u64,
    /// What becomes of hosts on which it fails. Versions that knew no undo kept them.
    #[serde(default)]
    pub on_failure: OnFailure,
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
    /// The glob of `exclude` that fits a package.
    #[must_use]
    pub fn excluding(&self, package: &Nevra) -> Option<&str> {
        excluding(&self.exclude, package)
    }

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

fn excluding<'a>(exclude: &'a [String], package: &Nevra) -> Option<&'a str> {
    let mut globs = exclude.iter();
    globs.find(|g| excludes(g, package)).map(String::as_str)
}

/// What is asked for by name or by file, and left out all the same: the package and the glob.
#[must_use]
pub fn contradictions(select: &Selection, exclude: &[String]) -> Vec<(String, String)> {
    let asked: Vec<Nevra> = match select {
        Selection::Packages(specs) => specs.iter().map(NevraSpec::assumed).collect(),
        Selection::Rpms(files) => {
            let read = files.iter().filter_map(|f| f.read.as_ref());
            read.map(|r| r.package.clone()).collect()
        }
        Selection::AllUpdates | Selection::Security | Selection::Advisories(_) => Vec::new(),
    };
    let both = |p: &Nevra| Some((p.to_string(), excluding(exclude, p)?.to_owned()));
    asked.iter().filter_map(both).collect()
}

#[cfg(test)]
mod tests;
