//! Placeholder.
pub mod lab;
