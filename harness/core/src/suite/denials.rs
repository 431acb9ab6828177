//! The check kind `denials`: no new denials of some domains while the window was open.
//!
//! ```yaml
//! - id: no-new-denials
//!   denials:
//!     domains: [httpd_t]           # all domains unless said
//!     allow: known-denials.yaml    # beside the suite's file: denials that are taken as harmless
//! ```

use serde::{Deserialize, Serialize};

use super::parse::read_domains;
use crate::{
    allow::AllowList,
    evidence::fingerprint::Fingerprint,
    source::reader::{Field, Reader},
};

/// Which domains must not be denied anything new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denials {
    /// Source types; empty means all.
    pub domains: Vec<String>,
    /// The denials that do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<AllowList>,
}

impl Denials {
    /// Reads the map under `denials:`, all but `within`. The list that it names has no entries yet.
    pub(super) fn read(reader: &Reader<'_>) -> Self {
        let domains = reader.optional("domains");
        let allow = reader.optional("allow");
        Self {
            domains: domains.map_or_else(Vec::new, |f| read_domains(&f)),
            allow: allow.and_then(|f| read_allow(&f)),
        }
    }

    /// Whether the check is about a denial. A record that was cut before its contexts may be
    /// anybody's, so it counts for every domain.
    #[must_use]
    pub fn watches(&self, denial: &Fingerprint) -> bool {
        watches(&self.domains, denial)
    }
}

/// Whether a domain is one of some; no domains means all.
pub(crate) fn is_among(domains: &[String], domain: &str) -> bool {
    domains.is_empty() || domains.iter().any(|d| d == domain)
}

/// Whether one of some domains was denied something; no domains means all.
pub(crate) fn watches(domains: &[String], denial: &Fingerprint) -> bool {
    match &denial.source_type {
        Some(source) => is_among(domains, source),
        None => true,
    }
}

fn read_allow(field: &Field<'_>) -> Option<AllowList> {
    const FILE: &str = "a file beside the suite's own, as `known-denials.yaml`";
    let good = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
    let file = field.parsed(FILE, |t| good(t).then(|| t.to_owned()))?;
    let entries = Vec::new();
    Some(AllowList { file, entries })
}
