//! What an event says to somebody who watches; many say nothing.

mod undo;

use std::time::Duration;

use patchgate_core::{
    diagnosis::{DiagnosisStep, ExperimentEvent, Found},
    event::{Event, PatchEnd, RestartEnd, What},
    facts::Facts,
    id::CheckId,
    observation::Observation,
    outcome::{Outcome, evaluate},
    plan::Plan,
    reading::Reading,
    reboot::RebootEnd,
    suite::{Check, Vantage},
    text::one_line,
    time::show_duration,
};

use super::colour::Mood;

/// The longest line.
const MAX: usize = 300;

/// One line for people.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) mood: Mood,
    pub(super) text: String,
}

fn told(mood: Mood, text: &str) -> Option<Told> {
    Some(Told {
        mood,
        text: one_line(text, MAX),
    })
}

/// What an event says; none where it would only be noise.
pub(super) fn of(plan: &Plan, event: &Event) -> Option<Told> {
    let line = of_what(plan, &event.what)?;
    let state = event.state.filter(|_| is_about_a_state(&event.what));
    Some(match state {
        Some(state) => Told {
            text: format!("{state}: {}", line.text),
            ..line
        },
        None => line,
    })
}

fn is_about_a_state(what: &What) -> bool {
    matches!(
        what,
        What::CheckFinished { .. }
            | What::FactsCollected { .. }
            | What::VectorsRead { .. }
            | What::SnapshotTaken { .. }
            | What::Diagnosed { .. }
    )
}

fn of_what(plan: &Plan, what: &What) -> Option<Told> {
    match what {
        What::RunStarted { run, version, .. } => {
            let text = format!("run {run}, patchgate {version}, times in UTC");
            told(Mood::Plain, &text)
        }
        What::HostConnected {
            address,
            host_key,
            elapsed,
        } => of_connection(address, host_key, *elapsed),
        What::HostUnreachable { stage, why } => {
            told(Mood::Bad, &format!("UNREACHABLE {stage}: {why}"))
        }
        What::SecurityStopped { why } => told(Mood::Bad, &format!("SECURITY STOP {why}")),
        What::HostLocked { holder } => told(Mood::Bad, &format!("LOCKED {holder}")),
        What::HostDirty { mark } => undo::of_dirty(mark),
        What::HostLost { doing, why } => told(Mood::Bad, &format!("LOST while {doing}: {why}")),
        What::BrokeDown { why } => told(Mood::Bad, &format!("BUG in patchgate: {why}")),
        What::FactsCollected { facts } => told(Mood::Plain, &of_facts(facts)),
        What::VectorsRead { vectors } => of_vectors(vectors),
        What::CheckFinished {
            check,
            attempt,
            saw,
        } => of_check(plan, check, *attempt, saw),
        What::PatchPlanned { packages, .. } => of_planned(packages),
        What::PatchStarted { job, .. } => told(Mood::Plain, &format!("patching (job {job})")),
        What::PatchFinished {
            end, transaction, ..
        } => of_patch(end, transaction.as_deref()),
        What::ServicesRestarted { units } => of_restarts(units),
        What::RebootStarted { .. } => told(Mood::Plain, "rebooting"),
        What::RebootEnded { end, elapsed } => of_reboot(end, *elapsed),
        What::RunResumed { version, cut } => of_resume(version, *cut),
        What::HostResumed { changed, .. } => of_changed(changed),
        What::HostStopped {} => told(Mood::Bad, "broken off; `patchgate resume` goes on with it"),
        What::UndoStarted { how } => undo::of_begin(how),
        What::UndoEnded { end, elapsed, .. } => undo::of_end(end, *elapsed),
        What::DirtyMark { mark, act } => undo::of_mark(mark, *act),
        What::HostFinished { dirty: None } => told(Mood::Plain, "done"),
        What::HostFinished { dirty: Some(why) } => told(Mood::Bad, &format!("LEFT DIRTY: {why}")),
        What::WaveBegun { wave } => of_wave(plan, *wave),
        What::WaveStopped { wave, why } => {
            told(Mood::Bad, &format!("WAVE {wave} NOT BEGUN: {why}"))
        }
        What::RunInterrupted { signal } => told(Mood::Bad, &format!("INTERRUPTED by {signal}")),
        What::RunFinished {} => told(Mood::Plain, "run finished"),
        What::Diagnosed { diagnosis } => of_diagnosis(diagnosis),
        What::SoakBegun { every, checks } => of_soak(*every, checks.len()),
        What::SoakResumed { .. } => told(Mood::Plain, "asking from here again until the end"),
        What::SoakProbed { .. }
        | What::SoakEnded { .. }
        | What::RebootConsidered { .. }
        | What::StateEntered { .. }
        | What::StateLeft { .. }
        | What::WindowCaptured { .. }
        | What::SnapshotTaken { .. }
        | What::ArtifactSaved { .. }
        | What::Unknown => None,
    }
}

