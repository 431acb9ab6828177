//! The one place that reads the time and waits.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
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

/// How old something is, counting the time in which this machine slept.
#[derive(Clone, Copy, Debug)]
pub struct Age {
    begun: Stopwatch,
    asleep: Duration,
}

impl Age {
    /// Something that is this old now.
    #[must_use]
    pub fn of(before: Duration) -> Self {
        let begun = Stopwatch {
            before,
            ..Stopwatch::start()
        };
        Self {
            begun,
            asleep: asleep(),
        }
    }

    /// The age in whole milliseconds.
    #[must_use]
    pub fn millis(self) -> u64 {
        let age = with_sleep(self.begun.elapsed(), self.asleep, asleep());
        u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
    }
}

/// An age by a clock that stands still while this machine sleeps, and how long it had slept before and
/// has now.
fn with_sleep(awake: Duration, before: Duration, now: Duration) -> Duration {
    awake + now.saturating_sub(before)
}

/// How long this machine slept since it was booted: the clock that counts it against the one that does
/// not. Read one after the other, they differ by some microseconds of their own.
fn asleep() -> Duration {
    let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    let (awake, all) = (read(ClockId::Monotonic), read(ClockId::Boottime));
    all.saturating_sub(awake)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_age_is_counted_by_the_clock_that_pauses_go_by() {
        let (age, older) = (Age::of(Duration::ZERO), Age::of(Duration::from_secs(60)));
        pause(Duration::from_millis(1500)).await;
        // Two clocks are read one after the other: a millisecond of theirs may show.
        assert!((1500..=1501).contains(&age.millis()), "{}", age.millis());
        assert!((61_500..=61_501).contains(&older.millis()));
        let s = Duration::from_secs;
        assert_eq!(with_sleep(s(5), s(100), s(160)), s(65));
        assert_eq!(with_sleep(s(5), s(100), s(99)), s(5));
    }
}
