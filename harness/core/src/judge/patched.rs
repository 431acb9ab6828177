//! Whether the patch set is in on a host: the transaction's end, what was planned, and what was asked for,
//! held against the packages that are installed afterwards.

use super::View;
use crate::{
    event::PatchEnd,
    ledger::HostLedger,
    package::{Nevra, difference},
    reading::Reading,
    state::State,
    transaction::{Requested, requested, unmet},
};

/// What is wrong with the transaction of a host; none when it is in as planned and as asked for.
pub(super) fn trouble(view: &View<'_>, ledger: &HostLedger) -> Option<String> {
    let planned = ledger.planned.as_ref().and_then(|p| p.value.known());
    let why = match ledger.patch.as_ref().map(|p| &p.value) {
        Some(PatchEnd::NothingToDo) if planned.is_some_and(Vec::is_empty) => {
            return not_as_asked(view, ledger);
        }
        Some(PatchEnd::NothingToDo) => "what the transaction was to bring is not known".to_owned(),
        Some(PatchEnd::Exited(_)) if ledger.patch_started.is_none() => {
            "the transaction's begin is not in the record".to_owned()
        }
        Some(PatchEnd::Exited(0)) => {
            return not_as_planned(ledger).or_else(|| not_as_asked(view, ledger));
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
    let absent: Vec<_> = unmet(&wanted, after).iter().map(|r| r.text()).collect();
    (!absent.is_empty()).then(|| format!("asked for and not installed: {}", absent.join(", ")))
}

fn asked(view: &View<'_>, ledger: &HostLedger) -> Option<Vec<Requested>> {
    requested(view.plan.patch.as_ref()?, ledger.preview.as_deref())
}

/// The packages of the last state that was looked at after the transaction.
fn after(ledger: &HostLedger) -> Option<&[Nevra]> {
    let states = [State::Restarted, State::Patched];
    states.into_iter().find_map(|s| ledger.packages(s))
}

/// What is proven of a patch set that is in: that what was asked for is installed, and that a run which
/// found nothing to do changed nothing. None where there is nothing to prove, or something is wrong.
pub(super) fn proven(view: &View<'_>, ledger: &HostLedger) -> Option<String> {
    if view.plan.patch.is_none() || trouble(view, ledger).is_some() {
        return None;
    }
    let installed = match asked(view, ledger)?.len() {
        0 => None,
        1 => Some("the package that was asked for is installed".to_owned()),
        n => Some(format!(
            "all {n} packages that were asked for are installed"
        )),
    };
    let converged = is_converged(ledger).then(|| "converged: nothing was to change".to_owned());
    let all: Vec<_> = [converged, installed].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(", and "))
}

/// Whether there was nothing to do and the packages are those of before.
fn is_converged(ledger: &HostLedger) -> bool {
    let nothing = ledger.patch.as_ref().map(|p| &p.value) == Some(&PatchEnd::NothingToDo);
    let before = ledger.packages(State::Baseline);
    let same = before
        .zip(after(ledger))
        .is_some_and(|(before, after)| difference(before, after).is_empty());
    nothing && same
}
