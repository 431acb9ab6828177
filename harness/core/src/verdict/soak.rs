//! What remote clients felt while a host was patched.

use serde::{Deserialize, Serialize};

use crate::id::{CheckId, HostName};

/// The remote probes of one check of one host, beside its patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoakTold {
    /// The host.
    pub host: HostName,
    /// The check.
    pub check: CheckId,
    /// Milliseconds from one probe to the next.
    pub every_ms: u64,
    /// How many probes were made and saw something.
    pub probes: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How many were to be made and saw nothing: our trouble, or they are not in the record.
    pub unseen: u64,
    /// The slowest good answer, in milliseconds.
    pub slowest_ms: Option<u64>,
    /// The outages, in order.
    pub outages: Vec<Outage>,
}

/// A time in which a remote client got no good answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// When its first failed probe was begun, by the controller's clock.
    pub from: jiff::Timestamp,
    /// What happened on the host then: `during the transaction`.
    pub during: String,
    /// From the begin of the first failed probe to the begin of the next good one, or to the soak's end where
    /// none was good again, in milliseconds: what people call its length.
    pub length_ms: u64,
    /// It was no shorter than this: from the end of a failed probe to the begin of a later one, with no good or
    /// missing one between them.
    pub at_least_ms: u64,
    /// It was no longer than this: from the begin of the last good probe before it to the end of the first
    /// good one after it. None where one of them is not there.
    pub at_most_ms: Option<u64>,
    /// Whether a probe was good again.
    pub ended: bool,
    /// How many probes failed in it, by what they saw, most first.
    pub symptoms: Vec<(String, u64)>,
    /// The numbers of the events that tell of it.
    pub evidence: Vec<u64>,
}
