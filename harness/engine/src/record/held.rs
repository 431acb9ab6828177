//! A record that is gone on with: held by one controller, checked, and cut to its last whole event.

use std::fs::{File, OpenOptions, TryLockError};

use patchgate_core::event::What;

use super::{
    EVENTS, Journal, Record, RecordError, RunDir, TARGETS, Watcher,
    chain::Chain,
    digest,
    read::{self, End},
};

/// A record that no other controller writes to.
pub struct Held {
    dir: RunDir,
    file: File,
    record: Record,
    end: End,
}

/// Where a journal goes on.
pub(super) struct Place {
    pub(super) file: File,
    pub(super) seq: u64,
    pub(super) chain: Chain,
}

impl Held {
    /// Takes the record of a run that was begun, and checks all of it. Nothing is changed.
    ///
    /// # Errors
    /// [`RecordError::Busy`] while another controller works on the run; else those of [`super::open`].
    pub fn take(dir: RunDir) -> Result<Self, RecordError> {
        let path = dir.path().join(EVENTS);
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.map_err(|e| RecordError::io("open", &path, e))?;
        lock(&file, &dir)?;
        let (record, end) = read::open_to_the_end(&dir)?;
        Ok(Self {
            dir,
            file,
            record,
            end,
        })
    }

    /// What it holds.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// How each host of the run is reached, as the run wrote it down at its begin.
    ///
    /// # Errors
    /// When the file is not there, or is not the one that the run began with.
    pub fn targets(&self) -> Result<Vec<u8>, RecordError> {
        let bytes = read::file(self.dir.path(), TARGETS)?;
        if let Some(first) = self.record.events.first()
            && let What::RunStarted { targets_sha256, .. } = &first.what
            && *targets_sha256 == Some(digest(&bytes))
        {
            return Ok(bytes);
        }
        Err(RecordError::Tampered {
            file: EVENTS,
            line: 1,
            why: format!("{TARGETS} is not the one that the run began with"),
        })
    }

    /// Cuts a torn last line off and goes on behind the last whole event. Returns how many bytes were
    /// cut.
    ///
    /// # Errors
    /// When the file cannot be cut, or that cannot be made durable.
    pub fn go_on(self, watcher: Watcher) -> Result<(Journal, Record, u64), RecordError> {
        let Self {
            dir,
            file,
            record,
            end,
        } = self;
        if end.torn > 0 {
            let cut = file.set_len(end.whole).and_then(|()| file.sync_all());
            cut.map_err(|e| RecordError::io("cut", &dir.path().join(EVENTS), e))?;
        }
        let place = Place {
            file,
            seq: record.events.len() as u64,
            chain: end.chain,
        };
        let journal = Journal::at(dir, place, watcher);
        Ok((
            journal,
            Record {
                torn: false,
                ..record
            },
            end.torn,
        ))
    }
}

/// Locks the file of events: the lock goes with the process, however that ends.
pub(super) fn lock(file: &File, dir: &RunDir) -> Result<(), RecordError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => RecordError::Busy(dir.path().to_owned()),
        TryLockError::Error(e) => RecordError::io("lock", &dir.path().join(EVENTS), e),
    })
}

#[cfg(test)]
mod tests;