fn of_soak(every: Duration, n: usize) -> Option<Told> {
    let (every, s) = (show_duration(every), if n == 1 { "" } else { "s" });
    let text = format!("asking {n} check{s} from here every {every} until the end");
    told(Mood::Plain, &text)
}

fn of_connection(address: &str, host_key: &str, elapsed: Duration) -> Option<Told> {
    let elapsed = show_duration(elapsed);
    told(
        Mood::Plain,
        &format!("connected to {address} in {elapsed} ({host_key})"),
    )
}

fn of_resume(version: &str, cut: u64) -> Option<Told> {
    let cut = match cut {
        0 => String::new(),
        n => format!("; the record's last line was torn, {n} bytes of it were cut off"),
    };
    told(
        Mood::Plain,
        &format!("the run goes on, patchgate {version}{cut}"),
    )
}

fn of_changed(changed: &[String]) -> Option<Told> {
    match changed {
        [] => told(Mood::Plain, "gone on with: it is what it was"),
        changed => told(
            Mood::Bad,
            &format!("CHANGED meanwhile: {}", changed.join("; ")),
        ),
    }
}

/// The steps that change something are told; what the others found stands in the findings.
fn of_diagnosis(step: &DiagnosisStep) -> Option<Told> {
    let Found::Experiment { domain, event } = &step.found else {
        return None;
    };
    match event {
        ExperimentEvent::Armed { deadline_s, .. } => told(
            Mood::Plain,
            &format!(
                "experiment on {domain}: the host restores itself after {deadline_s} s at the latest"
            ),
        ),
        ExperimentEvent::Changed { phase, .. } => told(
            Mood::Plain,
            &format!("experiment on {domain}: {}", phase.word()),
        ),
        ExperimentEvent::Failed { why } => {
            told(Mood::Bad, &format!("experiment on {domain} failed: {why}"))
        }
        ExperimentEvent::Asked { .. }
        | ExperimentEvent::Window { .. }
        | ExperimentEvent::Restored { .. } => None,
    }
}

fn of_wave(plan: &Plan, wave: usize) -> Option<Told> {
    let waves = &plan.waves.as_ref()?.hosts;
    let n_hosts = waves.get(wave.checked_sub(1)?)?.len();
    let s = if n_hosts == 1 { "" } else { "s" };
    let text = format!("wave {wave} of {}: {n_hosts} host{s}", waves.len());
    told(Mood::Plain, &text)
}

fn of_facts(facts: &Facts) -> String {
    let os = facts
        .os
        .known()
        .map_or("unknown distribution", |os| os.pretty.as_str());
    let kernel = facts.kernel.known().map_or("unknown", String::as_str);
    let selinux = facts.selinux.known().map_or("unknown", |s| s.mode.as_str());
    let packages = match facts.packages.known() {
        Some(packages) => packages.len().to_string(),
        None => "unknown".to_owned(),
    };
    format!("{os}, kernel {kernel}, SELinux {selinux}, packages {packages}")
}

fn of_vectors<T>(vectors: &Reading<T>) -> Option<Told> {
    let why = vectors.why()?;
    told(Mood::Unsure, &format!("access vectors NOT READ: {why}"))
}

/// What can be said of an attempt before the judgement; a check that the window answers says nothing.
pub(super) fn outcome(plan: &Plan, id: &CheckId, saw: &Observation) -> Option<Outcome> {
    evaluate(&plan.check(id)?.1.kind, saw)
}

