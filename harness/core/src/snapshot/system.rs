//! What the services of a host rest on: listeners, firewall, units, disks, kernel settings.

pub mod listeners;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::reading::Reading;

/// The system around the services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemSnapshot {
    /// Listening TCP sockets, from `ss -ltnp` or `/proc/net/tcp`.
    pub listeners: Reading<Vec<Listener>>,
    /// The packet filter's rules, one a line after their table and chain (`inet filter input: tcp dport
    /// 80 drop`), without counters and handles, from `nft list ruleset` or `iptables-save`. Empty when
    /// there are none.
    pub firewall: Reading<Vec<String>>,
    /// The watched units, and every unit that has failed.
    pub units: Reading<BTreeMap<String, UnitState>>,
    /// Mounted file systems that hold data.
    pub disks: Reading<Vec<Disk>>,
    /// Processes that the kernel killed for lack of memory, oldest first, as far back as its log goes;
    /// empty only where there was none since boot.
    pub oom_kills: Reading<Vec<OomKill>>,
    /// Kernel settings that services feel, by name.
    pub sysctls: Reading<BTreeMap<String, String>>,
    /// Routes, one a line, as `ip route` words them.
    pub routes: Reading<Vec<String>>,
    /// Certificates that the watched services present, by the files that hold them; a file that is not
    /// there has none.
    pub certificates: Reading<Vec<Certificate>>,
    /// The host's clock, in seconds since the epoch.
    pub clock: Reading<u64>,
}

/// One listening TCP socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listener {
    /// The local address: `0.0.0.0`, `::`, `127.0.0.1` …; `*` where ss says no more than "any".
    pub address: String,
    /// The port.
    pub port: u16,
    /// The program that holds it, where the account may see that.
    pub program: Option<String>,
}

impl Listener {
    /// Whether only the host itself can reach it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address == "::1" || self.address.starts_with("127.")
    }
}

/// The state of a unit, in systemd's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitState {
    /// `ActiveState`.
    pub active: String,
    /// `SubState`.
    pub sub: Option<String>,
    /// `Result`: `success`, `exit-code`, `signal`, `core-dump`, `oom-kill`, `timeout` …
    pub result: Option<String>,
}

/// One mounted file system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// How full it is for those who are not root, in per cent.
    pub used_percent: u8,
    /// How many of its inodes are used, in per cent; `None` where it has no fixed number.
    pub inodes_percent: Option<u8>,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

/// A process that the kernel killed for lack of memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OomKill {
    /// The victim's name, at most 15 bytes in the kernel.
    pub victim: String,
    /// The victim's process id.
    pub pid: u32,
    /// The kernel's own line.
    pub line: String,
}

/// A certificate file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Certificate {
    /// The file.
    pub path: String,
    /// The first moment at which it is valid, in seconds since the epoch; it can lie before it.
    pub not_before: i64,
    /// The last moment at which it is valid, in seconds since the epoch.
    pub not_after: i64,
    /// Its subject, in openssl's words.
    pub subject: String,
}
