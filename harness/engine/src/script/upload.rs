//! Files that are brought to a host, through the same door as everything else.
//!
//! Each piece goes into a file of its own, so that a batch whose answer was lost can be sent again. The
//! pieces become the file only if its SHA-256 is the one that was read here; they lie in a directory of
//! the run, which the next run takes away should this one never come to it.

use std::time::Duration;

use openssl::base64;

use crate::host::{Item, quote, state_dir::StateDir};

/// How much of a file one item carries.
pub const PIECE: usize = 192 << 10;

/// How many pieces one batch carries.
pub const PIECES: usize = 8;

const DEADLINE: Duration = Duration::from_secs(60);

/// The directory of a run's files.
#[must_use]
pub fn directory(run: &str) -> String {
    format!("{}/rpms/{run}", StateDir::default())
}

/// Makes the run's directory, empty, and takes away those that earlier runs left.
#[must_use]
pub fn begin_item(run: &str) -> Item {
    let all = StateDir::default().word("rpms");
    let dir = quote::sh(&directory(run));
    let script = format!(
        "umask 077\nrm -rf -- {all} && mkdir -p -- {dir} && [ -d {dir} ] && [ ! -L {all} ]"
    );
    Item::new(script, DEADLINE)
}

/// Stores one piece of a file.
#[must_use]
pub fn piece_item(run: &str, name: &str, number: usize, bytes: &[u8]) -> Item {
    let path = quote::sh(&format!("{}/.{name}.{number:06}", directory(run)));
    let text = base64::encode_block(bytes);
    let script = format!("umask 077\nprintf %s '{text}' | base64 -d >{path}");
    Item::new(script, DEADLINE)
}

/// Makes the file of its pieces; done before, it is done again. Anything but the right bytes goes.
#[must_use]
pub fn join_item(run: &str, name: &str, sha256: &str) -> Item {
    let dir = quote::sh(&directory(run));
    let (file, pieces) = (quote::sh(name), quote::sh(&format!(".{name}.")));
    let script = format!(
        "umask 077\ncd -- {dir} || exit\n\
         right() {{ s=$(sha256sum <{file}) && [ \"${{s%% *}}\" = {sha256} ]; }}\n\
         [ -f {file} ] && right && exit 0\n\
         cat -- {pieces}[0-9]* >{file}\nrm -f -- {pieces}[0-9]*\n\
         right && exit 0\nrm -f -- {file}\n\
         echo 'it did not arrive whole, or could not be stored' >&2\nexit 1"
    );
    Item::new(script, Duration::from_secs(120))
}

/// Takes the run's files away.
#[must_use]
pub fn end_item(run: &str) -> Item {
    let dir = quote::sh(&directory(run));
    let all = StateDir::default().word("rpms");
    let script = format!("rm -rf -- {dir} && {{ rmdir -- {all} 2>/dev/null; [ ! -e {dir} ]; }}");
    Item::new(script, DEADLINE)
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::*;

    const RUN: &str = "20130222T030405Z-abc";

    /// Runs an item with the state directory moved to another place.
    fn ran(item: &Item, root: &str) -> bool {
        let script = item.script.replace("/var/lib/patchgate", root);
        // A piece is longer than an argument may be: it comes by a file here, by standard input there.
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), script).unwrap();
        Command::new("sh")
            .arg(file.path())
            .status()
            .unwrap()
            .success()
    }

    fn sum(bytes: &[u8]) -> String {
        crate::record::digest(bytes)
    }

    #[test]
    fn a_file_arrives_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("state dir").display().to_string();
        let bytes: Vec<u8> = (0..PIECE * 2 + 17).map(|n| (n % 251) as u8).collect();
        let file = place
            .path()
            .join(format!("state dir/rpms/{RUN}/a+b-1-1.noarch.rpm"));
        let name = "a+b-1-1.noarch.rpm";
        assert!(ran(&begin_item("an-earlier-run"), &root));
        assert!(ran(&begin_item(RUN), &root));
        assert!(!place.path().join("state dir/rpms/an-earlier-run").exists());
        for again in 0..2 {
            for (number, piece) in bytes.chunks(PIECE).enumerate() {
                assert!(ran(&piece_item(RUN, name, number, piece), &root));
            }
            assert!(ran(&join_item(RUN, name, &sum(&bytes)), &root), "{again}");
            assert!(ran(&join_item(RUN, name, &sum(&bytes)), &root), "{again}");
            assert_eq!(fs::read(&file).unwrap(), bytes);
        }
        assert!(!ran(&join_item(RUN, "other.rpm", &sum(b"x")), &root));
        assert!(ran(&piece_item(RUN, name, 0, b"not those"), &root));
        assert!(!ran(&join_item(RUN, name, &sum(b"others")), &root));
        assert!(!file.exists(), "what is not right is not left");
        assert!(ran(&end_item(RUN), &root) && ran(&end_item(RUN), &root));
        assert!(!place.path().join("state dir/rpms").exists());
    }
}
