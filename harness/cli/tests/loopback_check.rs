//! `patchgate check`, `facts` and patch runs against a real sshd and a real Apache on the other side of a
//! cable: hosts without SELinux, without auditd, and most often without root; those that are patched have a
//! real dnf. Needs root, `ip`, `nft`, Apache, `dnf`, `rpm`, `rpmbuild`, `createrepo_c`.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

#[path = "support/apache.rs"]
mod apache;
#[path = "support/net.rs"]
mod net;
#[path = "support/program.rs"]
mod program;
#[path = "support/sshd.rs"]
mod sshd;
#[path = "support/wait.rs"]
mod wait;

#[path = "loopback/blind.rs"]
mod blind;
#[path = "loopback/commands.rs"]
mod commands;
#[path = "loopback/deaths.rs"]
mod deaths;
#[path = "loopback/diagnosis.rs"]
mod diagnosis;
#[path = "loopback/facts.rs"]
mod facts;
#[path = "loopback/faults.rs"]
mod faults;
#[path = "loopback/fleet.rs"]
mod fleet;
#[path = "loopback/identity.rs"]
mod identity;
#[path = "loopback/lost.rs"]
mod lost;
#[path = "loopback/rig.rs"]
mod rig;
#[path = "loopback/undo.rs"]
mod undo;
#[path = "loopback/waves.rs"]
mod waves;
