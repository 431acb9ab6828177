//! One bar for each host on a terminal, and what matters in lines above them.

use std::sync::Arc;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use patchgate_core::{event::Event, judge::Judgement, plan::Plan};

use super::{colour::Paint, progress::Progress, told};
use crate::fanout::{Sink, SinkError};

/// How often a terminal is drawn at most, each second.
const HZ: u8 = 10;

/// Tells a run by bars; only for a terminal, elsewhere [`super::Lines`] tells it.
pub struct Bars {
    plan: Arc<Plan>,
    paint: Paint,
    width: usize,
    progress: Progress,
    all: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Bars {
    /// Tells the run of a plan on standard error, which must be a terminal: elsewhere nothing shows.
    #[must_use]
    pub fn on_stderr(plan: Arc<Plan>, paint: Paint) -> Self {
        Self::on(plan, ProgressDrawTarget::stderr_with_hz(HZ), paint)
    }

    /// Tells the run of a plan on a draw target.
    fn on(plan: Arc<Plan>, target: ProgressDrawTarget, paint: Paint) -> Self {
        let width = plan
            .hosts
            .iter()
            .map(|h| h.name.as_str().len())
            .max()
            .unwrap_or(0);
        let progress = Progress::of(&plan);
        let all = MultiProgress::with_draw_target(target);
        let style = style(width);
        let bars = progress.hosts().iter().map(|host| {
            let bar = all.add(ProgressBar::new(
                u64::try_from(host.n_planned()).unwrap_or(u64::MAX),
            ));
            bar.set_style(style.clone());
            bar.set_prefix(host.name.to_string());
            bar.set_message(host.line());
            bar
        });
        let bars = bars.collect();
        Self {
            plan,
            paint,
            width,
            progress,
            all,
            bars,
        }
    }

    fn update(&self, place: usize) {
        let (bar, host) = (&self.bars[place], &self.progress.hosts()[place]);
        bar.set_position(u64::try_from(host.n_answered()).unwrap_or(u64::MAX));
        bar.set_message(host.line());
    }
}

fn style(width: usize) -> ProgressStyle {
    let template = format!(
        "{{spinner}} {{prefix:{}}} [{{bar:20}}] {{wide_msg}}",
        width.max(1)
    );
    ProgressStyle::with_template(&template)
        .expect("the template is a constant but for a number")
        .progress_chars("=> ")
        .tick_chars(r"-\|/ ")
}

impl Sink for Bars {
    fn name(&self) -> &'static str {
        "console"
    }

    fn event(&mut self, event: &Event) -> Result<(), SinkError> {
        let taken = self.progress.take(&self.plan, event);
        let (place, all_made) = taken.map_or((None, None), |(place, line)| (Some(place), line));
        if let Some(place) = place {
            self.update(place);
        }
        let host = event.host.as_ref().map_or("-", |h| h.as_str());
        for told in told::of(&self.plan, event).iter().chain(&all_made) {
            let text = self.paint.mood(told.mood, &told.text);
            self.all
                .println(format!("{host:width$}  {text}", width = self.width))?;
        }
        Ok(())
    }

    fn past(&mut self, event: &Event) {
        if let Some((place, _)) = self.progress.take(&self.plan, event) {
            self.update(place);
        }
    }

    fn tick(&mut self, _: Timestamp) -> Result<(), SinkError> {
        self.bars.iter().for_each(ProgressBar::tick);
        Ok(())
    }

    /// Takes the bars away; the lines above them stay.
    fn finish(&mut self, _: &Judgement) -> Result<(), SinkError> {
        self.bars.iter().for_each(ProgressBar::finish_and_clear);
        Ok(self.all.clear()?)
    }
}

#[cfg(test)]
mod tests;
