//! What is looked at in one state of one host: facts, access vectors, and every check.

use futures_util::future::join_all;
use patchgate_core::{
    event::What,
    evidence::{
        segment::{AskedFrom, Segment},
        window::Expectations,
    },
    facts::Facts,
    id::CheckId,
    observation::Observation,
    plan::{PlannedHost, id_of},
    reading::Reading,
    snapshot::Snapshot,
    state::State,
    suite::Check,
};

use super::{
    Run,
    link::{Link, Stop, is_lost, until_stopped},
    lock,
    state::Stay,
};
use crate::{
    host::{Batch, Connector, Exit, Item, Reply, mark, state_dir::StateDir},
    probe::{HttpRequest, Prober, observation},
    record::RecordError,
    script::{
        checks::{self, Way},
        facts, packages,
        snapshot::Watched,
        vectors,
        window::{self, Open, read_segment, segment_item},
    },
};

/// The planned checks of a host, by the way they are made.
#[derive(Default)]
struct Work<'a> {
    on_host: Vec<(CheckId, &'a Check, Item)>,
    from_controller: Vec<(CheckId, HttpRequest)>,
    /// Checks that are answered without asking anybody: by the window, or not at all.
    answered: Vec<(CheckId, Observation)>,
}

/// What a look at a state has brought.
pub(super) struct Looked {
    pub(super) facts: Facts,
    /// Whether the host answered every question, and the end of its window is known.
    pub(super) whole: bool,
}

/// The items of a state's batch, and where each answer will stand.
struct Sheet {
    items: Vec<Item>,
    lock: usize,
    marked: Option<usize>,
    facts: usize,
    packages: Option<usize>,
    vectors: Option<usize>,
    /// The state of audit, where no window tells of it.
    audit: Option<usize>,
    /// Of each check.
    checks: Vec<usize>,
    /// Of each marker, in the order of their numbers; none where none are sent.
    markers: Vec<usize>,
    /// The first marker's number.
    first: u32,
    /// The two items of the snapshot, after the checks: what they find is what the checks met.
    snapshot: usize,
    watched: Watched,
}

impl Sheet {
    /// The markers stand between the checks: one before each, and one before those of the controller,
    /// which come after the batch.
    fn new<C: Connector, P>(link: &Link<'_, C, P>, work: &Work<'_>, window: Option<&Open>) -> Self {
        let run = link.run;
        let mut items = Vec::new();
        let mut push = |item| {
            items.push(item);
            items.len() - 1
        };
        let domains = run.plan.domains();
        // A run that patches holds the lock and says so; one that only looks asks whether somebody does.
        let (lock, marked) = match run.plan.patch {
            Some(_) => (push(lock::beat(run.plan.run.as_str())), None),
            None => (
                push(lock::question(run.plan.run.as_str())),
                Some(push(mark::read_item(&StateDir::default()))),
            ),
        };
        let facts = push(facts::item());
        let packages = run.needs_packages().then(|| push(packages::item()));
        let vectors =
            (!domains.is_empty()).then(|| push(vectors::item(&run.plan.suites, &link.answered)));
        let audit = run.plan.looks_only().then(|| push(window::look_item()));
        let mut markers = Vec::new();
        let first = window.map_or(1, |open| first_number(open, work));
        let mut mark = |push: &mut dyn FnMut(Item) -> usize| {
            if let Some(Open { nonce, id, .. }) = window {
                markers.push(push(segment_item(nonce, id, next_number(first, &markers))));
            }
        };
        let mut checks = Vec::new();
        for (_, _, item) in &work.on_host {
            mark(&mut push);
            checks.push(push(item.clone()));
        }
        if !work.on_host.is_empty() || !work.from_controller.is_empty() {
            mark(&mut push);
        }
        let (snapshot, watched) = (items.len(), Watched::of(&run.plan));
        items.extend(watched.items());
        Self {
            items,
            lock,
            marked,
            facts,
            packages,
            vectors,
            audit,
            checks,
            markers,
            first,
            snapshot,
            watched,
        }
    }

    fn read_snapshot(&self, facts: &Facts, replies: &[Reply]) -> Snapshot {
        let at = self.snapshot;
        self.watched.read(facts, &replies[at], &replies[at + 1])
    }

