//! The lab-only experiments: without dontaudit rules, and with the one domain permissive, the failed
//! checks are asked again; then the host is restored and asked once more.
//!
//! Everything stands under a dead man's switch on the host ([`crate::host::switch`]): armed before
//! anything is changed, and however this ends, the host is restored, by us or by itself. What the answers
//! prove is decided by the judgement. An answer is recorded only once it is known that the phase's
//! policy was still loaded when it came.

mod ask;
mod undo;

use std::{collections::BTreeSet, time::Duration};

use patchgate_core::{
    diagnosis::{
        self, DiagnosisStep, ExperimentEvent, Found, HostMark, Phase, experiment::still_fails,
    },
    event::What,
    evidence::segment::{AskedFrom, Segment},
    id::{CheckId, HostName},
    plan::PlannedHost,
    reading::Reading,
    state::State,
    suite::Check,
};

use super::{
    Run, StopSignal,
    link::{Link, Stop},
};
use crate::{
    clock::Stopwatch,
    host::{
        Connector, Reply,
        job::JobId,
        switch::{self, SwitchParseError, SwitchState},
    },
    probe::Prober,
    record::RecordError,
    script::{
        checks::{self, Way},
        experiment::{self, Trial},
        window::{self, Open},
    },
};

/// After how long a host restores itself when nothing is heard of the controller: longer than an
/// experiment takes (28 to 105 s on an emulated machine, by its load), and short for a person who finds a lab
/// host changed.
pub const SWITCH_AFTER: Duration = Duration::from_secs(180);

/// An experiment to be made by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The host.
    pub host: HostName,
    /// The state in which the checks failed.
    pub state: State,
    /// The domain that is suspected.
    pub domain: String,
    /// The failed checks, all of one suite.
    pub checks: Vec<CheckId>,
}

/// Why an experiment does not go on.
enum Halt {
    /// Something of it could not be done.
    Failed(String),
    /// The host's part is over, or the run.
    Stop(Stop),
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<RecordError> for Halt {
    fn from(error: RecordError) -> Self {
        Self::Stop(error.into())
    }
}

/// One experiment on one host.
struct Experiment<'a> {
    state: State,
    domain: &'a str,
    about: &'a [CheckId],
    checks: Vec<(CheckId, Check)>,
    trial: Trial,
}

impl Experiment<'_> {
    /// What follows the loading of a policy, the start of units too: what the domain was denied before
    /// it, under the policy of the phase before, lies in the same window and not in this segment.
    fn segment(&self, marked: &Reply) -> Segment {
        Segment {
            number: 1,
            asked_from: AskedFrom::Controller,
            checks: self.checks.iter().map(|(id, _)| id.clone()).collect(),
            marker: window::read_segment(marked),
        }
    }
}

/// Takes a host's lock, makes an experiment, and gives the lock back.
pub(super) async fn alone<C: Connector, P: Prober>(
    run: &Run<C, P>,
    host: &PlannedHost,
    stop: StopSignal,
    wanted: &Wanted,
) -> Result<(), RecordError> {
    let mut link = match Link::open(run, host, stop).await {
        Ok(link) => link,
        Err(Stop::Recorded | Stop::Asked) => return run.journal.sync(),
        Err(Stop::Record(error)) => return Err(error),
    };
    let ended = link.under_lock(wanted).await;
    link.close().await;
    match ended {
        Ok(()) | Err(Stop::Recorded | Stop::Asked) => run.journal.sync(),
        Err(Stop::Record(error)) => Err(error),
    }
}

