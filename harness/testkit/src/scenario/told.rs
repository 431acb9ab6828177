//! Everything that is told of a scenario, as text.

mod steps;

use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use patchgate_core::{
    event::{Event, PatchEnd, What},
    observation::{HttpEnd, Observation},
    reading::Reading,
    reboot::{Advice, RebootEnd, RebootSigns},
    undo::{UndoEnd, UndoHow},
};
use patchgate_report::{
    console::{self, Lines, Paint},
    fanout::Fanout,
    junit, markdown,
};

use super::Played;

impl Played {
    /// `verdict.json`.
    ///
    /// # Panics
    /// Never: a verdict has only string keys.
    #[must_use]
    pub fn verdict_json(&self) -> String {
        let json = serde_json::to_string_pretty(&self.judgement.verdict);
        json.expect("a verdict has only string keys") + "\n"
    }

    /// `junit.xml`.
    ///
    /// # Panics
    /// When it cannot be made: a bug.
    #[must_use]
    pub fn junit(&self) -> String {
        let times = junit::Times::of(&self.events);
        junit::render(&self.plan, &self.judgement, &times).expect("a JUnit document can be made")
    }

    /// The end of the run, as the console tells it.
    #[must_use]
    pub fn summary(&self) -> String {
        console::summary(&self.plan, &self.judgement, Paint::PLAIN)
    }

    /// `summary.md`.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::summary(&self.plan, &self.judgement)
    }

    /// The run while it goes on, as the console tells it.
    ///
    /// # Panics
    /// When the console fails.
    #[must_use]
    pub fn console(&self) -> String {
        let out = Shared::default();
        let mut sinks = Fanout::default();
        let plan = Arc::new(self.plan.clone());
        sinks.add(Lines::new(plan, out.clone(), Paint::PLAIN));
        for event in &self.events {
            sinks.event(event);
        }
        sinks.finish(&self.judgement);
        assert!(sinks.failures().is_empty(), "{:?}", sinks.failures());
        out.text()
    }

    /// One line for each event.
    #[must_use]
    pub fn event_lines(&self) -> String {
        self.events.iter().map(line).collect()
    }

    /// All texts for people and machines, each with its name.
    #[must_use]
    pub fn outputs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("verdict.json", self.verdict_json()),
            ("junit.xml", self.junit()),
            ("summary.txt", self.summary()),
            ("summary.md", self.markdown()),
            ("console.txt", self.console()),
        ]
    }
}

/// A writer whose copies write to the same place.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("no writer panics").clone();
        String::from_utf8(bytes).expect("the console writes text")
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn line(event: &Event) -> String {
    let host = event.host.as_ref().map_or("-", |h| h.as_str());
    let state = event.state.map_or("-", |s| s.word());
    let mut text = format!(
        "{:>3} {host:<10} {state:<9} {}",
        event.seq,
        kind(&event.what)
    );
    if let Some(detail) = detail(&event.what) {
        let _ = write!(text, " {detail}");
    }
    text.trim_end().to_owned() + "\n"
}

/// The kind, as the record words it.
fn kind(what: &What) -> String {
    let json = serde_json::to_value(what).unwrap_or_default();
    json["kind"].as_str().unwrap_or("unknown").to_owned()
}

