//! When an experiment is wanted, and when something else is certain.

use super::*;
use crate::{
    diagnosis::{
        step::Step,
        testing::{
            Night, answered, exited, failed, host, id, mode, named_unit, page, seen, unit_found,
            unit_is,
        },
    },
    event::What,
    evidence::{access::VectorTable, vectors::parse_vectors},
    observation::Observation,
    reading::Reading,
};

const STATE: State = State::Patched;

fn of(night: &Night) -> Vec<Experiment> {
    experiments(&night.plan, &night.ledger(), &host(), STATE)
}

/// The checks that are asked again.
fn checks(night: &Night) -> Vec<String> {
    let checks = of(night).into_iter().flat_map(|e| e.checks);
    checks.map(|c| c.check.to_string()).collect()
}

fn refused() -> Night {
    Night::new().saw(STATE, "page", failed(HttpPhase::Refused))
}

#[test]
fn it_is_wanted_for_what_selinux_can_show_as() {
    for (check, saw, wanted) in [
        ("page", failed(HttpPhase::Refused), true),
        ("page", failed(HttpPhase::Reset), true),
        ("page", failed(HttpPhase::NoData), true),
        ("page", failed(HttpPhase::FirstByteTimeout), true),
        ("page", failed(HttpPhase::Body), true),
        ("page", failed(HttpPhase::ConnectTimeout), false),
        ("page", failed(HttpPhase::Unreachable), false),
        ("page", failed(HttpPhase::Dns), false),
        ("page", failed(HttpPhase::Tls), false),
        ("page", failed(HttpPhase::Protocol), false),
        ("page", answered(403), true),
        ("page", answered(404), true),
        ("page", answered(500), true),
        ("page", answered(302), false),
        ("page", answered(200), true),
        ("control", answered(503), true),
        ("runs", unit_is("failed", "enabled"), true),
        ("runs", unit_is("active", "disabled"), false),
        ("rests", unit_is("active", "enabled"), false),
        ("says", exited(1), true),
    ] {
        let night = Night::new().saw(STATE, check, saw.clone());
        let want = if wanted {
            vec![check.to_owned()]
        } else {
            vec![]
        };
        assert_eq!(checks(&night), want, "{check}: {saw:?}");
    }
}

#[test]
fn the_domain_is_the_suites_and_every_failure_is_asked_again_at_once() {
    let night = refused().saw(STATE, "runs", unit_is("failed", "enabled"));
    let want = Experiment {
        domain: "httpd_t".into(),
        checks: ["page", "runs"].map(id).to_vec(),
    };
    assert_eq!(of(&night), [want]);
}

#[test]
fn it_is_for_enforcing_lab_hosts_under_a_patch_alone() {
    let none = |night: Night| assert_eq!(of(&night), []);
    none(refused().plan(|p| p.hosts[0].lab = false));
    none(refused().plan(|p| p.patch = None));
    none(refused().plan(|p| p.suites[0].domains.clear()));
    none(refused().with(STATE, mode("Permissive")));
    none(refused().with(STATE, mode("Disabled")));
    none(refused().saw(State::Baseline, "page", failed(HttpPhase::Refused)));
    none(Night::new());
}

