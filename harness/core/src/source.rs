//! YAML text with positions, and everything that is wrong with it.
//!
//! A parser here never stops at the first mistake: it reports into a [`Sink`] and goes on, so that one
//! run shows every mistake of every file. What a file means is not decided here.

pub mod address;
mod diagnostic;
mod field;
pub mod grammar;
mod load;
pub mod node;
mod places;
pub mod reader;
mod reindent;
pub mod scalar;
mod sink;
mod suggest;

pub use diagnostic::{Diagnostic, Diagnostics};
pub use load::{MAX_BYTES, MAX_DEPTH, load, load_ansible};
pub use sink::{MAX_FOUND, Problem, Sink};
pub use suggest::{closest, list_of, quote};

/// A stretch of a text, in bytes: from `start` up to and without `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

/// A text, the file that it came from, and where its lines begin.
#[derive(Debug)]
pub struct Source<'t> {
    file: &'t str,
    text: &'t str,
    line_starts: Vec<usize>,
}

impl<'t> Source<'t> {
    /// Takes a text and the name that diagnostics give its file.
    #[must_use]
    pub fn new(file: &'t str, text: &'t str) -> Self {
        let bytes = text.as_bytes();
        let after_break = |(i, b): (usize, &u8)| match b {
            b'\n' => Some(i + 1),
            // YAML counts a carriage return of its own as a line break.
            b'\r' if bytes.get(i + 1) != Some(&b'\n') => Some(i + 1),
            _ => None,
        };
        let starts = bytes.iter().enumerate().filter_map(after_break);
        Self {
            file,
            text,
            line_starts: std::iter::once(0).chain(starts).collect(),
        }
    }

    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> &'t str {
        self.file
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The line and the column of a byte, both counted from 1, the column in characters.
    ///
    /// A byte behind the text counts as its end; one inside a character as that character.
    #[must_use]
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let byte = self.floor(byte);
        let line = self.line_starts.partition_point(|start| *start <= byte);
        let start = self.line_starts[line - 1];
        (line, self.text[start..byte].chars().count() + 1)
    }

    /// The first byte of the character that a byte belongs to, or the end of the text.
    fn floor(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

#[cfg(test)]
mod tests;
