//! The check kind `denials`: no new denials of some domains while the window was open.
//!
//! ```yaml
//! - id: no-new-denials
//!   denials: { domains: [httpd_t] }   # all domains unless said
//! ```

use serde::{Deserialize, Serialize};

use super::parse::read_domains;
use crate::source::reader::Reader;

/// Which domains must not be denied anything new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denials {
    /// Source types; empty means all.
    pub domains: Vec<String>,
}

impl Denials {
    /// Reads the map under `denials:`, all but `within`.
    pub(super) fn read(reader: &Reader<'_>) -> Self {
        let domains = reader.optional("domains");
        reader.not_built(&["allow"]);
        Self {
            domains: domains.map_or_else(Vec::new, |f| read_domains(&f)),
        }
    }
}
