//! `patchgate explain`: one finding of a recorded run, whole, from the record alone.

use patchgate_core::{
    judge,
    text::one_line,
    verdict::{Finding, Verdict},
};
use patchgate_report::explain as told;

use super::judge::{code, existing, open};
use crate::{
    Ended,
    args::{ExplainArgs, ExplainFormat, When},
    error::CliError,
    out,
};

/// Explains a finding, and ends with the code of the verdict that it is of.
pub(crate) fn explain(args: &ExplainArgs, color: When) -> Ended {
    let record = open(&existing(&args.run)?)?;
    let judgement = judge::judge(&record.plan, &record.events);
    let verdict = &judgement.verdict;
    let finding = find(verdict, args.finding.as_deref())?;
    let explanation = judge::explain(&record.plan, &record.events, verdict, finding);
    out::answer(&match args.format {
        ExplainFormat::Text => told::text(&explanation, out::paint(color)),
        ExplainFormat::Md => told::markdown(&explanation),
        ExplainFormat::Json => {
            let json = serde_json::to_string_pretty(&explanation);
            json.map_err(|e| CliError::Bug(e.to_string()))? + "\n"
        }
    })?;
    Ok(code(&judgement))
}

/// The finding of an id, of the one that begins so, or the only one.
fn find<'a>(verdict: &'a Verdict, wanted: Option<&str>) -> Result<&'a Finding, CliError> {
    let all: Vec<&Finding> = verdict.findings.iter().chain(&verdict.waived).collect();
    if all.is_empty() {
        return Err(CliError::usage("the run has no finding to explain"));
    }
    let text = wanted.unwrap_or_default();
    if let Some(exact) = all.iter().find(|f| f.id == text) {
        return Ok(exact);
    }
    let fitting: Vec<_> = all
        .iter()
        .filter(|f| f.id.starts_with(text))
        .copied()
        .collect();
    match (fitting.as_slice(), wanted) {
        ([one], _) => Ok(one),
        ([], _) => Err(ambiguous(
            &format!("no finding is `{}`", one_line(text, 100)),
            &all,
        )),
        (_, None) => Err(ambiguous("the run has more than one finding", &all)),
        (several, Some(_)) => {
            let message = format!(
                "more than one finding begins with `{}`",
                one_line(text, 100)
            );
            Err(ambiguous(&message, several))
        }
    }
}

fn ambiguous(message: &str, findings: &[&Finding]) -> CliError {
    let ids: Vec<&str> = findings.iter().map(|f| f.id.as_str()).collect();
    CliError::usage(message).hint(format!("one of: {}", ids.join(", ")))
}
