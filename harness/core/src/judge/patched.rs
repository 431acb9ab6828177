//! Whether the patch set is in on a host: the transaction's end, what was planned, and what was asked for,
//! held against the packages that are installed afterwards.

mod proven;

pub(super) use proven::proven;

use super::View;
use crate::{
    event::PatchEnd,
    ledger::HostLedger,
    package::{Nevra, PackageChange, difference},
    reading::Reading,
    state::State,
    transaction::{Requested, requested, unmet},
};

/// Whether a transaction is seen to have changed no package.
pub(super) fn unchanged(ledger: &HostLedger) -> bool {
    changes(ledger).is_some_and(|all| all.is_empty())
}

/// Why a transaction is only partly in, for certain; none where it is in, and where nobody can say.
pub(super) fn half(ledger: &HostLedger) -> Option<String> {
    match &ledger.patch.as_ref()?.value {
        PatchEnd::Exited(0) => {
            let planned = ledger.planned.as_ref()?.value.known();
            planned
                .zip(after(ledger))
                .and_then(|_| not_as_planned(ledger))
        }
        PatchEnd::Exited(n) => Some(format!("the package manager exited with status {n}")),
        PatchEnd::Lost => Some("the transaction broke off".to_owned()),
        PatchEnd::NothingToDo | PatchEnd::StillRunning | PatchEnd::NotStarted { .. } => None,
    }
}

/// What is wrong with the transaction of a host; none when it is in as planned and as asked for.
pub(super) fn trouble(view: &View<'_>, ledger: &HostLedger) -> Option<String> {
    let planned = ledger.planned.as_ref().and_then(|p| p.value.known());
    let why = match ledger.patch.as_ref().map(|p| &p.value) {
        Some(PatchEnd::NothingToDo) if planned.is_some_and(Vec::is_empty) => {
            return changed_beside(view, ledger).or_else(|| not_as_asked(view, ledger));
        }
        Some(PatchEnd::NothingToDo) => "what the transaction was to bring is not known".to_owned(),
        Some(PatchEnd::Exited(_)) if ledger.patch_started.is_none() => {
            "the transaction's begin is not in the record".to_owned()
        }
        Some(PatchEnd::Exited(0)) => {
            let beside = || changed_beside(view, ledger);
            let asked = || not_as_asked(view, ledger);
            return not_as_planned(ledger).or_else(beside).or_else(asked);
        }
        Some(PatchEnd::Exited(n)) => format!("the package manager exited with status {n}"),
        Some(PatchEnd::Lost) => {
            "the transaction ended without leaving a result on the host".to_owned()
        }
        Some(PatchEnd::StillRunning) if view.ledger.interrupted.is_some() => {
            "the transaction had not ended when the run was stopped; it goes on on the host"
                .to_owned()
        }
        Some(PatchEnd::StillRunning) => {
            "the transaction had not ended by its deadline; it goes on on the host".to_owned()
        }
        Some(PatchEnd::NotStarted { why }) => format!("nothing was applied: {why}"),
        None if ledger.patch_started.is_none() => "the patch set was not applied".to_owned(),
        None => "the transaction's end is not in the record".to_owned(),
    };
    Some(why)
}

/// Whether every package that was planned is there afterwards.
fn not_as_planned(ledger: &HostLedger) -> Option<String> {
    let Some(Reading::Known(planned)) = ledger.planned.as_ref().map(|p| &p.value) else {
        return Some("what the transaction was to bring is not known".to_owned());
    };
    let Some(after) = after(ledger) else {
        return Some(UNKNOWN_AFTER.to_owned());
    };
    let there: Vec<String> = after.iter().map(Nevra::to_string).collect();
    let absent = planned.iter().filter(|p| !there.contains(p)).cloned();
    let absent: Vec<_> = absent.collect();
    (!absent.is_empty()).then(|| format!("planned and not installed: {}", absent.join(", ")))
}

/// What changed and was not to change: packages that came and were not planned, and all that is excluded.
fn changed_beside(view: &View<'_>, ledger: &HostLedger) -> Option<String> {
    let set = view.plan.patch.as_ref()?;
    let Some(changes) = changes(ledger) else {
        let unknown = || "which packages were changed is not known".to_owned();
        return (!set.exclude.is_empty()).then(unknown);
    };
    let excluded = |c: &PackageChange| set.excluding(c.package()).is_some();
    let beside = |c: &PackageChange| {
        let came = c.after().filter(|p| p.name != KEYS);
        came.is_some_and(|p| !is_planned(ledger, p))
    };
    let all: Vec<_> = changes.iter().filter(|c| excluded(c)).collect();
    if !all.is_empty() {
        return Some(format!(
            "excluded and changed all the same: {}",
            listed(&all)
        ));
    }
    let all: Vec<_> = changes.iter().filter(|c| beside(c)).collect();
    (!all.is_empty()).then(|| format!("changed and not planned: {}", listed(&all)))
}

/// The name of the packages that hold keys: a transaction may bring the one that it checks with.
const KEYS: &str = "gpg-pubkey";

fn is_planned(ledger: &HostLedger, package: &Nevra) -> bool {
    let planned = ledger.planned.as_ref().and_then(|p| p.value.known());
    planned.is_some_and(|all| all.contains(&package.to_string()))
}

fn listed(changes: &[&PackageChange]) -> String {
    let all: Vec<_> = changes.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// What differs between the packages of before and those of afterwards; none where either is not known.
fn changes(ledger: &HostLedger) -> Option<Vec<PackageChange>> {
    Some(difference(
        ledger.packages(State::Baseline)?,
        after(ledger)?,
    ))
}

const UNKNOWN_AFTER: &str = "the packages after the transaction are not known";

/// Whether every package that the patch set asks for is there afterwards, whatever was planned.
fn not_as_asked(view: &View<'_>, ledger: &HostLedger) -> Option<String> {
    let Some(wanted) = asked(view, ledger) else {
        return Some("what the patch set asks for on this host is not known".to_owned());
    };
    if wanted.is_empty() {
        return None;
    }
    let Some(after) = after(ledger) else {
        return Some(UNKNOWN_AFTER.to_owned());
    };
    let set = view.plan.patch.as_ref()?;
    let absent = unmet(&wanted, after).into_iter().map(|r| r.text(set));
    let absent: Vec<_> = absent.collect();
    (!absent.is_empty()).then(|| format!("asked for and not installed: {}", absent.join(", ")))
}

fn asked(view: &View<'_>, ledger: &HostLedger) -> Option<Vec<Requested>> {
    requested(view.plan.patch.as_ref()?, ledger.preview.as_deref())
}

/// The packages of the last state that was looked at after the transaction.
fn after(ledger: &HostLedger) -> Option<&[Nevra]> {
    let states = [State::Rebooted, State::Restarted, State::Patched];
    states.into_iter().find_map(|s| ledger.packages(s))
}
