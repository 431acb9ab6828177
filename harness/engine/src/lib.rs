//! What patchgate does: SSH, probes, windows, patching, the record, the lab.

pub mod host;
pub mod ssh;
