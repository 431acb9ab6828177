//! Windows through the real runner: their segments, their control, and the logs that stand in.

#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

use patchgate_core::{
    event::{Event, What},
    evidence::{
        capture::{LogSource, WindowCapture},
        segment::AskedFrom,
        window::{WindowEvidence, examine},
    },
    id::CheckId,
    judge::judge,
    state::State,
    verdict::{Class, Decision},
};
use patchgate_testkit::{Break, Comeback, Denied, Effect, HostScript, Moment, Played, Scenario};

/// One host, of which everything is collected, and which is only looked at unless it is patched.
fn alone(host: HostScript) -> Scenario {
    let inventory = "patchgate_role: rebuild";
    Scenario::new("windows", [HostScript { inventory, ..host }])
}

fn window(played: &Played, state: State) -> (WindowCapture, WindowEvidence) {
    let found = played.events.iter().find_map(|event| {
        let What::WindowCaptured { capture, expected } = &event.what else {
            return None;
        };
        let evidence = examine(capture, *expected);
        (event.state == Some(state)).then(|| ((**capture).clone(), evidence))
    });
    found.unwrap()
}

fn id(check: &str) -> CheckId {
    CheckId::try_from(check.to_owned()).unwrap()
}

/// The batches that the host heard, one label each, and what the items of all of them were.
fn heard(played: &Played) -> (Vec<String>, Vec<&'static str>) {
    let heard = played.world.heard();
    let mut labels: Vec<String> = heard.iter().map(|h| h.label.clone()).collect();
    labels.dedup();
    (labels, heard.iter().map(|h| h.ask).collect())
}

