//! What the snapshots, the steps of the diagnosis and the other checks show of a scene.

use super::scene::{Failure, Scene};
use crate::{
    diagnosis::{DiagnosisStep, Found},
    ledger::{At, StateLedger},
    observation::{HttpEnd, HttpPhase, Observation},
    outcome::{Outcome, SymptomKind},
    snapshot::{
        policy::{PathLabel, PolicySnapshot},
        system::{Listener, SystemSnapshot},
    },
    suite::{CheckKind, Vantage},
};

/// A unit that the suite rests on, as it was seen.
#[derive(Clone, Copy)]
pub(in crate::judge) struct UnitSeen<'a> {
    /// The event.
    pub(in crate::judge) seq: u64,
    /// Its name.
    pub(in crate::judge) unit: &'a str,
    /// `ActiveState`.
    pub(in crate::judge) active: &'a str,
    /// `Result`.
    pub(in crate::judge) result: Option<&'a str>,
    /// How its main process ended.
    pub(in crate::judge) main_exit: Option<&'a str>,
    /// How often it was started again.
    pub(in crate::judge) restarts: u32,
    /// The context of its main process.
    pub(in crate::judge) context: Option<&'a str>,
}

impl UnitSeen<'_> {
    /// Whether it runs.
    pub(in crate::judge) fn is_active(&self) -> bool {
        self.active == "active"
    }
}

/// What a client on the host itself got of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) enum Control {
    /// An answer.
    Served(Vec<u64>),
    /// None.
    Unserved(HttpPhase),
    /// Nobody asked, or the answers differ.
    Unknown,
}

/// How a command that checks a configuration ended.
pub(in crate::judge) struct ConfigTested<'a> {
    pub(in crate::judge) seq: u64,
    pub(in crate::judge) command: &'a str,
    pub(in crate::judge) exit: Option<u8>,
    pub(in crate::judge) output: &'a str,
}

