//! What must be installed after a transaction, by what was asked for.

use super::Preview;
use crate::{
    package::{Nevra, NevraSpec},
    patchset::{PatchSet, Selection},
    transaction::held::excluding,
};

/// One package that must be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requested {
    /// This very one.
    Exactly(NevraSpec),
    /// One that is as new.
    AtLeast(NevraSpec),
}

impl Requested {
    /// Whether it is among installed packages. One that must be as new is met by any installed one of that
    /// name: kernels stand side by side.
    #[must_use]
    pub fn is_met_by(&self, installed: &[Nevra]) -> bool {
        match self {
            Self::Exactly(spec) => installed.iter().any(|p| spec.is(p)),
            Self::AtLeast(spec) => installed.iter().any(|p| spec.is_reached_by(p)),
        }
    }

    /// The package, for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Exactly(spec) => spec.to_string(),
            Self::AtLeast(spec) => format!("{spec} or newer"),
        }
    }
}

/// Everything that a patch set asks for on a host. `None` where that is not known: what advisories hold is
/// told by the host, and files are read before the run.
#[must_use]
pub fn requested(set: &PatchSet, preview: Option<&Preview>) -> Option<Vec<Requested>> {
    let at_least = |preview: &Preview| {
        let specs = preview.at_least.iter();
        let wanted = specs.filter(|s| excluding(&set.exclude, s).is_none());
        wanted.cloned().map(Requested::AtLeast).collect::<Vec<_>>()
    };
    match &set.select {
        Selection::AllUpdates => Some(Vec::new()),
        Selection::Security => preview.map(at_least),
        Selection::Advisories(asked) => preview
            .filter(|p| p.advisories.len() == asked.len())
            .filter(|p| p.advisories.iter().all(|a| !a.here.is_empty()))
            .filter(|p| !p.at_least.is_empty())
            .map(at_least),
        Selection::Packages(specs) => Some(specs.iter().cloned().map(Requested::Exactly).collect()),
        Selection::Rpms(files) => {
            let spec = |p: &Nevra| Requested::Exactly(NevraSpec::from(p));
            let read = files
                .iter()
                .map(|f| f.read.as_ref().map(|r| spec(&r.package)));
            read.collect()
        }
    }
}

/// What was asked for and is not installed.
#[must_use]
pub fn unmet<'a>(requested: &'a [Requested], installed: &[Nevra]) -> Vec<&'a Requested> {
    let absent = requested.iter().filter(|r| !r.is_met_by(installed));
    absent.collect()
}
