use patchgate_core::{state::State, verdict::StateStatement};

use super::*;
use crate::{
    console::Colour,
    testing::{self, assert_expected},
};

fn plain(run: &Judgement) -> String {
    summary(&testing::plan(), run, Paint::PLAIN)
}

#[test]
fn the_three_runs_read_as_expected() {
    for (name, run) in [
        ("open.txt", testing::open()),
        ("february.txt", testing::february()),
        ("undecided.txt", testing::undecided()),
    ] {
        assert_expected(name, &plain(&run));
    }
}

#[test]
fn no_denials_is_said_only_by_a_statement() {
    let mut run = testing::open();
    assert!(plain(&run).contains("no denials"));
    for host in &mut run.verdict.hosts {
        host.denials = vec![StateStatement {
            state: State::Baseline,
            statement: "none seen, 1 gap: auditd was not running".into(),
            gaps: vec!["auditd-down".into()],
        }];
    }
    assert!(!plain(&run).contains("no denials"));
}

#[test]
fn colours_change_no_word() {
    let run = testing::february();
    let coloured = summary(&testing::plan(), &run, Colour::Always.paint(false, None));
    assert!(coloured.contains("\x1b[1;31mgate: CLOSED\x1b[0m"));
    let codes = ["\x1b[0m", "\x1b[1m", "\x1b[1;31m", "\x1b[32m", "\x1b[33m"];
    let stripped = codes
        .iter()
        .fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(stripped, plain(&run));
}

#[test]
fn text_of_hosts_cannot_move_the_cursor() {
    let mut run = testing::february();
    let evil = "\x1b[2Jgate: OPEN\r\n\u{9b}1m\u{202e}";
    run.verdict.findings[0].cause.explanation = evil.into();
    run.verdict.findings[0].suspects[0].nevra = evil.into();
    run.verdict.findings[0].symptoms[0].text = evil.into();
    run.verdict.undecided[0].why = evil.into();
    run.verdict.hosts[1].denials[1].statement = evil.into();
    run.verdict.patch_set = Some(evil.into());
    let text = plain(&run);
    assert!(
        text.chars().all(|c| c == '\n' || !c.is_control()),
        "{text:?}"
    );
    assert!(!text.contains('\u{202e}'));
    assert!(!text.lines().any(|l| l.starts_with("gate: OPEN")));
}

#[test]
fn the_last_line_says_gate_and_exit_code() {
    for (run, line) in [
        (
            testing::open(),
            "gate: OPEN, exit code 0 (open: the only `go`)",
        ),
        (
            testing::february(),
            "gate: CLOSED, exit code 1 (closed: a confirmed failure)",
        ),
    ] {
        assert_eq!(plain(&run).lines().last(), Some(line));
    }
    assert_eq!(exit_words(99), "exit code 99 (not documented)");
}
