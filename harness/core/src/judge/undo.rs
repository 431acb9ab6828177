//! The undo of a patch that failed: whether it was due on a host, and whether the host is as it was before.
//!
//! The state `undone` is judged by nothing else than this: it makes no finding, changes no cause, and opens no
//! gate, which what failed before it keeps shut.

use std::collections::BTreeMap;

use super::{
    View,
    cells::{CellResult, Grounds},
    findings, gate, patched, reboot, vectors,
};
use crate::{
    event::PatchEnd,
    id::HostName,
    ledger::{HostLedger, Ledger, Trouble},
    package,
    patchset::Services,
    plan::Plan,
    reading::Reading,
    snapshot::diff::{Area, Compared, Pair, Side, compare},
    state::State,
    undo::{OnFailure, UndoEnd, UndoHow},
    verdict::{Class, Finding},
};

/// How many differences are told of a host that is not as it was.
const MOST: usize = 5;

/// Why the patch failed on each host on which it did, by the host alone; see [`failure`].
pub(super) type Failures = BTreeMap<HostName, String>;

/// The failures of all hosts of which the record knows anything.
pub(super) fn failures(plan: &Plan, ledger: &Ledger) -> Failures {
    let known = plan.hosts.iter().map(|h| &h.name);
    let failed = known.filter_map(|h| Some((h.clone(), failure(plan, ledger, h)?)));
    failed.collect()
}

/// Why the patch failed on a host: what is confirmed to have failed there, by the host alone.
///
/// A finding that closes the gate, or a transaction that is only partly in. A failure that is one only beside
/// the twin is none here, for the twin may not have ended; and so is what nobody could see. Where the
/// transaction changed nothing, it is not to blame.
pub(crate) fn failure(plan: &Plan, ledger: &Ledger, host: &HostName) -> Option<String> {
    let known = ledger.hosts.get(host)?;
    let ended = &known.patch.as_ref()?.value;
    match ended {
        PatchEnd::NothingToDo | PatchEnd::NotStarted { .. } | PatchEnd::StillRunning => {
            return None;
        }
        PatchEnd::Exited(_) if patched::unchanged(known) => return None,
        PatchEnd::Exited(_) | PatchEnd::Lost => {}
    }
    let lost = || lost_in_reboot(plan, known);
    let half = patched::half(known).or_else(lost);
    half.or_else(|| failed_check(plan, ledger, host))
}

/// A host that does not come back from its reboot can still be given back its snapshot.
fn lost_in_reboot(plan: &Plan, host: &HostLedger) -> Option<String> {
    match plan.on_failure() {
        OnFailure::Reset => reboot::not_back(host),
        OnFailure::Keep | OnFailure::Rollback => None,
    }
}

/// The first finding about a host that closes the gate and comes of the patch, in a line.
fn failed_check(plan: &Plan, ledger: &Ledger, host: &HostName) -> Option<String> {
    let judged = plan.of_host(host, |state| *state != State::Undone);
    let grounds = Grounds::of(&judged, ledger);
    let cells = grounds.results();
    let view = View::new(&grounds, &cells);
    let counts = |f: &&Finding| is_of_patch(f.class) && gate::closes(&view, f);
    let found = findings::find(&view);
    found.iter().find(counts).map(|f| f.symptom.clone())
}

/// Whether undoing the patch may mend what a finding tells of. An outage between the checks is over by then.
fn is_of_patch(class: Class) -> bool {
    match class {
        Class::RebuildOnlyRegression
        | Class::Regression
        | Class::NewDenial
        | Class::ModeDrift
        | Class::RebootLoop => true,
        Class::Failure
        | Class::HostLost
        | Class::Outage
        | Class::OtherKernel
        | Class::BrokenBefore
        | Class::Fixed
        | Class::AccessLost
        | Class::AllowExpired
        | Class::AllowUnused => false,
    }
}

/// What shows that nothing was to be undone on a host.
pub(super) fn not_needed(grounds: &Grounds<'_>, host: &HostName) -> Option<String> {
    let known = grounds.ledger.hosts.get(host)?;
    let untouched = known.undo.is_untouched() && !known.states.contains_key(&State::Undone);
    let ended = known.finished && known.troubles.is_empty() && known.patch.is_some();
    let failed = grounds.failures().contains_key(host);
    (untouched && ended && !failed).then(|| "nothing was to be undone".to_owned())
}

