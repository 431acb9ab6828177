//! The failures of one suite on one host in one state, and everything that was seen around them.

use std::collections::BTreeSet;

use super::{
    access::{self, Access},
    sights::policy_of,
    trial::{self, Trial},
};
use crate::{
    evidence::{coverage::Coverage, window::WindowEvidence},
    id::{HostName, SuiteName},
    judge::{View, cells::CellResult},
    ledger::StateLedger,
    observation::{HttpEnd, HttpFailure, HttpPhase, Observation},
    outcome::{Outcome, Symptom, SymptomKind},
    state::State,
    suite::{CheckKind, Suite, Vantage, selinux::Mode},
};

/// One failed check.
pub(in crate::judge) struct Failure<'a> {
    /// Its result.
    pub(in crate::judge) result: &'a CellResult,
    /// What was asked and expected.
    pub(in crate::judge) want: &'a CheckKind,
    /// What failed; none for a unit that runs against expectation, which nothing here explains.
    pub(in crate::judge) kind: Option<SymptomKind>,
    /// What the last attempt saw.
    pub(in crate::judge) saw: Option<&'a Observation>,
}

impl Failure<'_> {
    /// The symptom; none for a unit that runs against expectation.
    pub(in crate::judge) fn symptom(&self) -> Option<&Symptom> {
        self.kind?;
        match &self.result.outcome {
            Outcome::Failed { symptom } => Some(symptom),
            Outcome::Passed
            | Outcome::Blind { .. }
            | Outcome::Errored { .. }
            | Outcome::NotRun { .. }
            | Outcome::NotNeeded { .. } => None,
        }
    }

    /// The port that was asked.
    pub(in crate::judge) fn port(&self) -> Option<u16> {
        match self.want {
            CheckKind::Http(http) => http.port(),
            CheckKind::Command(_)
            | CheckKind::Service(_)
            | CheckKind::Selinux(_)
            | CheckKind::Denials(_) => None,
        }
    }

    /// Where a request failed, asked by a remote client.
    pub(in crate::judge) fn remote_phase(&self) -> Option<HttpPhase> {
        let SymptomKind::Http(phase) = self.kind? else {
            return None;
        };
        self.is_remote().then_some(phase)
    }

    /// Whether a remote client asked.
    pub(in crate::judge) fn is_remote(&self) -> bool {
        self.result.cell.vantage == Vantage::Controller
    }

    /// The status of the answer, where one came.
    pub(in crate::judge) fn status(&self) -> Option<u16> {
        match self.http_end()? {
            HttpEnd::Answered(answer) => Some(answer.status),
            HttpEnd::Failed(_) => None,
        }
    }

    /// How a request failed, in the client's words.
    pub(in crate::judge) fn http_failure(&self) -> Option<&HttpFailure> {
        match self.http_end()? {
            HttpEnd::Answered(_) => None,
            HttpEnd::Failed(failure) => Some(failure),
        }
    }

    fn http_end(&self) -> Option<&HttpEnd> {
        match self.saw? {
            Observation::Http(seen) => Some(&seen.end),
            Observation::Command(_)
            | Observation::Service(_)
            | Observation::Selinux(_)
            | Observation::Window
            | Observation::Errored { .. } => None,
        }
    }
}

/// A state's failures and what was seen around them.
pub(in crate::judge) struct Scene<'a> {
    pub(in crate::judge) view: &'a View<'a>,
    pub(in crate::judge) host: &'a HostName,
    pub(in crate::judge) suite: &'a Suite,
    pub(in crate::judge) state: State,
    /// The failures.
    pub(in crate::judge) failures: Vec<Failure<'a>>,
    /// Whether they were not there at the baseline.
    pub(in crate::judge) is_new: bool,
    /// What is known of the host in this state.
    pub(in crate::judge) now: Option<&'a StateLedger>,
    /// What is known of the host when the checks still passed; none where that is not known.
    pub(in crate::judge) before: Option<&'a StateLedger>,
    /// What the experiments of this state came to.
    pub(in crate::judge) trials: Vec<Trial>,
    /// What SELinux denied the suite's domains.
    pub(in crate::judge) accesses: Vec<Access>,
    /// What it denied domains that an experiment has cleared of the failures.
    pub(in crate::judge) cleared: Vec<Access>,
}

/// The scenes of a group of failed checks, one a state.
pub(in crate::judge) fn scenes<'a>(
    view: &'a View<'a>,
    host: &'a HostName,
    suite: &SuiteName,
    results: &[&'a CellResult],
) -> Vec<Scene<'a>> {
    let Some(suite) = view.plan.suites.iter().find(|s| s.name == *suite) else {
        return Vec::new();
    };
    let states: BTreeSet<State> = results.iter().map(|r| r.cell.state).collect();
    let scene = |state| {
        let ours = results.iter().filter(|r| r.cell.state == state);
        Scene::new(view, host, suite, state, ours.copied())
    };
    states.into_iter().map(scene).collect()
}