fn of_check(plan: &Plan, id: &CheckId, attempt: u32, saw: &Observation) -> Option<Told> {
    let from = match plan.check(id).map(|(_, check): (_, &Check)| check.vantage) {
        Some(Vantage::Localhost) => " (from localhost)",
        Some(Vantage::Controller) | None => "",
    };
    let (mood, word) = match outcome(plan, id, saw)? {
        Outcome::Passed if attempt <= 1 => return None,
        Outcome::Passed => (Mood::Unsure, format!("passed at attempt {attempt}")),
        Outcome::Failed { symptom } => (Mood::Bad, format!("FAILED {}", symptom.text)),
        Outcome::Errored { why } => (Mood::Unsure, format!("ERROR {why}")),
        Outcome::NotRun { why } => (Mood::Unsure, format!("NOT RUN {why}")),
        Outcome::NotNeeded { .. } => return None,
        Outcome::Blind { gaps } => (Mood::Unsure, format!("BLIND {}", gaps.join("; "))),
    };
    told(mood, &format!("{id} {word}{from}"))
}

fn of_planned(packages: &Reading<Vec<String>>) -> Option<Told> {
    match packages {
        Reading::Known(packages) => told(
            Mood::Plain,
            &format!("packages to come: {}", packages.len()),
        ),
        Reading::Missing { why } => {
            told(Mood::Unsure, &format!("packages to come: UNKNOWN ({why})"))
        }
    }
}

fn of_patch(end: &PatchEnd, transaction: Option<&str>) -> Option<Told> {
    match end {
        PatchEnd::NothingToDo => told(Mood::Unsure, "nothing to patch"),
        PatchEnd::Exited(0) => told(
            Mood::Plain,
            &format!("patched, transaction {}", transaction.unwrap_or("unknown")),
        ),
        PatchEnd::Exited(n) => told(
            Mood::Bad,
            &format!("PATCH FAILED: the package manager exited with status {n}"),
        ),
        PatchEnd::Lost => told(Mood::Bad, "PATCH LOST: the transaction left no result"),
        PatchEnd::StillRunning => told(
            Mood::Bad,
            "PATCH STILL RUNNING at its deadline; it goes on on the host",
        ),
        PatchEnd::NotStarted { why } => told(Mood::Bad, &format!("PATCH NOT STARTED: {why}")),
    }
}

fn of_restarts(units: &std::collections::BTreeMap<String, RestartEnd>) -> Option<Told> {
    let failed = units.iter().find(|(_, end)| end.exit != Some(0));
    let Some((unit, end)) = failed else {
        let names: Vec<_> = units.keys().map(String::as_str).collect();
        return told(Mood::Plain, &format!("restarted {}", names.join(", ")));
    };
    let how = match end.exit {
        Some(n) => format!("exit status {n}"),
        None => "not in time".to_owned(),
    };
    told(
        Mood::Bad,
        &format!("RESTART FAILED {unit}: {how}: {}", end.stderr),
    )
}

fn of_reboot(end: &RebootEnd, elapsed: Duration) -> Option<Told> {
    let elapsed = show_duration(elapsed);
    match end {
        RebootEnd::CameBack { boots, .. } if boots.len() > 1 => told(
            Mood::Bad,
            &format!("BOOTED {} TIMES within {elapsed}", boots.len()),
        ),
        RebootEnd::CameBack { settled, .. } => match settled.get() {
            Ok(word) => told(Mood::Plain, &format!("back after {elapsed}, {word}")),
            Err(why) => told(
                Mood::Unsure,
                &format!("back after {elapsed}, NOT READY: {why}"),
            ),
        },
        RebootEnd::Stayed { why } => {
            told(Mood::Bad, &format!("NOT REBOOTED by its deadline: {why}"))
        }
        RebootEnd::Refused { why } => told(Mood::Bad, &format!("REBOOT REFUSED: {why}")),
        RebootEnd::NotBack { why, .. } => told(
            Mood::Bad,
            &format!("NOT BACK from its reboot after {elapsed}: {why}"),
        ),
    }
}
