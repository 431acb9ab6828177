//! Experiments on a real machine: SELinux that enforces, a real policy, a real outage, and controllers
//! that are killed.
//!
//! Needs images (`ci/lab/build`), QEMU and the right to make namespaces. What begins with `nightly_` takes
//! twenty minutes and more, and is left to `ci/nightly`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of a test may panic and tell how far it came"
)]

mod controller;
mod guest;
mod killed;
mod whole;
