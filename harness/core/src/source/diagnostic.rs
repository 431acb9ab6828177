//! One mistake in a file, and all of them together.

use std::{fmt, ops::Range};

/// One mistake in a file.
///
/// Its [`fmt::Display`] is the plain form, `file:line:column: error: …`; whoever draws the line of the
/// file itself has the byte range, and must look at [`Diagnostic::secret`] first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The bytes of the file's text that are wrong.
    pub span: Range<usize>,
    /// What is wrong: a fragment in lower case, without a full stop.
    pub message: String,
    /// What would have been right.
    pub expected: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// True where the lines of the span hold a secret: they must not be shown.
    pub secret: bool,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file, line, column, ..
        } = self;
        write!(f, "{file}:{line}:{column}: error: {}", self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, " (expected {expected})")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

/// All mistakes of one or more files, in the order of each file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Takes the mistakes of one file and puts them into the file's order, each once.
    #[must_use]
    pub fn of_one_file(mut all: Vec<Diagnostic>) -> Self {
        all.sort_by_key(|d| (d.span.start, d.span.end));
        all.dedup();
        Self(all)
    }

    /// Adds the mistakes of another file behind these.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The mistakes, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|d| writeln!(f, "{d}"))
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, start: usize) -> Diagnostic {
        Diagnostic {
            file: file.to_owned(),
            line: 1,
            column: start + 1,
            span: start..start + 1,
            message: "no".to_owned(),
            expected: None,
            help: None,
            secret: false,
        }
    }

    #[test]
    fn files_follow_each_other_and_each_is_in_its_own_order() {
        let mut all = Diagnostics::of_one_file(vec![at("b", 9), at("b", 2), at("b", 9)]);
        all.extend(Diagnostics::of_one_file(vec![at("a", 1)]));
        let text = all.to_string();
        assert_eq!(
            text,
            "b:1:3: error: no\nb:1:10: error: no\na:1:2: error: no\n"
        );
    }

    #[test]
    fn the_plain_form_has_expectation_and_help() {
        let full = Diagnostic {
            expected: Some("one of `a`, `b`".to_owned()),
            help: Some("did you mean `a`?".to_owned()),
            ..at("f", 0)
        };
        assert_eq!(
            full.to_string(),
            "f:1:1: error: no (expected one of `a`, `b`)\n  help: did you mean `a`?"
        );
    }
}