#[tokio::test(start_paused = true)]
async fn markers_cost_items_and_no_round_trip() {
    let with = alone(HostScript::rebuild()).play().await;
    let without = alone(HostScript::rebuild().when(Moment::Before, Effect::NoAuditctl));
    let without = without.play().await;
    let (batches, asks) = heard(&with);
    let (mut batches_without, asks_without) = heard(&without);
    // Without auditctl another log is looked for when a window closes; with it nothing more is asked.
    batches_without.retain(|label| label != "reading another log");
    assert_eq!(batches, batches_without);
    let marks = |asks: &[&str]| asks.iter().filter(|ask| **ask == "segment").count();
    // Three checks on the host in each of three states.
    assert_eq!((marks(&asks), marks(&asks_without)), (3 * (3 + 1), 0));
    let marked = with
        .world
        .heard()
        .into_iter()
        .filter(|h| h.ask == "segment");
    assert!(marked.into_iter().all(|h| h.label == "checks"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_marked_where_nothing_is_collected() {
    let mut scenario = alone(HostScript::rebuild());
    scenario.gate =
        Some("gate: lenient\nrequire:\n  suites: { selinux: all }\n  coverage: not-collected\n");
    let (_, asks) = heard(&scenario.play().await);
    assert!(
        !asks.contains(&"segment") && !asks.contains(&"open"),
        "{asks:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_denial_belongs_to_the_checks_that_met_it() {
    let host = HostScript::rebuild().when(Moment::Transaction, Effect::Loud(Denied::Page));
    let played = alone(host).play().await;
    let (capture, evidence) = window(&played, State::Patched);
    let asked_from: Vec<_> = capture.segments.iter().map(|s| s.asked_from).collect();
    let host = AskedFrom::Host;
    assert_eq!(asked_from, [host, host, host, AskedFrom::Controller]);
    for (check, count) in [
        ("httpd/root-page-local", 1),
        ("httpd/service", 0),
        ("selinux/enforcing", 0),
        ("httpd/root-page", 1),
    ] {
        let denials = evidence.denials_of(&id(check));
        assert_eq!(denials.known().unwrap().len(), count, "{check}");
    }
    let none = evidence.denials_of(&id("httpd/no-new-denials"));
    assert!(none.known().is_none(), "it is no check of any moment");
}

#[tokio::test(start_paused = true)]
async fn a_cause_is_looked_for_in_the_failed_checks_own_segment_first() {
    // It would be the first by name, and is of the moment before the checks.
    let other = "type=AVC msg=audit(1361500210.900:209): avc:  denied  { read } for  pid=283 \
                 comm=\"httpd\" scontext=system_u:system_r:httpd_t:s0 \
                 tcontext=system_u:object_r:a_log_t:s0 tclass=file permissive=0";
    let host = HostScript::rebuild()
        .when(Moment::In(State::Patched), Effect::AuditLine(other))
        .when(Moment::In(State::Restarted), Effect::AuditLine(other))
        .when(Moment::Transaction, Effect::Loud(Denied::Page));
    for (lost, target) in [(false, "shadow_t"), (true, "a_log_t")] {
        let host = if lost {
            host.clone().when(Moment::Before, Effect::InnerMarkersLost)
        } else {
            host.clone()
        };
        let played = alone(host).play().await;
        // The page's label would explain both; here nobody looked at it.
        let mut events = played.events.clone();
        events.retain(|e| !matches!(e.what, What::Diagnosed { .. }));
        let findings = judge(&played.plan, &events).verdict.findings;
        let failure = findings.iter().find(|f| f.class == Class::Regression);
        let denial = failure.and_then(|f| f.cause.denial.clone()).unwrap();
        assert_eq!(denial.target, target, "{lost}: {findings:#?}");
        assert_eq!(window(&played, State::Patched).1.denials().count(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn markers_that_are_lost_inside_are_no_gap_of_the_state() {
    let host = HostScript::rebuild().when(Moment::Before, Effect::InnerMarkersLost);
    let played = alone(host).play().await;
    assert_eq!(played.judgement.verdict.verdict, Decision::Open);
    let (_, evidence) = window(&played, State::Restarted);
    assert!(evidence.denials_of(&id("httpd/service")).why().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_control_that_is_impossible_is_told_and_opens_the_gate_all_the_same() {
    let host = HostScript::rebuild().when(Moment::Before, Effect::ControlImpossible);
    let played = alone(host).play().await;
    let verdict = &played.judgement.verdict;
    assert_eq!(verdict.verdict, Decision::Open);
    for said in &verdict.hosts[0].denials {
        assert_eq!(
            said.statement,
            "no denials; no denial could be provoked at the begin of the window: \
             a dontaudit rule hides dyntransition"
        );
    }
}

/// auditd stops before the run or amid a window: what the journal holds counts, and is not all.
#[tokio::test(start_paused = true)]
async fn a_journal_stands_in_for_auditds_log() {
    for (when, beside) in [
        (Moment::Before, Effect::AuditdDown),
        (Moment::In(State::Patched), Effect::AuditdDown),
        (Moment::In(State::Patched), Effect::LogUnreadable),
    ] {
        let host = HostScript::rebuild()
            .when(Moment::Before, Effect::Journal)
            .when(when, beside.clone())
            .when(Moment::Transaction, Effect::Loud(Denied::Page));
        let played = alone(host).play().await;
        let (capture, evidence) = window(&played, State::Patched);
        let sources = [
            capture.log.source,
            capture.beside.first().map_or(LogSource::None, |s| s.source),
        ];
        assert!(
            sources.contains(&LogSource::Journal),
            "{beside:?}: {sources:?}"
        );
        assert_eq!(
            evidence.denials().count(),
            2,
            "{beside:?}: {:?}",
            evidence.decisions
        );
        assert_eq!(
            played.judgement.verdict.verdict,
            Decision::Closed,
            "{beside:?}"
        );
        let said = &played.judgement.verdict.hosts[0].denials[1];
        assert!(said.gaps.iter().any(|gap| gap == "weak-source"), "{said:?}");
        assert!(said.statement.starts_with("2 denials or more"), "{said:?}");
    }
}

/// A host that is lost while another log is read: what its end said before stays in the record.
#[tokio::test(start_paused = true)]
async fn a_window_whose_other_log_cannot_be_had_is_closed_all_the_same() {
    let lost = Break::before("reading another log").then(Comeback::Never);
    let host = HostScript::rebuild()
        .when(Moment::Before, Effect::AuditdDown)
        .breaks(lost);
    let played = alone(host).play().await;
    let (capture, evidence) = window(&played, State::Baseline);
    assert!(capture.end.known().is_some() && capture.beside.is_empty());
    let gaps: Vec<_> = evidence.coverage.gaps().iter().map(|g| g.name()).collect();
    assert!(gaps.contains(&"auditd-not-running"), "{gaps:?}");
    let lost = |e: &&Event| matches!(e.what, What::HostLost { .. });
    assert_eq!(played.events.iter().filter(lost).count(), 1);
    assert_ne!(played.judgement.verdict.verdict, Decision::Open);
}
