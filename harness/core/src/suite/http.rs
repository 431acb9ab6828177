//! The check kind `http`: one request, and what its answer must be.

use serde::{Deserialize, Serialize};

/// One request and the expected answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http {
    /// The URL; `{{ host }}` stands for the host's address.
    pub url: String,
    /// The expected status code.
    pub status: u16,
    /// What the body must hold, each of them.
    pub contains: Vec<String>,
    /// How many redirects are followed; 0 unless asked.
    pub redirects: u8,
    /// How much of a body is read at most, in bytes; more is a failure.
    pub body_limit: u64,
    /// Whether the server's certificate is verified.
    pub verify_tls: bool,
}