/// See [`crate::undo::trouble`].
pub(crate) fn undo_trouble(plan: &Plan, ledger: &Ledger, host: &HostName) -> Option<String> {
    let alone = plan.of_host(host, |_| true);
    let grounds = Grounds::of(&alone, ledger);
    let cells = grounds.results();
    trouble(&View::new(&grounds, &cells), host)
}

/// Why a host is not as it was before the patch, although its patch was to be undone.
pub(super) fn trouble(view: &View<'_>, host: &HostName) -> Option<String> {
    let known = view.ledger.hosts.get(host)?;
    if view.plan.on_failure() == OnFailure::Keep {
        return None;
    }
    let failed = view.failures().get(host);
    let (started, end) = (known.undo.started.as_ref(), known.undo.end.as_ref());
    match (failed, started.map(|s| &s.value), end.map(|e| &e.value)) {
        (None, None, None) => None,
        (Some(why), None, None) => Some(format!("the patch failed and was not undone: {why}")),
        (_, _, Some(UndoEnd::Refused { why })) => Some(format!("it was not undone: {why}")),
        (_, _, Some(UndoEnd::Failed { why })) => Some(format!("its undo failed: {why}")),
        (_, _, Some(UndoEnd::StillRunning)) => {
            Some("its undo had not ended; it goes on on the host".to_owned())
        }
        (_, Some(_), None) => Some("the end of its undo is not in the record".to_owned()),
        (_, None, Some(UndoEnd::RolledBack | UndoEnd::Reset { .. })) => {
            Some("the begin of its undo is not in the record".to_owned())
        }
        (_, Some(how), Some(UndoEnd::RolledBack | UndoEnd::Reset { .. })) => {
            not_as_before(view, host, known, how)
        }
    }
}

fn not_as_before(
    view: &View<'_>,
    host: &HostName,
    known: &HostLedger,
    how: &UndoHow,
) -> Option<String> {
    let mut all = Vec::new();
    all.extend(packages(known));
    all.extend(facts(known));
    all.extend(surroundings(known));
    all.extend(not_restarted(view.plan, known, how));
    all.extend(checks(view, host));
    all.extend(access(view, host));
    let more = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    if more > 0 {
        all.push(format!("and {more} more"));
    }
    (!all.is_empty()).then(|| {
        format!(
            "its undo went through, and it is not seen to be as before: {}",
            all.join("; ")
        )
    })
}

fn packages(host: &HostLedger) -> Vec<String> {
    let (Some(before), Some(after)) =
        (host.packages(State::Baseline), host.packages(State::Undone))
    else {
        return vec!["its packages are not known".to_owned()];
    };
    let changes = package::difference(before, after);
    changes.iter().map(ToString::to_string).collect()
}

/// Kernel, distribution and the loaded policy; the boot may be another one.
fn facts(host: &HostLedger) -> Vec<String> {
    let of = |state| Some(&host.states.get(&state)?.facts.as_ref()?.value);
    let (Some(before), Some(after)) = (of(State::Baseline), of(State::Undone)) else {
        return vec!["its facts are not in the record".to_owned()];
    };
    let mut all = Vec::new();
    let mut differ = |what: &str, differs: bool| {
        all.extend(differs.then(|| format!("{what} is another one")));
    };
    differ("the kernel", !same(&before.kernel, &after.kernel));
    differ("the distribution", !same(&before.os, &after.os));
    differ("SELinux", !same(&before.selinux, &after.selinux));
    all
}

