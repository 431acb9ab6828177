//! The pure half of patchgate: types, parsers and judgement.
//!
//! Nothing here does I/O, reads a clock or the environment; `clippy.toml` beside this crate and a test
//! in the testkit hold it to that.

pub mod allow;
pub mod diagnosis;
pub mod event;
pub mod evidence;
pub mod exit;
pub mod facts;
pub mod id;
pub mod inventory;
pub mod judge;
pub mod ledger;
pub mod needs;
pub mod observation;
pub mod outcome;
pub mod package;
pub mod patchset;
pub mod plan;
pub mod policy;
pub mod reading;
pub mod reboot;
pub mod resume;
pub mod snapshot;
pub mod soak;
pub mod source;
pub mod state;
pub mod suggestion;
pub mod suite;
pub mod template;
pub mod text;
pub mod time;
pub mod transaction;
pub mod undo;
pub mod verdict;
pub mod wave;
pub mod wildcard;
