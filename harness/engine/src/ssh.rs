//! The real door: one libssh2 session a host.

pub mod known_hosts;