impl<C: Connector, P: Prober> Link<'_, C, P> {
    async fn under_lock(&mut self, wanted: &Wanted) -> Result<(), Stop> {
        let Wanted {
            state,
            domain,
            checks,
            ..
        } = wanted;
        self.lock().await?;
        match self.experiment(*state, domain, checks).await {
            Ok(()) | Err(Stop::Asked) => self.leave_host(None).await,
            ended @ Err(Stop::Record(_) | Stop::Recorded) => ended,
        }
    }

    /// Makes the experiments about one domain with these failed checks, all of one suite, in a state
    /// whose window is closed. Every end of it is in the record; after `Ok` the host is as it was before.
    ///
    /// # Errors
    /// `Recorded` also when the host is not what it was: its part is then over, and it is dirty.
    pub(super) async fn experiment(
        &mut self,
        state: State,
        domain: &str,
        about: &[CheckId],
    ) -> Result<(), Stop> {
        self.go_on()?;
        self.quiet.send_replace(true);
        let ended = self.make_experiment(state, domain, about).await;
        self.quiet.send_replace(false);
        ended
    }

    async fn make_experiment(
        &mut self,
        state: State,
        domain: &str,
        about: &[CheckId],
    ) -> Result<(), Stop> {
        let watch = Stopwatch::start();
        let armed = match self.planned(state, domain, about) {
            Ok(of) => self.arm(&of).await?.map(|before| (of, before)),
            Err(why) => Err(why),
        };
        match armed {
            Ok((of, before)) => {
                let ended = self.try_out(&of).await;
                self.undo(&of, &before, ended).await
            }
            Err(why) => {
                let what = diagnosis::EXPERIMENT.to_owned();
                let found = Found::Unavailable { what, why };
                Ok(self.found(state, about, found, watch.elapsed())?)
            }
        }
    }

    /// The experiment, or why there is none.
    fn planned<'b>(
        &self,
        state: State,
        domain: &'b str,
        about: &'b [CheckId],
    ) -> Result<Experiment<'b>, String> {
        let plan = &self.run.plan;
        if !self.host.lab {
            return Err("the inventory does not call it a lab host".to_owned());
        }
        if !plan.experiments {
            return Err("experiments are switched off for this run".to_owned());
        }
        if plan.patch.is_none() {
            return Err("a run that only checks changes nothing".to_owned());
        }
        let checks: Vec<_> = about.iter().filter_map(|id| self.to_ask(id)).collect();
        if checks.is_empty() {
            return Err("none of the failed checks can be asked again".to_owned());
        }
        let suites = about.iter().filter_map(|id| plan.check(id));
        let units: BTreeSet<_> = suites.flat_map(|(suite, _)| suite.units()).collect();
        let id = JobId::new(format!("{}.{state}", plan.run)).map_err(|e| e.to_string())?;
        let units = units.into_iter().collect();
        let trial = Trial::new(id, domain, units).map_err(|e| e.to_string())?;
        Ok(Experiment {
            state,
            domain,
            about,
            checks,
            trial,
        })
    }

    /// A check that can be asked again; a window that is closed cannot.
    fn to_ask(&self, id: &CheckId) -> Option<(CheckId, Check)> {
        let (_, check) = self.run.plan.check(id)?;
        match checks::way(check, &self.host.address) {
            Ok(Way::ByWindow) => None,
            Ok(Way::OnHost(_) | Way::FromController(_)) | Err(_) => {
                Some((id.clone(), check.clone()))
            }
        }
    }

    /// Arms the switch; `Err` inside says why there is none, and nothing was changed.
    async fn arm(&mut self, of: &Experiment<'_>) -> Result<Result<HostMark, String>, Stop> {
        let watch = Stopwatch::start();
        let before = match self.mark(of).await? {
            Reading::Known(mark) => mark,
            Reading::Missing { why } => return Ok(Err(why)),
        };
        let spec = of.trial.switch(self.run.switch_after);
        let item = switch::arm_item(&spec, self.run.plan.run.as_str());
        let replies = self.ask("arming the switch", vec![item]).await?;
        match switch::parse(&replies[0]) {
            Ok(SwitchState::Armed { left }) => {
                let armed = ExperimentEvent::Armed {
                    deadline_s: left.as_secs(),
                    before: before.clone(),
                };
                self.happened(of, armed, watch.elapsed())?;
                self.run.journal.sync()?;
                Ok(Ok(before))
            }
            Ok(SwitchState::Rejected { why }) => Ok(Err(why)),
            // It may stand: then it goes again, or the host's part is over.
            told => {
                let why = format!("the switch was not armed: {}", unarmed(told));
                self.undo(of, &before, Err(Halt::Failed(why.clone())))
                    .await?;
                Ok(Err(why))
            }
        }
    }

    async fn mark(&mut self, of: &Experiment<'_>) -> Result<Reading<HostMark>, Stop> {
        let item = of.trial.mark_item();
        let replies = self.ask("looking at the policy", vec![item]).await?;
        Ok(experiment::read_mark(&of.trial.units, &replies[0]))
    }

    /// Everything between arming and restoring. Both policies are built first, so that questions and
    /// changes lie close together; building them is part of what the first change costs.
    async fn try_out(&mut self, of: &Experiment<'_>) -> Result<(), Halt> {
        let watch = Stopwatch::start();
        let items = vec![of.trial.build_item()];
        let replies = self
            .ask_until_stopped("building the policies", items)
            .await?;
        experiment::read_build(&replies[0]).map_err(Halt::Failed)?;
        let built = watch.elapsed();
        let asked = self.ask_again(of, Phase::Before).await?;
        if !still_fails(&self.run.plan, &asked) {
            let why = "the failure had gone away before anything was changed";
            return Err(Halt::Failed(why.to_owned()));
        }
        self.phase(of, Phase::DontauditOff, built).await?;
        self.phase(of, Phase::DomainPermissive, Duration::ZERO)
            .await
    }

    /// One changed policy, in a window of its own that opens before the change.
    async fn phase(
        &mut self,
        of: &Experiment<'_>,
        phase: Phase,
        built: Duration,
    ) -> Result<(), Halt> {
        let watch = Stopwatch::start();
        let (nonce, id) = (&self.run.nonce, window_id(of, phase));
        let items = vec![
            window::open_item(nonce, &id),
            of.trial.load_item(phase),
            window::segment_item(nonce, &id, 1),
            of.trial.start_item(),
        ];
        let replies = self.ask_until_stopped("changing the policy", items).await?;
        let mut open = Open::new(nonce, &id, &replies[0]);
        if open.takes_markers() {
            open.segments.push(of.segment(&replies[2]));
        }
        let loaded_sha256 = experiment::read_load(&replies[1]).map_err(Halt::Failed)?;
        let event = ExperimentEvent::Changed {
            phase,
            loaded_sha256: loaded_sha256.clone(),
            started: experiment::read_start(&replies[3]).map_err(Halt::Failed)?,
        };
        self.happened(of, event, built + watch.elapsed())?;
        let answers = self.answers(of, phase).await?;
        let watch = Stopwatch::start();
        let mut items = vec![of.trial.still_item()];
        items.extend(open.close_items());
        let mut replies = self.ask_until_stopped("closing the window", items).await?;
        let still = replies.remove(0);
        experiment::read_still(&still, &loaded_sha256).map_err(Halt::Failed)?;
        self.asked(of, phase, answers)?;
        let more = match open.more_item(&replies) {
            None => None,
            Some(item) => {
                let asked = self.ask_until_stopped("reading another log", vec![item]);
                asked.await?.pop()
            }
        };
        let capture = Box::new(open.close(&replies, more.as_ref()));
        let event = ExperimentEvent::Window { phase, capture };
        Ok(self.happened(of, event, watch.elapsed())?)
    }

    fn failed(&self, of: &Experiment<'_>, why: &str) -> Result<(), RecordError> {
        let why = why.to_owned();
        self.happened(of, ExperimentEvent::Failed { why }, Duration::ZERO)
    }

    fn happened(
        &self,
        of: &Experiment<'_>,
        event: ExperimentEvent,
        elapsed: Duration,
    ) -> Result<(), RecordError> {
        let domain = of.domain.to_owned();
        let found = Found::Experiment { domain, event };
        self.found(of.state, of.about, found, elapsed)
    }

    fn found(
        &self,
        state: State,
        about: &[CheckId],
        found: Found,
        elapsed: Duration,
    ) -> Result<(), RecordError> {
        let diagnosis = Box::new(DiagnosisStep {
            about: about.to_vec(),
            found,
            elapsed,
        });
        let what = What::Diagnosed { diagnosis };
        self.run.write(self.host, Some(state), what)
    }
}

fn window_id(of: &Experiment<'_>, phase: Phase) -> String {
    format!("x-{}-{}", of.state, phase.word())
}

/// Why a switch that was to be armed is not known to stand.
fn unarmed(told: Result<SwitchState, SwitchParseError>) -> String {
    match told {
        Err(error) => error.to_string(),
        Ok(SwitchState::Dead) => "its watcher did not begin to live".to_owned(),
        Ok(
            SwitchState::None
            | SwitchState::Armed { .. }
            | SwitchState::Restoring
            | SwitchState::Restored
            | SwitchState::Failed { .. }
            | SwitchState::Stale
            | SwitchState::Rejected { .. },
        ) => "it does not stand".to_owned(),
    }
}