#[test]
fn a_certain_other_cause_makes_it_superfluous() {
    let config = |exit, output: &str| Found::ConfigTest {
        command: "httpd -t".into(),
        exit,
        output: output.into(),
    };
    let request = |end| Found::Request {
        check: id("page"),
        from: "localhost".into(),
        saw: seen(end),
    };
    let Observation::Http(no) = failed(HttpPhase::Refused) else {
        unreachable!("it was made so")
    };
    for (found, wanted) in [
        (request(page(200)), false),
        (request(page(403)), false),
        (request(no.end), true),
        (unit_found("inactive", "success"), false),
        (unit_found("failed", "oom-kill"), false),
        (unit_found("failed", "exit-code"), true),
        (named_unit("telnet", "inactive", "success"), true),
        (unit_found("active", "success"), true),
        (config(Some(1), "Syntax error on line 7 of /a"), false),
        (
            config(Some(1), "could not open /a: Permission denied"),
            true,
        ),
        (config(Some(0), "Syntax OK"), true),
        (config(None, ""), true),
        (Found::Listeners { listeners: vec![] }, true),
        (
            Found::Unavailable {
                what: Step::Listeners.name(),
                why: "x".into(),
            },
            true,
        ),
    ] {
        let night = refused().found(STATE, "page", found.clone());
        assert_eq!(!of(&night).is_empty(), wanted, "{found:?}");
        // What was found of another failure, or in another state, says nothing of this one.
        for elsewhere in [
            refused().found(STATE, "says", found.clone()),
            refused().found(State::Restarted, "page", found.clone()),
        ] {
            assert_eq!(of(&elsewhere).len(), 1, "{found:?}");
        }
    }
}

/// A stopped unit and a broken configuration explain a service that is not there, not one that answers.
#[test]
fn what_explains_a_service_that_is_down_does_not_explain_one_that_answers() {
    let denied = || Night::new().saw(STATE, "page", answered(403));
    let config = Found::ConfigTest {
        command: "httpd -t".into(),
        exit: Some(1),
        output: "Syntax error".into(),
    };
    for found in [config, unit_found("inactive", "success")] {
        assert_eq!(of(&denied().found(STATE, "page", found)).len(), 1);
    }
    let killed = unit_found("failed", "oom-kill");
    assert_eq!(of(&denied().found(STATE, "page", killed)), []);
}

#[test]
fn a_control_that_is_answered_leaves_the_way_to_the_host() {
    let night = |symptom, control| {
        Night::new()
            .saw(STATE, "other", failed(symptom))
            .saw(STATE, "control", control)
    };
    assert_eq!(of(&night(HttpPhase::Refused, answered(200))), []);
    let both = night(HttpPhase::Refused, failed(HttpPhase::Refused));
    assert_eq!(checks(&both), ["other", "control"]);
    // A denial of `accept` need not be the same for every peer.
    let silent = night(HttpPhase::FirstByteTimeout, answered(200));
    assert_eq!(checks(&silent), ["other"]);
}

fn table(allowed: &str, flags: &str) -> VectorTable {
    let rows: String = ["httpd_t", "php_t"]
        .map(|d| {
            let own = format!("system_u:system_r:{d}:s0");
            let (allowed, flags) = if d == "php_t" {
                (allowed, flags)
            } else {
                ("3fa3f", "0")
            };
            format!("av {own} {own} tcp_socket : {allowed} ffffffff 0 ffffffff 1 {flags}\n")
        })
        .concat();
    parse_vectors(&format!(
        "vectors begin 2\nclass tcp_socket 7\nperm tcp_socket listen 14\n{rows}vectors end 2\n"
    ))
    .table
}

fn two_domains(before: VectorTable, after: VectorTable) -> Vec<String> {
    let read = |table| What::VectorsRead {
        vectors: Reading::Known(table),
    };
    let night = refused()
        .plan(|p| p.suites[0].domains = vec!["httpd_t".into(), "php_t".into()])
        .with(State::Baseline, read(before))
        .with(STATE, read(after));
    of(&night).into_iter().map(|e| e.domain).collect()
}

#[test]
fn the_domain_that_lost_access_goes_alone_and_a_permissive_one_never() {
    let same = || table("3fa3f", "0");
    assert_eq!(two_domains(same(), same()), ["httpd_t", "php_t"]);
    assert_eq!(two_domains(same(), table("39a3f", "0")), ["php_t"]);
    assert_eq!(two_domains(same(), table("39a3f", "1")), ["httpd_t"]);
    let empty = VectorTable {
        vectors: BTreeMap::new(),
        ..same()
    };
    assert_eq!(two_domains(empty, same()), ["httpd_t", "php_t"]);
}
