//! A closer look at what failed in a state, outside of the state's window.
//!
//! What deserves it is decided by [`patchgate_core::diagnosis`]; here it is asked and recorded. It never
//! makes a run worse: what cannot be had is recorded as unavailable, and a host that does not come back
//! is left to whoever needs it next.

use std::{iter, time::Duration};

use patchgate_core::{
    diagnosis::{self, DiagnosisStep, Found, Step, Wanted},
    event::What,
    state::State,
};

use super::link::{Link, Stop, until_stopped};
use crate::{
    host::{Batch, Connector, Item, Reply},
    probe::Prober,
    record::RecordError,
    script::diagnosis::{self as steps, Scene},
};

/// How long all steps of one suite may take together.
const LADDER: Duration = Duration::from_secs(90);

/// What a batch of steps is called.
const LABEL: &str = "diagnosing";

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Looks closer at what failed in a state that was left, one batch for each suite. When somebody
    /// stops the run, it ends and whoever comes next sees the stop.
    pub(super) async fn diagnose(&mut self, state: State) -> Result<(), Stop> {
        if self.is_past(state) {
            return Ok(());
        }
        let looked = self.look_closer(state).await;
        match self.let_go(looked) {
            Err(Stop::Asked) => Ok(()),
            ended @ (Ok(()) | Err(Stop::Record(_) | Stop::Recorded)) => ended,
        }
    }

    async fn look_closer(&mut self, state: State) -> Result<(), Stop> {
        if self.climb_all(state).await? {
            self.run.journal.sync()?;
        }
        self.prove_all(state).await
    }

    /// Makes the experiments that are wanted after the reading steps. Nothing drops one half-way: each
    /// restores the host before it ends.
    async fn prove_all(&mut self, state: State) -> Result<(), Stop> {
        let (plan, host) = (&self.run.plan, &self.host.name);
        let wanted = |ledger: &_| {
            let mut all = diagnosis::experiments(plan, ledger, host, state);
            all.retain(|e| !diagnosis::is_made(ledger, host, state, e));
            all
        };
        for experiment in self.run.known.ask(host, wanted) {
            self.experiment(state, &experiment.domain, &experiment.checks)
                .await?;
        }
        Ok(())
    }

    /// Takes all steps that are wanted, suite by suite. Returns whether there were any.
    async fn climb_all(&mut self, state: State) -> Result<bool, Stop> {
        let (plan, host) = (&self.run.plan, &self.host.name);
        let wanted = |ledger: &_| diagnosis::wanted(plan, ledger, host, state);
        let wanted = self.run.known.ask(host, wanted);
        let mut gone = None;
        for wanted in &wanted {
            self.go_on()?;
            let stop = self.stop.clone();
            gone = until_stopped(stop, self.climb(state, wanted, gone)).await?;
        }
        Ok(!wanted.is_empty())
    }

    /// Takes the steps of one suite, in one batch. Returns why the host is gone, if it is: nobody waits for
    /// it a second time.
    async fn climb(
        &mut self,
        state: State,
        wanted: &Wanted,
        gone: Option<String>,
    ) -> Result<Option<String>, Stop> {
        let scene = Scene {
            plan: &self.run.plan,
            address: &self.host.address,
            since: self.entered.elapsed(),
        };
        let made: Vec<Result<Item, String>> = wanted
            .steps
            .iter()
            .map(|s| steps::item(s, &scene))
            .collect();
        let items: Vec<Item> = made.iter().flatten().cloned().collect();
        let mut replies = match gone {
            Some(why) => Err(why),
            None if items.is_empty() => Ok(Vec::new().into_iter()),
            None => self.try_ask(&batch(items)).await?.map(Vec::into_iter),
        };
        for (step, made) in wanted.steps.iter().zip(made) {
            let reply = match (made, &mut replies) {
                (Err(why), _) => Err(why),
                (Ok(_), Err(why)) => Err(why.clone()),
                (Ok(_), Ok(replies)) => Ok(replies.next().expect("each item has a reply")),
            };
            for (found, elapsed) in told(step, &scene, reply) {
                self.record_found(state, wanted, found, elapsed)?;
            }
        }
        Ok(replies.err())
    }

    fn record_found(
        &self,
        state: State,
        wanted: &Wanted,
        found: Found,
        elapsed: Duration,
    ) -> Result<(), RecordError> {
        let about = wanted.about.clone();
        let diagnosis = Box::new(DiagnosisStep {
            about,
            found,
            elapsed,
        });
        let what = What::Diagnosed { diagnosis };
        self.run.write(self.host, Some(state), what)
    }
}

fn batch(items: Vec<Item>) -> Batch {
    let batch = Batch::new(LABEL, items);
    Batch {
        deadline: batch.deadline.min(LADDER),
        ..batch
    }
}

/// What one reply brought: its cost stands with the first.
fn told(step: &Step, scene: &Scene<'_>, reply: Result<Reply, String>) -> Vec<(Found, Duration)> {
    let (found, cost) = match reply {
        Ok(reply) => (steps::read(step, scene, &reply), reply.elapsed),
        Err(why) => (vec![steps::unavailable(step, &why)], Duration::ZERO),
    };
    let costs = iter::once(cost).chain(iter::repeat(Duration::ZERO));
    found.into_iter().zip(costs).collect()
}
