//! What the verdict says of each denial: next to the baseline, to the twin, and to allow-lists.

#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

use patchgate_core::{
    evidence::access::AccessVector,
    outcome::Outcome,
    reading::Reading,
    state::State,
    suite::CheckKind,
    verdict::{Class, Decision, Standing, StateStatement},
};
use patchgate_testkit::{
    Denied, Effect, HostScript, Moment, Played, Scenario, catalogue,
    night::{Night, Seen, known},
};

/// What is said of the scripted rebuild in a state.
fn said(played: &Played, state: State) -> &StateStatement {
    let hosts = &played.judgement.verdict.hosts;
    let host = hosts.iter().find(|h| h.host.as_str() == "centos-web");
    let mut states = host.unwrap().denials.iter();
    states.find(|s| s.state == state).unwrap()
}

/// The standing of the only denial of the rebuild in a state.
fn standing(played: &Played, state: State) -> Vec<Standing> {
    let seen = &said(played, state).seen;
    assert_eq!(seen.len(), 1, "{seen:?}");
    seen[0].standing.clone()
}

fn denied() -> HostScript {
    HostScript::rebuild().when(Moment::Transaction, Effect::Loud(Denied::Unnoticed))
}

/// One rebuild, whose page is asked for, and a suite of checks of denials.
fn scenario(host: HostScript, suite: &'static str, allow: &'static str) -> Scenario {
    const PAGE: &str =
        "suite: page\nchecks:\n  - { id: page, http: { url: \"http://{{ host }}/\" } }\n";
    let host = HostScript {
        inventory: "patchgate_role: rebuild",
        ..host
    };
    Scenario {
        suites: vec![PAGE, suite],
        allow,
        ..Scenario::new("denials", [host])
    }
}

const PLAIN: &str = "suite: s\nchecks:\n  - { id: a, denials: {} }\n";

#[tokio::test(start_paused = true)]
async fn a_denial_is_new_only_next_to_a_whole_baseline() {
    let new = scenario(denied(), PLAIN, "allow: []").play().await;
    assert_eq!(standing(&new, State::Patched), [Standing::New]);
    let blind = denied().when(Moment::In(State::Baseline), Effect::Lost(1));
    let blind = scenario(blind, PLAIN, "allow: []").play().await;
    assert_eq!(standing(&blind, State::Patched), [Standing::Uncompared]);
    let before = HostScript::rebuild().when(Moment::Before, Effect::Loud(Denied::Unnoticed));
    let old = scenario(before.clone(), PLAIN, "allow: []").play().await;
    for state in [State::Baseline, State::Patched] {
        assert_eq!(standing(&old, state), [Standing::Baseline], "{state}");
    }
    let mut only_checks = scenario(before, PLAIN, "allow: []");
    only_checks.patch = None;
    let only_checks = only_checks.play().await;
    assert_eq!(
        standing(&only_checks, State::Baseline),
        [Standing::Uncompared]
    );
}

#[tokio::test(start_paused = true)]
async fn a_denial_of_the_twin_in_the_same_state_is_told() {
    let played = catalogue::allow::also_on_twin().0.play().await;
    let both = [Standing::New, Standing::AlsoOnTwin];
    assert_eq!(standing(&played, State::Patched), both);
    let fate = played.judgement.verdict.findings[0].twin.as_ref().unwrap();
    assert_eq!(fate.fate, patchgate_core::verdict::Fate::Affected);
}

const ENTRY: &str = "allow:\n  - { source: httpd_t, target: shadow_t, class: file, permissions: [getattr], \
                     reason: r, ticket: t, expires: 2013-12-31 }\n";

