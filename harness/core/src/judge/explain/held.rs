//! What an event holds, in a line.

use std::time::Duration;

use crate::{
    diagnosis::{ExperimentEvent, Found, UnitFound},
    event::{PatchEnd, RestartEnd, What},
    evidence::{
        access::VectorTable,
        window::{examine, statement},
    },
    facts::Facts,
    id::CheckId,
    judge::cause::complaint,
    observation::{HttpEnd, Observation},
    outcome::evaluate,
    plan::Plan,
    reading::Reading,
    reboot::{Advice, RebootEnd, RebootSigns},
    snapshot::{policy::PathLabel, system::Listener},
    soak::Stretch,
    text::one_line,
    time::show_duration,
    undo::{Mark, MarkAct, UndoEnd, UndoHow},
};

/// The longest line.
const MAX: usize = 300;

/// How many things of a kind a line names.
const MOST: usize = 6;

/// A text of a host, fit for people.
pub(super) fn short(text: &str) -> String {
    one_line(text, MAX)
}

/// `1 time`, `2 times`.
pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Whether a step is one of an experiment, which are told together.
pub(super) fn is_experiment(found: &Found) -> bool {
    matches!(found, Found::Experiment { .. })
}

/// What an event says of the run's own course; nothing of any other.
fn of_course(what: &What) -> Option<String> {
    Some(match what {
        What::RunResumed { version, .. } => format!("the run was resumed, patchgate {version}"),
        What::HostResumed { changed, .. } if changed.is_empty() => {
            "the host was resumed, and was what it had been".to_owned()
        }
        What::HostResumed { changed, .. } => {
            format!("the host was resumed: {}", changed.join("; "))
        }
        What::StateEntered { .. } => "the state was entered".to_owned(),
        What::StateLeft { .. } => "the state was left".to_owned(),
        What::HostStopped {} => "the host's part was broken off".to_owned(),
        What::HostFinished { dirty: Some(why) } => format!("left dirty: {why}"),
        What::HostFinished { dirty: None } => "the host's part was over".to_owned(),
        What::WaveBegun { wave } => format!("wave {wave} began"),
        What::WaveStopped { wave, why } => format!("wave {wave} was not begun: {why}"),
        What::RunInterrupted { signal } => format!("the run was stopped by {signal}"),
        What::RunFinished {} => "the run was over".to_owned(),
        What::Unknown => "an event of a newer patchgate".to_owned(),
        What::RunStarted { .. }
        | What::HostConnected { .. }
        | What::HostUnreachable { .. }
        | What::SecurityStopped { .. }
        | What::HostLocked { .. }
        | What::HostDirty { .. }
        | What::HostLost { .. }
        | What::BrokeDown { .. }
        | What::FactsCollected { .. }
        | What::VectorsRead { .. }
        | What::SnapshotTaken { .. }
        | What::Diagnosed { .. }
        | What::CheckFinished { .. }
        | What::WindowCaptured { .. }
        | What::PatchPlanned { .. }
        | What::PatchStarted { .. }
        | What::PatchFinished { .. }
        | What::ServicesRestarted { .. }
        | What::RebootConsidered { .. }
        | What::RebootStarted { .. }
        | What::RebootEnded { .. }
        | What::UndoStarted { .. }
        | What::UndoEnded { .. }
        | What::DirtyMark { .. }
        | What::SoakBegun { .. }
        | What::SoakResumed { .. }
        | What::SoakProbed { .. }
        | What::SoakEnded { .. }
        | What::ArtifactSaved { .. } => return None,
    })
}

fn of_soak(every: Duration, checks: &[CheckId]) -> String {
    let checks: Vec<_> = checks.iter().map(ToString::to_string).collect();
    let every = show_duration(every);
    format!("remote probes began, every {every}: {}", checks.join(", "))
}

/// Tells what events hold, with the plan's help.
pub(super) struct Teller<'a> {
    pub(super) plan: &'a Plan,
}

