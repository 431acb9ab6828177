//! What patchgate tells: the console while a run goes on and at its end, JUnit XML, Markdown.
//!
//! Reporters tell and never recompute: whatever they say comes from the plan, the events and the
//! judgement. No text of a host reaches a terminal or a file unescaped.

mod cells;
pub mod console;
pub mod differences;
mod expect;
pub mod explain;
pub mod facts;
pub mod fanout;
pub mod junit;
pub mod markdown;
pub mod planned;
mod soak;
mod story;
mod tally;
#[cfg(test)]
mod testing;
