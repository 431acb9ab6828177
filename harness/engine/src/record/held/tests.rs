use std::fs;

use patchgate_core::{id::RunId, inventory::Inventory, plan::Plan, policy::Policy};

use super::*;
use crate::record::{PLAN, open};

fn interrupted(journal: &Journal, signal: &str) {
    let signal = signal.to_owned();
    journal
        .write(None, None, What::RunInterrupted { signal })
        .unwrap();
}

fn begun() -> (tempfile::TempDir, RunDir, Journal) {
    let tmp = tempfile::tempdir().unwrap();
    let dir = RunDir::create(&tmp.path().join("run")).unwrap();
    let run = RunId::new("r1").unwrap();
    let policy = Policy::strict([]);
    let plan = Plan::lay(run.clone(), &Inventory::default(), vec![], None, policy);
    let text = serde_json::to_vec(&plan).unwrap();
    dir.write(PLAN, &text).unwrap();
    dir.write(TARGETS, b"{}").unwrap();
    let journal = Journal::begin(dir.clone(), Box::new(|_| {})).unwrap();
    let started = What::RunStarted {
        run,
        version: "0".into(),
        plan_sha256: digest(&text),
        targets_sha256: Some(digest(b"{}")),
    };
    journal.write(None, None, started).unwrap();
    (tmp, dir, journal)
}

#[test]
fn one_controller_at_a_time_writes_a_record() {
    let (_tmp, dir, journal) = begun();
    let busy = |dir: &RunDir| matches!(Held::take(dir.clone()), Err(RecordError::Busy(_)));
    assert!(busy(&dir));
    assert!(open(&dir).is_ok(), "reading is free");
    drop(journal);
    let held = Held::take(dir.clone()).unwrap();
    assert!(busy(&dir));
    let (journal, ..) = held.go_on(Box::new(|_| {})).unwrap();
    assert!(busy(&dir));
    drop(journal);
    assert!(!busy(&dir));
}

#[test]
fn a_record_cut_at_any_byte_goes_on_behind_its_last_whole_line() {
    let (_tmp, dir, journal) = begun();
    interrupted(&journal, "SIGINT");
    interrupted(
        &journal,
        "a signal with a long name, so that there is much to cut",
    );
    drop(journal);
    let path = dir.path().join(EVENTS);
    let whole = fs::read(&path).unwrap();
    for at in 0..=whole.len() {
        fs::write(&path, &whole[..at]).unwrap();
        let (journal, record, cut) = Held::take(dir.clone())
            .and_then(|held| held.go_on(Box::new(|_| {})))
            .unwrap();
        let lines = whole[..at].iter().filter(|b| **b == b'\n').count();
        let torn = at
            - whole[..at]
                .iter()
                .rposition(|b| *b == b'\n')
                .map_or(0, |n| n + 1);
        assert_eq!(
            (record.events.len(), cut),
            (lines, torn as u64),
            "byte {at}"
        );
        interrupted(&journal, "SIGTERM");
        drop(journal);
        let again = open(&dir).unwrap();
        assert_eq!(again.events.len(), lines + 1, "byte {at}");
        assert!(!again.torn, "byte {at}");
    }
}

#[test]
fn damage_in_the_middle_is_no_crash() {
    let (_tmp, dir, journal) = begun();
    interrupted(&journal, "SIGINT");
    drop(journal);
    let path = dir.path().join(EVENTS);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() - 1 {
        let mut bad = whole.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        assert!(Held::take(dir.clone()).is_err(), "byte {at}");
        assert_eq!(fs::read(&path).unwrap(), bad, "byte {at}: it was touched");
    }
}

#[test]
fn other_targets_are_not_those_of_the_run() {
    let (_tmp, dir, journal) = begun();
    drop(journal);
    let targets = |dir: &RunDir| Held::take(dir.clone()).unwrap().targets();
    assert_eq!(targets(&dir).unwrap(), b"{}");
    dir.write(TARGETS, b"{ }").unwrap();
    assert!(targets(&dir).unwrap_err().is_tampering());
    fs::remove_file(dir.path().join(TARGETS)).unwrap();
    assert!(!targets(&dir).unwrap_err().is_tampering());
}

#[test]
fn evidence_that_was_saved_is_never_written_over() {
    let (_tmp, dir, _journal) = begun();
    let saved = |bytes: &[u8]| {
        dir.save_evidence("web", "transaction.log", bytes)
            .unwrap()
            .0
    };
    assert_eq!(saved(b"one"), "evidence/web/transaction.log");
    assert_eq!(saved(b"two"), "evidence/web/transaction-2.log");
    assert_eq!(saved(b"three"), "evidence/web/transaction-3.log");
    let first = dir.path().join("evidence/web/transaction.log");
    assert_eq!(fs::read(first).unwrap(), b"one");
}
