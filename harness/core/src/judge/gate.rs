//! The gate: policy and findings make open, closed or undecided.

use std::collections::BTreeSet;

use super::{
    View, cells::CellResult, drift, hosts, patched, reboot, resumed, soak, undo, unsettled,
    vectors, waves, whole,
};
use crate::{
    event::PatchEnd,
    exit::{self, ExitCode},
    id::HostName,
    ledger::{HostLedger, Trouble},
    needs,
    outcome::Outcome,
    patchset::Services,
    plan::PlannedHost,
    policy::{Forbidden, RequiredCoverage},
    state::State,
    verdict::{Class, Counts, Decision, Finding, Missing, Undecided, VERDICT_VERSION, Verdict},
};

/// Decides.
pub(super) fn decide(view: &View<'_>, findings: Vec<Finding>) -> Verdict {
    let closing: Vec<&Finding> = findings.iter().filter(|f| closes(view, f)).collect();
    let mut undecided = missing(view, &closing);
    undecided.extend(findings.iter().filter_map(unexplained));
    undecided.sort();
    let decision = match (
        !closing.is_empty(),
        undecided.is_empty() && unsettled::anything_counts(view),
    ) {
        (true, _) => Decision::Closed,
        (false, false) => Decision::Undecided,
        (false, true) => Decision::Open,
    };
    Verdict {
        v: VERDICT_VERSION,
        run: view.plan.run.clone(),
        patch_set: view.plan.patch.as_ref().map(|p| p.name.clone()),
        verdict: decision,
        exit: exit_code(view, decision).code,
        checks: counts(view.cells),
        hosts: hosts::summaries(view),
        findings,
        undecided,
        waived: Vec::new(),
        waves: waves::told(view),
        soak: soak::told(view),
    }
}

/// The hosts that something speaks against: a finding that closes the gate, or anything undecided.
pub(super) fn against(view: &View<'_>, findings: &[Finding]) -> BTreeSet<HostName> {
    let closing: Vec<&Finding> = findings.iter().filter(|f| closes(view, f)).collect();
    let undecided = missing(view, &closing).into_iter();
    let unexplained = findings.iter().filter_map(unexplained);
    let of_undecided = undecided.chain(unexplained).filter_map(|u| u.host);
    let of_findings = closing.iter().flat_map(|f| f.hosts.iter().cloned());
    of_undecided.chain(of_findings).collect()
}

/// Whether a finding closes the gate: a confirmed failure of something that the policy asks for.
pub(super) fn closes(view: &View<'_>, finding: &Finding) -> bool {
    let forbidden = |what| view.plan.policy.forbid.contains(&what);
    let required = finding
        .suite
        .as_ref()
        .is_some_and(|s| view.plan.policy.suites.contains_key(s));
    match finding.class {
        Class::RebuildOnlyRegression => {
            required || forbidden(Forbidden::RebuildOnly) || forbidden(Forbidden::Regression)
        }
        Class::Regression => required || forbidden(Forbidden::Regression),
        Class::NewDenial => required || forbidden(Forbidden::NewDenial),
        Class::ModeDrift => forbidden(Forbidden::ModeDrift),
        // What a suite says of a host that it does not fit is no confirmed failure.
        Class::Failure => (required || forbidden(Forbidden::MissingCheck)) && fits(view, finding),
        // A finding only where it is longer than the policy lets pass.
        Class::HostLost | Class::Outage | Class::RebootLoop => true,
        Class::OtherKernel
        | Class::BrokenBefore
        | Class::Fixed
        | Class::AccessLost
        | Class::AllowExpired
        | Class::AllowUnused => false,
    }
}

/// A silent loss of access that no check felt: production may feel it, and no log will say so.
fn unexplained(finding: &Finding) -> Option<Undecided> {
    let denial = finding.cause.denial.as_ref().filter(|d| d.silenced)?;
    let silent = finding.class == Class::AccessLost;
    silent.then(|| Undecided {
        host: finding.hosts.first().cloned(),
        state: None,
        what: Missing::Access,
        why: format!("{denial}, and no check needed it: somebody has to look"),
    })
}

