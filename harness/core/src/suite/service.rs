//! The check kind `service`: is a unit running, and does it start at boot.

use serde::{Deserialize, Serialize};

/// A unit and the state that it must be in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The unit's name, with or without `.service`.
    pub unit: String,
    /// Whether it must be active.
    pub active: bool,
    /// Whether it must start at boot; not asked when none.
    pub enabled: Option<bool>,
}
