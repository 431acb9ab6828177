//! Where patchgate keeps its few files on a host.

use std::fmt;

use super::quote;

/// An absolute directory on the host, mode 0700: `jobs/` and `lock/` are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir(String);

impl StateDir {
    /// Takes another directory than the default, for accounts that are not root.
    ///
    /// # Errors
    /// When the path is not absolute, or has control characters or `..` in it.
    pub fn new(path: impl Into<String>) -> Result<Self, BadStateDir> {
        let path = path.into();
        let is_good = path.starts_with('/')
            && path.len() > 1
            && !path.chars().any(char::is_control)
            && !path.split('/').any(|part| part == "..");
        match is_good {
            true => Ok(Self(path.trim_end_matches('/').to_owned())),
            false => Err(BadStateDir(path)),
        }
    }

    /// Returns a path in the directory as a quoted shell word.
    pub(crate) fn word(&self, name: &str) -> String {
        quote::sh(&format!("{}/{name}", self.0))
    }
}

impl Default for StateDir {
    /// `/var/lib/patchgate`.
    fn default() -> Self {
        Self("/var/lib/patchgate".into())
    }
}

impl fmt::Display for StateDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path that cannot be a state directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be the host's state directory: it must be absolute and plain")]
pub struct BadStateDir(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_plain_paths_are_taken() {
        for bad in ["", "/", "var/lib", "/var/../etc", "/a\nb"] {
            assert!(StateDir::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(StateDir::new("/tmp/x/").unwrap().to_string(), "/tmp/x");
    }
}
