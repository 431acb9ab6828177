//! What is kept about each running host, so that a later command knows it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    accel::Accelerator,
    dirs::LabDirs,
    error::LabError,
    hosts::HostSpec,
    process::{self, ProcessId},
};

/// The record of one host, in its directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HostRecord {
    /// What it is.
    pub(super) spec: HostSpec,
    /// How it runs.
    pub(super) accelerator: Accelerator,
    /// When its present machine was started.
    pub(super) since: Timestamp,
    /// Its public host keys, each `KEYTYPE BASE64`.
    pub(super) host_keys: Vec<String>,
    /// Its machine once it was ready; none while it comes up.
    pub(super) ready: Option<ProcessId>,
}

/// What a host is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HostState {
    /// It was ready and its machine runs.
    Up,
    /// Its machine runs and it was not ready yet: `up` or `reset` is at work, or was interrupted.
    Unready,
    /// It was to be started, and it has no machine.
    Crashed,
    /// It was not started.
    Down,
}

impl HostState {
    /// The word for tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Unready => "unready",
            Self::Crashed => "crashed",
            Self::Down => "down",
        }
    }
}

impl HostRecord {
    /// Writes it whole or not at all.
    pub(super) fn save(&self, dirs: &LabDirs) -> Result<(), LabError> {
        let file = file(dirs, &self.spec.name);
        let text = serde_json::to_vec_pretty(self).expect("plain data serialises");
        write_whole(&file, &text)
    }

    /// The host's state and its machine, if that runs.
    pub(super) fn state(&self, dirs: &LabDirs) -> (HostState, Option<ProcessId>) {
        match self.ready {
            Some(process) if process.is_running() => (HostState::Up, Some(process)),
            Some(_) => (HostState::Crashed, None),
            None => match process::on_tap(&dirs.run(), self.spec.octet).pop() {
                Some(process) => (HostState::Unready, Some(process)),
                None => (HostState::Crashed, None),
            },
        }
    }
}

fn file(dirs: &LabDirs, name: &str) -> PathBuf {
    dirs.host(name).join("host.json")
}

/// The record of one host; none if it cannot be read, and then nothing is known about it.
pub(super) fn load(dirs: &LabDirs, name: &str) -> Option<HostRecord> {
    serde_json::from_slice(&fs::read(file(dirs, name)).ok()?).ok()
}

/// Every record, by name.
pub(super) fn load_all(dirs: &LabDirs) -> Vec<HostRecord> {
    let entries = fs::read_dir(dirs.hosts()).into_iter().flatten().flatten();
    let load = |name: std::ffi::OsString| load(dirs, name.to_str()?);
    let mut records: Vec<_> = entries
        .filter_map(|entry| load(entry.file_name()))
        .collect();
    records.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
    records
}

/// Writes a file so that readers see the old or the new text and never a part.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    let dir = path
        .parent()
        .expect("every file of the lab is in a directory");
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(LabError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::{super::hosts, *};

    fn record(ready: Option<ProcessId>) -> HostRecord {
        HostRecord {
            spec: hosts::table().remove(0),
            accelerator: Accelerator::Tcg,
            since: "2026-11-21T22:00:00Z".parse().unwrap(),
            host_keys: vec!["ssh-ed25519 AAAA".into()],
            ready,
        }
    }

    fn dirs() -> (tempfile::TempDir, LabDirs) {
        let dir = tempfile::tempdir().unwrap();
        let dirs = LabDirs::below(dir.path()).unwrap();
        fs::create_dir_all(dirs.host("lab-upstream")).unwrap();
        (dir, dirs)
    }

    #[test]
    fn a_record_comes_back_as_it_was_saved() {
        let (_dir, dirs) = dirs();
        let record = record(ProcessId::of(std::process::id()));
        record.save(&dirs).unwrap();
        assert_eq!(load_all(&dirs), [record]);
    }

    #[test]
    fn a_damaged_record_is_as_good_as_none() {
        let (_dir, dirs) = dirs();
        for text in ["", "{", "{\"spec\":1}"] {
            fs::write(file(&dirs, "lab-upstream"), text).unwrap();
            assert_eq!(load_all(&dirs), []);
        }
    }

    #[test]
    fn the_state_follows_the_machine_and_not_its_number() {
        let (_dir, dirs) = dirs();
        let me = ProcessId::of(std::process::id()).unwrap();
        let other = ProcessId {
            start: me.start + 1,
            ..me
        };
        assert_eq!(record(Some(me)).state(&dirs), (HostState::Up, Some(me)));
        assert_eq!(record(Some(other)).state(&dirs), (HostState::Crashed, None));
        assert_eq!(record(None).state(&dirs), (HostState::Crashed, None));
    }
}
