//! Updates that break a host in one known way, on a real machine: the gate must not open, the cause must
//! be the right one and not said better proven than it is, and the host must be left as it was found.
//!
//! Each test plays a sabotage of `ci/lab/sabotages` through the main job, and leaves a row of the table
//! in `docs/evidence.md` behind (`ci/lab/evidence-table`). What is needed, and how the machines are
//! shared: `lab_run`.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test may panic and tell how far it came"
)]

#[expect(dead_code, reason = "lab_run needs more of it")]
#[path = "../lab_run/lab.rs"]
mod lab;
#[expect(dead_code, reason = "lab_run needs more of it")]
#[path = "../lab_run/record.rs"]
mod record;

mod night;
mod others;
mod row;
mod sabotages;
mod scenario;
mod wrong;
