//! Remote probes at a fixed rate, beside everything else that happens to a host.
//!
//! The grid is laid by the clock and not by the answers: a probe is begun at its place whether or not
//! the ones before have been answered, so that a host that is slow is asked as often as one that is
//! fast. Answers are recorded in the grid's order, equal ones together. While an experiment goes on, nobody
//! asks: its windows are to hold what its own checks provoke.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesOrdered};
use patchgate_core::{
    event::What,
    id::CheckId,
    ledger::Ledger,
    plan::PlannedHost,
    reading::Reading,
    resume,
    soak::{Answer, SoakEnd, SoakLedger, Stretch},
};
use tokio::{
    sync::{oneshot, watch},
    time::{Interval, MissedTickBehavior, interval},
};

use super::{Run, StopSignal};
use crate::{
    clock::{self, Age, Stopwatch},
    probe::{HttpRequest, Prober, observation},
    record::RecordError,
    script::checks::{self, Way},
};

/// How many probes of one check of a host may be under way. A host that hangs holds no more of this
/// machine's sockets than that; those beyond see nothing.
const UNDER_WAY: usize = 10;

/// How the part of a host that is probed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// By itself: probes that are under way are waited for.
    Ended,
    /// It was broken off: nobody waits.
    BrokenOff,
}

/// What the probes of a host listen to.
pub(super) struct Signals {
    /// Says once how the part of the host that is probed ended.
    pub(super) over: oneshot::Receiver<Over>,
    /// Whether nobody is to ask now.
    pub(super) quiet: watch::Receiver<bool>,
    /// Somebody stopped the run.
    pub(super) stop: StopSignal,
}

/// What is asked again and again.
struct Beat {
    check: CheckId,
    request: Arc<HttpRequest>,
}

/// Probes of one host that were answered, as far as they are not recorded yet.
struct Soaking<'a, C, P> {
    run: &'a Run<C, P>,
    host: &'a PlannedHost,
    age: Age,
    open: Vec<Stretch>,
    under_way: BTreeMap<CheckId, usize>,
}

/// Probes a host until its part is over; where nothing is to be probed, nothing happens.
///
/// # Errors
/// When the record could not be written.
pub(super) async fn beside<C: Send + Sync, P: Prober>(
    run: &Run<C, P>,
    host: &PlannedHost,
    signals: Signals,
) -> Result<(), RecordError> {
    let Some(soak) = &run.plan.soak else {
        return Ok(());
    };
    let beats: Vec<_> = soak
        .checks
        .iter()
        .filter_map(|c| beat(run, host, c))
        .collect();
    if is_over(run, host) {
        return Ok(());
    }
    let (age, next) = begin(run, host, soak.every, &beats)?;
    let mut soaking = Soaking {
        run,
        host,
        age,
        open: Vec::new(),
        under_way: BTreeMap::new(),
    };
    let places = soaking.go_on(&beats, soak.every, next, signals).await?;
    soaking.end(places)
}

/// Records the begin; says how old the probes are and which place of their grid is next. A run that was
/// interrupted goes on on the grid that it laid: of the places that nobody was at nothing is known.
fn begin<C, P>(
    run: &Run<C, P>,
    host: &PlannedHost,
    every: Duration,
    beats: &[Beat],
) -> Result<(Age, u64), RecordError> {
    let known = |ledger: &Ledger| {
        let soak = ledger.hosts.get(&host.name)?.soak.as_ref()?;
        Some((passed(soak), soak.last_ms(), soak.next_place()))
    };
    let Some((at_ms, last, next)) = run.known.ask(&host.name, known) else {
        let checks = beats.iter().map(|b| b.check.clone()).collect();
        run.write(host, None, What::SoakBegun { every, checks })?;
        return Ok((Age::of(Duration::ZERO), 0));
    };
    // Where nobody knows how late it is, it is no earlier than it was.
    let age = Age::of(Duration::from_millis(*at_ms.known().unwrap_or(&last)));
    run.write(host, None, What::SoakResumed { at_ms })?;
    Ok((age, next.max(place(age, every))))
}

/// How long ago a soak began that was interrupted, in milliseconds, by the wall clock.
fn passed(soak: &SoakLedger) -> Reading<u64> {
    let now = clock::now();
    let passed = Duration::try_from(now.duration_since(soak.at));
    let passed = passed.ok().and_then(|p| u64::try_from(p.as_millis()).ok());
    match passed.filter(|p| *p >= soak.last_ms() && now >= soak.latest) {
        Some(passed) => Reading::Known(passed),
        None => Reading::missing("the controller's clock was set back"),
    }
}

