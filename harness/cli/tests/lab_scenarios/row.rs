//! A row of the table in `docs/evidence.md`, as a file; `ci/lab/evidence-table` makes the table of them.

use std::{fs, path::PathBuf};

use serde_json::json;

use crate::{lab::Ended, others::Said, scenario::Scenario, wrong};

/// Where a scenario leaves what came of it.
pub(crate) fn directory(scenario: &Scenario) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("scenarios")
        .join(scenario.name);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Writes the row, also of a scenario that went wrong: the table's script refuses it.
pub(crate) fn write(scenario: &Scenario, ended: &Ended, said: &Said, right: bool) {
    let verdict = ended.record.verdict();
    let cause = wrong::finding(&verdict, scenario.check).map(|found| &found["cause"]);
    let row = json!({
        "scenario": scenario.name,
        "right": right,
        "client": said.client,
        "grep": said.grep,
        "tmt": said.tmt,
        "restraint": said.restraint,
        "verdict": verdict["verdict"],
        "cause": cause.map(|cause| &cause["kind"]),
        "proof": cause.map(|cause| &cause["proof"]),
        "blind": !scenario.gaps.is_empty(),
    });
    let text = serde_json::to_string_pretty(&row).unwrap();
    fs::write(directory(scenario).join("row.json"), text).unwrap();
}
