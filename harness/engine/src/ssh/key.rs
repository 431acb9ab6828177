//! Private keys from files, under OpenSSH's rule: nobody else may have access.

use std::{
    fmt,
    fs::File,
    io::Read as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::host::KeyFileProblem;

/// A private key in memory. It cannot be printed.
#[derive(Clone)]
pub(super) struct PrivateKey {
    pub(super) path: PathBuf,
    pub(super) pem: String,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl PrivateKey {
    /// Reads a key after looking at the very file that is open, so that nobody can swap it.
    pub(super) fn read(path: &Path) -> Result<Self, KeyFileProblem> {
        let unreadable = |source| KeyFileProblem::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let mode = metadata.mode() & 0o7777;
        // sshkey_perm_ok() of OpenSSH: another owner's file is that owner's to guard.
        if metadata.uid() == rustix::process::getuid().as_raw() && mode & 0o077 != 0 {
            return Err(KeyFileProblem::TooOpen {
                path: path.to_owned(),
                mode,
            });
        }
        let mut pem = String::new();
        file.read_to_string(&mut pem).map_err(unreadable)?;
        Ok(Self {
            path: path.to_owned(),
            pem,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn only_a_key_that_nobody_else_can_read_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("id");
        fs::write(&path, "key").unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let read = PrivateKey::read(&path);
            assert_eq!(read.is_ok(), good, "{mode:o}");
            if let Err(error) = read {
                assert!(
                    error.to_string().contains(&format!("{mode:04o}")),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn a_key_cannot_be_printed() {
        let key = PrivateKey {
            path: "id".into(),
            pem: "hunter2".into(),
        };
        assert!(!format!("{key:?}").contains("hunter2"));
    }
}
