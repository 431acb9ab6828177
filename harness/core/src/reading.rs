//! A value that may be missing, with the reason: absence is data, never an empty value.

pub use crate::evidence::capture::Reading;

impl<T> Reading<T> {
    /// The value, where there is one.
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
            Self::Ok(value) => match parse(&value) {
                Some(parsed) => Reading::Ok(parsed),
                None => Reading::missing(why),
            },
            Self::Missing { why } => Reading::Missing { why },
        }
    }
}