    /// The segments that the markers began.
    fn segments(&self, work: &Work<'_>, replies: &[Reply]) -> Vec<Segment> {
        let on_host = work
            .on_host
            .iter()
            .map(|(id, ..)| (AskedFrom::Host, vec![id.clone()]));
        let from_here = work.from_controller.iter().map(|(id, _)| id.clone());
        let from_here = (AskedFrom::Controller, from_here.collect());
        let groups = on_host.chain([from_here]);
        let numbered = self.markers.iter().zip(self.first..).zip(groups);
        let segment = |((at, number), (asked_from, checks)): ((&usize, u32), _)| Segment {
            number,
            asked_from,
            checks,
            marker: read_segment(&replies[*at]),
        };
        numbered.map(segment).collect()
    }

    fn read_facts(&self, replies: &[Reply]) -> Facts {
        let packages = match self.packages {
            Some(at) => packages::read(&replies[at]),
            None => Reading::missing("not asked for"),
        };
        facts::read(&replies[self.facts], packages)
    }
}

/// The number of the first marker: none has one that an earlier look at the state may have sent.
fn first_number(open: &Open, work: &Work<'_>) -> u32 {
    let each = u32::try_from(work.on_host.len() + 1).unwrap_or(u32::MAX);
    open.looks.saturating_mul(each).saturating_add(1)
}

/// The number of the next marker.
fn next_number(first: u32, markers: &[usize]) -> u32 {
    let sent = u32::try_from(markers.len()).unwrap_or(u32::MAX);
    first.saturating_add(sent)
}

impl<'a, C: Connector, P: Prober> Link<'a, C, P> {
    /// Reads the facts and access vectors, makes every check, and closes the window.
    pub(super) async fn look(&mut self, mut stay: Stay) -> Result<Looked, Stop> {
        let looked = match self.look_around(&mut stay).await {
            Ok(looked) => looked,
            Err(stop) => return Err(self.abandon(stay, stop)),
        };
        let state = stay.state;
        let closed = self.leave(stay).await?;
        let whole = looked.whole && closed;
        self.run
            .write(self.host, Some(state), What::StateLeft { whole })?;
        self.run.journal.sync()?;
        Ok(Looked { whole, ..looked })
    }

