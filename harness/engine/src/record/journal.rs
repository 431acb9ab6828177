//! Writes the events of a run, one line each, in order.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use patchgate_core::{
    event::{EVENT_VERSION, Event, What},
    id::HostName,
    state::State,
};

use super::{
    EVENTS, RecordError, RunDir,
    chain::Chain,
    held::{self, Place},
    sync_dir,
};
use crate::clock;

/// Sees every event after it was written.
pub type Watcher = Box<dyn FnMut(&Event) + Send>;

/// The open record of a running run.
///
/// A write that fails breaks it for good: there is no second try, because a file system that failed
/// once has shown that it may lose what it took.
pub struct Journal {
    dir: RunDir,
    inner: Mutex<Inner>,
}

struct Inner {
    file: File,
    seq: u64,
    chain: Chain,
    broken: bool,
    watcher: Watcher,
}

impl Journal {
    /// Begins the record of a new run.
    ///
    /// # Errors
    /// When the file exists or cannot be made, or another controller was faster.
    pub fn begin(dir: RunDir, watcher: Watcher) -> Result<Self, RecordError> {
        let path = dir.path().join(EVENTS);
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let file = file.map_err(|e| RecordError::io("create", &path, e))?;
        held::lock(&file, &dir)?;
        sync_dir(dir.path())?;
        let place = Place {
            file,
            seq: 0,
            chain: Chain::default(),
        };
        Ok(Self::at(dir, place, watcher))
    }

    /// Goes on at a place in the file, which is locked.
    pub(super) fn at(dir: RunDir, place: Place, watcher: Watcher) -> Self {
        let Place { file, seq, chain } = place;
        let inner = Inner {
            file,
            seq,
            chain,
            broken: false,
            watcher,
        };
        Self {
            dir,
            inner: Mutex::new(inner),
        }
    }

    /// The run's directory.
    #[must_use]
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Writes an event; [`Self::sync`] makes it durable. Returns it as it stands in the record.
    ///
    /// # Errors
    /// When this or an earlier write failed.
    pub fn write(
        &self,
        host: Option<&HostName>,
        state: Option<State>,
        what: What,
    ) -> Result<Event, RecordError> {
        let mut inner = self.lock()?;
        let seq = inner.seq + 1;
        let (host, at) = (host.cloned(), clock::now());
        let event = Event {
            v: EVENT_VERSION,
            seq,
            at,
            host,
            state,
            what,
        };
        let (mut line, chain) = inner.chain.line(&event);
        line.push('\n');
        let written = inner.file.write_all(line.as_bytes());
        self.settle(&mut inner, written)?;
        (inner.seq, inner.chain) = (seq, chain);
        (inner.watcher)(&event);
        Ok(event)
    }

    /// Makes all that was written durable.
    ///
    /// # Errors
    /// When this or an earlier write failed.
    pub fn sync(&self) -> Result<(), RecordError> {
        let mut inner = self.lock()?;
        let synced = inner.file.sync_data();
        self.settle(&mut inner, synced)
    }

    fn lock(&self) -> Result<MutexGuard<'_, Inner>, RecordError> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.broken {
            Err(RecordError::Broken)
        } else {
            Ok(inner)
        }
    }

    fn settle(&self, inner: &mut Inner, done: std::io::Result<()>) -> Result<(), RecordError> {
        done.map_err(|e| {
            inner.broken = true;
            RecordError::io("write", &self.dir.path().join(EVENTS), e)
        })
    }
}