/// Whether the probes of a host had come to their end with its last state, before the run was interrupted.
fn is_over<C, P>(run: &Run<C, P>, host: &PlannedHost) -> bool {
    run.known.ask(&host.name, |ledger| {
        let Some(known) = ledger.hosts.get(&host.name) else {
            return false;
        };
        let ended = known.soak.as_ref().is_some_and(|s| s.ended.is_some());
        ended && resume::is_through(&run.plan, known)
    })
}

/// The request of a check; none where it cannot be asked from here.
fn beat<C, P>(run: &Run<C, P>, host: &PlannedHost, id: &CheckId) -> Option<Beat> {
    let (_, check) = run.plan.check(id)?;
    match checks::way(check, &host.address) {
        Ok(Way::FromController(request)) => Some(Beat {
            check: id.clone(),
            request: Arc::new(request),
        }),
        Ok(Way::OnHost(_) | Way::ByWindow) | Err(_) => None,
    }
}

impl<C: Send + Sync, P: Prober> Soaking<'_, C, P> {
    /// Probes until the host's part is over; says how many probes of each check were to be made.
    async fn go_on(
        &mut self,
        beats: &[Beat],
        every: Duration,
        mut next: u64,
        mut signals: Signals,
    ) -> Result<u64, RecordError> {
        let mut grid = interval(every);
        grid.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (prober, age) = (&self.run.prober, self.age);
        let mut under_way = FuturesOrdered::new();
        let end = loop {
            tokio::select! {
                biased;
                end = &mut signals.over => break end.unwrap_or(Over::BrokenOff),
                number = tick(&mut grid, age, every) => {
                    let number = number.max(next);
                    next = number.saturating_add(1);
                    let quiet = *signals.quiet.borrow();
                    let free = beats.iter().filter(|beat| !quiet && self.takes(&beat.check));
                    let free: Vec<_> = free.collect();
                    self.begin(&free);
                    under_way.extend(free.into_iter().map(|beat| ask(prober, beat, number, age)));
                }
                Some(answered) = under_way.next() => self.take(answered)?,
            }
        };
        let mut waits = end == Over::Ended;
        while waits {
            tokio::select! {
                biased;
                Ok(_) = signals.stop.wait_for(Option::is_some) => waits = false,
                answered = under_way.next() => match answered {
                    Some(answered) => self.take(answered)?,
                    None => waits = false,
                },
            }
        }
        Ok(next)
    }

    /// Whether one more probe of a check may be under way.
    fn takes(&self, check: &CheckId) -> bool {
        self.under_way.get(check).is_none_or(|n| *n < UNDER_WAY)
    }

    fn begin(&mut self, beats: &[&Beat]) {
        for beat in beats {
            *self.under_way.entry(beat.check.clone()).or_default() += 1;
        }
    }

    fn take(&mut self, answered: Stretch) -> Result<(), RecordError> {
        if let Some(n) = self.under_way.get_mut(&answered.check) {
            *n = n.saturating_sub(1);
        }
        let open = self.open.iter_mut().find(|s| s.check == answered.check);
        let Some(open) = open else {
            self.open.push(answered);
            return Ok(());
        };
        match open.take(answered) {
            None => Ok(()),
            Some(next) => {
                let stretch = std::mem::replace(open, next);
                self.write(What::SoakProbed { stretch })
            }
        }
    }

    fn end(mut self, places: u64) -> Result<(), RecordError> {
        for stretch in std::mem::take(&mut self.open) {
            self.write(What::SoakProbed { stretch })?;
        }
        let at_ms = self.age.millis();
        let end = SoakEnd { places, at_ms };
        self.write(What::SoakEnded { end })
    }

    fn write(&self, what: What) -> Result<(), RecordError> {
        self.run.write(self.host, None, what)
    }
}

/// Waits for the next place on the grid, and says its number. Places that passed while this machine was
/// busy or asleep are left out.
async fn tick(grid: &mut Interval, age: Age, every: Duration) -> u64 {
    grid.tick().await;
    place(age, every)
}

/// The place on the grid that is nearest.
fn place(age: Age, every: Duration) -> u64 {
    let every = u64::try_from(every.as_millis()).unwrap_or(u64::MAX).max(1);
    age.millis().saturating_add(every / 2) / every
}

async fn ask<P: Prober>(prober: &P, beat: &Beat, number: u64, age: Age) -> Stretch {
    let (check, request) = (beat.check.clone(), Arc::clone(&beat.request));
    let (watch, begun) = (Stopwatch::start(), age.millis());
    let saw = Answer::of(&observation(prober.http(&request).await));
    let took = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    Stretch::one(check, number, begun, took, saw)
}
