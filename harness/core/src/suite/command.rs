//! The check kind `command`: a command on the host, its exit status and its output.

use serde::{Deserialize, Serialize};

/// A command and what it must do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The script, run by `/bin/sh` with a clean environment.
    pub run: String,
    /// The expected exit status.
    pub exit: u8,
    /// What standard output must hold, each of them.
    pub stdout_contains: Vec<String>,
}
