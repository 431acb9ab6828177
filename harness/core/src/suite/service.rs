//! The check kind `service`: is a unit running, and does it start at boot.
//!
//! ```yaml
//! - id: service
//!   service: { unit: httpd, active: true, enabled: true }   # active unless said; enabled is not asked unless said
//! ```

use serde::{Deserialize, Serialize};

use crate::source::{
    grammar::{UNIT, is_unit},
    reader::{Field, Reader},
};

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

impl Service {
    /// Reads the map under `service:`, all but `within`.
    pub(super) fn read(reader: &Reader<'_>) -> Option<Self> {
        let unit = reader.required("unit");
        let active = reader.or_default("active", true, Field::boolean);
        let enabled = reader.or_default("enabled", None, |f| f.boolean().map(Some));
        let unit = unit.and_then(|f| f.parsed(UNIT, |t| is_unit(t).then(|| t.to_owned())));
        Some(Self {
            unit: unit?,
            active: active?,
            enabled: enabled?,
        })
    }
}