impl Teller<'_> {
    /// An event.
    pub(super) fn event(&self, what: &What) -> String {
        short(&match what {
            What::RunStarted { version, .. } => format!("the run began, patchgate {version}"),
            What::HostConnected { address, .. } => format!("connected to {address}"),
            What::HostUnreachable { stage, why } => format!("unreachable: {stage}: {why}"),
            What::SecurityStopped { why } => format!("security stop: {why}"),
            What::HostLocked { holder } => format!("locked: {holder}"),
            What::HostDirty { mark } => format!("dirty: {}", mark.told()),
            What::HostLost { doing, why } => format!("lost while {doing}: {why}"),
            What::BrokeDown { why } => format!("patchgate broke down: {why}"),
            What::FactsCollected { facts } => of_facts(facts),
            What::VectorsRead { vectors } => of_vectors(vectors),
            What::SnapshotTaken { .. } => "snapshot of the policy and the system".to_owned(),
            What::Diagnosed { diagnosis } => self.found(&diagnosis.found),
            What::CheckFinished { check, saw, .. } => format!("{check}: {}", self.saw(check, saw)),
            What::WindowCaptured { capture, expected } => {
                format!(
                    "the window's log: {}",
                    statement(&examine(capture, *expected))
                )
            }
            What::PatchPlanned { packages, .. } => match packages {
                Reading::Known(packages) => format!("planned: {}", packages.join(", ")),
                Reading::Missing { why } => format!("what was planned is not known: {why}"),
            },
            What::PatchStarted { .. } => "the transaction began".to_owned(),
            What::PatchFinished { end, .. } => format!("the transaction ended: {}", patch_end(end)),
            What::ServicesRestarted { units } => {
                let all = units.iter().map(|(unit, end)| restarted(unit, end));
                format!("restarted: {}", all.collect::<Vec<_>>().join(", "))
            }
            What::SoakBegun { every, checks } => of_soak(*every, checks),
            What::SoakResumed { .. } => "remote probes were gone on with".to_owned(),
            What::SoakProbed { stretch } => self.probed(stretch),
            What::SoakEnded { end } => {
                format!("remote probes ended, {} of each check", end.places)
            }
            What::RebootConsidered { signs } => of_signs(signs),
            What::RebootStarted { .. } => "the host was about to be told to reboot".to_owned(),
            What::RebootEnded { end, .. } => of_reboot(end),
            What::UndoStarted { how } => of_undo(how),
            What::UndoEnded { end, .. } => undo_end(end),
            What::DirtyMark { mark, act } => of_mark(mark, *act),
            What::ArtifactSaved { path, .. } => format!("saved {path}"),
            What::RunResumed { .. }
            | What::HostResumed { .. }
            | What::StateEntered { .. }
            | What::StateLeft { .. }
            | What::HostStopped {}
            | What::HostFinished { .. }
            | What::WaveBegun { .. }
            | What::WaveStopped { .. }
            | What::RunInterrupted { .. }
            | What::RunFinished {}
            | What::Unknown => of_course(what).unwrap_or_default(),
        })
    }

    /// What a check saw, held against what it wants.
    pub(super) fn saw(&self, check: &CheckId, saw: &Observation) -> String {
        let outcome = self
            .plan
            .check(check)
            .and_then(|(_, c)| evaluate(&c.kind, saw));
        let text = match outcome {
            Some(outcome) => outcome.reason().unwrap_or_else(|| "passes".to_owned()),
            None => "is answered by the window".to_owned(),
        };
        short(&text)
    }

    /// What some probes saw.
    fn probed(&self, stretch: &Stretch) -> String {
        let took = stretch.took_ms.first().copied().unwrap_or_default();
        let saw = stretch.saw.observation(Duration::from_millis(took));
        let n = count(stretch.took_ms.len(), "remote probe");
        format!(
            "{n} of {}: {}",
            stretch.check,
            self.saw(&stretch.check, &saw)
        )
    }

    /// What a step found.
    pub(super) fn found(&self, found: &Found) -> String {
        short(&match found {
            Found::Request { check, from, saw } => {
                let end = match &saw.end {
                    HttpEnd::Answered(answer) => format!("answered with status {}", answer.status),
                    HttpEnd::Failed(failure) => failure.phase.symptom().to_owned(),
                };
                format!("the request of {check} from {from}: {end}")
            }
            Found::Unit(unit) => of_unit(unit),
            Found::Listeners { listeners } => of_listeners(listeners),
            Found::ErrorLog { path, lines } => last_of(path, lines),
            Found::Journal { unit, lines } => last_of(&format!("journal of {unit}"), lines),
            Found::ConfigTest {
                command,
                exit,
                output,
            } => {
                let end = exit.map_or("ran into its deadline".to_owned(), |n| {
                    format!("exits with {n}")
                });
                format!("`{command}` {end}: {}", complaint(output))
            }
            Found::Mislabeled { labels } => of_labels(labels),
            Found::Owners { owners } => {
                let all: Vec<String> = owners.iter().map(|(p, o)| format!("{p} of {o}")).collect();
                list("owners", &all)
            }
            Found::Experiment { domain, event } => self.experiment(domain, event),
            Found::Unavailable { what, why } => format!("{what} could not be had: {why}"),
        })
    }

    fn experiment(&self, domain: &str, event: &ExperimentEvent) -> String {
        match event {
            ExperimentEvent::Armed { deadline_s, .. } => {
                format!("experiment with {domain}: the switch stands, for {deadline_s} s at most")
            }
            ExperimentEvent::Changed { phase, started, .. } => match started.as_slice() {
                [] => format!("experiment with {domain}: {} is loaded", phase.word()),
                units => format!(
                    "experiment with {domain}: {} is loaded, started {}",
                    phase.word(),
                    units.join(", ")
                ),
            },
            ExperimentEvent::Asked { phase, check, saw } => {
                format!(
                    "experiment with {domain}, {}: {check}: {}",
                    phase.word(),
                    self.saw(check, saw)
                )
            }
            ExperimentEvent::Window { phase, capture } => {
                let expected = crate::evidence::window::Expectations {
                    policy_load: true,
                    mode_change: false,
                    reboot: false,
                };
                let denials = examine(capture, expected).denials().count();
                format!(
                    "experiment with {domain}, {}: {} in the log",
                    phase.word(),
                    count(denials, "denial")
                )
            }
            ExperimentEvent::Restored { .. } => {
                format!("experiment with {domain}: the host was restored and looked at")
            }
            ExperimentEvent::Failed { why } => format!("experiment with {domain} failed: {why}"),
        }
    }
}

