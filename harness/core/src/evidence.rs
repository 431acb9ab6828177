//! Audit and SELinux evidence: what a host's own records say, and how far they can be trusted.
//!
//! The engine copies raw text from a host into a [`capture::WindowCapture`] and judges nothing.
//! Everything here turns such text into values, and says with each answer what it cannot vouch
//! for. Two rules hold throughout: no line is ever dropped (what is not understood comes back
//! verbatim), and "no denials" is said only where every gap has been ruled out.

pub mod access;
pub mod audit_rules;
pub mod audit_status;
pub mod capture;
mod class;
pub mod context;
pub mod control;
pub mod coverage;
pub mod denial;
pub mod event;
mod fields;
pub mod fingerprint;
mod head;
mod journal;
pub mod kind;
pub mod limits;
mod lines;
pub mod mac_change;
pub mod marker;
pub mod policy_error;
pub mod record;
pub mod segment;
pub mod stream;
pub mod suppression;
pub mod vector_diff;
pub mod vectors;
pub mod window;
pub mod wrap;
