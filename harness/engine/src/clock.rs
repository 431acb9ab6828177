//! The one place that reads the time and waits.

use std::time::Duration;

use tokio::time::Instant;

/// Reads the wall clock, for people; nothing is judged by it.
#[must_use]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A moment until which something may take, by the clock by which [`pause`] waits.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline this long from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// What is left of it; zero once it has passed.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn is_over(self) -> bool {
        self.left().is_zero()
    }
}

/// Measures what something cost, by the clock by which [`pause`] waits.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    begun: Instant,
    before: Duration,
}

impl Stopwatch {
    /// Begins to measure.
    #[must_use]
    pub fn start() -> Self {
        Self {
            begun: Instant::now(),
            before: Duration::ZERO,
        }
    }

    /// Goes on to measure what began at this time of the wall clock; one that is still to come counts as
    /// now.
    #[must_use]
    pub fn since(begin: jiff::Timestamp) -> Self {
        let before = now().duration_since(begin);
        Self {
            before: Duration::try_from(before).unwrap_or_default(),
            ..Self::start()
        }
    }

    /// How long it was until now.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.before + self.begun.elapsed()
    }
}

/// Lets `pause` go by between two looks at a condition that nothing can announce, such as a host that
/// is to come back.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that waits between two looks"
)]
pub async fn pause(pause: Duration) {
    tokio::time::sleep(pause).await;
}
