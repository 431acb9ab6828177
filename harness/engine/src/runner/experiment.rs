//! The lab-only experiments: without dontaudit rules, and with the one domain permissive, the failed
//! checks are asked again; then the host is restored and asked once more.
//!
//! Everything stands under a dead man's switch on the host ([`crate::host::switch`]): armed before
//! anything is changed, and however this ends, the host is restored, by us or by itself. What the answers
//! prove is decided by the judgement. An answer is recorded only once it is known that the phase's
//! policy was still loaded when it came.

use std::time::Duration;

use futures_util::future::{join, join_all};
use patchgate_core::{
    diagnosis::{DiagnosisStep, ExperimentEvent, Found, HostMark, Phase, experiment::still_fails},
    event::What,
    id::{CheckId, HostName},
    observation::Observation,
    plan::PlannedHost,
    reading::Reading,
    state::State,
    suite::Check,
};
use tokio::time::timeout;

use super::{
    Run, StopSignal,
    host::LAST_WORD,
    link::{Link, Stop, until_stopped},
};
use crate::{
    clock::Stopwatch,
    host::{
        Connector, Reply,
        job::JobId,
        switch::{self, SwitchParseError, SwitchState},
    },
    probe::{HttpRequest, Prober, observation},
    record::RecordError,
    script::{
        checks::{self, Way},
        experiment::{self, Trial},
        window::{self, Open},
    },
};

/// After how long a host restores itself when nothing is heard of the controller: longer than an
/// experiment takes (40 to 60 s on an emulated machine), and short for a person who finds a lab host
/// changed.
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

