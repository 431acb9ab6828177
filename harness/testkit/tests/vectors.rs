//! What each state asks the kernel, through the real runner.

#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

use std::collections::BTreeSet;

use patchgate_core::{
    event::What,
    evidence::access::{Query, VectorTable},
    state::State,
};
use patchgate_testkit::{Effect, HostScript, Moment, Played, Scenario, catalogue};

fn table(played: &Played, state: State) -> VectorTable {
    let of_state = |e: &&patchgate_core::event::Event| {
        e.state == Some(state) && e.host.as_ref().is_some_and(|h| h.as_str() == "centos-web")
    };
    let mut events = played.events.iter().filter(of_state);
    let table = events.find_map(|e| {
        let What::VectorsRead { vectors } = &e.what else {
            return None;
        };
        vectors.known().cloned()
    });
    table.unwrap()
}

fn about(type_: &str, class: &str) -> Query {
    let target = format!("system_u:object_r:{type_}:s0");
    Query::new("system_u:system_r:httpd_t:s0", &target, class).unwrap()
}

/// The service was stopped by the update: what it had open at the baseline is asked about all the same.
#[tokio::test(start_paused = true)]
async fn a_later_state_asks_all_that_the_baseline_was_asked() {
    let (scenario, _) = catalogue::policy::february();
    let played = scenario.play().await;
    let asked = |state| -> BTreeSet<Query> { table(&played, state).vectors.into_keys().collect() };
    let before = asked(State::Baseline);
    assert!(before.contains(&about("httpd_program_t", "file")));
    for state in [State::Patched, State::Restarted] {
        assert_eq!(asked(state), before, "{state}");
    }
    let labels = |state| table(&played, state).labels;
    assert!(labels(State::Baseline).contains_key("/usr/sbin/httpd"));
    assert!(!labels(State::Restarted).contains_key("/usr/sbin/httpd"));
}

#[tokio::test(start_paused = true)]
async fn a_type_that_a_path_has_since_is_asked_about_and_is_found_by_the_path() {
    let (scenario, _) = catalogue::policy::docroot_relabelled();
    let played = scenario.play().await;
    let new = about("default_t", "dir");
    assert!(!table(&played, State::Baseline).vectors.contains_key(&new));
    let after = table(&played, State::Patched);
    assert!(after.vectors.contains_key(&new));
    assert!(
        after
            .vectors
            .contains_key(&about("httpd_sys_content_t", "dir"))
    );
    assert_eq!(after.labels["/var/www/html"]["dir"], "default_t");
    let undecided = &played.judgement.verdict.undecided;
    assert!(undecided.is_empty(), "{undecided:?}");
}

/// What a suite asks for is asked about its domains, and stands in the plan.
#[tokio::test(start_paused = true)]
async fn what_a_suite_asks_for_is_asked() {
    const SUITE: &str = "suite: s\ndomains: [httpd_t]\nvectors: [{ target: mysqld_port_t, class: \
                         tcp_socket }]\nchecks: [{ id: a, http: { url: \"http://{{ host }}/\" } }]\n";
    let host = HostScript {
        inventory: "patchgate_role: rebuild",
        ..HostScript::rebuild().when(Moment::Before, Effect::Unit("httpd", "inactive"))
    };
    let scenario = Scenario {
        suites: vec![SUITE],
        patch: None,
        ..Scenario::new("vectors", [host])
    };
    let played = scenario.play().await;
    let table = table(&played, State::Baseline);
    assert!(
        table
            .vectors
            .contains_key(&about("mysqld_port_t", "tcp_socket"))
    );
    assert!(
        table
            .vectors
            .contains_key(&about("http_port_t", "tcp_socket"))
    );
    assert!(table.labels.is_empty());
}
