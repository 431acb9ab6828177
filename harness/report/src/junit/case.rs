//! One planned check as a JUnit case.

use junit_report::{Duration, TestCase, TestResult};
use patchgate_core::{
    judge::{CellResult, Judgement},
    outcome::Outcome,
    plan::Plan,
    suite::Vantage,
    verdict::Finding,
};

use super::{names, safe};
use crate::{
    cells::{Standing, waiver},
    expect, story, tally,
};

/// The longest time that a case tells, in milliseconds (11 days): sums cannot overflow.
const MAX_MS: u64 = 1_000_000_000;

/// A planned check and its result, as the case of a class.
pub(super) fn of(plan: &Plan, judgement: &Judgement, result: &CellResult, class: &str) -> TestCase {
    let ms = i64::try_from(result.elapsed_ms.unwrap_or(0).min(MAX_MS)).unwrap_or(0);
    let mut case = TestCase::success(&names::case(&result.cell), Duration::milliseconds(ms));
    case.set_classname(class);
    case.result = outcome(plan, judgement, result);
    case
}

/// Exactly one of success, failure (the host's fault), error (nobody can say) and skipped (waived, or of a
/// state that the host does not need).
fn outcome(plan: &Plan, judgement: &Judgement, result: &CellResult) -> TestResult {
    let standing = Standing::of(result, &judgement.verdict);
    if standing == Standing::Passed {
        return TestResult::Success;
    }
    let message = safe::attribute(&message(judgement, result, standing));
    let max = safe::room(plan.cells.len());
    let cause = Some(safe::body(
        &explanation(plan, judgement, result, standing),
        max,
    ));
    let type_ = format!("{}.{}", names::PREFIX, standing.word());
    match &result.outcome {
        Outcome::Failed { .. } if standing == Standing::Waived => TestResult::SkippedWithCause {
            type_,
            message,
            cause,
        },
        Outcome::NotNeeded { .. } => TestResult::SkippedWithCause {
            type_,
            message,
            cause,
        },
        Outcome::Failed { symptom } => TestResult::Failure {
            type_: names::of_symptom(symptom.kind),
            message,
            cause,
        },
        Outcome::Passed
        | Outcome::Blind { .. }
        | Outcome::Errored { .. }
        | Outcome::NotRun { .. } => TestResult::Error {
            type_,
            message,
            cause,
        },
    }
}

fn message(judgement: &Judgement, result: &CellResult, standing: Standing) -> String {
    let reason = result.outcome.reason().unwrap_or_default();
    match standing {
        Standing::Passed => String::new(),
        Standing::Flaky => "passed only when asked again".to_owned(),
        Standing::Failed | Standing::Blind | Standing::Errored | Standing::NotNeeded => reason,
        Standing::NotRun => format!("did not run: {reason}"),
        Standing::Waived => {
            let id = waiver(result, &judgement.verdict).map_or("", |f| f.id.as_str());
            format!("waived ({id}): {reason}")
        }
    }
}

/// What was expected and seen, from where, why, and what to do to see more.
fn explanation(
    plan: &Plan,
    judgement: &Judgement,
    result: &CellResult,
    standing: Standing,
) -> String {
    let mut lines = question(plan, result, standing);
    let name_this =
        |f: &&Finding| f.hosts.contains(&result.cell.host) && f.checks.contains(&result.cell.check);
    let verdict = &judgement.verdict;
    for finding in verdict
        .findings
        .iter()
        .chain(&verdict.waived)
        .filter(name_this)
    {
        lines.push(String::new());
        lines.push(format!("finding {}", finding.id));
        lines.extend(story_lines(finding));
    }
    lines.join("\n")
}

fn question(plan: &Plan, result: &CellResult, standing: Standing) -> Vec<String> {
    let cell = &result.cell;
    let host = plan.host(&cell.host);
    let check = plan.check(&cell.check).map(|(_, check)| check);
    let seen = match standing {
        Standing::Flaky => "passed only when asked again".to_owned(),
        Standing::Passed
        | Standing::Failed
        | Standing::Waived
        | Standing::Blind
        | Standing::Errored
        | Standing::NotRun
        | Standing::NotNeeded => result.outcome.reason().unwrap_or_default(),
    };
    let mut lines = vec![format!("check: {}", cell.check)];
    lines.extend(check.map(|c| format!("title: {}", c.title)));
    lines.push(format!(
        "host: {}",
        host.map_or(cell.host.to_string(), about)
    ));
    lines.push(format!("state: {}", cell.state));
    lines.push(format!("asked from: {}", vantage(cell.vantage)));
    let both = check.zip(host);
    lines.extend(both.map(|(c, h)| format!("expected: {}", expect::expectation(c, h))));
    lines.push(format!("{}: {seen}", standing.word()));
    lines.extend(both.map(|(c, h)| format!("ask again: {}", expect::again(c, h))));
    if !result.events.is_empty() {
        let events: Vec<_> = result.events.iter().map(u64::to_string).collect();
        lines.push(format!("record: events {}", events.join(", ")));
    }
    lines
}

fn about(host: &patchgate_core::plan::PlannedHost) -> String {
    let role = host
        .role
        .map(|r| format!(", {}", tally::role_word(r)))
        .unwrap_or_default();
    let twin = host
        .twin
        .as_ref()
        .map(|t| format!(", twin {t}"))
        .unwrap_or_default();
    format!("{} ({}{role}{twin})", host.name, host.address)
}

fn vantage(vantage: Vantage) -> &'static str {
    match vantage {
        Vantage::Controller => "the controller, a remote client",
        Vantage::Localhost => "the host itself",
    }
}

/// A finding as indented lines under its title.
pub(super) fn story_lines(finding: &Finding) -> Vec<String> {
    let story = story::of_finding(finding);
    let told = story
        .lines
        .iter()
        .map(|(label, text)| format!("  {label}: {text}"));
    std::iter::once(story.title.clone()).chain(told).collect()
}
