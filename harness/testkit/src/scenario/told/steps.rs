//! What a step of a diagnosis found, in one line.

use patchgate_core::{
    diagnosis::{ExperimentEvent, Found, UnitFound},
    evidence::window::{Expectations, examine},
    observation::Observation,
    snapshot::{policy::PathLabel, system::Listener},
};

/// A load of policy is what an experiment consists of.
const LOADS: Expectations = Expectations {
    policy_load: true,
    mode_change: false,
    reboot: false,
};

/// One line.
pub(super) fn found(found: &Found) -> String {
    match found {
        Found::Request { check, from, saw } => {
            let saw = super::observation(&Observation::Http(saw.clone()));
            format!("{check} from {from}: {saw}")
        }
        Found::Unit(found) => unit(found),
        Found::Listeners { listeners } => format!("listeners: {}", all(listeners, listener)),
        Found::ErrorLog { path, lines } => format!("{path}: {}", lines.join(" | ")),
        Found::Journal { unit, lines } => format!("journal of {unit}: {}", lines.join(" | ")),
        Found::ConfigTest {
            command,
            exit,
            output,
        } => {
            let output = output.replace('\n', " | ");
            format!("`{command}`: {exit:?} {output}")
        }
        Found::Mislabeled { labels } => format!("wrong labels: {}", all(labels, label)),
        Found::Owners { owners } => {
            let owners: Vec<_> = owners.iter().map(|(p, o)| format!("{p} {o}")).collect();
            format!("owners: {}", owners.join(", "))
        }
        Found::Experiment { domain, event } => {
            format!("experiment on {domain}: {}", happened(event))
        }
        Found::Unavailable { what, why } => format!("unavailable: {what}: {why}"),
    }
}

fn all<T>(of: &[T], one: impl Fn(&T) -> String) -> String {
    of.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn unit(found: &UnitFound) -> String {
    let word = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
    format!(
        "unit {}: {} {} {} {} {}",
        found.unit,
        found.active,
        word(&found.sub),
        word(&found.result),
        word(&found.main_exit),
        word(&found.context)
    )
}

fn listener(listener: &Listener) -> String {
    let program = listener.program.as_deref().unwrap_or("-");
    format!("{}:{} {program}", listener.address, listener.port)
}

fn label(label: &PathLabel) -> String {
    let should = label.should.as_deref().unwrap_or("-");
    format!("{} is {} and should be {should}", label.path, label.is)
}

fn happened(event: &ExperimentEvent) -> String {
    match event {
        ExperimentEvent::Armed { deadline_s, .. } => format!("armed for {deadline_s} s"),
        ExperimentEvent::Changed { phase, started, .. } if started.is_empty() => {
            format!("changed to {}", phase.word())
        }
        ExperimentEvent::Changed { phase, started, .. } => {
            format!(
                "changed to {}, started {}",
                phase.word(),
                started.join(", ")
            )
        }
        ExperimentEvent::Asked { phase, check, saw } => {
            format!(
                "asked {} {check}: {}",
                phase.word(),
                super::observation(saw)
            )
        }
        ExperimentEvent::Window { phase, capture } => {
            let denials = examine(capture, LOADS).denials().count();
            format!("window {}: {denials} denials", phase.word())
        }
        ExperimentEvent::Restored { .. } => "restored".to_owned(),
        ExperimentEvent::Failed { why } => format!("failed: {why}"),
    }
}
