//! Paths in an inventory: absolute, `~/…`, or relative to the inventory's folder.

use std::path::{Path, PathBuf};

use super::vars::Whence;

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

/// Makes a path of an inventory absolute, as far as its folder is.
pub(super) fn resolve(text: &str, whence: &Whence<'_>) -> Result<PathBuf, PathError> {
    if text.trim().is_empty() {
        return Err(PathError::Empty);
    }
    if text.contains('$') {
        return Err(PathError::Variable);
    }
    match text.strip_prefix('~') {
        None => Ok(whence.base_dir.join(text)),
        Some("") => Ok(whence.home.to_owned()),
        Some(rest) => match rest.strip_prefix('/') {
            Some(rest) => Ok(whence.home.join(Path::new(rest.trim_start_matches('/')))),
            None => Err(PathError::OtherHome),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_where_they_say() {
        let whence = Whence {
            file: 0,
            base_dir: Path::new("/site/inventories"),
            home: Path::new("/home/me"),
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
            assert_eq!(resolve(text, &whence), wanted.map(PathBuf::from), "{text}");
        }
    }
}
