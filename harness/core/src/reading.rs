//! A value that may be missing, with the reason: absence is data, never an empty value.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value that was read, or why it could not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading<T> {
    /// The value.
    Known(T),
    /// It could not be read.
    Missing {
        /// Why, in words for people.
        why: String,
    },
}

impl<T> Reading<T> {
    /// A missing value.
    pub fn missing(why: impl fmt::Display) -> Self {
        Self::Missing {
            why: why.to_string(),
        }
    }

    /// The value, where there is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Missing { .. } => None,
        }
    }

    /// The reason for its absence, where it is absent.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Known(_) => None,
            Self::Missing { why } => Some(why),
        }
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
