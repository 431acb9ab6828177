use patchgate_core::{
    id::HostName,
    observation::HttpPhase,
    outcome::Outcome,
    state::State,
    verdict::{Decision, Verdict},
};
use proptest::prelude::*;

use super::*;
use crate::testing::{self, assert_expected, cell, times};

/// Everything that has broken a JUnit file before: terminal escapes, NUL, non-characters, the end of
/// a CDATA section, bidi overrides, entities, line ends, and too much of it.
fn hostile() -> String {
    let nasty = "\x1b[31mred\x1b[0m \0 \u{8} \u{fffe}\u{ffff} ]]> ]]]]>> <![CDATA[ \u{202e}abc \
                 \u{200b} &lt; &#0; <failure> \"'\r\n\t\u{85}\u{2028} é 😀";
    format!("{nasty}\n{}\n{nasty}", "x".repeat(1_000_000))
}

/// February with hostile text wherever a host, a suite or a package can put some.
fn poisoned(text: &str) -> (Plan, Judgement, Times) {
    let mut plan = testing::plan();
    let mut run = testing::february();
    plan.hosts[1].address = text.into();
    plan.policy.name = text.into();
    plan.suites[0].checks[0].title = text.into();
    let rebuild = "lab-rebuild";
    let page = "httpd/root-page";
    cell(&mut run, rebuild, State::Patched, page).outcome =
        testing::failed(HttpPhase::NoData, text);
    let (why, gaps) = (text.to_owned(), vec![text.to_owned()]);
    cell(&mut run, rebuild, State::Restarted, page).outcome = Outcome::Errored { why: why.clone() };
    cell(&mut run, rebuild, State::Baseline, page).outcome = Outcome::NotRun { why };
    cell(&mut run, rebuild, State::Baseline, "httpd/httpd").outcome = Outcome::Blind { gaps };
    poison(&mut run.verdict, text);
    let times = Times {
        version: text.into(),
        ..times()
    };
    (plan, run, times)
}

fn poison(verdict: &mut Verdict, text: &str) {
    verdict.patch_set = Some(text.into());
    verdict.undecided[0].why = text.into();
    let host = &mut verdict.hosts[1];
    host.os = Some(text.into());
    host.packages = vec![text.into()];
    host.transaction = Some(text.into());
    host.denials[0].statement = text.into();
    host.denials[0].seen = vec![testing::denial(text); 300];
    let finding = &mut verdict.findings[0];
    finding.id = text.into();
    finding.symptoms[0].text = text.into();
    finding.cause.explanation = text.into();
    finding.cause.look = Some(text.into());
    finding.suspects[0].nevra = text.into();
}

fn february() -> String {
    render(&testing::plan(), &testing::february(), &times()).unwrap()
}

#[test]
fn the_three_runs_read_as_expected() {
    let plan = testing::plan();
    for (name, run) in [
        ("open.xml", testing::open()),
        ("february.xml", testing::february()),
        ("undecided.xml", testing::undecided()),
    ] {
        assert_expected(name, &render(&plan, &run, &times()).unwrap());
    }
}

#[test]
fn every_planned_check_is_there_once_and_counted_by_its_standing() {
    let plan = testing::plan();
    for (run, failures, errors) in [
        (testing::open(), 0, 0),
        (testing::february(), 3, 2),
        (testing::undecided(), 0, 8),
    ] {
        let xml = render(&plan, &run, &times()).unwrap();
        let counts = Counts {
            suites: 3,
            tests: plan.cells.len() + 1,
            failures,
            errors,
            skipped: 0,
        };
        assert_eq!(self_check(&xml).unwrap(), counts);
    }
}

#[test]
fn a_planned_check_that_the_judgement_forgot_is_an_error() {
    let mut run = testing::open();
    run.cells.remove(3);
    let xml = render(&testing::plan(), &run, &times()).unwrap();
    assert_eq!(self_check(&xml).unwrap().errors, 1);
    assert!(xml.contains("type=\"patchgate.not-run\""));
}

#[test]
fn a_waived_failure_is_skipped_with_its_finding() {
    let mut run = testing::february();
    run.verdict.waived = std::mem::take(&mut run.verdict.findings);
    run.verdict.undecided.clear();
    run.verdict.verdict = Decision::Open;
    run.verdict.exit = 0;
    let xml = render(&testing::plan(), &run, &times()).unwrap();
    let counts = self_check(&xml).unwrap();
    assert_eq!((counts.failures, counts.skipped), (0, 2));
    assert!(xml.contains("waived (rebuild-only-regression.lab-rebuild.httpd): connection refused"));
}

