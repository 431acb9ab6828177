//! One plain line for each thing that happened: for CI logs and everything that is not a terminal.

use std::{io::Write, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use patchgate_core::{event::Event, judge::Judgement, plan::Plan};

use super::{
    colour::{Mood, Paint},
    progress::Progress,
    told::{self, Told},
};
use crate::fanout::{Sink, SinkError};

/// After so much silence a heartbeat is due: CI systems end jobs that say nothing.
const HEARTBEAT: SignedDuration = SignedDuration::from_secs(60);
/// The prefix of what is about no host.
const RUN: &str = "-";

/// Tells a run line by line.
pub struct Lines<W> {
    plan: Arc<Plan>,
    out: W,
    paint: Paint,
    width: usize,
    progress: Progress,
    last_line: Option<Timestamp>,
}

impl<W: Write> Lines<W> {
    /// Tells the run of a plan to `out`.
    #[must_use]
    pub fn new(plan: Arc<Plan>, out: W, paint: Paint) -> Self {
        let names = plan.hosts.iter().map(|h| h.name.as_str().len());
        let width = names.max().unwrap_or(0).max(RUN.len());
        let progress = Progress::of(&plan);
        Self {
            plan,
            out,
            paint,
            width,
            progress,
            last_line: None,
        }
    }

    /// Writes the line at once and whole: a job that is killed has told everything until then.
    fn line(&mut self, at: Timestamp, host: &str, told: &Told) -> Result<(), SinkError> {
        self.last_line = Some(at);
        let text = self.paint.mood(told.mood, &told.text);
        let line = format!("{} {host:width$}  {text}\n", clock(at), width = self.width);
        self.out.write_all(line.as_bytes())?;
        Ok(self.out.flush()?)
    }
}

/// `12:03:04`, in UTC.
fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

impl<W: Write> Sink for Lines<W> {
    fn name(&self) -> &'static str {
        "console"
    }

    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        self.last_line = self.last_line.or(Some(event.at));
        let all_made = self
            .progress
            .take(&self.plan, event)
            .and_then(|(_, line)| line);
        let host = event.host.as_ref().map_or(RUN, |h| h.as_str());
        for told in told::of(&self.plan, event).iter().chain(&all_made) {
            self.line(event.at, host, told)?;
        }
        Ok(())
    }

    fn past(&mut self, event: &Event) {
        self.progress.take(&self.plan, event);
    }

    fn tick(&mut self, now: Timestamp) -> Result<(), SinkError> {
        // A clock that was set back begins a new silence.
        let last = *self.last_line.get_or_insert(now);
        if now < last {
            self.last_line = Some(now);
        }
        if now.duration_since(last) < HEARTBEAT {
            return Ok(());
        }
        let text = format!("still running: {}", self.progress.at_work());
        self.line(
            now,
            RUN,
            &Told {
                mood: Mood::Plain,
                text,
            },
        )
    }

    fn finish(&mut self, _: &Judgement) -> Result<(), SinkError> {
        Ok(self.out.flush()?)
    }
}

#[cfg(test)]
mod tests;
