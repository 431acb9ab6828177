//! What an interruption leaves undecided: a host that is another one than it was, a baseline that is too
//! old, and a resume that is not wholly in the record.

use super::View;
use crate::{
    ledger::{HostLedger, Ledger},
    plan::PlannedHost,
    resume,
    verdict::{Missing, Undecided},
};

/// What of a host does not count because the run was interrupted.
pub(super) fn of_host(view: &View<'_>, host: &PlannedHost, known: &HostLedger) -> Vec<Undecided> {
    let changed = known.resumed.iter().flat_map(|r| &r.value.changed);
    let changed = changed.map(|c| format!("while the run was interrupted: {c}"));
    // Without a patch nothing is held against a baseline.
    let patches = view.plan.patch.is_some();
    let ages = known.resumed.iter().filter(|_| patches);
    let stale = ages.filter_map(|r| resume::stale(r.value.baseline_s.as_ref()?));
    let all = changed.chain(stale).chain(of_record(view.ledger, known));
    let entry = |why| Undecided {
        host: Some(host.name.clone()),
        state: None,
        what: Missing::Host,
        why,
    };
    all.map(entry).collect()
}

/// What of a resume is not in the record.
fn of_record(ledger: &Ledger, known: &HostLedger) -> Option<String> {
    if let Some(seq) = known.unresumed {
        return Some(format!(
            "whether the host changed while the run was interrupted is not in the record before event {seq}"
        ));
    }
    let more = known.resumed.len() > ledger.resumed.len();
    more.then(|| "that the run was resumed is not in the record".to_owned())
}
