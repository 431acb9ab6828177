//! The check kind `selinux`: the mode and the booleans.
//!
//! ```yaml
//! - id: enforcing
//!   selinux: { mode: enforcing, booleans: { httpd_can_network_connect: off } }   # one of the two, or both
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::source::{
    Problem,
    grammar::is_policy_name,
    quote,
    reader::{Field, Reader},
};

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

impl Selinux {
    /// Reads the map under `selinux:`, all but `within`.
    pub(super) fn read(reader: &Reader<'_>) -> Option<Self> {
        let mode = reader.or_default("mode", None, |f| read_mode(f).map(Some));
        let booleans = reader.or_default("booleans", BTreeMap::new(), read_booleans);
        if !reader.has("mode") && !reader.has("booleans") {
            let problem = Problem::new(reader.span(), "`selinux` expects nothing");
            let expected = "`mode`, `booleans` or both";
            reader.sink().report(problem.expected(expected));
        }
        Some(Self {
            mode: mode?,
            booleans: booleans?,
        })
    }
}

/// Reads a mode of SELinux.
pub(super) fn read_mode(field: &Field<'_>) -> Option<Mode> {
    let modes = [Mode::Enforcing, Mode::Permissive, Mode::Disabled];
    field.one_of(&modes.map(|m| (m.word(), m)))
}

fn read_booleans(field: &Field<'_>) -> Option<BTreeMap<String, bool>> {
    let reader = field.map("`booleans`")?;
    let one = |boolean: &Field<'_>| {
        if !is_policy_name(boolean.name) {
            let message = format!("{} is no SELinux boolean", quote(boolean.name));
            let problem = Problem::new(boolean.key_span, message);
            let expected = "a name, as `httpd_can_network_connect`";
            boolean.sink().report(problem.expected(expected));
            return None;
        }
        Some((boolean.name.to_owned(), boolean.boolean_1_1()?))
    };
    let read: Vec<_> = reader.unasked().iter().map(one).collect();
    read.into_iter().collect()
}
