//! One state of one host: the window, the facts, the access vectors and the checks.

use futures_util::future::join_all;
use patchgate_core::{
    event::What,
    evidence::window::Expectations,
    facts::Facts,
    id::CheckId,
    observation::Observation,
    plan::{PlannedHost, id_of},
    reading::Reading,
    state::State,
    suite::Check,
};

use super::{
    Run,
    link::{Link, Stop, is_lost, stopped},
};
use crate::{
    host::{Batch, Connector, Exit, Item, Reply},
    probe::{HttpRequest, Prober, observation},
    record::RecordError,
    script::{
        checks::{self, Way},
        facts, packages, vectors,
        window::{self, Open},
    },
};

/// A state that a host is in, its window open where evidence is collected.
pub(super) struct Stay {
    state: State,
    window: Option<Open>,
    expected: Expectations,
}

/// The planned checks of a host, by the way they are made.
#[derive(Default)]
struct Work<'a> {
    on_host: Vec<(CheckId, &'a Check, Item)>,
    from_controller: Vec<(CheckId, HttpRequest)>,
    by_window: Vec<CheckId>,
    impossible: Vec<(CheckId, String)>,
}

impl<'a, C: Connector, P: Prober> Link<'a, C, P> {
    /// Enters a state: opens its window, and does what makes the state while the window is open.
    ///
    /// Returns the replies of `first`, which ran in the same batch after the begin marker.
    pub(super) async fn enter(
        &mut self,
        state: State,
        expected: Expectations,
        first: Vec<Item>,
    ) -> Result<(Stay, Vec<Reply>), Stop> {
        let id = format!("w-{}", state.word());
        let mut items = Vec::new();
        if self.run.collects() {
            items.push(window::open_item(&self.run.nonce, &id));
        }
        let opening = items.len();
        items.extend(first);
        if items.is_empty() {
            return Ok((
                Stay {
                    state,
                    window: None,
                    expected,
                },
                Vec::new(),
            ));
        }
        let mut replies = self.ask("entering the state", items).await?;
        let rest = replies.split_off(opening);
        let window = replies.first().map(|r| Open::new(&self.run.nonce, &id, r));
        Ok((
            Stay {
                state,
                window,
                expected,
            },
            rest,
        ))
    }

    /// Reads the facts and access vectors, makes every check, and closes the window.
    ///
    /// A run that is stopped waits for none of it: the facts are missing then, and so are the results.
    pub(super) async fn look(&mut self, stay: Stay) -> Result<Facts, Stop> {
        let work = self.work();
        let stop = self.stop.clone();
        let looked = tokio::select! {
            looked = self.look_everywhere(&stay, &work) => Some(looked),
            () = stopped(stop) => None,
        };
        let facts = match looked {
            Some(Ok(facts)) => facts,
            Some(Err(stop)) => return Err(self.abandon(stay, stop)),
            None => return self.break_off(stay),
        };
        let state = Some(stay.state);
        for (check, why) in work.impossible {
            let saw = Observation::Errored { why };
            self.run.write(
                self.host,
                state,
                What::CheckFinished {
                    check,
                    attempt: 1,
                    saw,
                },
            )?;
        }
        for check in work.by_window {
            let saw = Observation::Window;
            self.run.write(
                self.host,
                state,
                What::CheckFinished {
                    check,
                    attempt: 1,
                    saw,
                },
            )?;
        }
        self.leave(stay).await?;
        self.run.journal.sync()?;
        Ok(facts)
    }

    async fn look_everywhere(&mut self, stay: &Stay, work: &Work<'_>) -> Result<Facts, Stop> {
        let facts = self.look_on_host(stay, work).await?;
        look_from_here(self.run, self.host, stay, work).await?;
        Ok(facts)
    }

    /// Gives up what was being looked at, because the run was stopped.
    fn break_off(&mut self, stay: Stay) -> Result<Facts, Stop> {
        const WHY: &str = "the run was stopped";
        self.hang_up();
        self.record_abandoned(stay, WHY)?;
        let nothing = Reply::silent(Exit::NotRun {
            why: WHY.to_owned(),
        });
        Ok(facts::read(&nothing, Reading::missing(WHY)))
    }

