//! Waits for conditions, never for time alone.

use std::time::{Duration, Instant};

/// Waits until something is so, for twenty seconds at most: long enough for a loaded machine.
#[track_caller]
pub(crate) fn wait_for(what: &str, condition: impl Fn() -> bool) {
    wait_within(Duration::from_secs(20), what, condition);
}

/// As [`wait_for`], for this long at most.
#[track_caller]
pub(crate) fn wait_within(limit: Duration, what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        let waited = began.elapsed();
        assert!(waited < limit, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
