//! How far each host is: checks answered of those planned, and what it is at.

use std::collections::BTreeMap;

use patchgate_core::{
    event::{Event, What},
    id::{CheckId, HostName},
    outcome::Outcome,
    plan::Plan,
    state::State,
};

use super::{
    colour::Mood,
    told::{self, Told},
};

/// How many hosts a heartbeat names.
const MAX_NAMED: usize = 5;

/// How far the hosts are, in the plan's order.
pub(super) struct Progress {
    hosts: Vec<HostProgress>,
}

/// How far one host is.
pub(super) struct HostProgress {
    pub(super) name: HostName,
    /// Planned checks, by state.
    planned: BTreeMap<State, usize>,
    /// The last answer to each check: whether it failed, as far as can be said now.
    answers: BTreeMap<(State, CheckId), bool>,
    state: Option<State>,
    doing: &'static str,
    over: bool,
}

impl Progress {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut planned = BTreeMap::<&HostName, BTreeMap<State, usize>>::new();
        for cell in &plan.cells {
            *planned
                .entry(&cell.host)
                .or_default()
                .entry(cell.state)
                .or_default() += 1;
        }
        let mut host = |name: &HostName| HostProgress {
            name: name.clone(),
            planned: planned.remove(name).unwrap_or_default(),
            answers: BTreeMap::new(),
            state: None,
            doing: "waiting",
            over: false,
        };
        Self {
            hosts: plan.hosts.iter().map(|h| host(&h.name)).collect(),
        }
    }

    pub(super) fn hosts(&self) -> &[HostProgress] {
        &self.hosts
    }

    /// Takes an event in; gives the place of its host, and a line when the last check of a state was
    /// made.
    pub(super) fn take(&mut self, plan: &Plan, event: &Event) -> Option<(usize, Option<Told>)> {
        let name = event.host.as_ref()?;
        let place = self.hosts.iter().position(|h| h.name == *name)?;
        let line = self.hosts[place].take(plan, event);
        Some((place, line))
    }

    /// The hosts that are not done, in a line: for a heartbeat.
    pub(super) fn at_work(&self) -> String {
        let at_work: Vec<_> = self.hosts.iter().filter(|h| !h.over).collect();
        let named = at_work
            .iter()
            .take(MAX_NAMED)
            .map(|h| format!("{} {}", h.name, h.line()));
        let mut parts: Vec<_> = named.collect();
        match at_work.len().saturating_sub(MAX_NAMED) {
            0 if parts.is_empty() => "no host is at work".to_owned(),
            0 => parts.join("; "),
            n => {
                parts.push(format!("and {n} more hosts"));
                parts.join("; ")
            }
        }
    }
}

impl HostProgress {
    fn take(&mut self, plan: &Plan, event: &Event) -> Option<Told> {
        self.state = event.state.or(self.state);
        if let Some(doing) = doing(&event.what) {
            self.doing = doing;
        }
        self.over |= is_end(&event.what);
        if let What::HostResumed { .. } = &event.what {
            self.over = false;
        }
        let What::CheckFinished { check, saw, .. } = &event.what else {
            return None;
        };
        let state = event.state?;
        let failed = matches!(
            told::outcome(plan, check, saw),
            Some(Outcome::Failed { .. })
        );
        let is_new = self
            .answers
            .insert((state, check.clone()), failed)
            .is_none();
        is_new.then(|| self.all_made(state)).flatten()
    }

    /// `patched: all 3 checks made, 1 failed`.
    fn all_made(&self, state: State) -> Option<Told> {
        let here = self.answers.iter().filter(|((at, _), _)| *at == state);
        let (n_made, n_failed) = here.fold((0, 0), |(n, bad), (_, failed)| {
            (n + 1, bad + usize::from(*failed))
        });
        let mood = if n_failed == 0 {
            Mood::Plain
        } else {
            Mood::Bad
        };
        let text = format!("{state}: all {n_made} checks made, {n_failed} failed");
        (self.planned.get(&state) == Some(&n_made)).then_some(Told { mood, text })
    }

    pub(super) fn n_answered(&self) -> usize {
        self.answers.len()
    }

    /// Planned checks, over all states.
    pub(super) fn n_planned(&self) -> usize {
        self.planned.values().sum()
    }

    /// `patched, checking, 7 of 9 checks, 2 failed`.
    pub(super) fn line(&self) -> String {
        let state = self.state.map(|s| format!("{s}, ")).unwrap_or_default();
        let n_failed = self.answers.values().filter(|failed| **failed).count();
        let failed = if n_failed == 0 {
            String::new()
        } else {
            format!(", {n_failed} failed")
        };
        let (n, of) = (self.n_answered(), self.n_planned());
        format!("{state}{}, {n} of {of} checks{failed}", self.doing)
    }
}

fn doing(what: &What) -> Option<&'static str> {
    match what {
        What::HostConnected { .. } => Some("connected"),
        What::HostUnreachable { .. } => Some("unreachable"),
        What::SecurityStopped { .. } => Some("stopped"),
        What::HostLocked { .. } => Some("locked"),
        What::HostDirty { .. } => Some("dirty"),
        What::HostLost { .. } => Some("lost"),
        What::BrokeDown { .. } => Some("broken down"),
        What::FactsCollected { .. } | What::VectorsRead { .. } => Some("reading facts"),
        What::CheckFinished { .. } | What::WindowCaptured { .. } => Some("checking"),
        What::SnapshotTaken { .. } => Some("reading the policy"),
        What::Diagnosed { .. } => Some("diagnosing"),
        What::PatchPlanned { .. } => Some("about to patch"),
        What::PatchStarted { .. } => Some("patching"),
        What::PatchFinished { .. } => Some("transaction over"),
        What::ServicesRestarted { .. } => Some("services restarted"),
        What::RebootConsidered { .. } => Some("about to reboot"),
        What::RebootStarted { .. } => Some("rebooting"),
        What::RebootEnded { .. } => Some("reboot over"),
        What::HostResumed { .. } => Some("gone on with"),
        What::HostStopped {} => Some("broken off"),
        What::UndoStarted { .. } => Some("undoing"),
        What::UndoEnded { .. } => Some("undo over"),
        What::HostFinished { .. } => Some("done"),
        What::RunStarted { .. }
        | What::RunResumed { .. }
        | What::StateEntered { .. }
        | What::StateLeft { .. }
        | What::ArtifactSaved { .. }
        | What::DirtyMark { .. }
        | What::SoakBegun { .. }
        | What::SoakResumed { .. }
        | What::SoakProbed { .. }
        | What::SoakEnded { .. }
        | What::WaveBegun { .. }
        | What::WaveStopped { .. }
        | What::RunInterrupted { .. }
        | What::RunFinished {}
        | What::Unknown => None,
    }
}

fn is_end(what: &What) -> bool {
    matches!(
        what,
        What::HostFinished { .. }
            | What::HostUnreachable { .. }
            | What::HostLocked { .. }
            | What::HostDirty { .. }
    )
}
