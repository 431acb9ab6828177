//! How each planned check ended.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    cause::Losses,
    denials::{self, Denial},
    reboot, waves,
};
use crate::{
    evidence::{
        coverage::Gap,
        fingerprint::Fingerprint,
        window::{WindowEvidence, examine},
    },
    id::HostName,
    ledger::{At, Attempt, Ledger, Trouble},
    observation::Observation,
    outcome::{Outcome, Symptom, SymptomKind, evaluate},
    plan::{Cell, Plan},
    state::State,
    suite::{
        CheckKind, Vantage,
        denials::{Denials, is_among},
    },
};

/// How one planned check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellResult {
    /// The planned check.
    pub cell: Cell,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it passed only after a failed attempt.
    pub flaky: bool,
    /// The numbers of the events that it rests on.
    pub events: Vec<u64>,
    /// How long the last attempt took, in milliseconds, where it is known.
    pub elapsed_ms: Option<u64>,
}

impl CellResult {
    /// Whether it counts as passed: at the first attempt.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.outcome == Outcome::Passed && !self.flaky
    }

    /// Whether it failed: the host's fault.
    #[must_use]
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed { .. })
    }
}

/// The examined windows of all hosts and states.
pub(super) struct Windows {
    evidence: BTreeMap<(HostName, State), (u64, WindowEvidence)>,
    /// Their denials, by fingerprint and in the fingerprints' order.
    denials: BTreeMap<(HostName, State), Vec<Denial>>,
}

impl Windows {
    /// Examines every window of the record, once.
    pub(super) fn examine(plan: &Plan, ledger: &Ledger) -> Self {
        let (checks, day) = (denials::checks(plan), denials::day(ledger));
        let mut windows = Self {
            evidence: BTreeMap::new(),
            denials: BTreeMap::new(),
        };
        for host in &plan.hosts {
            for state in &plan.states {
                let window = ledger
                    .state(&host.name, *state)
                    .and_then(|s| s.window.as_ref());
                if let Some(at) = window {
                    let (capture, expected) = &at.value;
                    let evidence = examine(capture, *expected);
                    let denials = denials::of_window(&evidence.decisions, &checks, day);
                    let key = (host.name.clone(), *state);
                    windows.denials.insert(key.clone(), denials);
                    windows.evidence.insert(key, (at.seq, evidence));
                }
            }
        }
        windows
    }

    /// The evidence of a host in a state, and the event that brought it.
    pub(super) fn get(&self, host: &HostName, state: State) -> Option<&(u64, WindowEvidence)> {
        self.evidence.get(&(host.clone(), state))
    }

    /// The gaps of a host in a state; a window that was never captured is a gap.
    pub(super) fn gaps(&self, host: &HostName, state: State) -> Vec<Gap> {
        match self.get(host, state) {
            Some((_, evidence)) => evidence.coverage.gaps().to_vec(),
            None => vec![Gap::NotCollected {
                why: "the record holds no window".to_owned(),
            }],
        }
    }

    /// The denials of a host in a state, in the order of their fingerprints.
    pub(super) fn denials(&self, host: &HostName, state: State) -> &[Denial] {
        let found = self.denials.get(&(host.clone(), state));
        found.map_or(&[], Vec::as_slice)
    }
}

/// What the results of checks rest on.
pub(super) struct Grounds<'a> {
    pub(super) plan: &'a Plan,
    pub(super) ledger: &'a Ledger,
    pub(super) windows: Windows,
    pub(super) losses: Losses,
}

impl<'a> Grounds<'a> {
    /// Examines the windows and compares the access vectors of a record, once.
    pub(super) fn of(plan: &'a Plan, ledger: &'a Ledger) -> Self {
        Self {
            plan,
            ledger,
            windows: Windows::examine(plan, ledger),
            losses: Losses::compare(plan, ledger),
        }
    }

    /// How every planned check ended, in the plan's order.
    pub(super) fn results(&self) -> Vec<CellResult> {
        let cells = self.plan.cells.iter();
        cells.map(|cell| result(self, cell)).collect()
    }
}

