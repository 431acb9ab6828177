//! The gate as a JUnit suite of one case, so that a CI that looks at nothing else is red.

use junit_report::{Duration, TestCase, TestResult};
use patchgate_core::{
    judge::Judgement,
    plan::{Plan, PlannedHost},
    verdict::{Decision, Verdict},
};

use super::{
    Times, case, names, safe,
    suites::{Properties, Suite, empty},
};
use crate::{soak, story, tally};

/// Where the gate is decided: not on any host of the inventory.
const DECIDED_ON: &str = "controller";

/// The gate's suite.
pub(super) fn suite(plan: &Plan, judgement: &Judgement, times: &Times) -> Suite {
    let verdict = &judgement.verdict;
    let mut case = TestCase::success(names::GATE, Duration::ZERO);
    case.set_classname(&format!("{}.{}", names::PREFIX, names::GATE));
    case.result = result(verdict);
    let mut suite = empty(names::GATE, DECIDED_ON);
    suite.add_testcase(case);
    suite.set_system_out(&safe::body(&table(plan, judgement), safe::room(1)));
    suite.set_system_err("");
    let properties = properties(plan, verdict, times);
    Suite { suite, properties }
}

/// What the run is, then `<host>.<what>` of each host: all here, because a consumer takes a name
/// that two suites share for a mistake.
fn properties(plan: &Plan, verdict: &Verdict, times: &Times) -> Properties {
    let run = [
        ("run", verdict.run.to_string()),
        ("verdict", verdict.verdict.word().to_owned()),
        ("exit", verdict.exit.to_string()),
        (
            "patch-set",
            verdict
                .patch_set
                .clone()
                .unwrap_or_else(|| "none".to_owned()),
        ),
        ("gate", plan.policy.name.clone()),
        ("patchgate-version", times.version.clone()),
    ];
    let mut all: Properties = run.map(|(name, value)| (name.to_owned(), value)).to_vec();
    for host in &plan.hosts {
        all.extend(of_host(plan, host, verdict));
    }
    all.into_iter()
        .map(|(name, value)| (name, safe::attribute(&value)))
        .collect()
}

fn of_host(plan: &Plan, host: &PlannedHost, verdict: &Verdict) -> Properties {
    let wave = plan.waves.as_ref().and_then(|waves| waves.of(&host.name));
    let summary = verdict.hosts.iter().find(|h| h.host == host.name);
    let known = [
        ("address", Some(host.address.clone())),
        ("role", host.role.map(|r| tally::role_word(r).to_owned())),
        ("twin", host.twin.as_ref().map(ToString::to_string)),
        ("wave", wave.map(|n| n.to_string())),
        ("os", summary.and_then(|s| s.os.clone())),
        ("transaction", summary.and_then(|s| s.transaction.clone())),
        ("undo", summary.and_then(|s| s.undo.clone())),
        ("dirty", summary.and_then(|s| s.dirty.clone())),
    ];
    let named = known
        .into_iter()
        .filter_map(|(what, value)| Some((what, value?)));
    named
        .map(|(what, value)| (format!("{}.{what}", host.name), value))
        .collect()
}

/// Green only where the gate is open and the exit code says so too.
fn result(verdict: &Verdict) -> TestResult {
    let message = safe::attribute(&message(verdict));
    let cause = Some(safe::body(&reasons(verdict), safe::room(1)));
    let type_ = format!("{}.{}", names::PREFIX, verdict.verdict.word());
    match (verdict.verdict, verdict.exit) {
        (Decision::Open, 0) => TestResult::Success,
        (Decision::Closed, _) => TestResult::Failure {
            type_,
            message,
            cause,
        },
        (Decision::Open | Decision::Undecided, _) => TestResult::Error {
            type_,
            message,
            cause,
        },
    }
}

fn message(verdict: &Verdict) -> String {
    let first_finding = verdict
        .findings
        .first()
        .map(|f| format!("{}: {}", story::title(f), f.symptom));
    let first_gap = verdict.undecided.first().map(story::of_undecided);
    let why = match verdict.verdict {
        Decision::Closed => first_finding.or(first_gap),
        Decision::Open | Decision::Undecided => first_gap,
    };
    let why = why.unwrap_or_else(|| format!("exit code {}", verdict.exit));
    format!("gate {}: {why}", verdict.verdict.word())
}

fn reasons(verdict: &Verdict) -> String {
    let mut lines = vec![format!(
        "gate: {}, exit code {}",
        verdict.verdict.word(),
        verdict.exit
    )];
    for finding in &verdict.findings {
        lines.push(String::new());
        lines.extend(case::story_lines(finding));
    }
    for (host, why) in story::of_dirty(verdict) {
        lines.push(format!("\nDIRTY {host}: {why}"));
    }
    if !verdict.undecided.is_empty() {
        lines.push("\nwhat could not be seen".to_owned());
    }
    lines.extend(
        verdict
            .undecided
            .iter()
            .map(|u| format!("  {}", story::of_undecided(u))),
    );
    lines.join("\n")
}

fn table(plan: &Plan, judgement: &Judgement) -> String {
    let mut lines = Vec::new();
    for row in tally::rows(plan, judgement) {
        for (state, counts) in plan.states.iter().zip(&row.states) {
            lines.push(format!("{}, {state}: {counts}", row.host));
        }
    }
    let waves = judgement.verdict.waves.as_ref();
    lines.extend(waves.into_iter().flat_map(story::of_waves));
    for (head, outages) in judgement.verdict.soak.iter().map(soak::of_check) {
        lines.push(head);
        lines.extend(outages.into_iter().map(|outage| format!("  {outage}")));
    }
    lines.join("\n")
}
