//! A run that goes on: what the record already holds of a host is not done again.
//!
//! In a run that was never interrupted none of these questions finds anything.

use patchgate_core::{
    event::{PatchEnd, What},
    ledger::{Entered, HostLedger, Left},
    reading::Reading,
    resume,
    state::State,
};

use super::{
    link::{Link, Stop},
    look::Looked,
};
use crate::{
    clock,
    host::{Connector, Item, job::JobState, lock::LockState},
    probe::Prober,
    script::{facts, packages},
};

/// What a resumed run found of the host's lock, before it took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Whether it was nobody's any more.
    given_up: bool,
    /// Whether the host may have heard of the transaction's job.
    heard: bool,
}

impl Found {
    /// Of a run that takes no lock.
    pub(super) const NO_LOCK: Self = Self {
        given_up: false,
        heard: false,
    };

    /// By what the host said of the lock.
    pub(super) fn of(state: &Result<LockState, String>) -> Self {
        let heard = |job: &Option<JobState>| !matches!(job, None | Some(JobState::Unknown));
        match state {
            Ok(LockState::Acquired { job }) => Self {
                given_up: false,
                heard: heard(job),
            },
            Ok(LockState::Free) => Self {
                given_up: true,
                heard: true,
            },
            Ok(LockState::Held { .. } | LockState::Failed { .. }) | Err(_) => Self {
                given_up: false,
                heard: true,
            },
        }
    }
}

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Asks the record about this host.
    pub(super) fn known<T>(&self, ask: impl FnOnce(&HostLedger) -> T) -> Option<T> {
        let name = &self.host.name;
        let known = |ledger: &patchgate_core::ledger::Ledger| ledger.hosts.get(name).map(ask);
        self.run.known.ask(name, known)
    }

    /// Whether the run was resumed, and had begun with this host before.
    pub(super) fn is_resumed(&self) -> bool {
        self.known(|h| h.awaits) == Some(true)
    }

    /// Compares a host that was begun with the record, before anything is done on it.
    pub(super) async fn compare(&mut self, found: Found) -> Result<(), Stop> {
        if !self.is_resumed() {
            return Ok(());
        }
        let mut items: Vec<Item> = vec![facts::item()];
        items.extend(self.run.needs_packages().then(packages::item));
        let replies = self
            .ask_until_stopped("looking for what changed", items)
            .await?;
        let packages = match replies.get(1) {
            Some(reply) => packages::read(reply),
            None => Reading::missing("not asked for"),
        };
        let now = facts::read(&replies[0], packages);
        let changed = self.known(|h| resume::changed(h, &now, found.heard));
        let mut changed = changed.unwrap_or_default();
        // What another run did cannot be told from the transaction until the facts after it are there.
        let untold = |h: &HostLedger| {
            let last = h.last_facts().map(|(state, _)| state);
            h.has_begun_transaction() && last <= Some(State::Baseline)
        };
        if found.given_up && self.known(untold) == Some(true) {
            let why = "the host's lock was given up: another run may have worked on it";
            changed.push(why.to_owned());
        }
        let left = self.left(State::Baseline);
        if left.is_some() {
            self.answered = self.known(baseline_queries).unwrap_or_default();
        }
        let baseline_s = left.map(age);
        let what = What::HostResumed {
            changed,
            baseline_s,
        };
        Ok(self.run.write(self.host, None, what)?)
    }

    /// How a state was entered, if the record holds that.
    pub(super) fn entered(&self, state: State) -> Option<(Entered, u32)> {
        self.known(|h| {
            let entered = h.states.get(&state)?.entered.clone()?;
            let looks = h.resumed.len().saturating_sub(entered.resumes);
            Some((entered, u32::try_from(looks).unwrap_or(u32::MAX)))
        })?
    }

    /// How a state was left, if it was.
    pub(super) fn left(&self, state: State) -> Option<Left> {
        self.known(|h| h.states.get(&state)?.left)?
    }

    /// What a look at a state brought that was left before.
    pub(super) fn looked(&self, state: State) -> Option<Looked> {
        let whole = self.left(state)?.whole;
        let facts = self.known(|h| Some(h.states.get(&state)?.facts.as_ref()?.value.clone()))??;
        Some(Looked { facts, whole })
    }

    /// The transaction's end, where it is known and will not change any more.
    pub(super) fn ended(&self) -> Option<PatchEnd> {
        let end = self.known(|h| h.patch.as_ref().map(|p| p.value.clone()))??;
        let left = self.left(State::Patched).is_some();
        match end {
            PatchEnd::StillRunning if !left => None,
            PatchEnd::StillRunning
            | PatchEnd::NothingToDo
            | PatchEnd::Exited(_)
            | PatchEnd::Lost
            | PatchEnd::NotStarted { .. } => Some(end),
        }
    }

    /// What the transaction's job runs, if it was handed to the host and its end is not known.
    pub(super) fn under_way(&self) -> Option<String> {
        let begun = self.known(|h| h.script.clone().filter(|_| h.has_begun_transaction()))?;
        begun.filter(|_| self.ended().is_none())
    }

    /// Whether no transaction was handed to the host, and none was refused.
    pub(super) fn is_untouched(&self) -> bool {
        self.ended().is_none() && self.under_way().is_none()
    }

    /// Whether nothing is applied to the host, for a reason that was known before the state was entered.
    pub(super) fn was_refused(&self) -> bool {
        let refused = matches!(self.ended(), Some(PatchEnd::NotStarted { .. }));
        refused && self.entered(State::Patched).is_none()
    }

    /// Whether services were restarted.
    pub(super) fn has_restarted(&self) -> bool {
        self.known(|h| h.restarts.is_some()) == Some(true)
    }

    /// Whether a state after this one was entered: nobody looks back at it.
    pub(super) fn is_past(&self, state: State) -> bool {
        let last = self.known(HostLedger::last_entered).flatten();
        last.is_some_and(|last| last > state)
    }

    /// Why a host is not patched that was resumed before its transaction; none where it may be.
    pub(super) fn unfit(&self) -> Option<String> {
        self.known(|h| {
            let all = h.resumed.iter().map(|r| &r.value);
            let stale = |r: &patchgate_core::ledger::Resumed| resume::stale(r.baseline_s.as_ref()?);
            let why = all.flat_map(|r| r.changed.iter().cloned().chain(stale(r)));
            let why: Vec<_> = why.collect();
            (!why.is_empty()).then(|| why.join("; "))
        })?
    }
}

/// How old a baseline is by the controller's clock, in seconds.
fn age(left: Left) -> Reading<u64> {
    let seconds = clock::now().duration_since(left.at).as_secs();
    match u64::try_from(seconds) {
        Ok(seconds) => Reading::Known(seconds),
        Err(_) => Reading::missing("the controller's clock was set back"),
    }
}

/// What the kernel answered at the baseline.
fn baseline_queries(known: &HostLedger) -> Vec<patchgate_core::evidence::access::Query> {
    let baseline = known.states.get(&State::Baseline);
    let vectors = baseline.and_then(|s| s.vectors.as_ref()?.value.known());
    vectors.map_or_else(Vec::new, |t| t.vectors.keys().cloned().collect())
}
