//! Remote probes beside the patch: what clients feel between the checks, and what a gate makes of it.

use std::time::Duration;

use patchgate_core::{
    event::{Event, What},
    id::HostName,
    judge,
    state::State,
    verdict::{Decision, Outage, Verdict},
};
use patchgate_testkit::{Effect, HostScript, Moment, Played, Scenario, weakened};

const LIMITED: &str = "gate: limited
require: { suites: { httpd: all, selinux: all }, outage: { longer_than: 5s } }
";

fn scenario(name: &'static str, host: HostScript, gate: Option<&'static str>) -> Scenario {
    Scenario {
        gate,
        probe_every: Some(Duration::from_secs(1)),
        ..Scenario::new(name, [HostScript::upstream(), host])
    }
}

/// httpd is down while the transaction goes on, as when a scriptlet stops it.
fn down_meanwhile() -> HostScript {
    HostScript::rebuild()
        .when(Moment::In(State::Patched), Effect::Unit("httpd", "failed"))
        .when(Moment::Transaction, Effect::Unit("httpd", "active"))
}

fn outages(verdict: &Verdict) -> Vec<&Outage> {
    verdict.soak.iter().flat_map(|told| &told.outages).collect()
}

/// Whatever is missing from the record of a run whose gate limits outages, it opens no gate.
fn assert_nothing_missing_opens(played: &Played) {
    for weak in weakened(&played.events) {
        let verdict = judge::judge(&played.plan, &weak.events).verdict;
        assert_ne!(
            verdict.verdict,
            Decision::Open,
            "{}: {}",
            played.name,
            weak.how
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_patch_is_probed_to_its_end_and_has_no_outage() {
    let played = scenario("quiet", HostScript::rebuild(), Some(LIMITED))
        .play()
        .await;
    let verdict = &played.judgement.verdict;
    assert_eq!(verdict.verdict, Decision::Open, "{:#?}", verdict.undecided);
    assert_eq!(verdict.soak.len(), 2, "one check of each host");
    for told in &verdict.soak {
        assert!(told.probes > 10, "{told:?}");
        assert_eq!((told.failed, told.unseen), (0, 0), "{told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_missing_keeps_a_gate_shut_that_lets_none_be_missing() {
    let gate = LIMITED.replace("5s", "1500ms").leak();
    let played = scenario("strict", HostScript::rebuild(), Some(gate))
        .play()
        .await;
    assert_eq!(played.judgement.verdict.verdict, Decision::Open);
    let weakened = weakened(&played.events);
    // The end of the probes stands so close to the last one that it need not be there.
    let last = |e: &Event| matches!(e.what, What::SoakProbed { .. });
    let last = played.events.iter().rposition(last).unwrap() + 1;
    let last = format!("a probe less in event {last}");
    for weak in weakened.iter().filter(|w| w.evidence && w.how != last) {
        let verdict = judge::judge(&played.plan, &weak.events).verdict;
        assert_ne!(verdict.verdict, Decision::Open, "{}", weak.how);
    }
}

#[tokio::test(start_paused = true)]
async fn probes_begin_after_the_baseline_and_end_after_the_last_state() {
    let played = scenario("order", HostScript::rebuild(), None).play().await;
    let host = HostName::new("centos-web").unwrap();
    let ours = played
        .events
        .iter()
        .filter(|e| e.host.as_ref() == Some(&host));
    let ours: Vec<_> = ours.collect();
    let at = |wanted: fn(&What) -> bool| ours.iter().position(|e| wanted(&e.what)).unwrap();
    let begun = at(|w| matches!(w, What::SoakBegun { .. }));
    let ended = at(|w| matches!(w, What::SoakEnded { .. }));
    let before = |state: State| {
        let of = ours.iter().rposition(|e| e.state == Some(state));
        of.unwrap()
    };
    assert!(before(State::Baseline) < begun);
    assert!(begun < at(|w| matches!(w, What::PatchStarted { .. })));
    assert!(before(State::Restarted) < ended);
    assert!(ended < at(|w| matches!(w, What::HostFinished { .. })));
}

#[tokio::test(start_paused = true)]
async fn an_outage_between_checks_that_all_pass_is_told_and_closes_no_gate_without_a_limit() {
    let played = scenario("told", down_meanwhile(), None).play().await;
    let verdict = &played.judgement.verdict;
    assert_eq!(verdict.verdict, Decision::Open, "{:#?}", verdict.undecided);
    let outages = outages(verdict);
    let [outage] = outages[..] else {
        panic!("{outages:#?}")
    };
    assert_eq!(outage.symptoms.len(), 1);
    assert_eq!(outage.symptoms[0].0, "connection refused");
    assert!(outage.at_least_ms <= outage.length_ms);
    assert!(
        outage
            .at_most_ms
            .is_some_and(|most| most > outage.length_ms)
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_is_surely_longer_than_the_limit_closes_the_gate() {
    let played = scenario("closed", down_meanwhile(), Some(LIMITED))
        .play()
        .await;
    let verdict = &played.judgement.verdict;
    assert_eq!(verdict.verdict, Decision::Closed);
    let ids: Vec<_> = verdict.findings.iter().map(|f| f.id.as_str()).collect();
    assert_eq!(ids, ["outage.centos-web.httpd"]);
    assert_nothing_missing_opens(&played);
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_may_have_been_longer_leaves_the_gate_undecided() {
    let played = scenario("limits", down_meanwhile(), None).play().await;
    let length = outages(&played.judgement.verdict)[0].clone();
    let most = length.at_most_ms.unwrap();
    for (limit_ms, decision) in [
        (length.at_least_ms - 1, Decision::Closed),
        (length.at_least_ms, Decision::Undecided),
        (most - 1, Decision::Undecided),
        (most, Decision::Open),
    ] {
        let mut plan = played.plan.clone();
        plan.policy.outage = Some(patchgate_core::policy::OutageLimit {
            longer_than: Duration::from_millis(limit_ms),
        });
        let verdict = judge::judge(&plan, &played.events).verdict;
        assert_eq!(verdict.verdict, decision, "{limit_ms} of {length:?}");
    }
}

/// Nothing to apply, and services that are restarted all the same.
#[tokio::test(start_paused = true)]
async fn a_night_without_updates_is_probed_too() {
    let nothing = HostScript {
        updates: Vec::new(),
        ..HostScript::rebuild()
    };
    let played = scenario("nothing", nothing, Some(LIMITED)).play().await;
    assert_eq!(played.judgement.verdict.verdict, Decision::Open);
    let host = HostName::new("centos-web").unwrap();
    let mut events = played.events.clone();
    let soak = |e: &Event| {
        e.host.as_ref() == Some(&host)
            && matches!(
                e.what,
                What::SoakBegun { .. } | What::SoakProbed { .. } | What::SoakEnded { .. }
            )
    };
    events.retain(|e| !soak(e));
    for (event, seq) in events.iter_mut().zip(1..) {
        event.seq = seq;
    }
    let verdict = judge::judge(&played.plan, &events).verdict;
    assert_eq!(verdict.verdict, Decision::Undecided);
}

/// Clients of the February host wait five seconds each and get nothing.
fn hangs() -> HostScript {
    HostScript::rebuild().when(Moment::In(State::Patched), Effect::FebruaryPolicy)
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_is_asked_by_ten_clients_at_once_and_no_more() {
    let scenario = Scenario {
        probe_every: Some(Duration::from_millis(100)),
        ..scenario("hangs", hangs(), None)
    };
    let played = scenario.play().await;
    let host = HostName::new("centos-web").unwrap();
    let mut times = Vec::new();
    for event in played
        .events
        .iter()
        .filter(|e| e.host.as_ref() == Some(&host))
    {
        if let What::SoakProbed { stretch } = &event.what {
            times.extend(stretch.times());
        }
    }
    let under_way = |at: u64| times.iter().filter(|(b, e)| *b <= at && at < *e).count();
    let most = times.iter().map(|(begun, _)| under_way(*begun)).max();
    assert_eq!(most, Some(10));
    let mut told = played.judgement.verdict.soak.iter();
    let told = told.find(|told| told.host == host).unwrap();
    assert!(told.failed > 0 && told.unseen > 0, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_waits_for_no_probe() {
    let stopped = |probe_every| async move {
        let scenario = Scenario {
            probe_every,
            stop_at: Some(("centos-web", "waiting for the transaction")),
            ..scenario("stopped", hangs(), None)
        };
        let begun = tokio::time::Instant::now();
        let played = scenario.play().await;
        let probed = |e: &&Event| matches!(e.what, What::SoakProbed { .. });
        (begun.elapsed(), played.events.iter().filter(probed).count())
    };
    let (without, none) = stopped(None).await;
    let (with, some) = stopped(Some(Duration::from_millis(250))).await;
    assert!(none == 0 && some > 0);
    assert!(
        with < without + Duration::from_secs(1),
        "{with:?} after {without:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_limit_without_probes_is_undecided() {
    let silent = Scenario {
        probe_every: None,
        ..scenario("silent", HostScript::rebuild(), Some(LIMITED))
    };
    let verdict = silent.play().await.judgement.verdict;
    assert_eq!(verdict.verdict, Decision::Undecided);
    let whys: Vec<_> = verdict.undecided.iter().map(|u| u.why.as_str()).collect();
    assert_eq!(
        whys,
        ["whether remote clients were served is not in the record"; 2]
    );
}
