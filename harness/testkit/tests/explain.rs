//! What `patchgate explain` tells of a night, whole.

#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

use std::{env, fs, path::PathBuf};

use patchgate_core::{diagnosis::Found, judge::explain, reading::Reading, state::State};
use patchgate_report::{console::Paint, explain as told};
use patchgate_testkit::{
    catalogue,
    night::{
        Night,
        known::{february_on_the_lab, labelled, untyped_on_the_lab},
    },
};

#[track_caller]
fn assert_expected(name: &str, text: &str) {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "expected", name]
        .iter()
        .collect();
    if env::var_os("PATCHGATE_ACCEPT").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    for ((is, was), n) in text.lines().zip(expected.lines()).zip(1..) {
        assert_eq!(is, was, "{name}, line {n}");
    }
    assert!(text == expected, "{name}: one text ends before the other");
}

#[track_caller]
fn assert_night(name: &str, night: &Night) {
    let (events, judgement) = (night.events(), night.judged());
    let finding = night.finding("httpd");
    let explanation = explain(&night.plan, &events, &judgement.verdict, &finding);
    assert_expected(
        &format!("{name}.txt"),
        &told::text(&explanation, Paint::PLAIN),
    );
    assert_expected(&format!("{name}.md"), &told::markdown(&explanation));
}

#[test]
fn february_on_the_lab_is_told_with_its_experiments() {
    assert_night("february", &february_on_the_lab());
}

#[test]
fn a_port_is_told_with_what_changed() {
    assert_night("port", &untyped_on_the_lab());
}

#[test]
fn what_was_not_seen_is_told() {
    let blind = labelled().from(State::Patched, |s| {
        s.vectors = Reading::missing("there is no selinuxfs");
        s.policy().booleans = Reading::missing("\u{1b}[2Jpermission denied");
        s.steps.push(Found::Unavailable {
            what: "journal of httpd".to_owned(),
            why: "no journalctl".to_owned(),
        });
    });
    assert_night("blind", &blind);
}

/// Every finding of every scenario can be explained, from the record and the verdict alone.
#[tokio::test(start_paused = true)]
async fn every_finding_of_every_scenario_is_explained() {
    for (scenario, _) in catalogue::all() {
        let played = scenario.play().await;
        let verdict = &played.judgement.verdict;
        for finding in &verdict.findings {
            let explanation = explain(&played.plan, &played.events, verdict, finding);
            let name = format!("{}: {}", played.name, finding.id);
            let told_of: Vec<u64> = explanation.rests_on.iter().map(|h| h.event).collect();
            assert_eq!(told_of, finding.evidence, "{name}");
            let text = told::text(&explanation, Paint::PLAIN);
            let safe = patchgate_core::text::visible(&text);
            assert_eq!(safe, text, "{name}");
            assert!(text.contains(finding.cause.kind.word()), "{name}");
        }
    }
}
