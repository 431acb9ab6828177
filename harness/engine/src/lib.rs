//! What patchgate does.

pub mod probe;
