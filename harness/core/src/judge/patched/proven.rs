//! What is proven of a patch set on a host where nothing is wrong with it.

use super::{View, after, asked, changes, trouble};
use crate::{event::PatchEnd, ledger::HostLedger, transaction::left_out};

/// What is proven of a patch set that is in: that what was asked for is installed, and that a run which
/// found nothing to do changed nothing. None where there is nothing to prove, or something is wrong.
pub(crate) fn proven(view: &View<'_>, ledger: &HostLedger) -> Option<String> {
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
    let proven: Vec<_> = [converged, installed].into_iter().flatten().collect();
    let all = [Some(proven.join(", and ")), excluded(view, ledger)];
    let all: Vec<_> = all
        .into_iter()
        .flatten()
        .filter(|s| !s.is_empty())
        .collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// That nothing which is excluded was changed, and what advisories hold newer that is held back by that.
fn excluded(view: &View<'_>, ledger: &HostLedger) -> Option<String> {
    let set = view.plan.patch.as_ref().filter(|p| !p.exclude.is_empty())?;
    let globs: Vec<_> = set.exclude.iter().map(|g| format!("`{g}`")).collect();
    let nothing = format!(
        "nothing that is excluded ({}) was changed",
        globs.join(", ")
    );
    let left = ledger.preview.as_deref().zip(after(ledger));
    let left = left.map(|(preview, after)| left_out(set, preview, after));
    Some(match left.filter(|l| !l.is_empty()) {
        Some(left) => format!("{nothing}; held back: {}", left.join(", ")),
        None => nothing,
    })
}

/// Whether there was nothing to do and the packages are those of before.
fn is_converged(ledger: &HostLedger) -> bool {
    let nothing = ledger.patch.as_ref().map(|p| &p.value) == Some(&PatchEnd::NothingToDo);
    nothing && changes(ledger).is_some_and(|c| c.is_empty())
}
