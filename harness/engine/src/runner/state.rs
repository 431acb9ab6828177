//! One state of one host: its window, from the begin marker to the end marker.

use patchgate_core::{event::What, evidence::window::Expectations, state::State};

use super::link::{Link, Stop};
use crate::{
    clock::Stopwatch,
    host::Connector,
    probe::Prober,
    record::RecordError,
    script::window::{self, Open},
};

/// A state that a host is in, its window open where evidence is collected.
pub(super) struct Stay {
    pub(super) state: State,
    window: Option<Open>,
    expected: Expectations,
}

impl Stay {
    /// The open window, if it takes markers.
    pub(super) fn marked_window(&mut self) -> Option<&mut Open> {
        self.window.as_mut().filter(|open| open.takes_markers())
    }
}

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Enters a state: opens its window, before anything makes the state. One that an interruption broke
    /// off is gone on with, in the window that it has.
    pub(super) async fn enter(
        &mut self,
        state: State,
        expected: Expectations,
    ) -> Result<Stay, Stop> {
        let window = match self.entered(state) {
            Some((entered, looks)) => {
                self.entered = Stopwatch::since(entered.at);
                entered.window.map(|begin| Open::again(*begin, looks))
            }
            None => {
                self.entered = Stopwatch::start();
                let window = self.open_window(state).await?;
                let begin = window.as_ref().map(|open| Box::new(open.opened()));
                let what = What::StateEntered { window: begin };
                self.run.write(self.host, Some(state), what)?;
                window
            }
        };
        Ok(Stay {
            state,
            window,
            expected,
        })
    }

    async fn open_window(&mut self, state: State) -> Result<Option<Open>, Stop> {
        if !self.run.collects() {
            return Ok(None);
        }
        let (nonce, id) = (&self.run.nonce, format!("w-{state}"));
        let item = window::open_item(nonce, &id);
        let replies = self.ask("entering the state", vec![item]).await?;
        Ok(Some(Open::new(nonce, &id, &replies[0])))
    }

    /// Closes the window and records what lay in it. Returns whether its end is known, which it also
    /// is where nothing is collected.
    pub(super) async fn leave(&mut self, stay: Stay) -> Result<bool, Stop> {
        let Some(open) = &stay.window else {
            return Ok(true);
        };
        let asked = self.ask_until_stopped("closing the window", open.close_items());
        let replies = match asked.await {
            Ok(replies) => replies,
            Err(stop) => return Err(self.abandon(stay, stop)),
        };
        let (more, ended) = match open.more_item(&replies) {
            None => (None, Ok(())),
            Some(item) => {
                let asked = self.ask_until_stopped("reading another log", vec![item]);
                match asked.await {
                    Ok(mut replies) => (replies.pop(), Ok(())),
                    Err(stop) => (None, Err(stop)),
                }
            }
        };
        self.record(stay, |open| open.close(&replies, more.as_ref()))?;
        ended.map(|()| replies[0].is_ok())
    }

    /// Records a window that will never be closed.
    pub(super) fn abandon(&self, stay: Stay, stop: Stop) -> Stop {
        let why = match stop {
            Stop::Record(_) => return stop,
            Stop::Recorded => "the host was given up before the window closed",
            Stop::Asked => "the run was stopped",
        };
        match self.record(stay, |open| open.abandon(why)) {
            Ok(()) => stop,
            Err(error) => Stop::Record(error),
        }
    }

    fn record(
        &self,
        stay: Stay,
        close: impl FnOnce(Open) -> patchgate_core::evidence::capture::WindowCapture,
    ) -> Result<(), RecordError> {
        let Stay {
            state,
            window,
            expected,
        } = stay;
        let Some(open) = window else { return Ok(()) };
        let capture = Box::new(close(open));
        self.run.write(
            self.host,
            Some(state),
            What::WindowCaptured { capture, expected },
        )
    }
}
