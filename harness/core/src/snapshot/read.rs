//! Readers of what a host's own tools say of its policy and its system: pure, one file a tool.
//!
//! Every generation from EL6 to EL10 words these things in its own way. What has no known form is never
//! taken for nothing: a reader says what it could not read.

pub mod certificates;
pub mod disks;
pub mod firewall;
pub mod labels;
pub mod listeners;
pub mod oom;
pub mod routes;
pub mod store;
pub mod units;