/// An answer and what it cost.
struct Answer {
    check: CheckId,
    saw: Observation,
    elapsed: Duration,
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
                let what = "experiment".to_owned();
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
        let known = about
            .iter()
            .filter_map(|id| Some((id, plan.check(id)?)))
            .collect::<Vec<_>>();
        let mut units: Vec<_> = known.iter().flat_map(|(_, (s, _))| s.units()).collect();
        units.sort();
        units.dedup();
        let id = JobId::new(format!("{}.{state}", plan.run)).map_err(|e| e.to_string())?;
        let trial = Trial::new(id, domain, units).map_err(|e| e.to_string())?;
        let checks = known
            .into_iter()
            .map(|(id, (_, c))| (id.clone(), c.clone()));
        Ok(Experiment {
            state,
            domain,
            about,
            checks: checks.collect(),
            trial,
        })
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
        let items = vec![window::open_item(nonce, &id), of.trial.change_item(phase)];
        let replies = self.ask_until_stopped("changing the policy", items).await?;
        let open = Open::new(nonce, &id, &replies[0]);
        let changed = experiment::read_change(&replies[1]).map_err(Halt::Failed)?;
        let loaded_sha256 = changed.loaded_sha256.clone();
        let event = ExperimentEvent::Changed {
            phase,
            loaded_sha256: changed.loaded_sha256,
            started: changed.started,
        };
        self.happened(of, event, built + watch.elapsed())?;
        let answers = self.answers(of).await?;
        let watch = Stopwatch::start();
        let items = vec![
            of.trial.still_item(),
            window::close_item(nonce, &id),
            window::slice_item(&open.position()),
        ];
        let replies = self.ask_until_stopped("closing the window", items).await?;
        experiment::read_still(&replies[0], &loaded_sha256).map_err(Halt::Failed)?;
        self.asked(of, phase, answers)?;
        let capture = Box::new(open.close(&replies[1], &replies[2]));
        let event = ExperimentEvent::Window { phase, capture };
        Ok(self.happened(of, event, watch.elapsed())?)
    }

    /// Asks every failed check again and records the answers.
    async fn ask_again(
        &mut self,
        of: &Experiment<'_>,
        phase: Phase,
    ) -> Result<Vec<(CheckId, Observation)>, Stop> {
        let answers = self.answers(of).await?;
        Ok(self.asked(of, phase, answers)?)
    }

    /// The answers of every failed check but those that a window answers, until somebody stops the run.
    async fn answers(&mut self, of: &Experiment<'_>) -> Result<Vec<Answer>, Stop> {
        self.go_on()?;
        let asked = until_stopped(self.stop.clone(), self.ask_all(of)).await;
        self.let_go(asked)
    }

    /// Asks from here and on the host, side by side.
    async fn ask_all(&mut self, of: &Experiment<'_>) -> Result<Vec<Answer>, Stop> {
        let (run, address) = (self.run, &self.host.address);
        let (mut on_host, mut items, mut from_here) = (Vec::new(), Vec::new(), Vec::new());
        let mut answers = Vec::new();
        for (id, check) in &of.checks {
            match checks::way(check, address) {
                Ok(Way::OnHost(item)) => {
                    on_host.push((id, check));
                    items.push(item);
                }
                Ok(Way::FromController(request)) => from_here.push(ask_from_here(run, id, request)),
                Ok(Way::ByWindow) => {}
                Err(why) => answers.push(Answer {
                    check: id.clone(),
                    saw: Observation::Errored { why },
                    elapsed: Duration::ZERO,
                }),
            }
        }
        let here = async {
            match items.is_empty() {
                true => Ok(Vec::new()),
                false => self.ask("asking again", items).await,
            }
        };
        let (remote, replies) = join(join_all(from_here), here).await;
        answers.extend(remote);
        let replies = replies?;
        let read = |((id, check), reply): (&(&CheckId, &Check), &Reply)| Answer {
            check: (*id).clone(),
            saw: checks::read(check, address, reply),
            elapsed: reply.elapsed,
        };
        answers.extend(on_host.iter().zip(&replies).map(read));
        Ok(answers)
    }

    /// Restores the host whatever came before.
    async fn undo(
        &mut self,
        of: &Experiment<'_>,
        before: &HostMark,
        ended: Result<(), Halt>,
    ) -> Result<(), Stop> {
        match ended {
            Ok(()) => self.give_back(of, before, true).await,
            Err(Halt::Failed(why)) => {
                self.failed(of, &why)?;
                self.give_back(of, before, false).await
            }
            Err(Halt::Stop(Stop::Asked)) => {
                self.failed(of, "the run was stopped")?;
                self.give_back(of, before, false).await?;
                Err(Stop::Asked)
            }
            Err(Halt::Stop(Stop::Recorded)) => {
                self.failed(of, "the host was lost; it restores itself")?;
                Err(Stop::Recorded)
            }
            Err(Halt::Stop(Stop::Record(error))) => {
                drop(timeout(LAST_WORD, self.restore(of)).await);
                Err(Stop::Record(error))
            }
        }
    }

    /// Restores the host, asks once more where that can tell something, and proves that the host is what
    /// it was. A host that is not is dirty, and its part is over: nothing that is seen there counts any
    /// more. The lock stays where the host is not restored, so that the next run restores it first.
    async fn give_back(
        &mut self,
        of: &Experiment<'_>,
        before: &HostMark,
        ask: bool,
    ) -> Result<(), Stop> {
        let watch = Stopwatch::start();
        let not_undone =
            |why: &str| format!("an experiment with {} is not undone: {why}", of.domain);
        let now = match self.restore_in_time(of).await? {
            Ok(now) => now,
            Err(why) => {
                self.finish(Some(not_undone(&why)))?;
                return Err(Stop::Recorded);
            }
        };
        if ask {
            self.ask_restored(of, &now, watch.elapsed()).await?;
        }
        let watch = Stopwatch::start();
        let after = match ask && !self.stopped() {
            true => known(self.mark(of).await?),
            false => Ok(now),
        };
        let differences = match after {
            Err(why) => vec![why],
            Ok(after) => {
                let differences = before.differences(&after);
                let event = ExperimentEvent::Restored { after };
                self.happened(of, event, watch.elapsed())?;
                differences
            }
        };
        if differences.is_empty() {
            return Ok(self.run.journal.sync()?);
        }
        let why = not_undone(&differences.join("; "));
        self.leave_host(Some(why)).await?;
        Err(Stop::Recorded)
    }

    /// The policy is what it was: the failure must be there again. Somebody who stops the run does not
    /// wait for that.
    async fn ask_restored(
        &mut self,
        of: &Experiment<'_>,
        now: &HostMark,
        elapsed: Duration,
    ) -> Result<(), Stop> {
        let event = ExperimentEvent::Changed {
            phase: Phase::Restored,
            loaded_sha256: now.loaded_sha256.clone(),
            started: Vec::new(),
        };
        self.happened(of, event, elapsed)?;
        match self.ask_again(of, Phase::Restored).await {
            Ok(_) | Err(Stop::Asked) => Ok(()),
            Err(stop @ (Stop::Record(_) | Stop::Recorded)) => Err(stop),
        }
    }

    /// A run that was stopped does not wait long: the host goes on restoring itself.
    async fn restore_in_time(
        &mut self,
        of: &Experiment<'_>,
    ) -> Result<Result<HostMark, String>, Stop> {
        if !self.stopped() {
            return self.restore(of).await;
        }
        match timeout(LAST_WORD, self.restore(of)).await {
            Ok(restored) => restored,
            Err(_) => {
                self.hang_up();
                Ok(Err(
                    "the run was stopped while the host restored itself".to_owned()
                ))
            }
        }
    }

    /// Has the host restore itself now. `Err` inside says why nobody knows that it did.
    async fn restore(&mut self, of: &Experiment<'_>) -> Result<Result<HostMark, String>, Stop> {
        let trial = &of.trial;
        let items = vec![
            switch::disarm_item(&trial.id, &trial.state_dir),
            trial.mark_item(),
        ];
        let replies = self.ask("restoring the policy", items).await?;
        Ok(match switch::parse(&replies[0]) {
            Ok(SwitchState::Restored | SwitchState::None | SwitchState::Stale) => {
                known(experiment::read_mark(&trial.units, &replies[1]))
            }
            Ok(SwitchState::Failed { why } | SwitchState::Rejected { why }) => Err(why),
            Ok(SwitchState::Armed { .. } | SwitchState::Restoring) => {
                Err("the host has not ended restoring itself".to_owned())
            }
            Ok(SwitchState::Dead) => Err("the switch's watcher died".to_owned()),
            Err(error) => Err(error.to_string()),
        })
    }

    /// Records answers, and gives back what they saw.
    fn asked(
        &self,
        of: &Experiment<'_>,
        phase: Phase,
        answers: Vec<Answer>,
    ) -> Result<Vec<(CheckId, Observation)>, RecordError> {
        let mut all = Vec::new();
        for Answer {
            check,
            saw,
            elapsed,
        } in answers
        {
            all.push((check.clone(), saw.clone()));
            self.happened(of, ExperimentEvent::Asked { phase, check, saw }, elapsed)?;
        }
        Ok(all)
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

async fn ask_from_here<C, P: Prober>(
    run: &Run<C, P>,
    id: &CheckId,
    request: HttpRequest,
) -> Answer {
    let watch = Stopwatch::start();
    let saw = observation(run.prober.http(&request).await);
    Answer {
        check: id.clone(),
        saw,
        elapsed: watch.elapsed(),
    }
}

fn window_id(of: &Experiment<'_>, phase: Phase) -> String {
    format!("x-{}-{}", of.state, phase.word())
}

fn known(mark: Reading<HostMark>) -> Result<HostMark, String> {
    mark.get().cloned().map_err(ToOwned::to_owned)
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