/// Whether the hosts of a finding are what its suite needs.
fn fits(view: &View<'_>, finding: &Finding) -> bool {
    let suite = view
        .plan
        .suites
        .iter()
        .find(|s| Some(&s.name) == finding.suite.as_ref());
    finding.hosts.iter().all(|host| {
        let facts = view
            .ledger
            .state(host, State::Baseline)
            .and_then(|s| s.facts.as_ref());
        let unmet = |facts| suite.is_some_and(|s| !needs::unmet_of(s, facts).is_empty());
        !facts.is_some_and(|f| unmet(&f.value))
    })
}

/// Everything that keeps the run from being decided.
fn missing(view: &View<'_>, closing: &[&Finding]) -> Vec<Undecided> {
    let mut missing = Vec::new();
    for host in &view.plan.hosts {
        missing.extend(unsettled::of_cells(view, closing, &host.name));
        missing.extend(of_coverage(view, &host.name));
        missing.extend(drift::unread(view, &host.name));
        missing.extend(soak::unseen(view, &host.name));
        missing.extend(of_host(view, closing, host));
        missing.extend(whole::of_facts(view, host));
    }
    missing.extend(whole::of_run(view));
    missing.extend(waves::of_run(view));
    missing
}

fn of_coverage(view: &View<'_>, host: &HostName) -> Vec<Undecided> {
    match view.plan.policy.coverage {
        RequiredCoverage::NotCollected => return Vec::new(),
        RequiredCoverage::Complete => {}
    }
    let mut found = Vec::new();
    for state in view.states_of(host) {
        for gap in view.windows.gaps(host, *state) {
            found.push(Undecided {
                host: Some(host.clone()),
                state: Some(*state),
                what: Missing::Coverage,
                why: format!("{}: {gap}", gap.name()),
            });
        }
        found.extend(vectors::unread(view, host, *state));
    }
    found
}

fn of_host(view: &View<'_>, closing: &[&Finding], host: &PlannedHost) -> Vec<Undecided> {
    let entry = |what, why| Undecided {
        host: Some(host.name.clone()),
        state: None,
        what,
        why,
    };
    let Some(ledger) = view.ledger.hosts.get(&host.name) else {
        let why = waves::untouched(view.plan, view.ledger, &host.name);
        let why = why.unwrap_or_else(|| "the run never came to this host".to_owned());
        return vec![entry(Missing::Host, why)];
    };
    let troubles = ledger
        .troubles
        .iter()
        .map(|t| entry(Missing::Host, t.value.text()));
    let facts = ledger
        .states
        .get(&State::Baseline)
        .and_then(|s| s.facts.as_ref());
    let unmet = facts.map(|f| needs::unmet(&view.plan.suites, &f.value));
    let unmet = unmet.unwrap_or_default();
    let mut found: Vec<_> = troubles.collect();
    found.extend(unmet.into_iter().map(|why| entry(Missing::Needs, why)));
    found.extend(whole::of_end(ledger).map(|why| entry(Missing::Host, why)));
    found.extend(resumed::of_host(view, host, ledger));
    if view.plan.patch.is_some() {
        found.extend(patched::trouble(view, ledger).map(|why| entry(Missing::Patch, why)));
    }
    found.extend(reboot::trouble(view.plan, ledger).map(|why| Undecided {
        state: Some(State::Rebooted),
        ..entry(Missing::Patch, why)
    }));
    found.extend(
        restart_troubles(view, closing, host, ledger).map(|why| Undecided {
            state: Some(State::Restarted),
            ..entry(Missing::Patch, why)
        }),
    );
    let dirty = ledger.dirty.as_ref().map(|d| d.value.clone());
    let undo = undo::trouble(view, &host.name).filter(|_| dirty.is_none());
    found.extend(dirty.or(undo).map(|why| entry(Missing::Patch, why)));
    found.extend(undone(view, closing, &host.name).map(|why| entry(Missing::Patch, why)));
    found
}

