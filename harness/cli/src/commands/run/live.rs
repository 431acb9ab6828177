//! A run while it goes on: the console, and a JUnit file that is valid at every moment.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use patchgate_core::{
    event::Event,
    judge::{self, Judgement},
    plan::Plan,
};
use patchgate_engine::{
    clock,
    record::{self, RunDir, Watcher},
};
use patchgate_report::{
    console::{Bars, Lines},
    fanout::Fanout,
};
use tokio::sync::oneshot;

use super::{super::judge::write_reports, Told};
use crate::out;

/// The least time between two writings of the reports.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// How often the console is told that time passes.
const TICK: Duration = Duration::from_millis(250);

/// Everybody who is told of a running run.
pub(crate) struct Live {
    sinks: Mutex<Fanout>,
    dir: RunDir,
    /// Whether there is something to judge.
    judged: bool,
}

impl Live {
    /// Chooses bars on a terminal that somebody watches, else lines.
    pub(crate) fn new(plan: &Plan, dir: RunDir, told: Told) -> Self {
        let mut sinks = Fanout::default();
        let paint = out::paint_stderr(told.color);
        let judged = !plan.looks_only() && !plan.preview;
        let plan = Arc::new(plan.clone());
        if told.quiet {
        } else if out::is_watched() {
            sinks.add(Bars::on_stderr(plan, paint));
        } else {
            sinks.add(Lines::new(plan, io::stderr(), paint));
        }
        Self {
            sinks: Mutex::new(sinks),
            dir,
            judged,
        }
    }

    /// Takes what was told before the run was interrupted.
    pub(crate) fn past(&self, events: &[Event]) {
        let mut sinks = self.sinks();
        events.iter().for_each(|event| sinks.past(event));
    }

    /// What the journal calls with every event.
    pub(crate) fn watcher(self: &Arc<Self>) -> Watcher {
        let live = Arc::clone(self);
        Box::new(move |event| live.sinks().event(event))
    }

    /// Tells the console that time passes, and keeps the reports on disk up to date, until it is told
    /// that the run is over. The reports are written beside the run, so that no probe waits for them.
    pub(super) async fn tick(self: Arc<Self>, mut over: oneshot::Receiver<()>) {
        let mut pause = REPORT_EVERY;
        let mut last = Instant::now();
        loop {
            tokio::select! {
                () = clock::pause(TICK) => {}
                _ = &mut over => return,
            }
            self.sinks().tick(clock::now());
            if self.judged && last.elapsed() >= pause {
                let begun = Instant::now();
                let live = Arc::clone(&self);
                // What a panic there would lose is written again at the end.
                drop(tokio::task::spawn_blocking(move || live.write_reports()).await);
                last = Instant::now();
                pause = REPORT_EVERY.max(begun.elapsed() * 20);
            }
        }
    }

    /// Writes the reports of the run as far as it got. That they lag behind harms nobody; at the end
    /// they are written again, and an error counts then.
    fn write_reports(&self) {
        let written = record::open(&self.dir)
            .map_err(Into::into)
            .and_then(|record| {
                let judgement = judge::judge(&record.plan, &record.events);
                write_reports(&self.dir, &record, &judgement)
            });
        if let Err(error) = written {
            error.show();
        }
    }

    /// Tells everybody the judgement.
    pub(super) fn finish(&self, judgement: &Judgement) {
        let mut sinks = self.sinks();
        sinks.finish(judgement);
        for failure in sinks.failures() {
            out::error(&format!(
                "{} stopped telling: {}",
                failure.sink, failure.error
            ));
        }
    }

    fn sinks(&self) -> MutexGuard<'_, Fanout> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
