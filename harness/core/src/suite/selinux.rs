//! The check kind `selinux`: the mode and the booleans.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What SELinux must be set to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selinux {
    /// The expected mode.
    pub mode: Option<Mode>,
    /// The expected value of booleans.
    pub booleans: BTreeMap<String, bool>,
}

/// The mode of SELinux on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Denials are enforced.
    Enforcing,
    /// Denials are only logged.
    Permissive,
    /// SELinux is off.
    Disabled,
}

impl Mode {
    /// Reads the answer of `getenforce`: `Enforcing`, `Permissive` or `Disabled`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "enforcing" => Some(Self::Enforcing),
            "permissive" => Some(Self::Permissive),
            "disabled" => Some(Self::Disabled),
            _ => None,
        }
    }

    /// The word for people and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Enforcing => "enforcing",
            Self::Permissive => "permissive",
            Self::Disabled => "disabled",
        }
    }
}
