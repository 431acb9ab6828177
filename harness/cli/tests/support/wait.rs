//! Waits for conditions, never for time alone.

use std::time::{Duration, Instant};

/// Waits until something is so, for twenty seconds at most: long enough for a loaded machine.
#[track_caller]
pub(crate) fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        let waited = began.elapsed();
        assert!(
            waited < Duration::from_secs(20),
            "waited in vain for {what}"
        );
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
