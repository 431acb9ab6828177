//! Paths in an inventory: absolute, `~/…`, or relative to the inventory's folder.

use std::path::{Path, PathBuf};

use super::Defaults;

/// Why a text is not a path here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PathError {
    #[error("it is empty")]
    Empty,
    #[error("environment variables are not expanded")]
    Variable,
    #[error("only one's own `~/` is expanded")]
    OtherHome,
}

/// Makes a path of an inventory absolute, as far as the defaults are.
pub(super) fn resolve(text: &str, defaults: &Defaults) -> Result<PathBuf, PathError> {
    if text.trim().is_empty() {
        return Err(PathError::Empty);
    }
    if text.contains('$') {
        return Err(PathError::Variable);
    }
    match text.strip_prefix('~') {
        None => Ok(defaults.base_dir.join(text)),
        Some("") => Ok(defaults.home.clone()),
        Some(rest) => match rest.strip_prefix('/') {
            Some(rest) => Ok(defaults.home.join(Path::new(rest.trim_start_matches('/')))),
            None => Err(PathError::OtherHome),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_where_they_say() {
        let defaults = Defaults {
            base_dir: "/site/inventories".into(),
            home: "/home/me".into(),
            ..Defaults::default()
        };
        for (text, wanted) in [
            ("/etc/key", Ok("/etc/key")),
            ("~/.ssh/id", Ok("/home/me/.ssh/id")),
            ("~//etc/passwd", Ok("/home/me/etc/passwd")),
            ("keys/id", Ok("/site/inventories/keys/id")),
            ("~root/id", Err(PathError::OtherHome)),
            ("$HOME/id", Err(PathError::Variable)),
            (" ", Err(PathError::Empty)),
        ] {
            assert_eq!(
                resolve(text, &defaults),
                wanted.map(PathBuf::from),
                "{text}"
            );
        }
    }
}