fn of_signs(signs: &RebootSigns) -> String {
    let advice = match signs.advice.get() {
        Ok(Advice::Needed { packages }) => format!("for one, for {}", packages.join(", ")),
        Ok(Advice::NotNeeded) => "for none".to_owned(),
        Err(why) => format!("nothing ({why})"),
    };
    let since = match signs.since_boot.get() {
        Ok(packages) if packages.is_empty() => "none".to_owned(),
        Ok(packages) => packages.join(", "),
        Err(why) => format!("not known ({why})"),
    };
    format!("a reboot: needs-restarting asks {advice}; core packages since the boot: {since}")
}

fn of_reboot(end: &RebootEnd) -> String {
    match end {
        RebootEnd::CameBack { boots, .. } => {
            format!("back from the reboot, {}", count(boots.len(), "new boot"))
        }
        RebootEnd::Stayed { why } => format!("it did not reboot: {why}"),
        RebootEnd::Refused { why } => format!("it could not be told to reboot: {why}"),
        RebootEnd::NotBack { why, .. } => format!("not back from the reboot: {why}"),
    }
}

fn of_vectors(vectors: &Reading<VectorTable>) -> String {
    match vectors {
        Reading::Known(table) => {
            format!(
                "access vectors: {} answers of the kernel",
                table.vectors.len()
            )
        }
        Reading::Missing { why } => format!("access vectors could not be read: {why}"),
    }
}