    /// Everything of a state but its window, until somebody stops the run.
    async fn look_around(&mut self, stay: &mut Stay) -> Result<Looked, Stop> {
        self.go_on()?;
        let (work, state) = (self.work(), stay.state);
        let (run, host, stop) = (self.run, self.host, self.stop.clone());
        let looked = until_stopped(stop.clone(), self.look_on_host(stay, &work)).await;
        let looked = self.let_go(looked)?;
        let from_here = async { Ok(look_from_here(run, host, state, &work).await?) };
        until_stopped(stop, from_here).await?;
        for (check, saw) in work.answered {
            record_check(run, host, state, check, saw)?;
        }
        Ok(looked)
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
                    Ok(Way::ByWindow) => work.answered.push((id, Observation::Window)),
                    Err(why) => work.answered.push((id, Observation::Errored { why })),
                }
            }
        }
        work
    }

    /// The batch of a state; each check is recorded as soon as its answer comes.
    async fn look_on_host(&mut self, stay: &mut Stay, work: &Work<'_>) -> Result<Looked, Stop> {
        let state = stay.state;
        let mut sheet = Sheet::new(self, work, stay.marked_window().as_deref());
        let items = std::mem::take(&mut sheet.items);
        self.ensure("reading the host").await?;
        let (run, host) = (self.run, self.host);
        let (mut trouble, mut holder) = (None, None);
        let on_reply = |at: usize, reply: &Reply| {
            if sheet.lock == at {
                holder = lock::held(reply);
            }
            let check = sheet.checks.iter().position(|check| *check == at);
            let check = check.and_then(|i| work.on_host.get(i));
            if let (Some((id, check, _)), None, None) = (check, &holder, &trouble) {
                let saw = checks::read(check, &host.address, reply);
                trouble = record_check(run, host, state, id.clone(), saw).err();
            }
        };
        let replies = self.run(&Batch::new("checks", items), on_reply).await;
        if let Some(error) = trouble {
            return Err(Stop::Record(error));
        }
        if let Some(holder) = holder {
            return Err(self.record_stop(What::HostLocked { holder }));
        }
        match replies {
            Ok(replies) => {
                if let Some(window) = stay.marked_window() {
                    window.segments = sheet.segments(work, &replies);
                }
                self.read_answers(state, &sheet, &replies).await
            }
            Err(_) => self.retell(state).await,
        }
    }

    async fn read_answers(
        &mut self,
        state: State,
        sheet: &Sheet,
        replies: &[Reply],
    ) -> Result<Looked, Stop> {
        if let Some(at) = sheet.marked {
            self.met_mark(&replies[at])?;
        }
        let facts = sheet.read_facts(replies);
        self.record_facts(state, &facts)?;
        if let Some(at) = sheet.vectors {
            let vectors = vectors::read(&self.run.plan.domains(), &replies[at]);
            if state == State::Baseline {
                let answered = vectors.known().map(|t| t.vectors.keys().cloned().collect());
                self.answered = answered.unwrap_or_default();
            }
            self.run
                .write(self.host, Some(state), What::VectorsRead { vectors })?;
        }
        if let Some(at) = sheet.audit {
            let capture = Box::new(window::read_look(&replies[at]));
            let expected = Expectations::default();
            let what = What::WindowCaptured { capture, expected };
            self.run.write(self.host, Some(state), what)?;
        }
        let snapshot = Box::new(sheet.read_snapshot(&facts, replies));
        let what = What::SnapshotTaken { snapshot };
        self.run.write(self.host, Some(state), what)?;
        if replies.iter().any(is_lost) {
            self.ensure("checking").await?;
        }
        let whole = replies.iter().all(is_answered);
        Ok(Looked { facts, whole })
    }

    /// The batch was never begun: the connection is had again or the host is lost, and the state's
    /// checks stay without a result.
    async fn retell(&mut self, state: State) -> Result<Looked, Stop> {
        self.ensure("checking").await?;
        let replies = self.ask("reading facts", vec![facts::item()]).await?;
        let facts = facts::read(&replies[0], Reading::missing("the connection was lost"));
        self.record_facts(state, &facts)?;
        Ok(Looked {
            facts,
            whole: false,
        })
    }

    fn record_facts(&self, state: State, facts: &Facts) -> Result<(), RecordError> {
        let facts = Box::new(facts.clone());
        self.run
            .write(self.host, Some(state), What::FactsCollected { facts })
    }
}

/// Whether an item was begun and somebody knows how it ended.
fn is_answered(reply: &Reply) -> bool {
    match reply.exit {
        Exit::Code(_) | Exit::DeadlineExceeded => true,
        Exit::NotRun { .. } | Exit::Lost { .. } => false,
    }
}

/// The requests of a remote client, side by side.
async fn look_from_here<C: Connector, P: Prober>(
    run: &Run<C, P>,
    host: &PlannedHost,
    state: State,
    work: &Work<'_>,
) -> Result<(), RecordError> {
    let asked = work.from_controller.iter().map(|(id, request)| async move {
        (id.clone(), observation(run.prober.http(request).await))
    });
    for (check, saw) in join_all(asked).await {
        record_check(run, host, state, check, saw)?;
    }
    Ok(())
}

impl<C, P> Run<C, P> {
    /// The number of a check's next attempt: the second one where an interruption broke the state off.
    fn attempt(&self, host: &PlannedHost, state: State, check: &CheckId) -> u32 {
        let made = self.known.ask(&host.name, |ledger| {
            let known = ledger.state(&host.name, state);
            known.and_then(|s| Some(s.checks.get(check)?.last()?.value.number))
        });
        made.unwrap_or(0).saturating_add(1)
    }
}

fn record_check<C, P>(
    run: &Run<C, P>,
    host: &PlannedHost,
    state: State,
    check: CheckId,
    saw: Observation,
) -> Result<(), RecordError> {
    run.write(
        host,
        Some(state),
        What::CheckFinished {
            attempt: run.attempt(host, state, &check),
            check,
            saw,
        },
    )
}
