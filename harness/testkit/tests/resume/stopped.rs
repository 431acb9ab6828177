//! Runs that somebody stops, and goes on with.

use super::*;

/// How long a run may take to end that was stopped.
const GRACE: Duration = Duration::from_secs(3);

/// The same where a lab host that an experiment changed is restored first.
const RESTORING: Duration = Duration::from_secs(11);

const HOST: &str = "centos-web";

/// What a host of these scenarios is asked, batch by batch.
const LABELS: [&str; 11] = [
    "taking the lock",
    "entering the state",
    "checks",
    "closing the window",
    "planning the transaction",
    "starting the transaction",
    "waiting for the transaction",
    "restarting the services",
    "diagnosing",
    "changing the policy",
    "giving the lock back",
];

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_ends_soon_and_goes_on_to_the_same_verdict() {
    for name in ["quiet-night", "february"] {
        let mut scenario = scenario(name);
        let whole = scenario.play().await;
        let wanted = came(&scenario, &whole);
        let heard = |label: &str| {
            whole
                .world
                .heard()
                .iter()
                .any(|h| h.host == HOST && h.label == label)
        };
        for label in LABELS.into_iter().filter(|l| heard(l)) {
            scenario.stop_at = Some((HOST, label));
            let stopped = scenario.play_stopped().await;
            let limit = if label == "changing the policy" {
                RESTORING
            } else {
                GRACE
            };
            assert!(stopped.took <= limit, "{name}, {label}: {:?}", stopped.took);
            let (before, after) = (stopped.before.verdict, &stopped.played);
            assert_ne!(before.verdict, Decision::Open, "{name}, {label}");
            let told = after.summary();
            assert_eq!(came(&scenario, after), wanted, "{name}, {label}\n{told}");
        }
    }
}