/// The list of one check says nothing for another that watches the same domain.
#[tokio::test(start_paused = true)]
async fn a_denial_counts_as_allowed_when_all_that_watch_it_allow_it() {
    const TWO: &str = "suite: s\nchecks:\n  - { id: lenient, denials: { allow: known.yaml } }\n  \
                       - { id: strict, denials: { domains: [httpd_t] } }\n";
    const ELSEWHERE: &str = "suite: s\nchecks:\n  - { id: lenient, denials: { allow: known.yaml } }\n  \
                             - { id: strict, denials: { domains: [sshd_t] } }\n";
    let played = scenario(denied(), TWO, ENTRY).play().await;
    assert_eq!(standing(&played, State::Patched), [Standing::New]);
    assert_eq!(said(&played, State::Patched).allowed, 0);
    assert_eq!(played.judgement.verdict.verdict, Decision::Closed);
    let failed: Vec<_> = played
        .judgement
        .cells
        .iter()
        .filter(|c| c.failed())
        .map(|c| c.cell.check.to_string())
        .collect();
    assert_eq!(failed, ["s/strict", "s/strict"]);
    let played = scenario(denied(), ELSEWHERE, ENTRY).play().await;
    let allowed = [Standing::New, Standing::Allowed];
    assert_eq!(standing(&played, State::Patched), allowed);
    assert_eq!(said(&played, State::Patched).allowed, 1);
    assert_eq!(played.judgement.verdict.verdict, Decision::Open);
}

/// Of one fingerprint every record must fit: one that does not takes the rest along.
#[tokio::test(start_paused = true)]
async fn one_record_that_does_not_fit_takes_the_rest_along() {
    const BY_FILE: &str = "allow:\n  - { source: httpd_t, target: shadow_t, class: file, permissions: \
                           [getattr], program: /usr/sbin/httpd, reason: r, ticket: t, expires: \
                           2013-12-31 }\n";
    const ONE: &str = "suite: s\nchecks:\n  - { id: a, denials: { allow: known.yaml } }\n";
    const OURS: &str = "type=AVC msg=audit(1361500900.100:905): avc:  denied  { getattr } for  pid=283 \
                        comm=\"httpd\" exe=\"/usr/sbin/httpd\" scontext=u:r:httpd_t:s0 \
                        tcontext=u:object_r:shadow_t:s0 tclass=file permissive=0";
    const OTHER: &str = "type=AVC msg=audit(1361500900.100:906): avc:  denied  { getattr } for  pid=284 \
                         comm=\"httpd\" exe=\"/tmp/httpd\" scontext=u:r:httpd_t:s0 \
                         tcontext=u:object_r:shadow_t:s0 tclass=file permissive=0";
    let ours = HostScript::rebuild().when(Moment::In(State::Restarted), Effect::AuditLine(OURS));
    let played = scenario(ours.clone(), ONE, BY_FILE).play().await;
    assert_eq!(played.judgement.verdict.verdict, Decision::Open);
    let other = ours.when(Moment::In(State::Restarted), Effect::AuditLine(OTHER));
    let played = scenario(other, ONE, BY_FILE).play().await;
    assert_eq!(played.judgement.verdict.verdict, Decision::Closed);
    let seen = &said(&played, State::Restarted).seen[0];
    assert_eq!((seen.count, seen.enforced, seen.permissive), (2, 2, 0));
    assert_eq!(seen.standing, [Standing::New]);
}

/// A flood of kinds is counted, and the verdict stays of a size.
#[tokio::test(start_paused = true)]
async fn a_flood_of_kinds_is_listed_in_part() {
    let mut host = denied();
    for n in 0..300 {
        let line = format!(
            "type=AVC msg=audit(1361500900.100:{}): avc:  denied  {{ read }} for  pid=7 \
             comm=\"w{n}\" scontext=u:r:httpd_t:s0 tcontext=u:object_r:x_t:s0 tclass=file permissive=1",
            1000 + n
        );
        host = host.when(
            Moment::In(State::Patched),
            Effect::AuditLine(String::leak(line)),
        );
    }
    const ONE: &str = "suite: s\nchecks:\n  - { id: a, denials: { allow: known.yaml } }\n";
    let played = scenario(host, ONE, ENTRY).play().await;
    let said = said(&played, State::Patched);
    assert_eq!(
        (said.seen.len(), said.unlisted, said.allowed),
        (200, 101, 1)
    );
    assert!(said.seen.iter().all(|s| s.standing == [Standing::New]));
    let permissive = said.seen.iter().filter(|s| s.permissive == 1);
    assert_eq!(permissive.count(), 200);
}

