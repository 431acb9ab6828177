//! `patchgate judge` and `patchgate report`: everything again, from the record alone.

use std::path::Path;

use patchgate_core::{
    exit::{self, ExitCode},
    judge::{self, Judgement},
    plan::Plan,
    verdict::Verdict,
};
use patchgate_engine::record::{self, JUNIT, Record, RecordError, RunDir, VERDICT};
use patchgate_report::{console, junit, markdown};

use crate::{
    Ended,
    args::{JudgeArgs, ReportArgs, ReportFormat, When},
    error::CliError,
    files, out,
};

/// Judges a recorded run again. With the recorded gate, verdict and JUnit are written again.
pub(crate) fn judge(args: &JudgeArgs, color: When) -> Ended {
    let dir = existing(&args.run)?;
    let mut record = open(&dir)?;
    if let Some(gate) = &args.gate {
        record.plan.policy = files::load_policy(gate, &record.plan.suites)?;
    }
    let judgement = judge::judge(&record.plan, &record.events);
    if args.gate.is_none() {
        write_reports(&dir, &record, &judgement)?;
    }
    let text = if args.json {
        verdict_json(&judgement.verdict)?
    } else {
        told(&record.plan, &judgement, color)
    };
    out::answer(&text)?;
    Ok(code(&judgement))
}

/// Writes one report to standard output, and ends with the code of the verdict that it tells.
pub(crate) fn report(args: &ReportArgs, color: When) -> Ended {
    let record = open(&existing(&args.run)?)?;
    let judgement = judge::judge(&record.plan, &record.events);
    out::answer(&match args.format {
        ReportFormat::Text => told(&record.plan, &judgement, color),
        ReportFormat::Json => verdict_json(&judgement.verdict)?,
        ReportFormat::Junit => junit_xml(&record, &judgement)?,
        ReportFormat::Md => markdown::summary(&record.plan, &judgement),
    })?;
    Ok(code(&judgement))
}

pub(super) fn existing(path: &Path) -> Result<RunDir, CliError> {
    if [record::EVENTS, record::PLAN]
        .iter()
        .all(|name| path.join(name).is_file())
    {
        return Ok(RunDir::existing(path));
    }
    Err(CliError::usage(format!(
        "`{}` is not the directory of a run",
        path.display()
    ))
    .hint(format!(
        "a run's directory holds {} and {}",
        record::EVENTS,
        record::PLAN
    )))
}

/// Opens a record that somebody named: one that cannot be read is their mistake, and nothing is lost.
pub(super) fn open(dir: &RunDir) -> Result<Record, CliError> {
    record::open(dir).map_err(not_ours)
}

/// An error of a record that somebody named.
pub(super) fn not_ours(error: RecordError) -> CliError {
    match error {
        RecordError::Tampered { .. } | RecordError::Broken | RecordError::Busy(_) => error.into(),
        RecordError::Io { .. } | RecordError::Format { .. } => {
            CliError::usage(crate::error::chain(&error))
        }
    }
}

/// The story of a verdict, for people.
pub(crate) fn told(plan: &Plan, judgement: &Judgement, color: When) -> String {
    console::summary(plan, judgement, out::paint(color))
}

/// Writes `verdict.json` and `junit.xml`.
pub(crate) fn write_reports(
    dir: &RunDir,
    record: &Record,
    judgement: &Judgement,
) -> Result<(), CliError> {
    dir.write(VERDICT, verdict_json(&judgement.verdict)?.as_bytes())?;
    dir.write(JUNIT, junit_xml(record, judgement)?.as_bytes())?;
    Ok(())
}

fn verdict_json(verdict: &Verdict) -> Result<String, CliError> {
    let json = serde_json::to_string_pretty(verdict);
    json.map(|j| j + "\n")
        .map_err(|e| CliError::Bug(e.to_string()))
}

fn junit_xml(record: &Record, judgement: &Judgement) -> Result<String, CliError> {
    let times = junit::Times::of(&record.events);
    let xml = junit::render(&record.plan, judgement, &times);
    xml.map_err(|e| CliError::Bug(crate::error::chain(&e)))
}

/// The exit code that the verdict names.
pub(crate) fn code(judgement: &Judgement) -> ExitCode {
    let named = exit::ALL.iter().find(|c| c.code == judgement.verdict.exit);
    named.copied().unwrap_or(exit::BUG)
}
