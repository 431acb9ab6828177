//! RPM files of this machine: what they hold, seen before anything is sent anywhere.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use openssl::sha::Sha256;
use patchgate_core::{
    package::{NevraSpec, header},
    patchset::RpmRead,
};

use crate::record::hex;

/// How much is read at once.
const BLOCK: usize = 1 << 20;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RpmFileError {
    /// It cannot be read.
    #[error("cannot be read")]
    Io(#[from] io::Error),
    /// It is no package that can be installed.
    #[error("cannot be installed: {0}")]
    Unfit(String),
}

/// Reads a file to its end: its package, its sum and its length.
///
/// # Errors
/// When it cannot be read, or holds no package whose name, version, release and architecture are plain.
pub fn read(path: &Path) -> Result<RpmRead, RpmFileError> {
    let mut file = File::open(path)?;
    let (mut sum, mut bytes, mut head) = (Sha256::new(), 0, Vec::new());
    let mut block = vec![0; BLOCK];
    loop {
        let n = file.read(&mut block)?;
        if n == 0 {
            break;
        }
        sum.update(&block[..n]);
        bytes += n as u64;
        if head.len() < header::ENOUGH {
            head.extend_from_slice(&block[..n]);
        }
    }
    let unfit = |why: &str| RpmFileError::Unfit(why.to_owned());
    let package = header::read(&head).map_err(unfit)?;
    // The name becomes a file's on the host.
    if NevraSpec::parse(&package.to_string()).is_none_or(|s| !s.is(&package)) {
        return Err(unfit("the name that it gives itself is none"));
    }
    Ok(RpmRead {
        package,
        sha256: hex(&sum.finish()),
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const OPENSSL: &[u8] = include_bytes!("../../core/tests/captured/rpm/openssl-libs.rpm");

    #[test]
    fn a_file_is_known_by_its_package_its_sum_and_its_length() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.rpm");
        fs::write(&path, OPENSSL).unwrap();
        let found = read(&path).unwrap();
        assert_eq!(
            found.package.to_string(),
            "openssl-libs-3.0.7-25.el9_3.x86_64"
        );
        assert_eq!(found.sha256, crate::record::digest(OPENSSL));
        assert_eq!(found.bytes, OPENSSL.len() as u64);
        fs::write(&path, "no package").unwrap();
        let why = read(&path).unwrap_err().to_string();
        assert_eq!(why, "cannot be installed: it is no RPM file");
        assert!(read(&place.path().join("lost.rpm")).is_err());
    }

    #[test]
    fn a_name_that_leaves_its_folder_is_none() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x.rpm");
        let mut bytes = OPENSSL.to_vec();
        let name = b"\0openssl-libs\0";
        while let Some(at) = bytes.windows(name.len()).position(|w| w == name) {
            bytes[at + 1..=at + 12].copy_from_slice(b"../../etc/ab");
        }
        fs::write(&path, bytes).unwrap();
        let why = read(&path).unwrap_err().to_string();
        assert!(why.contains("gives itself"), "{why}");
    }
}
