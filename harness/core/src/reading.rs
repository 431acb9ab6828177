//! A value that may be missing, with the reason: absence is data, never an empty value.

use serde::{Deserialize, Serialize};

/// Something that was read, or why it could not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading<T> {
    /// What was read.
    Known(T),
    /// Nothing was read.
    Missing {
        /// The reason, in the words of the host or of the engine.
        why: String,
    },
}

impl<T> Reading<T> {
    /// A reading that failed for this reason.
    pub fn missing(why: impl Into<String>) -> Self {
        Self::Missing { why: why.into() }
    }

    /// What was read, or the reason why nothing was.
    ///
    /// # Errors
    /// The reason, when nothing was read.
    pub fn get(&self) -> Result<&T, &str> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Missing { why } => Err(why),
        }
    }

    /// What was read, where something was.
    pub fn known(&self) -> Option<&T> {
        self.get().ok()
    }

    /// The reason for its absence, where it is absent.
    pub fn why(&self) -> Option<&str> {
        self.get().err()
    }

    /// Applies a parser to the value; a parser's `None` makes it missing.
    pub fn and_parse<U>(self, parse: impl FnOnce(&T) -> Option<U>, why: &str) -> Reading<U> {
        match self {
            Self::Known(value) => match parse(&value) {
                Some(parsed) => Reading::Known(parsed),
                None => Reading::missing(why),
            },
            Self::Missing { why } => Reading::Missing { why },
        }
    }
}
