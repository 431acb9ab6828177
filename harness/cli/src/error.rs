//! What a person is told when a command cannot do its work: one sentence, and what to do.

use std::{error::Error, io};

use patchgate_core::{
    exit::{self, ExitCode},
    source::Diagnostics,
};
use patchgate_engine::record::RecordError;

use crate::{draw, out};

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum CliError {
    /// Something that was asked for is wrong; nothing was touched.
    Usage {
        message: String,
        hint: Option<String>,
    },
    /// Files hold mistakes; nothing was touched. The texts are for drawing; the others are mistakes
    /// that are in no file.
    Configuration {
        diagnostics: Diagnostics,
        texts: Vec<(String, String)>,
        others: Vec<Self>,
    },
    /// The record.
    Record(RecordError),
    /// Standard output took only a part of the answer.
    Answer(io::Error),
    /// A bug.
    Bug(String),
}

impl CliError {
    /// Something that was asked for is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what to do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Usage { message, .. } => Self::Usage {
                message,
                hint: Some(hint.into()),
            },
            other @ (Self::Configuration { .. }
            | Self::Record(_)
            | Self::Answer(_)
            | Self::Bug(_)) => other,
        }
    }

    /// The exit code that goes with it.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Usage { .. } | Self::Configuration { .. } => exit::USAGE,
            Self::Record(RecordError::Busy(_)) => exit::LOCKED,
            Self::Record(error) if error.is_tampering() => exit::SECURITY,
            Self::Record(_) | Self::Answer(_) => exit::NOT_DURABLE,
            Self::Bug(_) => exit::BUG,
        }
    }

    /// Tells it on standard error.
    pub(crate) fn show(&self) {
        match self {
            Self::Usage { message, hint } => {
                out::error(message);
                if let Some(hint) = hint {
                    out::hint(hint);
                }
            }
            Self::Configuration {
                diagnostics,
                texts,
                others,
            } => {
                out::raw(&draw::diagnostics(diagnostics, texts));
                others.iter().for_each(Self::show);
                let n = diagnostics.len() + others.len();
                let s = if n == 1 { "" } else { "s" };
                out::error(&format!(
                    "{n} mistake{s} in the configuration; nothing was touched"
                ));
            }
            Self::Record(error) => out::error(&chain(error)),
            Self::Answer(error) => out::error(&format!("cannot write to standard output: {error}")),
            Self::Bug(what) => out::error(&format!("this is a bug in patchgate: {what}")),
        }
    }
}

impl From<RecordError> for CliError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

/// An error and its sources in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}
