//! What patchgate tells: the console while a run goes on and at its end, JUnit XML, Markdown.
//!
//! Reporters tell and never recompute: whatever they say comes from the plan, the events and the
//! judgement. No text of a host reaches a terminal or a file unescaped.

mod cells;
pub mod console;
mod expect;
pub mod explain;
pub mod fanout;
pub mod junit;
pub mod markdown;
mod story;
mod tally;
#[cfg(test)]
mod testing;
