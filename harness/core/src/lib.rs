//! The pure half of patchgate: types, parsers and judgement.
//!
//! Nothing here does I/O, reads a clock or the environment; `clippy.toml` beside this crate and a test
//! in the testkit hold it to that.

pub mod id;
pub mod inventory;
pub mod observation;
pub mod patchset;
pub mod policy;
pub mod source;
pub mod suite;
pub mod template;
pub mod time;
