//! Which packages of the transaction may have brought a finding, likeliest first.

use super::{View, cause::losses};
use crate::{
    id::{HostName, SuiteName},
    package::{self, PackageChange},
    state::State,
    verdict::{Cause, CauseKind, Suspect},
};

/// How many suspects a finding names.
const MOST: usize = 5;

/// Ranks the packages that the transaction changed by what ties them to the cause.
pub(super) fn rank(
    view: &View<'_>,
    host: &HostName,
    suite: &SuiteName,
    cause: &Cause,
) -> Vec<Suspect> {
    let changes = changes(view, host);
    let measured = is_measured(view, host, cause);
    let twins = view.plan.host(host).and_then(|h| h.twin.as_ref());
    let twins: Vec<String> = twins
        .map(|t| self::changes(view, t))
        .unwrap_or_default()
        .iter()
        .map(after)
        .collect();
    let mut ranked: Vec<(u32, Suspect)> = changes
        .iter()
        .filter_map(|change| {
            let (weight, why) = ties(view, suite, cause, measured, change)?;
            let nevra = after(change);
            let shared = twins.contains(&nevra);
            let why = if shared {
                format!("{why}; the twin took it too")
            } else {
                why
            };
            Some((weight, Suspect { nevra, why }))
        })
        .collect();
    ranked.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.nevra.cmp(&y.nevra)));
    ranked
        .into_iter()
        .map(|(_, suspect)| suspect)
        .take(MOST)
        .collect()
}

/// The packages that the transaction changed on a host.
pub(super) fn changes(view: &View<'_>, host: &HostName) -> Vec<PackageChange> {
    let Some(ledger) = view.ledger.hosts.get(host) else {
        return Vec::new();
    };
    let after = [State::Restarted, State::Patched]
        .into_iter()
        .find_map(|s| ledger.packages(s));
    match (ledger.packages(State::Baseline), after) {
        (Some(before), Some(after)) => package::difference(before, after),
        _ => Vec::new(),
    }
}

fn after(change: &PackageChange) -> String {
    match change {
        PackageChange::Removed(package) => package.to_string(),
        PackageChange::Installed(package)
        | PackageChange::Upgraded { to: package, .. }
        | PackageChange::Downgraded { to: package, .. } => package.to_string(),
    }
}

/// A weight and the reason; none when nothing ties the package to the cause.
fn ties(
    view: &View<'_>,
    suite: &SuiteName,
    cause: &Cause,
    measured: bool,
    change: &PackageChange,
) -> Option<(u32, String)> {
    let name = change.name();
    if cause.kind.is_selinux() && name.starts_with("selinux-policy-") {
        let why = if measured {
            "carries the policy whose access vectors changed"
        } else {
            "carries the SELinux policy"
        };
        return Some((30, why.to_owned()));
    }
    if cause.kind.is_selinux() && (name == "selinux-policy" || name.ends_with("-selinux")) {
        return Some((20, "belongs to the SELinux policy that changed".to_owned()));
    }
    let needed = view
        .plan
        .suites
        .iter()
        .find(|s| s.name == *suite)?
        .needs
        .packages
        .iter();
    if needed.into_iter().any(|n| n == name) {
        return Some((10, "is what the suite checks".to_owned()));
    }
    (cause.kind == CauseKind::Unknown).then(|| (1, "changed in this transaction".to_owned()))
}

/// Whether the kernel's own answers show what the cause says, and not the log alone.
fn is_measured(view: &View<'_>, host: &HostName, cause: &Cause) -> bool {
    let all = losses(view, host, None);
    cause
        .denial
        .as_ref()
        .is_some_and(|d| all.iter().any(|l| l.denial == *d))
}
