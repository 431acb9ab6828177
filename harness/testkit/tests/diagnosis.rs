//! What a closer look leads to: which experiments the records of scenarios want.

use patchgate_core::{
    diagnosis::{Experiment, experiments},
    ledger::Ledger,
};
use patchgate_testkit::{Played, catalogue};

/// The experiments that a record wants: `host state domain: checks`.
fn wanted(played: &Played) -> Vec<String> {
    let ledger = Ledger::fold(&played.events);
    let mut told = Vec::new();
    for host in &played.plan.hosts {
        for state in &played.plan.states {
            let all = experiments(&played.plan, &ledger, &host.name, *state).into_iter();
            told.extend(all.map(|Experiment { domain, checks }| {
                let checks: Vec<_> = checks.iter().map(|c| c.check.to_string()).collect();
                format!("{} {state} {domain}: {}", host.name, checks.join(" "))
            }));
        }
    }
    told
}

#[tokio::test(start_paused = true)]
async fn experiments_are_wanted_where_selinux_may_be_the_cause_and_nowhere_else() {
    let silent = [
        "centos-web patched httpd_t: root-page root-page-local",
        "centos-web restarted httpd_t: root-page root-page-local service",
    ];
    let denied = [
        "centos-web patched httpd_t: root-page root-page-local",
        "centos-web restarted httpd_t: root-page root-page-local",
    ];
    let down = ["centos-web patched httpd_t: root-page root-page-local service"];
    for ((scenario, _), want) in [
        (catalogue::policy::quiet_night(), &[][..]),
        (catalogue::policy::february(), &silent),
        (catalogue::policy::february_without_vectors(), &silent),
        (catalogue::policy::march(), &[]),
        (catalogue::policy::loud_denial(), &denied),
        (catalogue::policy::unnoticed_denial(), &[]),
        (catalogue::policy::denied_before(), &[]),
        (catalogue::policy::mode_drift(), &[]),
        (catalogue::policy::access_lost(), &[]),
        (catalogue::services::service_down(), &down),
        (catalogue::services::firewalled(), &[]),
        (catalogue::services::broken_before(), &[]),
        (catalogue::services::config_broken(), &[]),
        (catalogue::services::bound_to_loopback(), &[]),
        (catalogue::services::check_only_fails(), &[]),
    ] {
        let played = scenario.play().await;
        assert_eq!(wanted(&played), want, "{}", played.name);
    }
}
