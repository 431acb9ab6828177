//! What can go wrong with a record.

use std::{
    io,
    path::{Path, PathBuf},
};

/// What went wrong with a record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system refused.
    #[error("cannot {what} `{}`", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An earlier write failed: nothing more is written, and nothing is judged.
    #[error("the record is broken: an earlier write failed")]
    Broken,
    /// Another controller works on the run.
    #[error("another controller works on `{}`", .0.display())]
    Busy(PathBuf),
    /// A line is not what was written.
    #[error("the record was changed after it was written: {file}, line {line}: {why}")]
    Tampered {
        /// The file.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A file is not in the format that this version reads.
    #[error("cannot read {file}: {why}")]
    Format {
        /// The file.
        file: &'static str,
        /// Why.
        why: String,
    },
}

impl RecordError {
    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            what,
            path: path.to_owned(),
            source,
        }
    }

    /// Whether somebody changed the record.
    #[must_use]
    pub fn is_tampering(&self) -> bool {
        match self {
            Self::Tampered { .. } => true,
            Self::Io { .. } | Self::Broken | Self::Busy(_) | Self::Format { .. } => false,
        }
    }
}
