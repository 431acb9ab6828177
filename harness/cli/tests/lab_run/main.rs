//! The whole program against real machines: SELinux enforcing, real dnf, a real outage.
//!
//! Needs images (`ci/lab/build`), QEMU and the right to make namespaces. A lab that is up already is
//! reset and left up; one that is down is started, and taken down again. The tests run one at a time,
//! and the modules are named so that the cheap ones come first.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test may panic and tell how far it came"
)]

mod access;
mod asked;
mod choices;
mod evidence;
mod interrupt;
mod lab;
mod loss;
mod nights;
mod reboots;
mod record;
mod resume;
mod undo;
