//! Which snapshots of one or two recorded runs are laid side by side.

use serde::Serialize;

use super::diff::{Compared, Pair, Side, compare};
use crate::{
    id::{HostName, RunId},
    ledger::{HostLedger, Ledger, StateLedger},
    plan::{Plan, PlannedHost},
    state::State,
};

/// One recorded run, and which of its snapshots somebody asked for.
pub struct Recorded<'a> {
    /// The manifest.
    pub plan: &'a Plan,
    /// The events, folded.
    pub ledger: &'a Ledger,
    /// This host alone.
    pub host: Option<HostName>,
    /// This state alone.
    pub state: Option<State>,
}

/// Where a snapshot was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The run.
    pub run: RunId,
    /// The host.
    pub host: HostName,
    /// The state.
    pub state: State,
}

/// How two places stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// One host, earlier and later.
    Times,
    /// A host and its upstream twin, the twin first.
    Twin,
    /// Two hosts that somebody named.
    Hosts,
}

/// Two snapshots, side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Laid {
    /// How they stand to each other.
    pub relation: Relation,
    /// Where the first was taken.
    pub first: Place,
    /// Where the second was taken.
    pub second: Place,
    /// What differs.
    pub compared: Compared,
}

/// All pairs that can be laid, and what could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pairs {
    /// The pairs, by host, in the order of the plan.
    pub laid: Vec<Laid>,
    /// Hosts of which nothing could be compared, and why.
    pub left_out: Vec<String>,
}

/// A snapshot and where it was taken.
struct Found<'a> {
    place: Place,
    side: Side<'a>,
}

impl Recorded<'_> {
    /// The hosts that are asked for.
    fn hosts(&self) -> impl Iterator<Item = &PlannedHost> {
        let wanted = |h: &&PlannedHost| self.host.as_ref().is_none_or(|name| h.name == *name);
        self.plan.hosts.iter().filter(wanted)
    }

    /// The snapshots of a host, in the order of its states.
    fn found(&self, host: &HostName) -> Vec<Found<'_>> {
        let wanted = |state: &State| self.state.is_none_or(|wanted| wanted == *state);
        let Some(ledger) = self.ledger.hosts.get(host) else {
            return Vec::new();
        };
        let states = ledger.states.iter().filter(|(state, _)| wanted(state));
        states
            .filter_map(|(state, ledger)| self.one(host, *state, ledger))
            .collect()
    }

    fn one<'a>(&self, host: &HostName, state: State, ledger: &'a StateLedger) -> Option<Found<'a>> {
        let snapshot = &ledger.snapshot.as_ref()?.value;
        let facts = ledger.facts.as_ref().map(|at| &at.value);
        let run = self.plan.run.clone();
        let host = host.clone();
        Some(Found {
            place: Place { run, host, state },
            side: Side { facts, snapshot },
        })
    }

    /// Why a host has no snapshot.
    fn why_none(&self, host: &HostName) -> String {
        let ledger = self.ledger.hosts.get(host);
        let trouble = ledger.and_then(|l: &HostLedger| l.troubles.last());
        let run = &self.plan.run;
        match trouble {
            Some(trouble) => format!("{host}: no snapshot in {run}: {}", trouble.value.text()),
            None => format!("{host}: no snapshot in {run}"),
        }
    }
}

fn lay(relation: Relation, first: &Found<'_>, second: &Found<'_>) -> Laid {
    let hosts = (first.place.host.as_str(), second.place.host.as_str());
    let pair = match relation {
        Relation::Times => Pair::Times,
        Relation::Twin | Relation::Hosts => Pair::Hosts(hosts.0, hosts.1),
    };
    Laid {
        relation,
        first: first.place.clone(),
        second: second.place.clone(),
        compared: compare(pair, first.side, second.side),
    }
}

/// Each host of a run from state to state, and next to its upstream twin in the last state of both.
#[must_use]
pub fn within(run: &Recorded<'_>) -> Pairs {
    let mut pairs = Pairs::default();
    for host in run.hosts() {
        let found = run.found(&host.name);
        if found.is_empty() {
            pairs.left_out.push(run.why_none(&host.name));
        }
        let steps = found.windows(2);
        pairs
            .laid
            .extend(steps.map(|two| lay(Relation::Times, &two[0], &two[1])));
        pairs.laid.extend(twin(run, host, &found));
    }
    pairs
}

fn twin(run: &Recorded<'_>, host: &PlannedHost, found: &[Found<'_>]) -> Option<Laid> {
    let twins = run.found(host.twin.as_ref()?);
    let of_twin = |mine: &Found<'_>| twins.iter().find(|t| t.place.state == mine.place.state);
    let last = found.iter().rev().find(|mine| of_twin(mine).is_some())?;
    Some(lay(Relation::Twin, of_twin(last)?, last))
}

/// Two runs: each host that is in both, by its last snapshots; or the two hosts that were named.
#[must_use]
pub fn across(first: &Recorded<'_>, second: &Recorded<'_>) -> Pairs {
    let mut pairs = Pairs::default();
    for host in first.hosts() {
        let other = second.host.as_ref().filter(|_| first.host.is_some());
        let other = other.unwrap_or(&host.name);
        if !second.hosts().any(|h| h.name == *other) {
            let run = &first.plan.run;
            pairs.left_out.push(format!("{}: only in {run}", host.name));
            continue;
        }
        let relation = if *other == host.name {
            Relation::Times
        } else {
            Relation::Hosts
        };
        match (first.found(&host.name).last(), second.found(other).last()) {
            (Some(a), Some(b)) => pairs.laid.push(lay(relation, a, b)),
            (None, _) => pairs.left_out.push(first.why_none(&host.name)),
            (_, None) => pairs.left_out.push(second.why_none(other)),
        }
    }
    if first.host.is_none() {
        let known = |name: &HostName| first.hosts().any(|h| h.name == *name);
        let run = &second.plan.run;
        let lone = second.hosts().filter(|h| !known(&h.name));
        pairs
            .left_out
            .extend(lone.map(|h| format!("{}: only in {run}", h.name)));
    }
    pairs
}
