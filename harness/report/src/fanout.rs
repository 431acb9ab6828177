//! Hands every event to every sink; a sink that fails is reported, and the others go on.

use jiff::Timestamp;
use patchgate_core::{event::Event, judge::Judgement};

use crate::junit::JunitError;

/// Somebody who is told of a run.
pub trait Sink {
    /// What the sink is called when it fails.
    fn name(&self) -> &'static str;

    /// Takes one event.
    ///
    /// # Errors
    /// Why the sink can tell no more; it is not asked again.
    fn event(&mut self, event: &Event) -> Result<(), SinkError>;

    /// Takes an event that was told before the run was interrupted: it counts and is not told again.
    fn past(&mut self, _event: &Event) {}

    /// Takes note that time passes, several times a second; `now` is the controller's clock.
    ///
    /// # Errors
    /// Why the sink can tell no more; it is not asked again.
    fn tick(&mut self, now: Timestamp) -> Result<(), SinkError>;

    /// Takes the judgement, after the last event.
    ///
    /// # Errors
    /// Why the sink could not tell it.
    fn finish(&mut self, judgement: &Judgement) -> Result<(), SinkError>;
}

/// Why a sink can tell no more.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Its outlet took no more.
    #[error("the output could not be written")]
    Io(#[from] std::io::Error),
    /// The JUnit document could not be made.
    #[error("the JUnit document could not be made")]
    Junit(#[from] JunitError),
}

/// A sink that failed.
#[derive(Debug)]
pub struct Failure {
    /// The sink.
    pub sink: &'static str,
    /// Why.
    pub error: SinkError,
}

/// All sinks of a run.
#[derive(Default)]
pub struct Fanout {
    sinks: Vec<Box<dyn Sink + Send>>,
    failures: Vec<Failure>,
}

impl Fanout {
    /// Adds a sink.
    pub fn add(&mut self, sink: impl Sink + Send + 'static) {
        self.sinks.push(Box::new(sink));
    }

    /// Hands an event to every sink that has not failed.
    pub fn event(&mut self, event: &Event) {
        self.each(|sink| sink.event(event));
    }

    /// Hands every sink an event that was told before the run was interrupted.
    pub fn past(&mut self, event: &Event) {
        for sink in &mut self.sinks {
            sink.past(event);
        }
    }

    /// Tells every sink that has not failed what time it is.
    pub fn tick(&mut self, now: Timestamp) {
        self.each(|sink| sink.tick(now));
    }

    /// Hands the judgement to every sink that has not failed.
    pub fn finish(&mut self, judgement: &Judgement) {
        self.each(|sink| sink.finish(judgement));
    }

    /// The sinks that failed, in the order of their failures. The caller reports them, and does not
    /// exit as if everything had been told.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    fn each(&mut self, mut tell: impl FnMut(&mut dyn Sink) -> Result<(), SinkError>) {
        let failures = &mut self.failures;
        self.sinks.retain_mut(|sink| match tell(sink.as_mut()) {
            Ok(()) => true,
            Err(error) => {
                failures.push(Failure {
                    sink: sink.name(),
                    error,
                });
                false
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use patchgate_core::event::What;

    use super::*;
    use crate::testing;

    struct Recorder {
        name: &'static str,
        dies_at: usize,
        log: Arc<Mutex<Vec<String>>>,
        n_calls: usize,
    }

    impl Recorder {
        fn note(&mut self, what: &str) -> Result<(), SinkError> {
            self.n_calls += 1;
            if self.n_calls == self.dies_at {
                return Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe).into());
            }
            self.log
                .lock()
                .unwrap()
                .push(format!("{} {what}", self.name));
            Ok(())
        }
    }

    impl Sink for Recorder {
        fn name(&self) -> &'static str {
            self.name
        }
        fn event(&mut self, _: &Event) -> Result<(), SinkError> {
            self.note("event")
        }
        fn tick(&mut self, _: Timestamp) -> Result<(), SinkError> {
            self.note("tick")
        }
        fn finish(&mut self, _: &Judgement) -> Result<(), SinkError> {
            self.note("finish")
        }
    }

    #[test]
    fn a_failing_sink_is_reported_and_the_others_go_on() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut fanout = Fanout::default();
        for (name, dies_at) in [("dies", 2), ("lives", 0)] {
            fanout.add(Recorder {
                name,
                dies_at,
                log: log.clone(),
                n_calls: 0,
            });
        }
        let event = testing::event(0, None, None, What::RunFinished {});
        fanout.event(&event);
        fanout.tick(event.at);
        fanout.event(&event);
        fanout.finish(&testing::open());
        let told = log.lock().unwrap().join(", ");
        assert_eq!(
            told,
            "dies event, lives event, lives tick, lives event, lives finish"
        );
        let failed: Vec<_> = fanout.failures().iter().map(|f| f.sink).collect();
        assert_eq!(failed, ["dies"]);
    }
}
