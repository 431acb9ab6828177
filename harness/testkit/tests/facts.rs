//! Pages of hosts, and what differs between two looks, whole texts through the real runner and record.

use patchgate_core::{
    exit,
    ledger::Ledger,
    snapshot::{
        looked::{exit_code, looked},
        pairs::{Pairs, Recorded, across, within},
    },
    state::State,
};
use patchgate_report::{console::Paint, differences, facts};
use patchgate_testkit::{
    Change, Connecting, Effect, HostScript, Moment, Played, Scenario, assert_file,
};

fn look(name: &'static str, hosts: [HostScript; 2]) -> Scenario {
    Scenario {
        looks_only: true,
        patch: None,
        ..Scenario::new(name, hosts)
    }
}

fn recorded<'a>(played: &'a Played, ledger: &'a Ledger) -> Recorded<'a> {
    Recorded {
        plan: &played.plan,
        ledger,
        host: None,
        state: None,
    }
}

fn told(pairs: &Pairs) -> String {
    differences::told(pairs, Paint::PLAIN)
}

fn pages(played: &Played) -> String {
    facts::pages(&looked(&played.plan, &played.events), Paint::PLAIN)
}

/// A host on which much is wrong.
fn sick() -> HostScript {
    let before = [
        Change::ConfigMode("permissive").into(),
        Change::Autorelabel.into(),
        Change::Module("permissive_httpd_t", 400).into(),
        Change::Customized(
            "ports.local",
            "portcon tcp 9009 system_u:object_r:http_port_t:s0",
        )
        .into(),
        Change::Label("/var/www/html/index.html", "user_home_t").into(),
        Change::Disk("/var", 100).into(),
        Change::ValidUntil(
            "/etc/pki/tls/certs/localhost.crt",
            "Feb  5 03:04:05 2013 GMT",
        )
        .into(),
        Change::UnitResult("httpd", "oom-kill").into(),
        Effect::Unit("httpd", "failed"),
        Effect::OomKill("httpd"),
        Effect::AuditdDown,
        Effect::Excluded,
        Effect::KernelLine("__ratelimit: 22683 callbacks suppressed"),
    ];
    let rebuild = HostScript::rebuild();
    before
        .into_iter()
        .fold(rebuild, |host, effect| host.when(Moment::Before, effect))
}

#[tokio::test(start_paused = true)]
async fn a_page_tells_a_well_host_and_a_sick_one() {
    let played = look("look", [HostScript::upstream(), sick()]).play().await;
    assert!(
        played.world.unknown().is_empty(),
        "{:?}",
        played.world.unknown()
    );
    let text = pages(&played);
    assert!(!text.contains("no denials"), "only a window can say that");
    assert_file("look", "facts.txt", &text);
    assert_file("look", "events.txt", &played.event_lines());
    assert_eq!(exit_code(&played.plan, &played.events), exit::OPEN);
    let ledger = Ledger::fold(&played.events);
    assert_file(
        "look",
        "twins.txt",
        &told(&within(&recorded(&played, &ledger))),
    );
}

/// Nothing is written to the audit log and nobody's lock is taken.
#[tokio::test(start_paused = true)]
async fn to_look_changes_nothing() {
    let played = look("look", [HostScript::upstream(), sick()]).play().await;
    let asked: Vec<_> = played.world.heard().iter().map(|h| h.ask).collect();
    for ask in [
        "open",
        "close",
        "slice",
        "lock-acquire",
        "job-start",
        "plan",
        "restart",
    ] {
        assert!(!asked.contains(&ask), "{asked:?}");
    }
    assert!(asked.contains(&"audit") && asked.contains(&"packages"));
    let one_batch = played
        .world
        .heard()
        .iter()
        .filter(|h| h.host == "centos-web" && h.label == "checks")
        .count();
    assert_eq!(
        one_batch,
        asked.iter().filter(|a| **a != "connect").count() / 2
    );
}

#[tokio::test(start_paused = true)]
async fn hosts_that_are_not_seen_are_told_and_cost_the_exit_code() {
    for (host, code) in [
        (
            HostScript::rebuild().connecting(Connecting::Refused),
            exit::UNDECIDED,
        ),
        (
            HostScript::rebuild().connecting(Connecting::KeyChanged),
            exit::SECURITY,
        ),
        (
            HostScript::rebuild().when(
                Moment::Before,
                Effect::LockedBy("20130222T010203Z-other", "running"),
            ),
            exit::LOCKED,
        ),
    ] {
        let played = look("unseen", [HostScript::upstream(), host]).play().await;
        assert_eq!(exit_code(&played.plan, &played.events), code);
        let text = pages(&played);
        let (_, page) = text.split_once("centos-web (rebuild").unwrap_or_default();
        assert!(page.contains("  trouble  "), "{text}");
        assert!(page.contains("snapshot       not seen: "), "{text}");
        let ledger = Ledger::fold(&played.events);
        let pairs = within(&recorded(&played, &ledger));
        assert_eq!(
            (pairs.laid.len(), pairs.left_out.len()),
            (0, 1),
            "{pairs:?}"
        );
    }
}

/// From state to state, next to the twin, and between two runs.
#[tokio::test(start_paused = true)]
async fn what_a_run_changed_is_told() {
    let after = [
        Change::Boolean("httpd_can_network_connect", true).into(),
        Change::FirewallRule("tcp dport 80 drop").into(),
        Change::ListensNot(80).into(),
        Change::Listens("127.0.0.1", 80, "httpd").into(),
        Effect::FebruaryPolicy,
    ];
    let rebuild = HostScript::rebuild();
    let rebuild = after.into_iter().fold(rebuild, |host, effect: Effect| {
        host.when(Moment::Transaction, effect)
    });
    let played = Scenario::new("changed", [HostScript::upstream(), rebuild])
        .play()
        .await;
    let ledger = Ledger::fold(&played.events);
    let run = recorded(&played, &ledger);
    assert_file("look", "states.txt", &told(&within(&run)));
    let only = |state| Recorded {
        host: played.plan.hosts.last().map(|h| h.name.clone()),
        state: Some(state),
        ..recorded(&played, &ledger)
    };
    let pairs = across(&only(State::Baseline), &only(State::Restarted));
    assert_eq!(pairs.laid.len(), 1);
    assert_file("look", "across.txt", &told(&pairs));
}