impl<'a> Scene<'a> {
    fn new(
        view: &'a View<'a>,
        host: &'a HostName,
        suite: &'a Suite,
        state: State,
        results: impl Iterator<Item = &'a CellResult>,
    ) -> Self {
        let failures: Vec<_> = results.filter_map(|r| failure(view, r)).collect();
        let failed_before = |f: &Failure<'_>| view.before(f.result).is_some_and(CellResult::failed);
        let is_new = !failures.iter().any(failed_before);
        let baseline = view.ledger.state(host, State::Baseline);
        let mut scene = Self {
            view,
            host,
            suite,
            state,
            failures,
            is_new,
            now: view.ledger.state(host, state),
            before: baseline.filter(|_| is_new && state != State::Baseline),
            trials: Vec::new(),
            accesses: Vec::new(),
            cleared: Vec::new(),
        };
        scene.accesses = access::of_normal_times(&scene);
        scene.trials = trial::all(&scene);
        access::weigh_trials(&mut scene);
        scene
    }

    /// The kinds of the failures.
    pub(in crate::judge) fn kinds(&self) -> impl Iterator<Item = SymptomKind> {
        self.failures.iter().filter_map(|f| f.kind)
    }

    /// The events of the failures.
    pub(in crate::judge) fn events(&self) -> impl Iterator<Item = u64> {
        self.failures
            .iter()
            .flat_map(|f| f.result.events.iter().copied())
    }

    /// The window of the state and the event that brought it.
    pub(in crate::judge) fn window(&self) -> Option<(u64, &'a WindowEvidence)> {
        let (seq, evidence) = self.view.windows.get(self.host, self.state)?;
        Some((*seq, evidence))
    }

    /// Whether no denial of the state can be missing from the log.
    pub(in crate::judge) fn is_whole(&self) -> bool {
        self.window()
            .is_some_and(|(_, w)| w.coverage == Coverage::Complete)
    }

    /// The mode of SELinux in this state, where all that was read agrees.
    pub(in crate::judge) fn mode(&self) -> Option<Mode> {
        let modes: Vec<Option<Mode>> = self.modes().into_iter().map(|(_, m)| m).collect();
        let first = *modes.first()?;
        first.filter(|_| modes.iter().all(|m| *m == first))
    }

    /// The events that say what mode SELinux is in, and what they say.
    pub(in crate::judge) fn modes(&self) -> Vec<(u64, Option<Mode>)> {
        self.now.map(modes_of).unwrap_or_default()
    }

    /// Whether SELinux is known not to enforce.
    pub(in crate::judge) fn is_unenforced(&self) -> bool {
        matches!(self.mode(), Some(Mode::Permissive | Mode::Disabled))
    }

    /// Whether SELinux is known to have enforced when the checks still passed.
    pub(in crate::judge) fn was_enforced(&self) -> bool {
        let modes = self.before.map(modes_of).unwrap_or_default();
        !modes.is_empty() && modes.iter().all(|(_, m)| *m == Some(Mode::Enforcing))
    }

    /// Whether SELinux is known to enforce.
    pub(in crate::judge) fn is_enforced(&self) -> bool {
        self.mode() == Some(Mode::Enforcing)
    }
}

fn modes_of(state: &StateLedger) -> Vec<(u64, Option<Mode>)> {
    let facts = state.facts.as_ref();
    let facts = facts.and_then(|f| Some((f.seq, f.value.selinux.known()?.mode.as_str())));
    let policy = policy_of(state);
    let policy = policy.and_then(|(seq, p)| Some((seq, p.mode.known()?.as_str())));
    let read = facts.into_iter().chain(policy);
    read.map(|(seq, mode)| (seq, Mode::parse(mode))).collect()
}

fn failure<'a>(view: &'a View<'a>, result: &'a CellResult) -> Option<Failure<'a>> {
    let Outcome::Failed { symptom } = &result.outcome else {
        return None;
    };
    let cell = &result.cell;
    let (_, check) = view.plan.check(&cell.check)?;
    let attempts = view
        .ledger
        .state(&cell.host, cell.state)
        .and_then(|s| s.checks.get(&cell.check));
    let runs = matches!(&check.kind, CheckKind::Service(want) if !want.active);
    let runs = runs && symptom.kind == SymptomKind::ServiceState;
    Some(Failure {
        result,
        want: &check.kind,
        kind: (!runs).then_some(symptom.kind),
        saw: attempts.and_then(|a| a.last()).map(|a| &a.value.saw),
    })
}
