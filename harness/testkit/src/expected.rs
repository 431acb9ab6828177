//! Holds what was told of a scenario against the files that are checked in.

use std::{env, fs, path::PathBuf};

use patchgate_core::verdict::Decision;

use crate::{model::assert_model, scenario::Played};

/// What a scenario must come to, said by people before it was ever played.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The decision.
    pub verdict: Decision,
    /// The exit code.
    pub exit: u8,
    /// Each finding's id with its cause and proof: `regression.web.httpd unknown suspected`.
    pub findings: &'static [&'static str],
    /// How the planned checks end, by `host state check`, with `*` for any; the last line that fits
    /// counts, and `passed` where none does.
    pub cells: &'static [(&'static str, &'static str)],
}

impl Expectation {
    /// Everything passes, nothing is found.
    pub const OPEN: Self = Self {
        verdict: Decision::Open,
        exit: 0,
        findings: &[],
        cells: &[],
    };
}

/// Holds a played scenario against its expectation and against `scenarios/<name>/`, whole texts.
///
/// # Panics
/// At the first difference, with the command that accepts what is told now.
#[track_caller]
pub fn assert_scenario(played: &Played, expected: &Expectation) {
    let unknown = played.world.unknown();
    assert!(unknown.is_empty(), "no scripted host knows {unknown:?}");
    assert_model(played, expected);
    for (name, text) in [
        ("verdict.json", played.verdict_json()),
        ("junit.xml", played.junit()),
        ("summary.txt", played.summary()),
        ("events.txt", played.event_lines()),
    ] {
        assert_file(played.name, name, &text);
    }
}

/// Holds a text against `scenarios/<scenario>/<name>`.
///
/// # Panics
/// At the first difference, with the command that accepts what is told now.
#[track_caller]
pub fn assert_file(scenario: &str, name: &str, text: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "scenarios", scenario, name]
        .iter()
        .collect();
    if env::var_os("PATCHGATE_ACCEPT").is_some() {
        let folder = path.parent().expect("the file is in a folder");
        fs::create_dir_all(folder).expect("the folder can be made");
        fs::write(&path, text).expect("the file can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let accept = "PATCHGATE_ACCEPT=1 cargo test -p patchgate-testkit --test scenarios";
    let lines = text.lines().zip(expected.lines()).zip(1..);
    for ((is, was), n) in lines {
        assert_eq!(
            is, was,
            "{scenario}/{name}, line {n}; `{accept}` accepts what is told now"
        );
    }
    assert!(
        text == expected,
        "{scenario}/{name}: one text ends before the other; `{accept}` accepts what is told now"
    );
}
