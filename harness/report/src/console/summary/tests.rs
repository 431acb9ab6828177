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
            allowed: 0,
            seen: vec![],
            unlisted: 0,
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
    run.verdict.hosts[1].denials[1].seen = vec![testing::denial(evil)];
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
fn denials_are_told_by_kind_and_not_all_of_them() {
    let mut run = testing::open();
    let said = &mut run.verdict.hosts[1].denials[1];
    said.statement = "24 denials; 24 allowed".into();
    said.seen = (0..8)
        .map(|n| testing::denial(&format!("cgi{n}")))
        .collect();
    said.unlisted = 30;
    let text = plain(&run);
    let told = "  lab-rebuild, patched: 24 denials; 24 allowed\n    \
                httpd_t { getattr read } on file of user_home_t, by cgi0 (3 times, 1 let through): \
                new, allowed, also on the twin\n";
    assert!(text.contains(told), "{text}");
    assert_eq!(text.matches("by cgi").count(), 5);
    assert!(text.contains("    and 33 more of other kinds\n"), "{text}");
}

#[test]
fn a_finding_of_no_host_is_told_without_one() {
    let mut run = testing::february();
    run.verdict.findings[0].class = patchgate_core::verdict::Class::AllowUnused;
    run.verdict.findings[0].hosts.clear();
    let told = "  1. allow-list entries that nothing needed (httpd)\n";
    assert!(plain(&run).contains(told));
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
