//! What a recorded run knows of each host, whatever it was made for.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Snapshot;
use crate::{
    event::Event,
    evidence::{capture::WindowEdge, window::Expectations},
    exit::{self, ExitCode},
    facts::Facts,
    id::HostName,
    inventory::Role,
    ledger::{At, HostLedger, Ledger, StateLedger, Trouble},
    plan::{Plan, PlannedHost},
    reading::Reading,
    state::State,
    undo::Mark,
};

/// One host, as it was last seen in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Looked {
    /// Its name.
    pub host: HostName,
    /// Where it is reached.
    pub address: String,
    /// Upstream or rebuild.
    pub role: Option<Role>,
    /// Its upstream twin.
    pub twin: Option<HostName>,
    /// What went wrong between us and it.
    pub troubles: Vec<String>,
    /// What the mark of a dirty host says, where it carries one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// The state of the run in which it was last seen.
    pub state: Option<State>,
    /// When its snapshot was written down, by the controller's clock.
    pub read_at: Option<jiff::Timestamp>,
    /// Its facts.
    pub facts: Option<Facts>,
    /// Audit's state.
    pub audit: Reading<WindowEdge>,
    /// Policy and system.
    pub snapshot: Option<Snapshot>,
}

/// Every host of a run, in the order of the plan.
#[must_use]
pub fn looked(plan: &Plan, events: &[Event]) -> Vec<Looked> {
    let ledger = Ledger::fold(events);
    let times: BTreeMap<u64, jiff::Timestamp> = events.iter().map(|e| (e.seq, e.at)).collect();
    let host = |host: &PlannedHost| of_host(host, ledger.hosts.get(&host.name), &times);
    plan.hosts.iter().map(host).collect()
}

fn of_host(
    host: &PlannedHost,
    ledger: Option<&HostLedger>,
    times: &BTreeMap<u64, jiff::Timestamp>,
) -> Looked {
    let last = ledger.and_then(last);
    let (state, seen) = last.unzip();
    let snapshot = seen.and_then(|s: &StateLedger| s.snapshot.as_ref());
    let troubles = ledger.map(|l| l.troubles.iter().map(|t| t.value.text()).collect());
    Looked {
        host: host.name.clone(),
        address: host.address.clone(),
        role: host.role,
        twin: host.twin.clone(),
        troubles: troubles.unwrap_or_default(),
        mark: ledger.and_then(|l| l.undo.met()).map(Mark::told),
        state,
        read_at: snapshot.and_then(|at| times.get(&at.seq).copied()),
        facts: seen.and_then(|s| Some(s.facts.as_ref()?.value.clone())),
        audit: seen.map_or_else(|| Reading::missing("the host was not seen"), audit),
        snapshot: snapshot.map(|at| at.value.clone()),
    }
}

/// The last state of which there is a snapshot, else the last of which anything is known.
fn last(ledger: &HostLedger) -> Option<(State, &StateLedger)> {
    let states = || ledger.states.iter().rev();
    let whole = states().find(|(_, s)| s.snapshot.is_some());
    whole
        .or_else(|| states().next())
        .map(|(state, s)| (*state, s))
}

/// The end of the state's window, or its begin where it has no end.
fn audit(state: &StateLedger) -> Reading<WindowEdge> {
    type Window = At<(crate::evidence::capture::WindowCapture, Expectations)>;
    let edge = |window: &Window| match &window.value.0.end {
        Reading::Known(edge) => Reading::Known(edge.clone()),
        Reading::Missing { .. } => window.value.0.begin.clone(),
    };
    match &state.window {
        Some(window) => edge(window),
        None => Reading::missing("the run did not look at audit"),
    }
}

/// What a run that only looked at hosts ends with: that every host told of itself, or the worst of what
/// kept one from it.
#[must_use]
pub fn exit_code(plan: &Plan, events: &[Event]) -> ExitCode {
    let ledger = Ledger::fold(events);
    let mut codes = vec![exit::OPEN];
    let signal = ledger.interrupted.as_ref();
    codes.extend(signal.map(|s| exit::of_signal(&s.value)));
    for host in &plan.hosts {
        let known = ledger.hosts.get(&host.name);
        let troubles = known.map(|l| l.troubles.as_slice()).unwrap_or_default();
        codes.extend(troubles.iter().map(|t| match t.value {
            Trouble::Security(_) => exit::SECURITY,
            Trouble::Locked(_) => exit::LOCKED,
            Trouble::Dirty(_) => exit::DIRTY,
            Trouble::Bug(_) => exit::BUG,
            Trouble::Unreachable(_) | Trouble::Lost(_) => exit::UNDECIDED,
        }));
        let seen = known.and_then(last).and_then(|(_, s)| s.snapshot.as_ref());
        if seen.is_none() {
            codes.push(exit::UNDECIDED);
        }
    }
    if plan.hosts.is_empty() {
        codes.push(exit::NOTHING_RAN);
    }
    exit::strongest(&codes).unwrap_or(exit::BUG)
}