impl<'a> Scene<'a> {
    /// The steps that are about the suite.
    pub(in crate::judge) fn steps(&self) -> impl Iterator<Item = &'a At<DiagnosisStep>> {
        let suite = &self.suite.name;
        let ours = move |s: &&'a At<DiagnosisStep>| s.value.about.iter().any(|c| c.suite == *suite);
        self.now.into_iter().flat_map(|n| &n.diagnosis).filter(ours)
    }

    fn found(&self) -> impl Iterator<Item = (u64, &'a Found)> {
        self.steps().map(|s| (s.seq, &s.value.found))
    }

    /// The policy and its settings.
    pub(in crate::judge) fn policy(&self) -> Option<(u64, &'a PolicySnapshot)> {
        policy_of(self.now?)
    }

    /// The same when the checks still passed.
    pub(in crate::judge) fn policy_before(&self) -> Option<(u64, &'a PolicySnapshot)> {
        policy_of(self.before?)
    }

    /// The system around the service.
    pub(in crate::judge) fn system(&self) -> Option<(u64, &'a SystemSnapshot)> {
        system_of(self.now?)
    }

    /// The same when the checks still passed.
    pub(in crate::judge) fn system_before(&self) -> Option<(u64, &'a SystemSnapshot)> {
        system_of(self.before?)
    }

    /// One part of the system, before and now, with the events; none where either is not known.
    pub(in crate::judge) fn both<T>(
        &self,
        part: impl Fn(&'a SystemSnapshot) -> Option<&'a T>,
    ) -> Option<([u64; 2], &'a T, &'a T)> {
        let (before_seq, before) = self.system_before()?;
        let (seq, now) = self.system()?;
        Some(([before_seq, seq], part(before)?, part(now)?))
    }

    /// The listening sockets: right after the failure, else those of the snapshot.
    pub(in crate::judge) fn listeners(&self) -> Option<(u64, &'a [Listener])> {
        let stepped = self.found().filter_map(|(seq, found)| {
            let Found::Listeners { listeners } = found else {
                return None;
            };
            Some((seq, listeners.as_slice()))
        });
        let snapped = || {
            let (seq, system) = self.system()?;
            Some((seq, system.listeners.known()?.as_slice()))
        };
        stepped.last().or_else(snapped)
    }

    /// Whether somebody listens on a port where others than the host itself reach it; none where that
    /// is not known.
    pub(in crate::judge) fn is_reachable(&self, port: u16) -> Option<bool> {
        let (_, listeners) = self.listeners()?;
        Some(on_port(listeners, port).any(|l| !l.is_loopback()))
    }

    /// The units that the suite rests on.
    pub(in crate::judge) fn units(&self) -> Vec<UnitSeen<'a>> {
        let mut seen: Vec<UnitSeen<'a>> = self.units_of_steps().collect();
        for unit in self.units_of_checks().chain(self.units_of_snapshot()) {
            if !seen.iter().any(|s| same_unit(s.unit, unit.unit)) {
                seen.push(unit);
            }
        }
        let named: Vec<String> = self.suite.units().collect();
        seen.retain(|u| named.iter().any(|n| same_unit(n, u.unit)));
        seen
    }

    /// The first of them that does not run.
    pub(in crate::judge) fn down(&self) -> Option<UnitSeen<'a>> {
        self.units().into_iter().find(|u| !u.is_active())
    }

    fn units_of_steps(&self) -> impl Iterator<Item = UnitSeen<'a>> {
        self.found().filter_map(|(seq, found)| {
            let Found::Unit(unit) = found else {
                return None;
            };
            Some(UnitSeen {
                seq,
                unit: &unit.unit,
                active: &unit.active,
                result: unit.result.as_deref(),
                main_exit: unit.main_exit.as_deref(),
                restarts: unit.restarts.unwrap_or(0),
                context: unit.context.as_deref(),
            })
        })
    }

    fn units_of_checks(&self) -> impl Iterator<Item = UnitSeen<'a>> {
        let suite = self.suite;
        let checks = self.now.into_iter().flat_map(|n| &n.checks);
        checks.filter_map(move |(id, attempts)| {
            let last = attempts.last()?;
            let name = suite.checks.iter().find(|c| c.name == id.check)?;
            let (CheckKind::Service(want), Observation::Service(saw)) =
                (&name.kind, &last.value.saw)
            else {
                return None;
            };
            (id.suite == suite.name && !saw.active.is_empty()).then_some(UnitSeen {
                seq: last.seq,
                unit: &want.unit,
                active: &saw.active,
                result: saw.result.as_deref(),
                main_exit: None,
                restarts: 0,
                context: saw.context.as_deref(),
            })
        })
    }

    fn units_of_snapshot(&self) -> impl Iterator<Item = UnitSeen<'a>> {
        let system = self.system().into_iter();
        let units = system.filter_map(|(seq, s)| Some((seq, s.units.known()?)));
        units.flat_map(|(seq, units)| {
            units.iter().map(move |(unit, state)| UnitSeen {
                seq,
                unit,
                active: &state.active,
                result: state.result.as_deref(),
                main_exit: None,
                restarts: 0,
                context: None,
            })
        })
    }

    /// The lines of the services' error logs and of the journal.
    pub(in crate::judge) fn lines(&self) -> impl Iterator<Item = (u64, &'a str)> {
        let lines = self.found().filter_map(|(seq, found)| {
            let (Found::ErrorLog { lines, .. } | Found::Journal { lines, .. }) = found else {
                return None;
            };
            Some((seq, lines))
        });
        lines.flat_map(|(seq, lines)| lines.iter().map(move |l| (seq, l.as_str())))
    }

    /// The first line that holds one of these texts.
    pub(in crate::judge) fn line_with(&self, texts: &[&str]) -> Option<(u64, &'a str)> {
        self.lines()
            .find(|(_, line)| texts.iter().any(|t| line.contains(t)))
    }

    /// The services' own checks of their configuration.
    pub(in crate::judge) fn config_tests(&self) -> impl Iterator<Item = ConfigTested<'a>> {
        self.found().filter_map(|(seq, found)| {
            let Found::ConfigTest {
                command,
                exit,
                output,
            } = found
            else {
                return None;
            };
            Some(ConfigTested {
                seq,
                command,
                exit: *exit,
                output,
            })
        })
    }

    /// Paths with another label than the policy wants, each with the event that says so: right after
    /// the failure, else those of the snapshot.
    pub(in crate::judge) fn mislabeled(&self) -> Vec<(u64, &'a PathLabel)> {
        let steps = self.found().filter_map(|(seq, found)| {
            let Found::Mislabeled { labels } = found else {
                return None;
            };
            Some((seq, labels))
        });
        let policy = self.policy().into_iter();
        let snapped = policy.filter_map(|(seq, p)| Some((seq, p.labels.known()?)));
        let all = steps.chain(snapped);
        let mut wrong: Vec<(u64, &PathLabel)> = Vec::new();
        for (seq, label) in all.flat_map(|(seq, labels)| labels.iter().map(move |l| (seq, l))) {
            if is_wrong(label) && !wrong.iter().any(|(_, l)| l.path == label.path) {
                wrong.push((seq, label));
            }
        }
        wrong
    }

    /// Whether the labels of the suite's paths were looked at.
    pub(in crate::judge) fn are_labels_known(&self) -> bool {
        let stepped = self
            .found()
            .any(|(_, f)| matches!(f, Found::Mislabeled { .. }));
        stepped
            || self
                .policy()
                .is_some_and(|(_, p)| p.labels.known().is_some())
    }

    /// What a client on the host itself got of a port: by the suite's own controls, and by the same
    /// request asked there.
    pub(in crate::judge) fn control(&self, port: u16) -> Control {
        let answers: Vec<_> = self
            .asked_by_checks(port)
            .chain(self.asked_by_steps(port))
            .collect();
        let served = answers.iter().filter(|(_, a)| a.is_ok());
        let served: Vec<u64> = served.map(|(seq, _)| *seq).collect();
        let mut unserved = answers.iter().filter_map(|(_, a)| a.err());
        match (served.is_empty(), unserved.next()) {
            (false, None) => Control::Served(served),
            (true, Some(phase)) => Control::Unserved(phase),
            (true, None) | (false, Some(_)) => Control::Unknown,
        }
    }

    /// The controls that asked this port, and where each failed to get an answer.
    fn asked_by_checks(&self, port: u16) -> impl Iterator<Item = (u64, Answer)> {
        let view = self.view;
        let (suite, host, state) = (self.suite, self.host, self.state);
        let ours = move |c: &&'a crate::judge::CellResult| {
            let cell = &c.cell;
            cell.host == *host
                && cell.state == state
                && cell.check.suite == suite.name
                && cell.vantage == Vantage::Localhost
        };
        view.cells.iter().filter(ours).filter_map(move |cell| {
            let (_, check) = view.plan.check(&cell.cell.check)?;
            let CheckKind::Http(http) = &check.kind else {
                return None;
            };
            let seq = *cell.events.last()?;
            let answer = match &cell.outcome {
                Outcome::Passed => Ok(()),
                Outcome::Failed { symptom } => answer_of(symptom.kind)?,
                Outcome::Blind { .. }
                | Outcome::Errored { .. }
                | Outcome::NotRun { .. }
                | Outcome::NotNeeded { .. } => return None,
            };
            (http.port() == Some(port)).then_some((seq, answer))
        })
    }

    fn asked_by_steps(&self, port: u16) -> impl Iterator<Item = (u64, Answer)> {
        let view = self.view;
        self.found().filter_map(move |(seq, found)| {
            let Found::Request { check, from, saw } = found else {
                return None;
            };
            let (_, check) = view.plan.check(check)?;
            let CheckKind::Http(http) = &check.kind else {
                return None;
            };
            let answer = match &saw.end {
                HttpEnd::Answered(_) => Ok(()),
                HttpEnd::Failed(failure) => Err(failure.phase),
            };
            (from == "localhost" && http.port() == Some(port)).then_some((seq, answer))
        })
    }

    /// The failed requests of remote clients that ended in one of these phases, with their ports.
    pub(in crate::judge) fn remote(
        &self,
        phases: &'static [HttpPhase],
    ) -> impl Iterator<Item = (&Failure<'a>, u16)> {
        let fits = move |f: &&Failure<'_>| f.remote_phase().is_some_and(|p| phases.contains(&p));
        let failures = self.failures.iter().filter(fits);
        failures.filter_map(|f| Some((f, f.port()?)))
    }
}

