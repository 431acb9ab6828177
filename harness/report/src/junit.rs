//! JUnit XML: one case for each planned check, and one for the gate.
//!
//! The only place that knows the `junit-report` crate. Texts are made safe before they reach it, and
//! what it cannot do (properties, `skipped` counts, timestamps and times as consumers' schemas want
//! them, root totals) is done on its output afterwards. Every document is read back and counted
//! before it is handed out.

mod case;
mod gate;
mod names;
mod polish;
mod recount;
mod safe;
mod suites;

use jiff::Timestamp;
use patchgate_core::{
    event::{Event, What},
    judge::Judgement,
    plan::Plan,
};

pub use self::recount::{Counts, Flaw, self_check};

/// When a run was made, and by which patchgate: what the plan and the judgement do not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// The run's begin.
    pub started_at: Timestamp,
    /// The patchgate that made the record.
    pub version: String,
}

impl Times {
    /// Takes both from the record, so that the same record always yields the same bytes: from
    /// `run-started`, else from the first event there is; the epoch and `unknown` for an empty record.
    #[must_use]
    pub fn of(events: &[Event]) -> Self {
        let version = |event: &Event| {
            if let What::RunStarted { version, .. } = &event.what {
                Some((event.at, version.clone()))
            } else {
                None
            }
        };
        let first = events.first().map_or(Timestamp::UNIX_EPOCH, |e| e.at);
        let (started_at, version) = events
            .iter()
            .find_map(version)
            .unwrap_or_else(|| (first, "unknown".to_owned()));
        Self {
            started_at,
            version,
        }
    }
}

/// Why no JUnit document could be made: always a bug, here or in a library.
#[derive(Debug, thiserror::Error)]
pub enum JunitError {
    /// The tree could not be written.
    #[error("the JUnit tree could not be written")]
    Write(#[from] junit_report::Error),
    /// What was written could not be read back.
    #[error("the JUnit document is not XML")]
    Read(#[from] quick_xml::Error),
    /// The polished document could not be written.
    #[error("the JUnit document could not be polished")]
    Polish(#[from] std::io::Error),
    /// The document is not what it says.
    #[error("the JUnit document failed its own check")]
    Flawed(#[from] Flaw),
}

/// Writes a run as JUnit XML; a pure function of its arguments.
///
/// One suite for each suite and host, named `suite@host`, and the suite `gate`, whose one case is red
/// unless the gate is open. Every planned check is in it exactly once.
///
/// # Errors
/// Those of the libraries, or a document that fails [`self_check`].
pub fn render(plan: &Plan, judgement: &Judgement, times: &Times) -> Result<String, JunitError> {
    let mut suites = suites::of_checks(plan, judgement);
    suites.push(gate::suite(plan, judgement, times));
    let (suites, notes): (Vec<_>, Vec<_>) =
        suites.into_iter().map(|s| (s.suite, s.properties)).unzip();
    let report = junit_report::ReportBuilder::new()
        .add_testsuites(suites)
        .build();
    let mut raw = Vec::new();
    report.write_xml(&mut raw)?;
    let xml = polish::polish(
        &String::from_utf8_lossy(&raw),
        &report,
        &notes,
        times.started_at,
    )?;
    self_check(&xml)?;
    Ok(xml)
}

#[cfg(test)]
mod tests;
