//! The hosts as the verdict sums them up.

use super::{
    View, cause,
    denials::{Listed, listed},
    patched, reboot, suspects, undo,
};
use crate::{
    evidence::{
        coverage::Coverage,
        window::{self, WindowEvidence},
    },
    plan::PlannedHost,
    policy::RequiredCoverage,
    state::State,
    undo::Mark,
    verdict::{HostSummary, StateStatement},
};

/// One summary for each planned host.
pub(super) fn summaries(view: &View<'_>) -> Vec<HostSummary> {
    view.plan
        .hosts
        .iter()
        .map(|host| summary(view, host))
        .collect()
}

fn summary(view: &View<'_>, host: &PlannedHost) -> HostSummary {
    let ledger = view.ledger.hosts.get(&host.name);
    let facts = view
        .ledger
        .state(&host.name, State::Baseline)
        .and_then(|s| s.facts.as_ref());
    let os = facts
        .and_then(|f| f.value.os.known())
        .map(|os| os.pretty.clone());
    let packages = suspects::changes(view, &host.name)
        .iter()
        .map(ToString::to_string)
        .collect();
    HostSummary {
        host: host.name.clone(),
        role: host.role,
        os,
        packages,
        transaction: ledger.and_then(|l| l.transaction.clone()),
        patch: ledger.and_then(|l| patched::proven(view, l)),
        reboot: ledger.and_then(|l| reboot::told(view.plan, l)),
        undo: undo::told(view, &host.name),
        dirty: undo::dirty(view, &host.name),
        mark: ledger.and_then(|l| l.undo.met()).map(Mark::told),
        denials: view
            .plan
            .states
            .iter()
            .map(|s| statement(view, host, *s))
            .collect(),
    }
}

fn statement(view: &View<'_>, host: &PlannedHost, state: State) -> StateStatement {
    let statement = match (
        view.plan.policy.coverage,
        view.windows.get(&host.name, state),
    ) {
        (RequiredCoverage::NotCollected, _) => "denials were not looked for".to_owned(),
        (RequiredCoverage::Complete, Some((_, evidence))) => {
            logged(view, host, state, window::statement(evidence)) + &noted(evidence)
        }
        (RequiredCoverage::Complete, None) => {
            needless(view, host, state).unwrap_or_else(|| "nothing was collected".to_owned())
        }
    };
    let gaps = match view.plan.policy.coverage {
        RequiredCoverage::NotCollected => Vec::new(),
        RequiredCoverage::Complete if needless(view, host, state).is_some() => Vec::new(),
        RequiredCoverage::Complete => view
            .windows
            .gaps(&host.name, state)
            .iter()
            .map(|g| g.name().to_owned())
            .collect(),
    };
    let Listed {
        seen,
        unlisted,
        allowed,
    } = match view.plan.policy.coverage {
        RequiredCoverage::NotCollected => Listed::default(),
        RequiredCoverage::Complete => listed(view, host, state),
    };
    let statement = match allowed {
        0 => statement,
        n => format!("{statement}; {n} allowed"),
    };
    StateStatement {
        state,
        statement,
        gaps,
        allowed,
        seen,
        unlisted,
    }
}

/// Why the host did not need the state.
fn needless(view: &View<'_>, host: &PlannedHost, state: State) -> Option<String> {
    view.grounds.not_needed(&host.name, state)
}

/// What a complete window could not do; beside gaps it is of no weight.
fn noted(evidence: &WindowEvidence) -> String {
    match &evidence.coverage {
        Coverage::Complete => evidence.notes.iter().map(|n| format!("; {n}")).collect(),
        Coverage::Degraded(_) | Coverage::Unavailable(_) => String::new(),
    }
}

/// What the log says, and what it cannot say: a denial that dontaudit hides is in no log, so a window
/// without records proves nothing for a host whose access vectors show one.
fn logged(view: &View<'_>, host: &PlannedHost, state: State, statement: String) -> String {
    let lost = cause::lost_access(view, &host.name);
    let still = |l: &cause::Lost| match state {
        State::Undone => {
            let left = view.losses.by(&host.name, state);
            left.iter().any(|x| x.denial == l.denial)
        }
        State::Baseline | State::Patched | State::Restarted | State::Rebooted => l.state <= state,
    };
    match lost.filter(|l| l.denial.silenced && still(l)) {
        None => statement,
        Some(lost) => {
            let in_log = if statement == window::NO_DENIALS {
                "none"
            } else {
                statement.as_str()
            };
            format!(
                "{in_log} in the log, which proves nothing here: {}",
                lost.denial
            )
        }
    }
}
