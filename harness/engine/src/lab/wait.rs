//! Waiting for a condition with a deadline; the only place of the lab that lets time pass.

use std::{
    thread,
    time::{Duration, Instant},
};

/// A moment after which nothing is waited for any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    started: Instant,
    limit: Duration,
}

impl Deadline {
    /// Starts a deadline that passes `limit` from now.
    pub(super) fn after(limit: Duration) -> Self {
        Self {
            started: Instant::now(),
            limit,
        }
    }

    /// The time since it was started.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The time that is left, zero when it has passed.
    pub(super) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.elapsed())
    }

    /// Whether no time is left.
    pub(super) fn has_passed(&self) -> bool {
        self.left().is_zero()
    }
}

/// Asks `condition` every `pause` until it gives a value; `None` when the deadline passed first.
///
/// The condition is asked at least once, and once more after the deadline. Its errors end the wait.
pub(super) fn wait_for<T, E>(
    deadline: Deadline,
    pause: Duration,
    mut condition: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    loop {
        let last = deadline.has_passed();
        if let Some(value) = condition()? {
            return Ok(Some(value));
        }
        if last {
            return Ok(None);
        }
        thread::park_timeout(pause.min(deadline.left()));
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const PAUSE: Duration = Duration::from_millis(1);

    #[test]
    fn gives_the_value_of_the_first_true_condition() {
        let mut asked = 0;
        let got: Result<_, Infallible> =
            wait_for(Deadline::after(Duration::from_secs(60)), PAUSE, || {
                asked += 1;
                Ok((asked == 3).then_some(asked))
            });
        assert_eq!(got.unwrap(), Some(3));
    }

    #[test]
    fn asks_once_even_without_time() {
        let got: Result<_, Infallible> =
            wait_for(Deadline::after(Duration::ZERO), PAUSE, || Ok(Some(1)));
        assert_eq!(got.unwrap(), Some(1));
    }

    #[test]
    fn ends_at_the_deadline() {
        let got: Result<Option<()>, Infallible> =
            wait_for(Deadline::after(Duration::from_millis(5)), PAUSE, || {
                Ok(None)
            });
        assert_eq!(got.unwrap(), None);
    }

    #[test]
    fn ends_at_the_first_error() {
        let got: Result<Option<()>, &str> =
            wait_for(Deadline::after(Duration::from_secs(60)), PAUSE, || {
                Err("broken")
            });
        assert_eq!(got, Err("broken"));
    }
}