/// Whether both are known and the same, or nobody could say either time.
fn same<T: PartialEq>(before: &Reading<T>, after: &Reading<T>) -> bool {
    match (before.get(), after.get()) {
        (Ok(before), Ok(after)) => before == after,
        (Err(_), Err(_)) => true,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

/// What differs around the services.
fn surroundings(host: &HostLedger) -> Vec<String> {
    let of = |state| Some(&host.states.get(&state)?.snapshot.as_ref()?.value);
    let (Some(before), Some(after)) = (of(State::Baseline), of(State::Undone)) else {
        return vec!["its snapshots are not in the record".to_owned()];
    };
    let side = |snapshot| Side {
        facts: None,
        snapshot,
    };
    let Compared { differences, .. } = compare(Pair::Times, side(before), side(after));
    let told = differences.into_iter().filter(|d| matters(d.area));
    told.map(|d| d.what).collect()
}

/// How full a disk is and what the kernel killed meanwhile is no state that an undo gives back.
fn matters(area: Area) -> bool {
    match area {
        Area::Disks | Area::OomKills | Area::Clock => false,
        Area::Host
        | Area::Packages
        | Area::SelinuxMode
        | Area::LoadedPolicy
        | Area::Modules
        | Area::Booleans
        | Area::PermissiveDomains
        | Area::Customizations
        | Area::Labels
        | Area::Listeners
        | Area::Firewall
        | Area::Units
        | Area::Sysctls
        | Area::Routes
        | Area::Certificates => true,
    }
}

/// Units that the patch had restarted run what it brought until they are restarted again.
fn not_restarted(plan: &Plan, host: &HostLedger, how: &UndoHow) -> Vec<String> {
    let units = match (how, plan.patch.as_ref().map(|p| &p.services)) {
        (UndoHow::Rollback { .. }, Some(Services::Restart(units))) => units.as_slice(),
        (UndoHow::Rollback { .. }, Some(Services::Leave) | None) | (UndoHow::Reset { .. }, _) => {
            &[]
        }
    };
    let well = |unit: &&String| {
        let ends = host.undo.restarts.as_ref();
        ends.and_then(|r| r.value.get(*unit)).map(|e| e.exit) == Some(Some(0))
    };
    let left = units.iter().filter(|u| !well(u));
    left.map(|unit| format!("{unit} was not seen to restart"))
        .collect()
}

/// Checks that passed before the patch and are not seen to pass now.
fn checks(view: &View<'_>, host: &HostName) -> Vec<String> {
    let at = |state| {
        let here = move |r: &&CellResult| r.cell.host == *host && r.cell.state == state;
        view.cells.iter().filter(here)
    };
    let passed = at(State::Baseline).filter(|r| r.passed());
    let left = passed.filter_map(|before| {
        let check = &before.cell.check;
        match at(State::Undone).find(|r| r.cell.check == *check) {
            Some(after) if after.passed() => None,
            Some(after) => Some(format!("{check}: {}", after.outcome.word())),
            None => Some(format!("{check}: not planned")),
        }
    });
    left.collect()
}

/// What the kernel does not allow any more, or does not say.
fn access(view: &View<'_>, host: &HostName) -> Vec<String> {
    let lost = view.losses.by(host, State::Undone).iter();
    let mut all: Vec<String> = lost.map(|l| l.denial.to_string()).collect();
    let known = |state| {
        let read = view.ledger.state(host, state)?.vectors.as_ref()?;
        read.value.known()
    };
    if known(State::Baseline).is_some() {
        let unread = vectors::unread(view, host, State::Undone);
        all.extend(unread.map(|u| u.why));
    }
    all
}

/// What is told of a host's undo in the summary; what is wrong with it is told elsewhere.
pub(super) fn told(view: &View<'_>, host: &HostName) -> Option<String> {
    let known = view.ledger.hosts.get(host)?;
    let how = &known.undo.started.as_ref()?.value;
    if trouble(view, host).is_some() {
        return None;
    }
    let n_packages = known.packages(State::Undone).map_or(0, <[_]>::len);
    let passing =
        |r: &&CellResult| r.cell.host == *host && r.cell.state == State::Undone && r.passed();
    let n_checks = view.cells.iter().filter(passing).count();
    let what = match how {
        UndoHow::Rollback { transaction, .. } => {
            format!("rolled back: transaction {transaction} undone")
        }
        UndoHow::Reset { snapshot, .. } => format!("reset: {snapshot}"),
    };
    Some(format!(
        "{what}, {n_packages} packages as before, {n_checks} checks pass"
    ))
}

/// Why a host is dirty, by this run or by an earlier one that it was not touched for, and what to do; none
/// where it is not.
pub(super) fn dirty(view: &View<'_>, host: &HostName) -> Option<String> {
    let known = view.ledger.hosts.get(host)?;
    let met = known.troubles.iter().find_map(|t| match &t.value {
        Trouble::Dirty(mark) => Some(format!("not touched: {mark}")),
        Trouble::Unreachable(_)
        | Trouble::Lost(_)
        | Trouble::Security(_)
        | Trouble::Locked(_)
        | Trouble::Bug(_) => None,
    });
    if met.is_some() {
        return met;
    }
    let why = known.dirty.as_ref().map(|d| d.value.clone());
    let why = why.or_else(|| trouble(view, host))?;
    let run = &view.plan.run;
    Some(match known.undo.is_marked() {
        true => format!(
            "{why}; no run patches it until one is told `--clear-dirty {run}`: put it in order first"
        ),
        false => format!("{why}; it may carry no mark: put it in order before it is patched again"),
    })
}
