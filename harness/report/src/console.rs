//! The console: how a run is told while it goes on, and at its end.
//!
//! [`Lines`] is for CI and everything that is not a terminal, [`Bars`] for a terminal; both are fed
//! through [`crate::fanout::Sink`] and write progress only. The result is [`summary()`]: the caller
//! prints it, so that progress and result can go to different places.

mod bars;
mod colour;
mod lines;
mod progress;
mod summary;
mod told;

pub use self::{
    bars::Bars,
    colour::{Colour, Paint},
    lines::Lines,
    summary::summary,
};
pub(crate) use self::{colour::Mood, summary::exit_words};