    fn work(&self) -> Work<'a> {
        let run = self.run;
        let mut work = Work::default();
        for suite in &run.plan.suites {
            for check in &suite.checks {
                let id = id_of(suite, &check.name);
                match checks::way(check, &self.host.address) {
                    Ok(Way::OnHost(item)) => work.on_host.push((id, check, item)),
                    Ok(Way::FromController(request)) => work.from_controller.push((id, request)),
                    Ok(Way::ByWindow) => work.by_window.push(id),
                    Err(why) => work.impossible.push((id, why)),
                }
            }
        }
        work
    }

    /// The batch of a state: facts, packages, vectors, and every check that is made on the host.
    async fn look_on_host(&mut self, stay: &Stay, work: &Work<'_>) -> Result<Facts, Stop> {
        let domains = self.run.plan.domains();
        let mut items = vec![facts::item()];
        let packages_at = self
            .run
            .needs_packages()
            .then(|| push(&mut items, packages::item()));
        let vectors_at = (!domains.is_empty()).then(|| push(&mut items, vectors::item(&domains)));
        let first_check = items.len();
        items.extend(work.on_host.iter().map(|(_, _, item)| item.clone()));
        self.ensure("reading the host").await?;
        let mut trouble = None;
        let (run, host) = (self.run, self.host);
        let on_reply = |at: usize, reply: &Reply| {
            if let Some((id, check, _)) = at
                .checked_sub(first_check)
                .and_then(|i| work.on_host.get(i))
            {
                let saw = checks::read(check, &host.address, reply);
                let what = What::CheckFinished {
                    check: id.clone(),
                    attempt: 1,
                    saw,
                };
                trouble = run
                    .write(host, Some(stay.state), what)
                    .err()
                    .or(trouble.take());
            }
        };
        let replies = self.run(&Batch::new("checks", items), on_reply).await;
        if let Some(error) = trouble {
            return Err(Stop::Record(error));
        }
        let Ok(replies) = replies else {
            return self.retell(stay).await;
        };
        let packages = match packages_at {
            Some(at) => packages::read(&replies[at]),
            None => Reading::missing("not asked for"),
        };
        let facts = facts::read(&replies[0], packages);
        self.record_facts(stay, &facts)?;
        if let Some(at) = vectors_at {
            let vectors = vectors::read(&replies[at]);
            self.run
                .write(self.host, Some(stay.state), What::VectorsRead { vectors })?;
        }
        if replies.iter().any(is_lost) {
            self.ensure("checking").await?;
        }
        Ok(facts)
    }

    /// The batch was never begun: the connection is had again or the host is lost, and the state's
    /// checks stay without a result.
    async fn retell(&mut self, stay: &Stay) -> Result<Facts, Stop> {
        self.ensure("checking").await?;
        let replies = self.ask("reading facts", vec![facts::item()]).await?;
        let facts = facts::read(&replies[0], Reading::missing("the connection was lost"));
        self.record_facts(stay, &facts)?;
        Ok(facts)
    }

    fn record_facts(&self, stay: &Stay, facts: &Facts) -> Result<(), RecordError> {
        let facts = Box::new(facts.clone());
        self.run
            .write(self.host, Some(stay.state), What::FactsCollected { facts })
    }

    /// Closes the window and records what lay in it.
    async fn leave(&mut self, stay: Stay) -> Result<(), Stop> {
        let Some(open) = stay.window else {
            return Ok(());
        };
        let items = vec![
            window::close_item(&open.nonce, &open.id),
            window::slice_item(&open.position()),
        ];
        let replies = match self.ask("closing the window", items).await {
            Ok(replies) => replies,
            Err(stop) => {
                let stay = Stay {
                    window: Some(open),
                    ..stay
                };
                return Err(self.abandon(stay, stop));
            }
        };
        let capture = Box::new(open.close(&replies[0], &replies[1]));
        let what = What::WindowCaptured {
            capture,
            expected: stay.expected,
        };
        self.run.write(self.host, Some(stay.state), what)?;
        Ok(())
    }

    /// Records a window that will never be closed.
    pub(super) fn abandon(&self, stay: Stay, stop: Stop) -> Stop {
        match self.record_abandoned(stay, "the host was lost before the window closed") {
            Ok(()) => stop,
            Err(error) => Stop::Record(error),
        }
    }

    fn record_abandoned(&self, stay: Stay, why: &str) -> Result<(), RecordError> {
        let Some(open) = stay.window else {
            return Ok(());
        };
        let what = What::WindowCaptured {
            capture: Box::new(open.abandon(why)),
            expected: stay.expected,
        };
        self.run.write(self.host, Some(stay.state), what)
    }
}

/// The requests of a remote client, side by side.
async fn look_from_here<C: Connector, P: Prober>(
    run: &Run<C, P>,
    host: &PlannedHost,
    stay: &Stay,
    work: &Work<'_>,
) -> Result<(), RecordError> {
    let asked = work.from_controller.iter().map(|(id, request)| async move {
        (id.clone(), observation(run.prober.http(request).await))
    });
    for (check, saw) in join_all(asked).await {
        run.write(
            host,
            Some(stay.state),
            What::CheckFinished {
                check,
                attempt: 1,
                saw,
            },
        )?;
    }
    Ok(())
}

fn push(items: &mut Vec<Item>, item: Item) -> usize {
    items.push(item);
    items.len() - 1
}
