//! A reboot is ordered once, after it is in the record, and only where a patch set asks for one.

use patchgate_core::event::{Event, What};
use patchgate_testkit::{Played, catalogue};

fn orders(played: &Played, host: &str) -> usize {
    let heard = played.world.heard();
    let orders = heard
        .iter()
        .filter(|h| h.host == host && h.ask == "reboot-order");
    orders.count()
}

fn has(played: &Played, host: &str, is: fn(&What) -> bool) -> usize {
    let ours = |e: &&Event| e.host.as_ref().is_some_and(|h| h.as_str() == host);
    let events = played.recorded.iter().filter(ours);
    events.filter(|e| is(&e.what)).count()
}

#[tokio::test(start_paused = true)]
async fn a_host_is_ordered_to_reboot_at_most_once_and_as_recorded() {
    let mut ordered = 0;
    for (scenario, _) in catalogue::all() {
        let played = scenario.play().await;
        let asks_for_it = scenario
            .patch
            .is_some_and(|p| p.contains("reboot: when-needed") || p.contains("reboot: always"));
        for host in &scenario.hosts {
            let heard = orders(&played, host.name);
            let begun = has(&played, host.name, |w| {
                matches!(w, What::RebootStarted { .. })
            });
            assert!(
                heard <= 1 && begun <= 1,
                "{}: {heard} orders",
                scenario.name
            );
            assert!(
                heard <= begun,
                "{}: an order without a record",
                scenario.name
            );
            assert!(asks_for_it || begun == 0, "{}: nobody asked", scenario.name);
            ordered += heard;
        }
    }
    assert!(ordered > 10, "only {ordered} hosts were ordered to reboot");
}

#[tokio::test(start_paused = true)]
async fn a_host_gives_its_lock_back_after_its_reboot() {
    let played = catalogue::reboot::rebooted().0.play().await;
    assert!(
        !played
            .world
            .look("centos-web", patchgate_testkit::Machine::is_locked)
    );
    let heard = played.world.heard();
    let ours: Vec<_> = heard.iter().filter(|h| h.host == "centos-web").collect();
    let at = |ask: &str| ours.iter().rposition(|h| h.ask == ask).unwrap();
    assert!(
        at("reboot-order") < at("lock-acquire"),
        "held again after the boot"
    );
    assert!(at("lock-acquire") < at("lock-release"));
}

/// A run that is stopped while the host boots gives the lock back if the host can be had.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_meanwhile_keeps_no_lock() {
    let played = catalogue::reboot::reboot_stopped().0.play().await;
    assert!(
        !played
            .world
            .look("centos-web", patchgate_testkit::Machine::is_locked)
    );
}
