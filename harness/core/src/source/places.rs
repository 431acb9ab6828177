//! From the parser's places to ours.

use saphyr_parser::{Marker, Span as ParserSpan};

use super::{Span, reindent::Moved};

/// The parser's places are characters; ours are bytes.
pub(super) struct Places {
    bytes: Option<Vec<usize>>,
    base: usize,
}

impl Places {
    /// The places of a text that begins at a byte of the file, with lines in it moved.
    pub(super) fn new(text: &str, base: usize, moved: &Moved) -> Self {
        let is_plain = text.is_ascii() && moved.is_empty();
        Self {
            bytes: (!is_plain).then(|| table(text, moved)),
            base,
        }
    }

    pub(super) fn byte(&self, mark: &Marker) -> usize {
        let at = match &self.bytes {
            None => mark.index(),
            Some(table) => {
                let index = mark.index().min(table.len() - 1);
                table[index]
            }
        };
        at + self.base
    }

    pub(super) fn span(&self, span: &ParserSpan) -> Span {
        Span {
            start: self.byte(&span.start),
            end: self.byte(&span.end),
        }
    }
}

/// The byte of every character; the spaces that move a line are where it begins.
fn table(text: &str, moved: &Moved) -> Vec<usize> {
    let mut table = Vec::with_capacity(text.len());
    for (i, _) in text.char_indices() {
        let spaces = moved.get(&i).copied().unwrap_or_default();
        table.extend(std::iter::repeat_n(i, spaces + 1));
    }
    table.push(text.len());
    table
}