/// The allowed one would be the first by name.
#[tokio::test(start_paused = true)]
async fn what_is_allowed_is_the_less_likely_cause() {
    let other = "type=AVC msg=audit(1361500210.900:209): avc:  denied  { append } for  pid=283 \
                 comm=\"httpd\" scontext=system_u:system_r:httpd_t:s0 \
                 tcontext=system_u:object_r:z_log_t:s0 tclass=file permissive=0";
    const LISTED: &str = "suite: s\ndomains: [httpd_t]\nchecks:\n  - { id: a, denials: { domains: \
                          [httpd_t], allow: known.yaml } }\n";
    let host = denied().when(Moment::In(State::Patched), Effect::AuditLine(other));
    for (allow, target) in [("allow: []", "shadow_t"), (ENTRY, "z_log_t")] {
        let played = scenario(host.clone(), LISTED, allow).play().await;
        let findings = &played.judgement.verdict.findings;
        let new = findings.iter().find(|f| f.class == Class::NewDenial);
        let denial = new.and_then(|f| f.cause.denial.clone()).unwrap();
        assert_eq!(denial.target, target, "{findings:#?}");
    }
}

/// How the check of denials ended in each state.
fn ended(night: &Night) -> [&'static str; 3] {
    let cells = night.judged().cells;
    [State::Baseline, State::Patched, State::Restarted].map(|state| {
        let mut cells = cells.iter().filter(|c| c.cell.state == state);
        let cell = cells.find(|c| c.cell.check.to_string() == "httpd/no-new-denials");
        match &cell.unwrap().outcome {
            Outcome::Passed => "passed",
            Outcome::Failed { .. } => "failed",
            Outcome::Blind { gaps } => {
                let lost = "httpd_t may not { accept listen } on tcp_socket of httpd_t";
                assert!(gaps.iter().any(|gap| gap.contains(lost)), "{gaps:?}");
                "blind"
            }
            Outcome::Errored { .. } | Outcome::NotRun { .. } | Outcome::NotNeeded { .. } => {
                "unsettled"
            }
        }
    })
}

/// A night whose check of denials watches these domains.
fn watching(mut night: Night, domains: &[&str]) -> Night {
    let checks = night.plan.suites.iter_mut().flat_map(|s| &mut s.checks);
    for check in checks {
        if let CheckKind::Denials(denials) = &mut check.kind {
            denials.domains = domains.iter().map(|d| (*d).to_owned()).collect();
        }
    }
    night
}

/// Changes the kernel's answers of a state.
fn answers(seen: &mut Seen, change: impl Fn(&mut AccessVector)) {
    let Reading::Known(table) = &mut seen.vectors else {
        panic!("the night has a table");
    };
    table.vectors.values_mut().for_each(change);
}

/// A denial that the policy silences is in no log, so that an empty one says nothing of it.
#[test]
fn no_denials_are_said_of_nothing_that_was_lost_in_silence() {
    let february = || Night::quiet().from(State::Patched, Seen::february);
    let logged = |s: &mut Seen| answers(s, |v| v.auditdeny = u32::MAX);
    let permissive = |s: &mut Seen| answers(s, |v| v.flags = 1);
    let denied = |s: &mut Seen| s.log.push(known::getattr(false));
    let unread = |s: &mut Seen| s.vectors = Reading::missing("no selinuxfs");
    let all = ["passed", "passed", "passed"];
    let later = ["passed", "blind", "blind"];
    for (name, night, wanted) in [
        ("nothing is lost", Night::quiet(), all),
        ("lost in silence", february(), later),
        ("and the clients feel it", known::february(), later),
        (
            "lost from the restart on",
            Night::quiet().at(State::Restarted, Seen::february),
            ["passed", "passed", "blind"],
        ),
        (
            "given back by the restart",
            Night::quiet().at(State::Patched, Seen::february),
            ["passed", "blind", "passed"],
        ),
        (
            "not asked again after the restart",
            february().at(State::Restarted, unread),
            later,
        ),
        (
            "never had",
            Night::quiet().from(State::Baseline, Seen::february),
            all,
        ),
        (
            "lost, and logged when it is missed",
            february().from(State::Patched, logged),
            all,
        ),
        (
            "of a domain that is permissive",
            february().from(State::Patched, permissive),
            all,
        ),
        (
            "of a domain that is not watched",
            watching(february(), &["named_t"]),
            all,
        ),
        (
            "of one of the watched domains",
            watching(february(), &["named_t", "httpd_t"]),
            later,
        ),
        ("of any domain", watching(february(), &[]), later),
        (
            "beside a denial that is logged",
            february().at(State::Patched, denied),
            ["passed", "failed", "blind"],
        ),
    ] {
        assert_eq!(ended(&night), wanted, "{name}");
    }
}