fn of_undo(how: &UndoHow) -> String {
    match how {
        UndoHow::Rollback { transaction, .. } => {
            format!("transaction {transaction} was about to be undone")
        }
        UndoHow::Reset { snapshot, .. } => format!("about to be reset: {snapshot}"),
    }
}

fn undo_end(end: &UndoEnd) -> String {
    match end {
        UndoEnd::RolledBack => "the transaction was undone".to_owned(),
        UndoEnd::Reset { .. } => "back from its snapshot".to_owned(),
        UndoEnd::Refused { why } => format!("not undone: {why}"),
        UndoEnd::Failed { why } => format!("the undo failed: {why}"),
        UndoEnd::StillRunning => "the undo had not ended".to_owned(),
    }
}

fn of_mark(mark: &Mark, act: MarkAct) -> String {
    let word = match act {
        MarkAct::Written => "marked as dirty",
        MarkAct::Found => "it carries the mark of a dirty host",
        MarkAct::Cleared => "the mark of a dirty host was taken away, as somebody said",
        MarkAct::Dropped => "its mark was taken away",
    };
    format!("{word}: run {}, {}", mark.run, mark.why)
}

fn of_facts(facts: &Facts) -> String {
    let mode = facts.selinux.known().map(|s| s.mode.as_str());
    let kernel = facts.kernel.known().map(String::as_str);
    let packages = facts.packages.known().map(|p| p.len().to_string());
    let or = |text: Option<&str>| text.unwrap_or("not known").to_owned();
    format!(
        "facts: SELinux {}, kernel {}, packages {}",
        or(mode),
        or(kernel),
        or(packages.as_deref())
    )
}

fn of_unit(unit: &UnitFound) -> String {
    let result = unit.result.as_ref().map(|r| format!(", result {r}"));
    let exit = unit
        .main_exit
        .as_ref()
        .map(|e| format!(", main process {e}"));
    let again = unit
        .restarts
        .filter(|n| *n > 0)
        .map(|n| format!(", restarted {n} times"));
    let parts: String = [result, exit, again].into_iter().flatten().collect();
    format!("unit {} is {}{parts}", unit.unit, unit.active)
}

fn of_listeners(listeners: &[Listener]) -> String {
    let one = |l: &Listener| {
        let program = l
            .program
            .as_ref()
            .map(|p| format!(" ({p})"))
            .unwrap_or_default();
        format!("{}:{}{program}", l.address, l.port)
    };
    list("listening", &listeners.iter().map(one).collect::<Vec<_>>())
}

fn of_labels(labels: &[PathLabel]) -> String {
    let one = |l: &PathLabel| {
        let should = l.should.as_deref().unwrap_or("nothing");
        format!("{} is {}, should be {should}", l.path, l.is)
    };
    list("wrong labels", &labels.iter().map(one).collect::<Vec<_>>())
}

fn last_of(what: &str, lines: &[String]) -> String {
    match lines.last() {
        Some(last) => format!("{what}, the last of {} lines: {last}", lines.len()),
        None => format!("{what}: no line"),
    }
}

fn list(what: &str, all: &[String]) -> String {
    if all.is_empty() {
        return format!("{what}: none");
    }
    let more = match all.len().saturating_sub(MOST) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let shown = &all[..all.len().min(MOST)];
    format!("{what}: {}{more}", shown.join(", "))
}

fn patch_end(end: &PatchEnd) -> String {
    match end {
        PatchEnd::NothingToDo => "there was nothing to do".to_owned(),
        PatchEnd::Exited(code) => format!("exit status {code}"),
        PatchEnd::Lost => "without leaving a result".to_owned(),
        PatchEnd::StillRunning => "not by its deadline".to_owned(),
        PatchEnd::NotStarted { why } => format!("it was not started: {why}"),
    }
}

fn restarted(unit: &str, end: &RestartEnd) -> String {
    match end.exit {
        Some(0) => unit.to_owned(),
        Some(code) => format!("{unit} (exit status {code})"),
        None => format!("{unit} (no end in time)"),
    }
}
