//! What patchgate does: SSH, probes, windows, patching, the record, the lab.
//!
//! The engine records what it sees and judges nothing; the judgement is core's.

pub mod clock;
pub mod host;
pub mod lab;
pub mod probe;
pub mod record;
pub mod reset;
pub mod rpm_files;
pub mod runner;
pub mod script;
pub mod ssh;
