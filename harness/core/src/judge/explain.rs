//! One finding, whole: what it rests on, what was looked at and found, and what was not seen.
//!
//! Everything comes from the record and from the judgement of it. Texts of hosts are made fit for people
//! and cut; the record itself holds them whole.

mod held;
mod trials;
mod unseen;

use serde::Serialize;

use self::held::{Teller, short};
use super::{View, cause, cells};
use crate::{
    event::{Event, What},
    evidence::{fingerprint::fingerprints, vector_diff},
    id::{CheckId, HostName, RunId},
    ledger::Ledger,
    plan::Plan,
    snapshot::diff,
    state::State,
    verdict::{Finding, Verdict},
};

/// The version of the explanation as JSON.
pub const EXPLANATION_VERSION: u32 = 1;

/// How many fingerprints of denials are told of a state.
const MOST_DENIALS: usize = 20;

/// A finding, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// [`EXPLANATION_VERSION`] of the writer.
    pub v: u32,
    /// The run.
    pub run: RunId,
    /// The finding, as the verdict has it.
    pub finding: Finding,
    /// The events that it rests on.
    pub rests_on: Vec<Held>,
    /// The steps of the diagnosis, in order; those of experiments apart.
    pub steps: Vec<StepTold>,
    /// The experiments.
    pub experiments: Vec<ExperimentTold>,
    /// What the log holds of each state.
    pub denials: Vec<Told>,
    /// Which access vectors changed since the baseline.
    pub vectors: Vec<Told>,
    /// What else is different since the baseline.
    pub differences: Vec<Told>,
    /// What was not seen.
    pub unseen: Vec<String>,
}

/// An event, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its number.
    pub event: u64,
    /// The state of the host.
    pub state: Option<State>,
    /// Whether the cause and its proof level rest on it, and not the finding alone.
    pub of_cause: bool,
    /// What it holds, in a line.
    pub text: String,
}

/// A step of the diagnosis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepTold {
    /// The event.
    pub event: u64,
    /// The state of the host.
    pub state: State,
    /// What it cost, in milliseconds.
    pub elapsed_ms: u64,
    /// What was found, in a line.
    pub text: String,
}

/// An experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExperimentTold {
    /// The state of the host.
    pub state: State,
    /// The domain that was made permissive.
    pub domain: String,
    /// Its phases.
    pub phases: Vec<PhaseTold>,
    /// What it came to.
    pub answer: String,
    /// Its events.
    pub events: Vec<u64>,
}

/// A phase of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhaseTold {
    /// The phase.
    pub phase: String,
    /// Units that were started for it.
    pub started: Vec<String>,
    /// What each check saw.
    pub saw: Vec<(CheckId, String)>,
    /// How many denials of the domain the log holds; none where no log was read.
    pub denials: Option<usize>,
}

/// Lines about a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The host.
    pub host: HostName,
    /// The state.
    pub state: State,
    /// The lines.
    pub lines: Vec<String>,
}

/// Explains a finding of a run's verdict.
#[must_use]
pub fn explain(plan: &Plan, events: &[Event], verdict: &Verdict, finding: &Finding) -> Explanation {
    let ledger = Ledger::fold(events);
    let grounds = cells::Grounds::of(plan, &ledger);
    let cells = grounds.results();
    let view = View::new(&grounds, &cells);
    let explained = Explained {
        view: &view,
        events,
        verdict,
        finding,
        teller: Teller { plan },
    };
    Explanation {
        v: EXPLANATION_VERSION,
        run: plan.run.clone(),
        finding: finding.clone(),
        rests_on: explained.rests_on(),
        steps: explained.steps(),
        experiments: explained.experiments(),
        denials: explained.each_state(Explained::denials),
        vectors: explained.each_state(Explained::vectors),
        differences: explained.each_state(Explained::differences),
        unseen: explained.unseen(),
    }
}

/// What an explanation is made of.
struct Explained<'a> {
    view: &'a View<'a>,
    events: &'a [Event],
    verdict: &'a Verdict,
    finding: &'a Finding,
    teller: Teller<'a>,
}

impl<'a> Explained<'a> {
    fn rests_on(&self) -> Vec<Held> {
        let finding = self.finding;
        let ours = |e: &&Event| finding.evidence.contains(&e.seq);
        let held = |e: &Event| Held {
            event: e.seq,
            state: e.state,
            of_cause: finding.cause.evidence.contains(&e.seq),
            text: self.teller.event(&e.what),
        };
        self.events.iter().filter(ours).map(held).collect()
    }

    /// The steps that are about the finding's suite, on its hosts; all of them where it has no suite.
    fn steps(&self) -> Vec<StepTold> {
        let suite = self.finding.suite.as_ref();
        let ours = |e: &Event| {
            e.host
                .as_ref()
                .is_some_and(|h| self.finding.hosts.contains(h))
        };
        let steps = self.events.iter().filter(|e| ours(e)).filter_map(|e| {
            let What::Diagnosed { diagnosis } = &e.what else {
                return None;
            };
            let about = |c: &CheckId| suite.is_none_or(|s| c.suite == *s);
            if !diagnosis.about.iter().any(about) || held::is_experiment(&diagnosis.found) {
                return None;
            }
            Some(StepTold {
                event: e.seq,
                state: e.state?,
                elapsed_ms: u64::try_from(diagnosis.elapsed.as_millis()).unwrap_or(u64::MAX),
                text: self.teller.found(&diagnosis.found),
            })
        });
        steps.collect()
    }