/// How one planned check ended.
pub(super) fn result(grounds: &Grounds<'_>, cell: &Cell) -> CellResult {
    let Grounds { plan, ledger, .. } = grounds;
    let host = ledger.hosts.get(&cell.host);
    let state = host.and_then(|h| h.states.get(&cell.state));
    let attempts = state
        .and_then(|s| s.checks.get(&cell.check))
        .map_or(&[][..], Vec::as_slice);
    let Some((_, check)) = plan.check(&cell.check) else {
        return not_run(cell, "the plan holds no such check");
    };
    let mut outcomes =
        attempts.iter().map(
            |a| match (evaluate(&check.kind, &a.value.saw), &check.kind) {
                (Some(outcome), _) => outcome,
                (None, CheckKind::Denials(want)) => window_outcome(grounds, cell, want),
                (
                    None,
                    CheckKind::Http(_)
                    | CheckKind::Command(_)
                    | CheckKind::Service(_)
                    | CheckKind::Selinux(_),
                ) => Outcome::Errored {
                    why: "the check has no answer in the window".to_owned(),
                },
            },
        );
    let Some(first) = outcomes.next() else {
        if let Some(why) = reboot::not_needed(plan, ledger, &cell.host, cell.state) {
            return unseen(cell, Outcome::NotNeeded { why });
        }
        let untouched = waves::untouched(plan, ledger, &cell.host);
        let why = untouched.filter(|_| host.is_none());
        let why = why.unwrap_or_else(|| why_not_run(grounds, cell));
        return not_run(cell, &why);
    };
    // An attempt that is not in the record was not made for nothing.
    let numbers = attempts.iter().map(|a| a.value.number);
    let (mut all_passed, mut last) = (first == Outcome::Passed, first);
    for outcome in outcomes {
        all_passed &= outcome == Outcome::Passed;
        last = outcome;
    }
    let stumbled = !all_passed || !numbers.eq(1..=last_number(attempts));
    let last = match unheard(grounds, cell, attempts, &last) {
        Some(why) => Outcome::Errored { why },
        None => last,
    };
    CellResult {
        cell: cell.clone(),
        flaky: last == Outcome::Passed && stumbled,
        outcome: last,
        events: attempts.iter().map(|a| a.seq).collect(),
        elapsed_ms: attempts.last().and_then(|a| elapsed_ms(&a.value.saw)),
    }
}

/// Why a failure says nothing of the service: a remote client heard nothing, and the host said nothing from
/// then on, until it was given up or the run was stopped. Nobody can say whether the service, the host or the
/// network was gone.
fn unheard(
    grounds: &Grounds<'_>,
    cell: &Cell,
    attempts: &[At<Attempt>],
    outcome: &Outcome,
) -> Option<String> {
    let Outcome::Failed { symptom } = outcome else {
        return None;
    };
    let SymptomKind::Http(phase) = symptom.kind else {
        return None;
    };
    let host = grounds.ledger.hosts.get(&cell.host)?;
    let silent = phase.is_silence() && host.last_said < attempts.last()?.seq;
    if cell.vantage != Vantage::Controller || !silent {
        return None;
    }
    // A host that came to its end before the run was stopped had time to say what it had to say.
    let broken_off = !host.finished || host.stopped.is_some();
    let stopped = || {
        let signal = grounds.ledger.interrupted.as_ref().filter(|_| broken_off)?;
        Some(format!("the run was stopped by {}", signal.value))
    };
    let why = host
        .troubles
        .iter()
        .find_map(|t| gone(&t.value))
        .or_else(stopped)?;
    Some(format!(
        "{}; then nothing was heard of the host: {why}",
        symptom.text
    ))
}

/// Why a host was worked on no further, where nobody could.
fn gone(trouble: &Trouble) -> Option<String> {
    match trouble {
        Trouble::Lost(_) | Trouble::Unreachable(_) | Trouble::Security(_) => Some(trouble.text()),
        Trouble::Locked(_) | Trouble::Bug(_) => None,
    }
}

