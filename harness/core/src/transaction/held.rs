//! What is newer in the repositories and stays as it is on a host, and why.

use serde::{Deserialize, Serialize};

use super::{Action, Row};
use crate::{
    package::{Nevra, NevraSpec},
    patchset::excludes,
};

/// A package that could be newer and will not be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HeldBack {
    /// The newer package.
    pub package: NevraSpec,
    /// The repository that has it.
    pub repository: String,
    /// Why it stays away.
    pub why: WhyHeld,
}

/// Why a package stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyHeld {
    /// This glob of the patch set leaves it out.
    ExcludedByPatchSet(String),
    /// The package manager skips it for what it needs or conflicts with.
    Dependencies,
    /// It belongs to a module stream that is not enabled.
    ModuleStream,
    /// It is there without the host's own excludes and not with them: `exclude` of its configuration, or a
    /// lock on the version.
    ExcludedOnHost,
    /// The package manager leaves it out and does not say why.
    Unsaid,
}

impl WhyHeld {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::ExcludedByPatchSet(glob) => format!("excluded by the patch set (`{glob}`)"),
            Self::Dependencies => "skipped: broken dependencies or a conflict".to_owned(),
            Self::ModuleStream => "filtered: its module stream is not enabled".to_owned(),
            Self::ExcludedOnHost => "excluded on the host itself".to_owned(),
            Self::Unsaid => "left out by the package manager, which does not say why".to_owned(),
        }
    }
}

/// What is offered and does not come, with the reason.
///
/// `visible` is what the host offers as it is configured, `unmasked` the same without excludes, and
/// `unfiltered` without the filter of module streams as well. `rows` is the planned transaction.
#[must_use]
pub fn held_back(
    exclude: &[String],
    rows: &[Row],
    visible: &[Row],
    unmasked: &[Row],
    unfiltered: &[Row],
) -> Vec<HeldBack> {
    let comes = |row: &Row| {
        let reached =
            |r: &Row| as_installed(&r.package).is_some_and(|p| row.package.is_reached_by(&p));
        rows.iter().any(|r| r.action.brings() && reached(r))
    };
    let has = |rows: &[Row], row: &Row| rows.iter().any(|r| r.package == row.package);
    let why = |row: &Row| {
        let skipped = |r: &Row| r.action == Action::Skip && r.package == row.package;
        if let Some(glob) = excluding(exclude, &row.package) {
            WhyHeld::ExcludedByPatchSet(glob)
        } else if rows.iter().any(skipped) {
            WhyHeld::Dependencies
        } else if has(visible, row) {
            WhyHeld::Unsaid
        } else if has(unmasked, row) {
            WhyHeld::ExcludedOnHost
        } else {
            WhyHeld::ModuleStream
        }
    };
    let offered = [visible, unmasked, unfiltered].into_iter().flatten();
    let skipped = rows.iter().filter(|r| r.action == Action::Skip);
    let mut held: Vec<HeldBack> = offered
        .chain(skipped)
        .filter(|row| !comes(row))
        .map(|row| HeldBack {
            package: row.package.clone(),
            repository: row.repository.clone(),
            why: why(row),
        })
        .collect();
    held.sort();
    held.dedup_by(|a, b| a.package == b.package);
    held
}

/// The glob that leaves a package out.
pub(super) fn excluding(globs: &[String], spec: &NevraSpec) -> Option<String> {
    let package = as_installed(spec)?;
    globs.iter().find(|g| excludes(g, &package)).cloned()
}

/// The package as an installed one; an epoch that is not said is 0 here, where a package manager's own
/// table leaves out only that.
pub(super) fn as_installed(spec: &NevraSpec) -> Option<Nevra> {
    let evr = spec.evr();
    let (epoch, rest) = evr.split_once(':').unwrap_or(("0", &evr));
    let (version, release) = rest.split_once('-')?;
    Some(Nevra {
        name: spec.name().to_owned(),
        epoch: epoch.parse().ok()?,
        version: version.to_owned(),
        release: release.to_owned(),
        arch: spec.arch().to_owned(),
    })
}
