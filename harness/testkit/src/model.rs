//! The model of what a scenario comes to, held against verdict and JUnit in both directions.

use std::collections::BTreeMap;

use patchgate_core::{outcome::Outcome, plan::Cell, verdict::Counts};
use quick_xml::{Reader, events::Event as Xml};

use crate::{expected::Expectation, scenario::Played};

/// Holds verdict, cells, counts and the re-parsed JUnit document against an expectation: everything
/// expected is there exactly once, and nothing else is.
///
/// # Panics
/// At the first difference.
#[track_caller]
pub fn assert_model(played: &Played, expected: &Expectation) {
    let verdict = &played.judgement.verdict;
    let findings: Vec<_> = verdict
        .findings
        .iter()
        .map(|f| format!("{} {} {}", f.id, f.cause.kind.word(), f.cause.proof.word()))
        .collect();
    let told = played.summary();
    assert_eq!(findings, expected.findings, "findings\n{told}");
    let decision = (verdict.verdict, verdict.exit);
    assert_eq!(decision, (expected.verdict, expected.exit), "gate\n{told}");
    let wanted = wanted(played, expected);
    assert_eq!(of_judgement(played), wanted, "cells\n{told}");
    assert_eq!(verdict.checks, counted(&wanted), "counts");
    let mut in_junit: BTreeMap<_, _> = wanted
        .iter()
        .map(|(cell, word)| (identity(cell), element(word)))
        .collect();
    let gate = if verdict.exit == 0 { "" } else { "not green" };
    in_junit.insert("patchgate.gate.gate".to_owned(), gate);
    assert_eq!(of_junit(&played.junit()), in_junit, "JUnit");
}

type Words = BTreeMap<Cell, String>;

fn wanted(played: &Played, expected: &Expectation) -> Words {
    let word = |cell: &Cell| {
        let mut fitting = expected
            .cells
            .iter()
            .filter(|(pattern, _)| fits(cell, pattern));
        let word = fitting.next_back().map_or("passed", |(_, word)| word);
        (cell.clone(), word.to_owned())
    };
    let words: Words = played.plan.cells.iter().map(word).collect();
    assert_eq!(
        words.len(),
        played.plan.cells.len(),
        "a cell is planned twice"
    );
    for (pattern, _) in expected.cells {
        let used = words.keys().any(|cell| fits(cell, pattern));
        assert!(used, "no planned cell fits `{pattern}`");
    }
    words
}

fn fits(cell: &Cell, pattern: &str) -> bool {
    let parts = [
        cell.host.to_string(),
        cell.state.to_string(),
        cell.check.to_string(),
    ];
    let mut words = pattern.split(' ');
    parts
        .iter()
        .all(|part| words.next().is_some_and(|w| w == "*" || w == part))
}

fn of_judgement(played: &Played) -> Words {
    let cells = &played.judgement.cells;
    let words: Words = cells
        .iter()
        .map(|r| (r.cell.clone(), word(&r.outcome, r.flaky).to_owned()))
        .collect();
    assert_eq!(words.len(), cells.len(), "a cell is judged twice");
    words
}

fn word(outcome: &Outcome, flaky: bool) -> &'static str {
    if flaky { "flaky" } else { outcome.word() }
}

fn counted(words: &Words) -> Counts {
    let count = |word: &str| words.values().filter(|w| *w == word).count();
    Counts {
        planned: words.len(),
        passed: count("passed"),
        flaky: count("flaky"),
        failed: count("failed"),
        blind: count("blind"),
        errored: count("errored"),
        not_run: count("not-run"),
        not_needed: count("not-needed"),
    }
}

/// The class and the name of a cell's case.
fn identity(cell: &Cell) -> String {
    let host = cell.host.as_str().replace('.', "_");
    format!(
        "patchgate.{}.{host}.{}[{}]",
        cell.check.suite, cell.check.check, cell.state
    )
}

/// The element of a cell's case.
fn element(word: &str) -> &'static str {
    match word {
        "passed" => "",
        "failed" => "failure",
        "not-needed" => "skipped",
        _ => "error",
    }
}

/// Every case of a document with its one outcome.
fn of_junit(xml: &str) -> BTreeMap<String, &'static str> {
    let mut reader = Reader::from_str(xml);
    let mut cases = BTreeMap::new();
    let mut last = String::new();
    loop {
        match reader.read_event().expect("the document is XML") {
            Xml::Eof => return cases,
            Xml::Start(start) | Xml::Empty(start) => {
                let attribute = |name: &str| {
                    let found = start.try_get_attribute(name).expect("attributes are XML")?;
                    Some(String::from_utf8_lossy(&found.value).into_owned())
                };
                let name = start.name();
                if name.as_ref() == b"testcase" {
                    last = format!(
                        "{}.{}",
                        attribute("classname").expect("a case has a class"),
                        attribute("name").expect("a case has a name")
                    );
                    let before = cases.insert(last.clone(), "");
                    assert!(before.is_none(), "{last} is there twice");
                } else if let Some(kind) = outcome_of(name.as_ref()) {
                    let kind = if last == "patchgate.gate.gate" {
                        "not green"
                    } else {
                        kind
                    };
                    let before = cases.insert(last.clone(), kind);
                    assert_eq!(before, Some(""), "{last} has two outcomes");
                }
            }
            Xml::End(_)
            | Xml::Text(_)
            | Xml::CData(_)
            | Xml::Comment(_)
            | Xml::Decl(_)
            | Xml::PI(_)
            | Xml::DocType(_)
            | Xml::GeneralRef(_) => {}
        }
    }
}

fn outcome_of(element: &[u8]) -> Option<&'static str> {
    match element {
        b"failure" => Some("failure"),
        b"error" => Some("error"),
        b"skipped" => Some("skipped"),
        _ => None,
    }
}