fn detail(what: &What) -> Option<String> {
    Some(match what {
        What::HostUnreachable { stage, why } => format!("{stage}: {why}"),
        What::SecurityStopped { why } => why.clone(),
        What::HostLocked { holder } => holder.clone(),
        What::HostDirty { mark } => mark.told(),
        What::HostLost { doing, why } => format!("{doing}: {why}"),
        What::BrokeDown { why } => why.clone(),
        What::VectorsRead { vectors } => reading(vectors, |_| "read".to_owned()),
        What::CheckFinished { check, saw, .. } => format!("{check} {}", observation(saw)),
        What::WindowCaptured { capture, .. } => reading(&capture.end, |_| "closed".to_owned()),
        What::PatchPlanned { packages, .. } => reading(packages, |p| p.join(" ")),
        What::PatchFinished { end, .. } => patch_end(end),
        What::ServicesRestarted { units } => {
            let unit = |(name, end): (&String, &patchgate_core::event::RestartEnd)| {
                format!("{name}: {:?}", end.exit)
            };
            units.iter().map(unit).collect::<Vec<_>>().join(", ")
        }
        What::RebootConsidered { signs } => signs_told(signs),
        What::RebootStarted { boot_id } => boot_id.clone(),
        What::RebootEnded { end, .. } => reboot_end(end),
        What::UndoStarted { how } => undo_how(how),
        What::UndoEnded { end, .. } => undo_end(end),
        What::DirtyMark { mark, act } => format!("{act:?} {}", mark.why).to_lowercase(),
        What::Diagnosed { diagnosis } => steps::found(&diagnosis.found),
        What::HostResumed { changed, .. } => changed.join("; "),
        What::RunResumed { cut, .. } if *cut > 0 => format!("{cut} bytes were cut off"),
        What::StateLeft { whole: false } => "not whole".to_owned(),
        What::SoakProbed { stretch } => {
            let took = Duration::ZERO;
            let saw = observation(&stretch.saw.observation(took));
            format!("{} {} times {saw}", stretch.check, stretch.took_ms.len())
        }
        What::HostFinished { dirty } => dirty.clone()?,
        What::WaveBegun { wave } => wave.to_string(),
        What::WaveStopped { wave, why } => format!("{wave}: {why}"),
        What::RunInterrupted { signal } => signal.clone(),
        What::RunStarted { .. }
        | What::RunResumed { .. }
        | What::StateEntered { .. }
        | What::StateLeft { whole: true }
        | What::HostStopped {}
        | What::HostConnected { .. }
        | What::FactsCollected { .. }
        | What::PatchStarted { .. }
        | What::SnapshotTaken { .. }
        | What::ArtifactSaved { .. }
        | What::SoakBegun { .. }
        | What::SoakResumed { .. }
        | What::SoakEnded { .. }
        | What::RunFinished {}
        | What::Unknown => return None,
    })
}

fn reading<T>(reading: &Reading<T>, known: impl Fn(&T) -> String) -> String {
    match reading {
        Reading::Known(value) => known(value),
        Reading::Missing { why } => format!("missing: {why}"),
    }
}

fn patch_end(end: &PatchEnd) -> String {
    match end {
        PatchEnd::NothingToDo => "nothing to do".to_owned(),
        PatchEnd::Exited(code) => format!("exit status {code}"),
        PatchEnd::Lost => "lost".to_owned(),
        PatchEnd::StillRunning => "still running".to_owned(),
        PatchEnd::NotStarted { why } => format!("not started: {why}"),
    }
}

fn signs_told(signs: &RebootSigns) -> String {
    let advice = reading(&signs.advice, |a| match a {
        Advice::Needed { packages } => format!("needed for {}", packages.join(" ")),
        Advice::NotNeeded => "not needed".to_owned(),
    });
    let since = reading(&signs.since_boot, |p| format!("{} since the boot", p.len()));
    format!("advice {advice}; {since}")
}

fn reboot_end(end: &RebootEnd) -> String {
    match end {
        RebootEnd::CameBack { boots, settled } => format!(
            "back in {}: {}",
            boots.join(" "),
            reading(settled, Clone::clone)
        ),
        RebootEnd::Stayed { why } => format!("stayed: {why}"),
        RebootEnd::Refused { why } => format!("refused: {why}"),
        RebootEnd::NotBack { why, answered } => {
            let answered = answered.as_ref().map_or("nobody", |h| h.as_str());
            format!("not back: {why}; {answered} answered")
        }
    }
}

fn undo_how(how: &UndoHow) -> String {
    match how {
        UndoHow::Rollback { job, transaction } => format!("transaction {transaction}, job {job}"),
        UndoHow::Reset {
            snapshot, marked, ..
        } => format!("{snapshot}, marked {marked}"),
    }
}

fn undo_end(end: &UndoEnd) -> String {
    match end {
        UndoEnd::RolledBack => "rolled back".to_owned(),
        UndoEnd::Reset { boot_id } => format!("back in {}", reading(boot_id, Clone::clone)),
        UndoEnd::Refused { why } => format!("refused: {why}"),
        UndoEnd::Failed { why } => format!("failed: {why}"),
        UndoEnd::StillRunning => "still running".to_owned(),
    }
}

pub(super) fn observation(saw: &Observation) -> String {
    match saw {
        Observation::Http(seen) => match &seen.end {
            HttpEnd::Answered(answer) => format!("status {}", answer.status),
            HttpEnd::Failed(failure) => failure.phase.symptom().to_owned(),
        },
        Observation::Command(seen) => format!("{:?}", seen.end),
        Observation::Service(seen) => seen.active.clone(),
        Observation::Selinux(seen) => seen.mode.clone(),
        Observation::Window => "see the window".to_owned(),
        Observation::Errored { why } => format!("errored: {why}"),
    }
}