    fn each_state(&self, lines: impl Fn(&Self, &HostName, State) -> Vec<String>) -> Vec<Told> {
        let hosts = self.finding.hosts.iter();
        let told = hosts.flat_map(|host| self.view.plan.states.iter().map(move |s| (host, *s)));
        let told = told.map(|(host, state)| Told {
            host: host.clone(),
            state,
            lines: lines(self, host, state),
        });
        told.filter(|t| !t.lines.is_empty()).collect()
    }

    /// What can be said of a state's denials, and those of the suite's domains by fingerprint; of all where
    /// the suite names none.
    fn denials(&self, host: &HostName, state: State) -> Vec<String> {
        let hosts = self.verdict.hosts.iter().filter(|h| h.host == *host);
        let mut said = hosts.flat_map(|h| &h.denials).filter(|s| s.state == state);
        let said = said.next().map(|s| held::short(&s.statement));
        said.into_iter().chain(self.listed(host, state)).collect()
    }

    fn listed(&self, host: &HostName, state: State) -> Vec<String> {
        let Some((seq, window)) = self.view.windows.get(host, state) else {
            return Vec::new();
        };
        let domains = self.domains();
        let all = fingerprints(&window.decisions);
        let ours = all.into_iter().filter(|t| {
            let source = t.fingerprint.source_type.as_ref();
            domains.is_empty() || source.is_none_or(|s| domains.contains(s))
        });
        let mut lines: Vec<String> = ours
            .map(|t| {
                let what = held::short(&cells::describe(&t.fingerprint));
                let times = held::count(t.count, "time");
                format!("{what} ({times}, event {seq})")
            })
            .collect();
        let more = lines.len().saturating_sub(MOST_DENIALS);
        lines.truncate(MOST_DENIALS);
        if more > 0 {
            lines.push(format!("and {more} more of other kinds"));
        }
        lines
    }

    fn domains(&self) -> &'a [String] {
        let suites = &self.view.plan.suites;
        let suite = suites
            .iter()
            .find(|s| Some(&s.name) == self.finding.suite.as_ref());
        suite.map_or(&[], |s| s.domains.as_slice())
    }

    fn vectors(&self, host: &HostName, state: State) -> Vec<String> {
        let table = |state| {
            let at = self.view.ledger.state(host, state)?.vectors.as_ref()?;
            Some((at.seq, at.value.known()?))
        };
        let tables = table(State::Baseline).zip(table(state));
        let Some(((before_seq, before), (seq, after))) =
            tables.filter(|_| state != State::Baseline)
        else {
            return Vec::new();
        };
        let lines = vector_diff::diff(before, after)
            .changes
            .into_iter()
            .map(|c| {
                let list = |what: &str, perms: &[String]| {
                    (!perms.is_empty()).then(|| format!("{what} {{ {} }}", perms.join(" ")))
                };
                let silent = if c.silenced.is_empty() {
                    "lost"
                } else {
                    "lost, silently,"
                };
                let parts = [list(silent, &c.lost), list("gained", &c.gained)];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                let parts = if parts.is_empty() {
                    "is logged otherwise".to_owned()
                } else {
                    parts.join(", ")
                };
                format!(
                    "{} on {} of {}: {parts} (events {before_seq} and {seq})",
                    c.source_type, c.class, c.target_type
                )
            });
        lines.collect()
    }

    fn differences(&self, host: &HostName, state: State) -> Vec<String> {
        let snapshot = |state| self.view.ledger.state(host, state)?.snapshot.as_ref();
        match snapshot(State::Baseline).zip(snapshot(state)) {
            Some((before, after)) if state != State::Baseline => {
                diff::differences(&before.value, &after.value)
                    .iter()
                    .map(|d| short(&format!("{}: {}", d.area.words(), d.what)))
                    .collect()
            }
            Some(_) | None => Vec::new(),
        }
    }
}

/// The scenes of a finding: its failed checks, state by state.
fn scenes<'a>(explained: &Explained<'a>) -> Vec<cause::Scene<'a>> {
    let finding = explained.finding;
    let view = explained.view;
    let (Some(suite), Some(host)) = (&finding.suite, finding.hosts.first()) else {
        return Vec::new();
    };
    let told = |r: &&'a cells::CellResult| {
        let cell = &r.cell;
        let seen = |s: &crate::verdict::Seen| s.state == cell.state && s.check == cell.check;
        cell.host == *host && r.failed() && finding.symptoms.iter().any(seen)
    };
    let results: Vec<&cells::CellResult> = view.cells.iter().filter(told).collect();
    cause::scenes(view, host, suite, &results)
}
