//! The scenarios, each with what it must come to, said before it was ever played.

pub mod allow;
pub mod evidence;
pub mod policy;
pub mod reboot;
pub mod selection;
pub mod services;
pub mod transaction;
pub mod transport;
pub mod twins;
pub mod undo;
pub mod waves;

use patchgate_core::verdict::Decision;

use crate::{expected::Expectation, scenario::Scenario, script::HostScript};

/// A scenario and what it must come to.
pub type Case = (Scenario, Expectation);

/// All scenarios.
#[must_use]
pub fn all() -> Vec<Case> {
    [
        policy::all(),
        allow::all(),
        twins::all(),
        evidence::all(),
        services::all(),
        transaction::all(),
        selection::all(),
        reboot::all(),
        undo::all(),
        transport::all(),
        waves::all(),
    ]
    .concat()
}

/// The upstream host on a quiet night, and this rebuild.
fn pair(name: &'static str, rebuild: HostScript) -> Scenario {
    Scenario::new(name, [HostScript::upstream(), rebuild])
}

/// This host alone.
fn alone(name: &'static str, host: HostScript) -> Scenario {
    let host = HostScript {
        inventory: "patchgate_role: rebuild",
        ..host
    };
    Scenario::new(name, [host])
}

type Findings = &'static [&'static str];
type Cells = &'static [(&'static str, &'static str)];

/// A confirmed failure.
fn closed(findings: Findings, cells: Cells) -> Expectation {
    Expectation {
        verdict: Decision::Closed,
        exit: 1,
        findings,
        cells,
    }
}

/// Nobody can say.
fn undecided(exit: u8, findings: Findings, cells: Cells) -> Expectation {
    Expectation {
        verdict: Decision::Undecided,
        exit,
        findings,
        cells,
    }
}

/// The gate opens, with something to tell.
fn open(findings: Findings, cells: Cells) -> Expectation {
    Expectation {
        findings,
        cells,
        ..Expectation::OPEN
    }
}