#[test]
fn the_gate_is_green_only_when_it_is_open_and_the_exit_code_agrees() {
    let gate = |verdict, exit| {
        let mut run = testing::open();
        (run.verdict.verdict, run.verdict.exit) = (verdict, exit);
        let xml = render(&testing::plan(), &run, &times()).unwrap();
        let counts = self_check(&xml).unwrap();
        (counts.failures, counts.errors)
    };
    for (verdict, exit, red) in [
        (Decision::Open, 0, (0, 0)),
        (Decision::Open, 6, (0, 1)),
        (Decision::Undecided, 3, (0, 1)),
        (Decision::Undecided, 0, (0, 1)),
        (Decision::Closed, 1, (1, 0)),
    ] {
        assert_eq!(gate(verdict, exit), red, "{verdict:?} {exit}");
    }
}

#[test]
fn a_run_of_nothing_still_has_the_gate() {
    let mut plan = testing::plan();
    plan.cells.clear();
    let mut run = testing::open();
    run.cells.clear();
    run.verdict.verdict = Decision::Undecided;
    run.verdict.exit = 4;
    let counts = self_check(&render(&plan, &run, &times()).unwrap()).unwrap();
    assert_eq!(
        counts,
        Counts {
            suites: 1,
            tests: 1,
            errors: 1,
            ..Counts::default()
        }
    );
}

#[test]
fn hostile_text_is_told_and_harmless() {
    let (plan, run, times) = poisoned(&hostile());
    let xml = render(&plan, &run, &times).unwrap();
    assert_eq!(self_check(&xml).unwrap().tests, plan.cells.len() + 1);
    assert!(
        xml.contains(r"\u{1b}[31mred"),
        "the text is shown, not dropped"
    );
    assert!(xml.contains("characters left out"));
    assert!(xml.len() < 1_000_000, "{}", xml.len());
}

