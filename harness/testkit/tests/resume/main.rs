//! A controller that dies at any moment, and the run that goes on: nothing is done twice, nothing is lost,
//! and the verdict is the one that the run would have come to.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod changed;
mod deaths;
mod experiment;
mod probed;
mod rebooted;
mod stopped;
mod undone;

use std::{collections::BTreeMap, fs, time::Duration};

use patchgate_core::{
    event::{Event, What},
    judge::CellResult,
    state::State,
    verdict::{Decision, Finding},
};
use patchgate_engine::record::{EVENTS, RunDir, digest};
use patchgate_testkit::{Death, Played, Scenario, World, catalogue};

/// What a run came to: everything that a person or a pipeline acts upon.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    gate: (Decision, u8),
    findings: Vec<String>,
    cells: Vec<String>,
    transactions: BTreeMap<&'static str, u32>,
    orders: BTreeMap<&'static str, usize>,
    /// How many undos were carried out, and whether the host is marked.
    undos: BTreeMap<&'static str, (u32, bool)>,
    locked: BTreeMap<&'static str, bool>,
}

fn came(scenario: &Scenario, played: &Played) -> Came {
    let verdict = &played.judgement.verdict;
    let (cause, proof) = (
        |f: &Finding| f.cause.kind.word(),
        |f: &Finding| f.cause.proof.word(),
    );
    let finding = |f: &Finding| format!("{} {} {}", f.id, cause(f), proof(f));
    let names = || scenario.hosts.iter().map(|h| h.name);
    let transactions = names().map(|n| (n, played.world.look(n, |m| m.transactions())));
    let orders = names().map(|n| (n, orders(played, n)));
    let undos = names().map(|n| (n, played.world.look(n, |m| (m.undos(), m.is_marked()))));
    let locked = names().map(|n| (n, played.world.look(n, |m| m.is_locked())));
    Came {
        gate: (verdict.verdict, verdict.exit),
        findings: verdict.findings.iter().map(finding).collect(),
        cells: played.judgement.cells.iter().map(cell).collect(),
        transactions: transactions.collect(),
        orders: orders.collect(),
        undos: undos.collect(),
        locked: locked.collect(),
    }
}

/// How often a host was told to reboot.
fn orders(played: &Played, host: &str) -> usize {
    let heard = played.world.heard();
    let ours = |h: &&patchgate_testkit::Heard| h.host == host && h.ask == "reboot-order";
    heard.iter().filter(ours).count()
}

/// How a check ended. How often a denial was seen counts for nothing: who asks twice is denied twice.
fn cell(result: &CellResult) -> String {
    let reason = result.outcome.reason().unwrap_or_default();
    let reason = reason.split(" (").next().unwrap_or_default();
    let flaky = if result.flaky { "flaky " } else { "" };
    let (host, state) = (&result.cell.host, result.cell.state);
    format!(
        "{host} {state} {}: {flaky}{} {reason}",
        result.cell.check,
        result.outcome.word()
    )
}

fn scenario(name: &str) -> Scenario {
    let mut all = catalogue::all().into_iter().map(|(s, _)| s);
    all.find(|s| s.name == name)
        .expect("there is such a scenario")
}

/// Why a run is undecided, line by line.
fn undecided(played: &Played) -> String {
    let lines = played.judgement.verdict.undecided.iter();
    let line = |u: &patchgate_core::verdict::Undecided| format!("{}\n", u.why);
    lines.map(line).collect()
}

/// The number of the first event like this.
fn number(played: &Played, like: impl Fn(&Event) -> bool) -> usize {
    let at = played.recorded.iter().position(like);
    at.expect("there is such an event") + 1
}

/// Ages a record: writes every event as if it had been that much earlier.
fn aged(dir: &RunDir, hours: i64) {
    let path = dir.path().join(EVENTS);
    let (mut chain, mut aged) = (String::new(), String::new());
    for line in fs::read_to_string(&path).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut event: Event = serde_json::from_value(line["event"].clone()).unwrap();
        event.at -= jiff::SignedDuration::from_hours(hours);
        let body = serde_json::to_string(&event).unwrap();
        chain = digest(format!("{chain}{body}").as_bytes());
        aged += &["{\"event\":", &body, ",\"chain\":\"", &chain, "\"}\n"].concat();
    }
    fs::write(path, aged).unwrap();
}
