//! The failed checks, asked again from where they were asked before.

use std::time::Duration;

use futures_util::future::{join, join_all};
use patchgate_core::{
    diagnosis::{ExperimentEvent, Phase},
    id::CheckId,
    observation::Observation,
    suite::Check,
};

use super::Experiment;
use crate::{
    clock::Stopwatch,
    host::{Connector, Reply},
    probe::{HttpRequest, Prober, observation},
    record::RecordError,
    runner::{
        Run,
        link::{Link, Stop, until_stopped},
    },
    script::checks::{self, Way},
};

/// An answer and what it cost.
pub(super) struct Answer {
    check: CheckId,
    saw: Observation,
    elapsed: Duration,
}

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Asks every failed check again, as often as the phase wants it, and records the answers.
    pub(super) async fn ask_again(
        &mut self,
        of: &Experiment<'_>,
        phase: Phase,
    ) -> Result<Vec<(CheckId, Observation)>, Stop> {
        let answers = self.answers(of, phase).await?;
        Ok(self.asked(of, phase, answers)?)
    }

    /// The answers of every failed check but those that a window answers, as often as the phase wants them
    /// and one after the other, until somebody stops the run.
    pub(super) async fn answers(
        &mut self,
        of: &Experiment<'_>,
        phase: Phase,
    ) -> Result<Vec<Answer>, Stop> {
        let mut answers = Vec::new();
        for _ in 0..phase.asks() {
            self.go_on()?;
            let asked = until_stopped(self.stop.clone(), self.ask_all(of)).await;
            answers.extend(self.let_go(asked)?);
        }
        Ok(answers)
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

    /// Records answers, and gives back what they saw.
    pub(super) fn asked(
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