/// For validators that are not in this repository.
#[test]
#[ignore = "writes hostile and plain samples into the directory PATCHGATE_JUNIT_SAMPLES"]
fn samples_for_foreign_validators() {
    let dir = std::env::var("PATCHGATE_JUNIT_SAMPLES").unwrap();
    let (plan, run, poison) = poisoned(&hostile());
    let mut waived = testing::february();
    waived.verdict.waived = std::mem::take(&mut waived.verdict.findings);
    for (name, xml) in [
        ("hostile.xml", render(&plan, &run, &poison)),
        ("waived.xml", render(&testing::plan(), &waived, &times())),
        (
            "undecided.xml",
            render(&testing::plan(), &testing::undecided(), &times()),
        ),
        (
            "open.xml",
            render(&testing::plan(), &testing::open(), &times()),
        ),
    ] {
        std::fs::write(format!("{dir}/{name}"), xml.unwrap()).unwrap();
    }
    std::fs::write(format!("{dir}/february.xml"), february()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_makes_a_good_document(text in any::<String>(), ms in any::<u64>(), at in any::<i64>()) {
        let (plan, mut run, mut times) = poisoned(&text);
        run.cells.iter_mut().for_each(|c| c.elapsed_ms = Some(ms));
        times.started_at = Timestamp::from_second(at).unwrap_or(Timestamp::MIN);
        let xml = render(&plan, &run, &times).unwrap();
        prop_assert_eq!(self_check(&xml).unwrap().tests, plan.cells.len() + 1);
    }

    #[test]
    fn bodies_survive_the_way_through_cdata(text in "[a\\]>&<]{0,12}") {
        let mut run = testing::february();
        let page = cell(&mut run, "lab-rebuild", State::Patched, "httpd/root-page");
        page.outcome = testing::failed(HttpPhase::NoData, &format!("<{text}>"));
        let xml = render(&testing::plan(), &run, &times()).unwrap();
        let escaped = format!("&lt;{}&gt;", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
        prop_assert!(xml.contains(&format!("failed: {escaped}\n")), "{}", xml);
    }
}

/// What the check says of February's document with one thing changed.
fn flaw(from: &str, to: &str) -> Flaw {
    let good = february();
    assert!(good.contains(from), "{from}");
    self_check(&good.replacen(from, to, 1)).unwrap_err()
}

#[test]
fn the_check_counts() {
    for (from, to) in [
        ("failures=\"2\"", "failures=\"3\""),
        ("skipped=\"0\"", "skipped=\"1\""),
        ("tests=\"9\"", "tests=\"10\""),
        ("errors=\"2\"", "errors=\"0\""),
    ] {
        assert!(matches!(flaw(from, to), Flaw::WrongCount { .. }), "{from}");
    }
    let twice = flaw("root-page[patched]", "root-page[baseline]");
    assert!(matches!(twice, Flaw::Twice(_)));
    let both = flaw("</failure>", "</failure><error type=\"a\" message=\"b\"/>");
    assert!(matches!(both, Flaw::SeveralOutcomes(_)));
    let emptied = february()
        .replace("<testcase", "<system-out")
        .replace("</testcase>", "</system-out>");
    assert!(self_check(&emptied).is_err());
}

#[test]
fn the_check_reads_attributes() {
    for (from, to, bad) in [
        ("time=\"0.031\"", "time=\"3.1e-2\"", "time"),
        ("time=\"0.031\"", "time=\"0.0310\"", "time"),
        ("T03:04:05\"", "T03:04:05Z\"", "timestamp"),
        (" hostname=", " host=", "hostname"),
        (" classname=", " class=", "classname"),
        (" message=", " msg=", "message"),
    ] {
        let found = flaw(from, to);
        assert!(
            matches!(found, Flaw::Attribute { attribute, .. } if attribute == bad),
            "{found}"
        );
    }
    assert!(matches!(
        flaw("patchgate.http-refused", "integer"),
        Flaw::TypeWord(_)
    ));
}

#[test]
fn the_check_reads_markup_and_characters() {
    for (to, what) in [
        ("\u{1b}", "ESC"),
        ("&#27;", "a reference to ESC"),
        ("\u{fffe}", "U+FFFE"),
    ] {
        let found = flaw("check: httpd", to);
        assert!(
            matches!(found, Flaw::IllegalCharacter(_)),
            "{what}: {found}"
        );
    }
    assert!(matches!(
        flaw("check: httpd", "&nbsp;"),
        Flaw::UnknownEntity(_)
    ));
    for (from, to) in [
        ("check: httpd", "<b>httpd</b>"),
        ("<properties>", "text<properties>"),
        ("</testsuites>", "</testsuites><testsuites/>"),
        ("<testsuites>", "<!DOCTYPE x><testsuites>"),
    ] {
        let found = flaw(from, to);
        assert!(matches!(found, Flaw::Misplaced { .. }), "{to}: {found}");
    }
    assert!(matches!(flaw("</testsuites>", ""), Flaw::Unfinished));
    assert!(matches!(flaw("</failure>", "</error>"), Flaw::NotXml(_)));
}

#[test]
fn times_come_from_the_record() {
    let version = "9.9.9".to_owned();
    let run = patchgate_core::id::RunId::new("r").unwrap();
    let begun = What::RunStarted {
        run,
        version,
        plan_sha256: String::new(),
        targets_sha256: None,
    };
    let interrupted = What::RunInterrupted {
        signal: "SIGINT".into(),
    };
    let events = [
        testing::event(0, None, None, interrupted),
        testing::event(5, None, None, begun),
    ];
    assert_eq!(
        Times::of(&events),
        Times {
            started_at: events[1].at,
            version: "9.9.9".into()
        }
    );
    let headless = Times::of(&events[..1]);
    assert_eq!(
        headless,
        Times {
            started_at: events[0].at,
            version: "unknown".into()
        }
    );
    assert_eq!(Times::of(&[]).started_at, Timestamp::UNIX_EPOCH);
}

#[test]
fn hosts_that_look_alike_keep_their_own_cases() {
    let mut plan = testing::plan();
    let mut run = testing::open();
    let names = ["web.1", "web_1"].map(|n| HostName::new(n).unwrap());
    for (planned, name) in plan.hosts.iter_mut().zip(&names) {
        let old = std::mem::replace(&mut planned.name, name.clone());
        let cells = plan
            .cells
            .iter_mut()
            .chain(run.cells.iter_mut().map(|r| &mut r.cell));
        cells
            .filter(|c| c.host == old)
            .for_each(|c| c.host = name.clone());
    }
    let xml = render(&plan, &run, &times()).unwrap();
    assert_eq!(self_check(&xml).unwrap().errors, 0);
}
