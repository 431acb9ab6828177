//! Which packages of the transaction may have brought a finding, likeliest first, each with its reasons.

mod ties;

use self::ties::{Tie, Ties};
use super::View;
use crate::{
    id::{HostName, SuiteName},
    package::{self, PackageChange},
    state::State,
    verdict::{Cause, Class, Fate, Suspect, Twin},
};

/// How many suspects a finding names.
const MOST: usize = 5;

/// Ranks the packages that the transaction changed by what ties them to the cause. What was there before
/// the transaction was brought by none of them.
pub(super) fn rank(
    view: &View<'_>,
    host: &HostName,
    suite: &SuiteName,
    (class, cause): (Class, &Cause),
    twin: Option<&Twin>,
) -> Vec<Suspect> {
    if class == Class::BrokenBefore {
        return Vec::new();
    }
    let ties = Ties::new(view, host, suite, cause);
    let twin = TwinTook::new(view, host, twin);
    let changes = changes(view, host);
    let mut ranked: Vec<(u32, Suspect)> = changes
        .iter()
        .filter_map(|change| {
            let mut ties = ties.of(change);
            if changes.len() == 1 {
                ties.push(Tie::of_the_only_one());
            }
            if ties.is_empty() {
                return None;
            }
            ties.sort_by_key(|t| std::cmp::Reverse(t.weight));
            let nevra = now(change);
            let weight = ties.iter().map(|t| t.weight).sum();
            let (weight, twin) = twin.weigh(&nevra, weight);
            let reasons = ties.into_iter().map(|t| t.why).chain(twin);
            let why = reasons.collect::<Vec<_>>().join("; ");
            Some((weight, Suspect { nevra, why }))
        })
        .collect();
    ranked.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.nevra.cmp(&y.nevra)));
    let best = ranked.into_iter().map(|(_, suspect)| suspect);
    best.take(MOST).collect()
}

/// What the twin took in its own transaction, and how it fares.
struct TwinTook {
    /// None where that is not known, or where there is no twin.
    took: Option<Vec<String>>,
    passes: bool,
}

impl TwinTook {
    fn new(view: &View<'_>, host: &HostName, twin: Option<&Twin>) -> Self {
        let name = view.plan.host(host).and_then(|h| h.twin.as_ref());
        let took = name.and_then(|t| known_changes(view, t));
        Self {
            took: took.map(|all| all.iter().map(now).collect()),
            passes: twin.is_some_and(|t| t.fate == Fate::Unaffected),
        }
    }

    /// The weight of a package beside the twin, and what is said of it: one that the twin took and passes
    /// with is less suspect, one that it did not take is more.
    fn weigh(&self, nevra: &String, weight: u32) -> (u32, Option<String>) {
        let Some(took) = &self.took else {
            return (weight, None);
        };
        match (took.contains(nevra), self.passes) {
            (true, true) => (
                weight / 2,
                Some("the twin took it too and passes".to_owned()),
            ),
            (true, false) => (weight, Some("the twin took it too".to_owned())),
            (false, true) => (
                weight + 3,
                Some("the twin, which passes, did not take it".to_owned()),
            ),
            (false, false) => (weight, None),
        }
    }
}

/// The packages that the transaction changed on a host.
pub(super) fn changes(view: &View<'_>, host: &HostName) -> Vec<PackageChange> {
    known_changes(view, host).unwrap_or_default()
}

/// The same; none where either side is not known.
fn known_changes(view: &View<'_>, host: &HostName) -> Option<Vec<PackageChange>> {
    let ledger = view.ledger.hosts.get(host)?;
    let after = [State::Rebooted, State::Restarted, State::Patched]
        .into_iter()
        .find_map(|s| ledger.packages(s))?;
    Some(package::difference(
        ledger.packages(State::Baseline)?,
        after,
    ))
}

/// The package as it is now, or as it was when it is gone.
fn now(change: &PackageChange) -> String {
    match change {
        PackageChange::Removed(package) => package.to_string(),
        PackageChange::Installed(package)
        | PackageChange::Upgraded { to: package, .. }
        | PackageChange::Downgraded { to: package, .. } => package.to_string(),
    }
}