/// A host whose patch was undone has no patch that could go on. A finding that closes the gate says why.
fn undone(view: &View<'_>, closing: &[&Finding], host: &HostName) -> Option<String> {
    let told = undo::told(view, host)?;
    let closed = closing.iter().any(|f| f.hosts.contains(host));
    (!closed).then(|| format!("the patch is not on it any more: {told}"))
}

/// Units that were not seen to restart: what passed in the restarted state was served by what ran
/// before. A failure that closes the gate speaks for itself; any other on the host does not.
fn restart_troubles<'a>(
    view: &'a View<'_>,
    closing: &[&Finding],
    host: &'a PlannedHost,
    ledger: &'a HostLedger,
) -> impl Iterator<Item = String> + use<'a> {
    let in_state = |r: &&CellResult| r.cell.host == host.name && r.cell.state == State::Restarted;
    let checked = view
        .cells
        .iter()
        .filter(in_state)
        .any(|r| !r.events.is_empty());
    let closed = closing.iter().any(|f| f.hosts.contains(&host.name));
    let services = view.plan.patch.as_ref().map(|p| &p.services);
    let units = match services {
        Some(Services::Restart(units)) if !closed => units.as_slice(),
        Some(Services::Restart(_) | Services::Leave) | None => &[],
    };
    units.iter().filter_map(move |unit| {
        let end = ledger.restarts.as_ref().and_then(|r| r.value.get(unit));
        match end.map(|e| (e.exit, e.stderr.lines().next().unwrap_or_default())) {
            Some((Some(0), _)) => None,
            Some((Some(n), said)) => {
                Some(format!("{unit} was not restarted: exit status {n}: {said}"))
            }
            Some((None, _)) => Some(format!("{unit} was not seen to restart: no end in time")),
            None => checked.then(|| format!("the restart of {unit} is not in the record")),
        }
    })
}

fn counts(cells: &[CellResult]) -> Counts {
    let mut counts = Counts {
        planned: cells.len(),
        ..Counts::default()
    };
    for result in cells {
        let count = match &result.outcome {
            Outcome::Passed if result.flaky => &mut counts.flaky,
            Outcome::Passed => &mut counts.passed,
            Outcome::Failed { .. } => &mut counts.failed,
            Outcome::Blind { .. } => &mut counts.blind,
            Outcome::Errored { .. } => &mut counts.errored,
            Outcome::NotRun { .. } => &mut counts.not_run,
            Outcome::NotNeeded { .. } => &mut counts.not_needed,
        };
        *count += 1;
    }
    counts
}

fn exit_code(view: &View<'_>, decision: Decision) -> ExitCode {
    let mut codes = vec![match decision {
        Decision::Open => exit::OPEN,
        Decision::Closed => exit::CLOSED,
        Decision::Undecided if !unsettled::anything_counts(view) => exit::NOTHING_RAN,
        Decision::Undecided => exit::UNDECIDED,
    }];
    let signal = view.ledger.interrupted.as_ref();
    codes.extend(signal.map(|s| exit::of_signal(&s.value)));
    for (name, host) in &view.ledger.hosts {
        codes.extend(host.dirty.iter().map(|_| exit::DIRTY));
        codes.extend(undo::trouble(view, name).map(|_| exit::DIRTY));
        // Nobody knows how far it got.
        let lost = host.patch.iter().filter(|p| p.value == PatchEnd::Lost);
        codes.extend(lost.map(|_| exit::DIRTY));
        codes.extend(host.troubles.iter().filter_map(|t| match t.value {
            Trouble::Security(_) => Some(exit::SECURITY),
            Trouble::Locked(_) => Some(exit::LOCKED),
            Trouble::Dirty(_) => Some(exit::DIRTY),
            Trouble::Bug(_) => Some(exit::BUG),
            Trouble::Unreachable(_) | Trouble::Lost(_) => None,
        }));
    }
    exit::strongest(&codes).unwrap_or(exit::BUG)
}
