//! The record of a run: its directory, from which everything else can be rebuilt.
//!
//! `events.jsonl` is append-only. Each line holds an event and the chain value of all lines up to it,
//! so that a line that was changed, dropped or slipped in shows. A torn last line, which is what a
//! crash leaves, is not part of the record.

mod chain;
mod error;
mod held;
mod journal;
mod read;

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

pub use error::RecordError;
pub use held::Held;
pub use journal::{Journal, Watcher};
use openssl::sha::sha256;
pub use read::{Record, open};

/// The file of events.
pub const EVENTS: &str = "events.jsonl";
/// The manifest.
pub const PLAN: &str = "plan.json";
/// How each host is reached: what a resumed run needs beside the manifest.
pub const TARGETS: &str = "targets.json";
/// The verdict.
pub const VERDICT: &str = "verdict.json";
/// The JUnit report.
pub const JUNIT: &str = "junit.xml";

/// The directory of a run.
#[derive(Clone, Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes a new directory, readable by its owner alone.
    ///
    /// # Errors
    /// When it exists already or cannot be made.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
        if let Some(parent) = parent {
            fs::create_dir_all(parent).map_err(|e| RecordError::io("create", parent, e))?;
        }
        let made = fs::DirBuilder::new().mode(0o700).create(path);
        made.map_err(|e| RecordError::io("create", path, e))?;
        sync_dir(parent.unwrap_or(Path::new(".")))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Takes a directory that is there.
    #[must_use]
    pub fn existing(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file whole or not at all: a temporary file beside it, synced, renamed, and the
    /// directory synced.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RecordError> {
        let path = self.path.join(name);
        let dir = path.parent().unwrap_or(&self.path);
        let failed = |e| RecordError::io("write", &path, e);
        let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|e| failed(e.error))?;
        sync_dir(dir)
    }

    /// Saves a file of evidence below `evidence/<host>/`. One that is there already, which an interrupted
    /// run saved, is left alone, and the new one gets a number.
    ///
    /// Returns its path below the run's directory and its SHA-256.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save_evidence(
        &self,
        host: &str,
        name: &str,
        bytes: &[u8],
    ) -> Result<(String, String), RecordError> {
        let dir = self.path.join("evidence").join(host);
        fs::create_dir_all(&dir).map_err(|e| RecordError::io("create", &dir, e))?;
        let relative = format!("evidence/{host}/{}", unused(&dir, name));
        self.write(&relative, bytes)?;
        sync_dir(&self.path.join("evidence"))?;
        sync_dir(&self.path)?;
        Ok((relative, hex(&sha256(bytes))))
    }
}

/// A name that no file of a directory has: the wanted one, else with a number before its ending.
fn unused(dir: &Path, name: &str) -> String {
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    let numbered = (2..).map(|n: u32| format!("{stem}-{n}.{ending}"));
    let mut names = [name.to_owned()].into_iter().chain(numbered);
    let free = names.find(|name| !dir.join(name).exists());
    free.expect("there is always one more number")
}

fn sync_dir(dir: &Path) -> Result<(), RecordError> {
    let opened = File::open(dir).and_then(|d| d.sync_all());
    opened.map_err(|e| RecordError::io("sync", dir, e))
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).expect("a nibble is a digit");
    bytes
        .iter()
        .flat_map(|b| [digit(b >> 4), digit(b & 15)])
        .collect()
}

/// SHA-256 of some bytes, in lower-case hexadecimal.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}
