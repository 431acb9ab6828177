//! The check kind `denials`: no new denials of some domains while the window was open.

use serde::{Deserialize, Serialize};

/// Which domains must not be denied anything new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denials {
    /// Source types; empty means all.
    pub domains: Vec<String>,
}
