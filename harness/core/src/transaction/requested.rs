//! What must be installed after a transaction, by what was asked for.

use std::collections::BTreeSet;

use super::{AdvisoryHere, Preview, WhyHeld};
use crate::{
    package::{Nevra, NevraSpec},
    patchset::{Advisory, PatchSet, Selection},
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

    /// The package, for people; and that the patch set leaves it out, if that is why it does not come.
    #[must_use]
    pub fn text(&self, set: &PatchSet) -> String {
        let (spec, text) = match self {
            Self::Exactly(spec) => (spec, spec.to_string()),
            Self::AtLeast(spec) => (spec, format!("{spec} or newer")),
        };
        match set.excluding(&spec.assumed()) {
            Some(glob) => format!("{text}, which the patch set excludes (`{glob}`)"),
            None => text,
        }
    }
}

/// Everything that a patch set asks for on a host. `None` where that is not known: what advisories hold is
/// told by the host, and files are read before the run.
#[must_use]
pub fn requested(set: &PatchSet, preview: Option<&Preview>) -> Option<Vec<Requested>> {
    match &set.select {
        Selection::AllUpdates => Some(Vec::new()),
        Selection::Security => preview.map(|p| at_least(kept(set, &p.at_least))),
        Selection::Advisories(asked) => of_advisories(set, asked, &preview?.advisories),
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

/// The packages of all advisories, each once, but for excluded ones. Where every package of one is excluded
/// all of them are asked for nevertheless: otherwise it would not be applied, and nobody would hear of it.
fn of_advisories(
    set: &PatchSet,
    asked: &[Advisory],
    here: &[AdvisoryHere],
) -> Option<Vec<Requested>> {
    let known = |(asked, here): (&Advisory, &AdvisoryHere)| {
        *asked == here.asked && !here.here.is_empty() && !here.packages.is_empty()
    };
    let all = asked.len() == here.len() && asked.iter().zip(here).all(known);
    let wanted = |here: &AdvisoryHere| match kept(set, &here.packages) {
        none if none.is_empty() => here.packages.clone(),
        some => some,
    };
    let wanted: BTreeSet<_> = here.iter().flat_map(wanted).collect();
    all.then(|| at_least(wanted))
}

fn kept(set: &PatchSet, specs: &[NevraSpec]) -> Vec<NevraSpec> {
    let kept = |s: &&NevraSpec| set.excluding(&s.assumed()).is_none();
    specs.iter().filter(kept).cloned().collect()
}

fn at_least(specs: impl IntoIterator<Item = NevraSpec>) -> Vec<Requested> {
    specs.into_iter().map(Requested::AtLeast).collect()
}

/// What advisories hold newer than what is installed and `exclude` leaves out, with the reason.
#[must_use]
pub fn left_out(set: &PatchSet, preview: &Preview, installed: &[Nevra]) -> Vec<String> {
    let of_advisories = preview.advisories.iter().flat_map(|a| &a.packages);
    let all: BTreeSet<_> = preview.at_least.iter().chain(of_advisories).collect();
    let missing = |s: &&NevraSpec| !installed.iter().any(|p| s.is_reached_by(p));
    let told = |s: &NevraSpec| {
        let glob = set.excluding(&s.assumed())?.to_owned();
        Some(format!("{s}: {}", WhyHeld::ExcludedByPatchSet(glob).text()))
    };
    all.into_iter().filter(missing).filter_map(told).collect()
}

/// What was asked for and is not installed.
#[must_use]
pub fn unmet<'a>(requested: &'a [Requested], installed: &[Nevra]) -> Vec<&'a Requested> {
    let absent = requested.iter().filter(|r| !r.is_met_by(installed));
    absent.collect()
}
