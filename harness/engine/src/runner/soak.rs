//! Remote probes at a fixed rate, beside everything else that happens to a host.
//!
//! The grid is laid by the clock and not by the answers: a probe is begun at its place whether or not
//! the ones before have been answered, so that a host that is slow is asked as often as one that is
//! fast. Answers are recorded in the grid's order, equal ones together.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesOrdered};
use patchgate_core::{
    event::What,
    id::CheckId,
    ledger::Ledger,
    plan::PlannedHost,
    soak::{Answer, SoakLedger, Stretch},
};
use tokio::{
    sync::oneshot,
    time::{Instant, Interval, MissedTickBehavior, interval},
};

use super::Run;
use crate::{
    clock::Stopwatch,
    probe::{HttpRequest, Prober, observation},
    record::RecordError,
    script::checks::{self, Way},
};

/// How the part of a host that is probed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// By itself: probes that are under way are waited for.
    Ended,
    /// It was broken off: nobody waits.
    BrokenOff,
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
    open: Vec<Stretch>,
}

/// Probes a host until `over` says how its part ended; where nothing is to be probed, nothing happens.
///
/// # Errors
/// When the record could not be written.
pub(super) async fn beside<C: Send + Sync, P: Prober>(
    run: &Run<C, P>,
    host: &PlannedHost,
    over: oneshot::Receiver<Over>,
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
    let behind = begin(run, host, soak.every, &beats)?;
    let mut soaking = Soaking {
        run,
        host,
        open: Vec::new(),
    };
    let places = soaking.go_on(&beats, soak.every, behind, over).await?;
    soaking.end(places)
}

/// Records the begin; says how many places of the grid are behind us. A run that was interrupted goes on
/// on the grid that it laid: of the places that nobody was at nothing is known.
fn begin<C, P>(
    run: &Run<C, P>,
    host: &PlannedHost,
    every: Duration,
    beats: &[Beat],
) -> Result<u64, RecordError> {
    let known = |ledger: &Ledger| ledger.hosts.get(&host.name)?.soak.as_ref().map(place);
    let Some((at, next)) = run.known.ask(&host.name, known) else {
        let checks = beats.iter().map(|b| b.check.clone()).collect();
        run.write(host, None, What::SoakBegun { every, checks })?;
        return Ok(0);
    };
    let passed = Stopwatch::since(at).elapsed().as_nanos();
    let behind = passed.div_ceil(every.as_nanos().max(1));
    Ok(u64::try_from(behind).unwrap_or(u64::MAX).max(next))
}

/// Whether the probes of a host had come to their end with its last state, before the run was interrupted.
fn is_over<C, P>(run: &Run<C, P>, host: &PlannedHost) -> bool {
    let last = run.plan.states.last();
    run.known.ask(&host.name, |ledger| {
        let known = ledger.hosts.get(&host.name);
        let left = known
            .zip(last)
            .and_then(|(k, last)| k.states.get(last)?.left);
        let ended = known.and_then(|k| k.soak.as_ref()?.places);
        left.is_some() && ended.is_some()
    })
}

/// When a soak began, and the first place of its grid that nobody was at.
fn place(soak: &SoakLedger) -> (jiff::Timestamp, u64) {
    let last = soak.probes.values().filter_map(|p| p.keys().next_back());
    let next = last.max().map_or(0, |last| last.saturating_add(1));
    (soak.at, next.max(soak.places.unwrap_or(0)))
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

impl<'a, C: Send + Sync, P: Prober> Soaking<'a, C, P> {
    /// Probes until the host's part is over; says how many places on the grid there were.
    async fn go_on(
        &mut self,
        beats: &[Beat],
        every: Duration,
        behind: u64,
        mut over: oneshot::Receiver<Over>,
    ) -> Result<u64, RecordError> {
        let mut grid = interval(every);
        grid.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (begun, prober) = (Instant::now(), &self.run.prober);
        let (mut places, mut under_way) = (behind, FuturesOrdered::new());
        let end = loop {
            tokio::select! {
                biased;
                end = &mut over => break end.unwrap_or(Over::BrokenOff),
                place = next(&mut grid, begun, every) => {
                    let place = behind.saturating_add(place);
                    places = place.saturating_add(1);
                    under_way.extend(beats.iter().map(|beat| ask(prober, beat, place)));
                }
                Some(answered) = under_way.next() => self.take(answered)?,
            }
        };
        while end == Over::Ended
            && let Some(answered) = under_way.next().await
        {
            self.take(answered)?;
        }
        Ok(places)
    }

    fn take(&mut self, answered: Stretch) -> Result<(), RecordError> {
        let open = self.open.iter_mut().find(|s| s.check == answered.check);
        let Some(open) = open else {
            self.open.push(answered);
            return Ok(());
        };
        match open.take(answered) {
            Ok(()) => Ok(()),
            Err(next) => {
                let stretch = std::mem::replace(open, next);
                self.write(What::SoakProbed { stretch })
            }
        }
    }

    fn end(mut self, places: u64) -> Result<(), RecordError> {
        for stretch in std::mem::take(&mut self.open) {
            self.write(What::SoakProbed { stretch })?;
        }
        self.write(What::SoakEnded { places })
    }

    fn write(&self, what: What) -> Result<(), RecordError> {
        self.run.write(self.host, None, what)
    }
}

/// Waits for the next place on the grid; places that were missed, because this machine was busy or
/// asleep, are left out.
async fn next(grid: &mut Interval, begun: Instant, every: Duration) -> u64 {
    let at = grid.tick().await;
    let passed = at.saturating_duration_since(begun).as_nanos() + every.as_nanos() / 2;
    u64::try_from(passed / every.as_nanos().max(1)).unwrap_or(u64::MAX)
}

async fn ask<P: Prober>(prober: &P, beat: &Beat, place: u64) -> Stretch {
    let (check, request) = (beat.check.clone(), Arc::clone(&beat.request));
    let watch = Stopwatch::start();
    let saw = Answer::of(&observation(prober.http(&request).await));
    let took = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    Stretch {
        check,
        first: place,
        took_ms: vec![took],
        saw,
    }
}
