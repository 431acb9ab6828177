//! SELinux security contexts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One security context, split at its first three colons only.
///
/// The level keeps its own colons, commas and dots (`s0-s0:c0.c1023`), and a translated level
/// (`SystemLow-SystemHigh`) stays as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Context {
    /// The SELinux user, for example `system_u`.
    pub user: String,
    /// The role, for example `system_r`.
    pub role: String,
    /// The type, called domain for a process, for example `httpd_t`.
    pub type_: String,
    /// The MLS level or range; `None` where MLS is off (Android, very old policies).
    pub level: Option<String>,
}

impl Context {
    /// Reads `user:role:type[:level]`; `None` when a part is missing or empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (user, rest) = text.split_once(':')?;
        let (role, rest) = rest.split_once(':')?;
        let (type_, level) = rest.split_once(':').unwrap_or((rest, ""));
        let whole = ![user, role, type_].contains(&"");
        whole.then(|| Self {
            user: user.to_owned(),
            role: role.to_owned(),
            type_: type_.to_owned(),
            level: (!level.is_empty()).then(|| level.to_owned()),
        })
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.user, self.role, self.type_)?;
        self.level
            .iter()
            .try_for_each(|level| write!(f, ":{level}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Context;

    #[test]
    fn the_level_keeps_its_own_colons() {
        for (text, type_, level) in [
            ("system_u:system_r:httpd_t:s0", "httpd_t", Some("s0")),
            ("u:r:svirt_t:s0:c218,c875", "svirt_t", Some("s0:c218,c875")),
            ("u:r:xdm_t:s0-s0:c0.c1023", "xdm_t", Some("s0-s0:c0.c1023")),
            (
                "u:r:init_t:SystemLow-SystemHigh",
                "init_t",
                Some("SystemLow-SystemHigh"),
            ),
            ("u:r:untrusted_app", "untrusted_app", None),
        ] {
            let context = Context::parse(text).unwrap();
            assert_eq!(
                (context.type_.as_str(), context.level.as_deref()),
                (type_, level)
            );
            assert_eq!(context.to_string(), text);
        }
    }

    #[test]
    fn a_context_without_a_type_is_none() {
        for text in [
            "",
            "system_u",
            "system_u:object_r",
            "system_u:object_r:",
            "::",
            "unlabeled",
        ] {
            assert_eq!(Context::parse(text), None, "{text}");
        }
    }
}