/// Whether a request was answered, or where it failed.
type Answer = Result<(), HttpPhase>;

/// What a failed check says of its request; none when it is no request.
fn answer_of(kind: SymptomKind) -> Option<Answer> {
    match kind {
        SymptomKind::Http(phase) => Some(Err(phase)),
        SymptomKind::HttpStatus | SymptomKind::HttpBody => Some(Ok(())),
        SymptomKind::CommandExit
        | SymptomKind::CommandOutput
        | SymptomKind::CommandDeadline
        | SymptomKind::ServiceState
        | SymptomKind::ServiceEnabled
        | SymptomKind::SelinuxMode
        | SymptomKind::SelinuxBoolean
        | SymptomKind::Denials => None,
    }
}

pub(super) fn policy_of(state: &StateLedger) -> Option<(u64, &PolicySnapshot)> {
    let at = state.snapshot.as_ref()?;
    Some((at.seq, at.value.policy.known()?))
}

fn system_of(state: &StateLedger) -> Option<(u64, &SystemSnapshot)> {
    let at = state.snapshot.as_ref()?;
    Some((at.seq, at.value.system.known()?))
}

/// The sockets that listen on a port.
pub(in crate::judge) fn on_port(
    listeners: &[Listener],
    port: u16,
) -> impl Iterator<Item = &Listener> {
    listeners.iter().filter(move |l| l.port == port)
}

/// `httpd` and `httpd.service` are the same.
pub(in crate::judge) fn same_unit(one: &str, other: &str) -> bool {
    let bare = |name: &str| name.strip_suffix(".service").unwrap_or(name).to_owned();
    bare(one) == bare(other)
}

/// The type of a context, where it has one.
pub(in crate::judge) fn type_of(context: &str) -> Option<&str> {
    context.split(':').nth(2).filter(|t| !t.is_empty())
}

/// Whether a label has another type than the policy wants; user, role and level decide nothing here.
fn is_wrong(label: &PathLabel) -> bool {
    let should = label.should.as_deref().and_then(type_of);
    should.is_some_and(|s| type_of(&label.is) != Some(s))
}