fn last_number(attempts: &[At<Attempt>]) -> u32 {
    attempts.last().map_or(0, |a| a.value.number)
}

fn not_run(cell: &Cell, why: &str) -> CellResult {
    let why = why.to_owned();
    unseen(cell, Outcome::NotRun { why })
}

/// How a check ended that saw nothing.
fn unseen(cell: &Cell, outcome: Outcome) -> CellResult {
    CellResult {
        cell: cell.clone(),
        outcome,
        flaky: false,
        events: Vec::new(),
        elapsed_ms: None,
    }
}

fn why_not_run(grounds: &Grounds<'_>, cell: &Cell) -> String {
    let ledger = grounds.ledger;
    let host = ledger.hosts.get(&cell.host);
    let state = host.and_then(|h| h.states.get(&cell.state));
    let reboot = host.filter(|_| cell.state == State::Rebooted);
    if let Some(why) = reboot.and_then(|h| reboot::trouble(grounds.plan, h)) {
        return why;
    }
    if let Some(trouble) = host.and_then(|h| h.troubles.last()) {
        return trouble.value.text();
    }
    if let Some(signal) = &ledger.interrupted {
        return format!("the run was stopped by {}", signal.value);
    }
    if let Some(dirty) = host.and_then(|h| h.dirty.as_ref()) {
        return dirty.value.clone();
    }
    match (host, state) {
        (None, _) => "the run never came to this host".to_owned(),
        (Some(_), None) => "the host never came to this state".to_owned(),
        (Some(_), Some(_)) => "the run ended before it".to_owned(),
    }
}

/// The outcome of a `denials` check: denials that its list does not allow count as seen whatever the
/// coverage; none count as none only when it is complete, and when nothing was lost that no log shows.
fn window_outcome(grounds: &Grounds<'_>, cell: &Cell, want: &Denials) -> Outcome {
    let Grounds { plan, windows, .. } = grounds;
    let denials = windows.failing(&cell.host, cell.state, &cell.check, want);
    let before = plan.patch.is_some() && cell.state == State::Baseline;
    if !denials.is_empty() && !before {
        return Outcome::Failed {
            symptom: denial_symptom(&denials),
        };
    }
    let gaps = windows.gaps(&cell.host, cell.state).into_iter();
    let mut gaps: Vec<String> = gaps.map(|gap| gap.to_string()).collect();
    gaps.extend(silenced(&grounds.losses, cell, want));
    if gaps.is_empty() {
        Outcome::Passed
    } else {
        Outcome::Blind { gaps }
    }
}

/// What the watched domains have lost by then without a log that could show it.
fn silenced(losses: &Losses, cell: &Cell, want: &Denials) -> Option<String> {
    let lost = losses.by(&cell.host, cell.state).iter();
    let mut lost = lost
        .map(|l| &l.denial)
        .filter(|d| d.silenced && is_among(&want.domains, &d.source));
    let first = lost.next()?;
    Some(match lost.count() {
        0 => first.to_string(),
        n => format!("{first} and {n} more"),
    })
}

fn denial_symptom(denials: &[&Denial]) -> Symptom {
    let first = denials
        .first()
        .map(|d| format!("{} ({} times)", d.tally.fingerprint, d.tally.count))
        .unwrap_or_default();
    let more = match denials.len() {
        0 | 1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    Symptom {
        kind: SymptomKind::Denials,
        text: format!("denied: {first}{more}"),
    }
}

/// `httpd_t { getattr } on file of user_home_t, by httpd`.
pub(super) fn describe(denial: &Fingerprint) -> String {
    denial.to_string()
}

fn elapsed_ms(saw: &Observation) -> Option<u64> {
    let elapsed = match saw {
        Observation::Http(saw) => saw.elapsed,
        Observation::Command(saw) => saw.elapsed,
        Observation::Service(_)
        | Observation::Selinux(_)
        | Observation::Window
        | Observation::Errored { .. } => return None,
    };
    u64::try_from(elapsed.as_millis()).ok()
}
