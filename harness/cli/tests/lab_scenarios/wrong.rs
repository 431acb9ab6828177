//! What is wrong with a verdict: all of it, since a night takes a minute.

use serde_json::Value;

use crate::{
    lab::{Ended, REBUILD},
    scenario::Scenario,
};

/// Mistakes, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Wrong(Vec<String>);

impl Wrong {
    /// Notes a mistake.
    pub(crate) fn say(&mut self, mistake: String) {
        self.0.push(mistake);
    }

    /// Notes a mistake unless something holds.
    fn unless(&mut self, holds: bool, mistake: impl FnOnce() -> String) {
        if !holds {
            self.say(mistake());
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails with all of them.
    pub(crate) fn assert_none(self, console: &str) {
        assert!(self.0.is_empty(), "{:#?}\n{console}", self.0);
    }
}

/// The gate is shut, the cause is right and no better proven than it is, and the record bears it out.
pub(crate) fn of_the_verdict(wrong: &mut Wrong, scenario: &Scenario, ended: &Ended) {
    wrong.unless(ended.code == Some(1), || {
        format!("exit code {:?} instead of 1", ended.code)
    });
    ended.record.assert_accounts_for_every_check();
    ended.record.assert_judged_again_the_same();
    let verdict = ended.record.verdict();
    match finding(&verdict, scenario.check) {
        Some(found) => {
            of_the_cause(wrong, scenario, found);
            of_the_suspects(wrong, scenario, found);
            of_the_evidence(wrong, ended, found);
        }
        None => wrong.say(format!("no finding about {}", scenario.check)),
    }
    of_the_gaps(wrong, scenario, &verdict);
}

/// The finding that a check showed.
pub(crate) fn finding<'a>(verdict: &'a Value, check: &str) -> Option<&'a Value> {
    let findings = verdict["findings"].as_array().unwrap();
    let about = |found: &&Value| {
        found["checks"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c == check)
    };
    findings.iter().find(about)
}

fn of_the_cause(wrong: &mut Wrong, scenario: &Scenario, found: &Value) {
    let cause = &found["cause"];
    wrong.unless(cause["kind"] == scenario.cause, || {
        format!("the cause is not {}: {cause}", scenario.cause)
    });
    wrong.unless((cause["proof"] == "proven") == scenario.proven, || {
        format!("proven is to be {}: {cause}", scenario.proven)
    });
}

/// Whoever is named first is the culprit.
fn of_the_suspects(wrong: &mut Wrong, scenario: &Scenario, found: &Value) {
    let suspects = found["suspects"].as_array().unwrap();
    let first = suspects.first().and_then(|s| s["nevra"].as_str());
    let right = first.map_or(!scenario.suspected, |s| s.starts_with(scenario.suspect));
    wrong.unless(right, || {
        format!(
            "{} is not the first suspect: {suspects:?}",
            scenario.suspect
        )
    });
}

/// The finding rests on events that are in the record.
fn of_the_evidence(wrong: &mut Wrong, ended: &Ended, found: &Value) {
    let evidence = found["evidence"].as_array().unwrap();
    let recorded = ended.record.text("events.jsonl").lines().count();
    let there = |n: &Value| n.as_u64().is_some_and(|n| (n as usize) < recorded + 1);
    wrong.unless(!evidence.is_empty() && evidence.iter().all(there), || {
        format!("it rests on {evidence:?}, of {recorded} events")
    });
}

/// Where the host was blind, that is told; and nowhere else.
fn of_the_gaps(wrong: &mut Wrong, scenario: &Scenario, verdict: &Value) {
    let hosts = verdict["hosts"].as_array().unwrap();
    let host = hosts.iter().find(|host| host["host"] == REBUILD).unwrap();
    let states = host["denials"].as_array().unwrap();
    let gaps: Vec<&str> = states
        .iter()
        .flat_map(|state| state["gaps"].as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    let told = gaps.iter().any(|gap| scenario.gaps.contains(gap));
    let right = if scenario.gaps.is_empty() {
        gaps.is_empty()
    } else {
        told
    };
    wrong.unless(right, || {
        format!("gaps {gaps:?} instead of {:?}", scenario.gaps)
    });
    wrong.unless(scenario.gaps.is_empty() || !says_no_denials(states), || {
        "it says that there are no denials, and was blind".to_owned()
    });
}

/// Whether a blind state says so nevertheless.
fn says_no_denials(states: &[Value]) -> bool {
    states
        .iter()
        .filter(|state| !state["gaps"].as_array().unwrap().is_empty())
        .any(|state| state["statement"] == "no denials")
}
