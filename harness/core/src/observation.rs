//! What was seen when a check was made: recorded by the engine, judged by [`crate::outcome`].
//!
//! An observation holds facts only. Whether it is good or bad depends on what the suite expects, and
//! is decided again every time that a record is judged.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// What one attempt at one check saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observation {
    /// An HTTP request was made.
    Http(HttpSeen),
    /// A command ran to its end, or to its deadline.
    Command(CommandSeen),
    /// A unit was asked for its state.
    Service(ServiceSeen),
    /// SELinux was asked for its mode and booleans.
    Selinux(SelinuxSeen),
    /// The check is answered by the evidence of the state's window.
    Window,
    /// The check could not be made, and that is our trouble, not the host's answer.
    Errored {
        /// Why.
        why: String,
    },
}

/// What an HTTP request saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpSeen {
    /// The address that was connected to, or tried.
    pub peer: Option<String>,
    /// The whole attempt, from the first lookup to the last byte or the failure.
    #[serde(with = "crate::time::millis")]
    pub elapsed: Duration,
    /// How it ended.
    pub end: HttpEnd,
}

/// How an HTTP request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpEnd {
    /// An answer came, head and body whole.
    Answered(HttpAnswer),
    /// None came, or not whole.
    Failed(HttpFailure),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The `Server` header.
    pub server: Option<String>,
    /// The `Location` header: where a redirect that was not followed leads.
    pub location: Option<String>,
    /// The body's length in bytes.
    pub bytes: u64,
    /// The body's SHA-256, in lower-case hexadecimal; none where the probe cannot tell.
    pub sha256: Option<String>,
    /// For each text of the check's `contains`: was it in the body?
    pub contained: Vec<bool>,
}

/// A request that got no whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpFailure {
    /// Where it failed.
    pub phase: HttpPhase,
    /// The error's own words, for people.
    pub detail: String,
    /// Bytes of the answer that had come, as far as the probe can tell.
    pub bytes: u64,
}

/// Where a request failed. The first three of the 2013 outage were `no-data`, `first-byte-timeout` and
/// `refused`; they have different causes and are never mixed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HttpPhase {
    /// The name did not resolve.
    Dns,
    /// Nothing listens: the connection was refused.
    Refused,
    /// No answer to the first packet: filtered, or the host is gone.
    ConnectTimeout,
    /// No route, or another error of the network before a connection stood.
    Unreachable,
    /// The connection stood and was reset.
    Reset,
    /// The TLS handshake or the certificate failed.
    Tls,
    /// The connection was accepted and closed without a byte.
    NoData,
    /// The connection was accepted, and no byte came in time.
    FirstByteTimeout,
    /// The answer began and did not end: cut off or stalled.
    Body,
    /// The body is longer than the check allows.
    BodyTooLong,
    /// What came is not HTTP.
    Protocol,
    /// More redirects than the check allows, or one that leads nowhere.
    Redirect,
}

impl HttpPhase {
    /// Whether a service that is down, stuck or short of something fails so; the other phases fail before
    /// a service is asked, or show that it answers.
    #[must_use]
    pub fn is_of_the_service(self) -> bool {
        match self {
            Self::Refused | Self::Reset | Self::NoData | Self::FirstByteTimeout | Self::Body => {
                true
            }
            Self::Dns
            | Self::ConnectTimeout
            | Self::Unreachable
            | Self::Tls
            | Self::BodyTooLong
            | Self::Protocol
            | Self::Redirect => false,
        }
    }

    /// Whether the client heard nothing of the host, or nothing more: it fails so too where the host or the
    /// network between them is gone.
    #[must_use]
    pub fn is_silence(self) -> bool {
        match self {
            Self::ConnectTimeout
            | Self::Unreachable
            | Self::FirstByteTimeout
            | Self::Body
            | Self::Tls => true,
            Self::Dns
            | Self::Refused
            | Self::Reset
            | Self::NoData
            | Self::BodyTooLong
            | Self::Protocol
            | Self::Redirect => false,
        }
    }

    /// The symptom in the words of somebody who watches the service.
    #[must_use]
    pub fn symptom(self) -> &'static str {
        match self {
            Self::Dns => "name does not resolve",
            Self::Refused => "connection refused",
            Self::ConnectTimeout => "connect timed out",
            Self::Unreachable => "host unreachable",
            Self::Reset => "connection reset",
            Self::Tls => "TLS failed",
            Self::NoData => "no data received (closed without a byte)",
            Self::FirstByteTimeout => "timed out without a byte",
            Self::Body => "answer cut off",
            Self::BodyTooLong => "body too long",
            Self::Protocol => "not an HTTP answer",
            Self::Redirect => "redirect not followed",
        }
    }
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandSeen {
    /// How it ended.
    pub end: CommandEnd,
    /// Its standard output, as text; cut at the engine's cap.
    pub stdout: String,
    /// Its standard error, as text; cut at the engine's cap.
    pub stderr: String,
    /// Bytes of both streams that were dropped beyond the cap.
    pub dropped: u64,
    /// From its begin frame to its end frame.
    #[serde(with = "crate::time::millis")]
    pub elapsed: Duration,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandEnd {
    /// It exited with this status; 128 + n is what a shell says of signal n.
    Exited(u8),
    /// It ran into its deadline and was killed.
    DeadlineExceeded,
}

/// The state of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSeen {
    /// `ActiveState` of systemd, or `active`/`inactive` as SysV's `status` told.
    pub active: String,
    /// `SubState` of systemd.
    pub sub: Option<String>,
    /// `UnitFileState` of systemd.
    pub enabled: Option<String>,
    /// `Result` of systemd: `success`, `exit-code`, `oom-kill` …
    pub result: Option<String>,
    /// The main process.
    pub main_pid: Option<u32>,
    /// The SELinux context of the main process.
    pub context: Option<String>,
}

/// The settings of SELinux.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelinuxSeen {
    /// What `getenforce` or selinuxfs says, or `disabled` where there is no SELinux.
    pub mode: String,
    /// The booleans that the check names; none where the host does not have it.
    pub booleans: BTreeMap<String, Option<bool>>,
}
