//! From the parser's places to ours.

use saphyr_parser::{Marker, Span as ParserSpan};

use super::Span;

/// The parser's places are characters; ours are bytes.
pub(super) struct Places {
    bytes: Option<Vec<usize>>,
    base: usize,
}

impl Places {
    pub(super) fn new(text: &str, base: usize) -> Self {
        let table = || text.char_indices().map(|(i, _)| i).chain([text.len()]);
        Self {
            bytes: (!text.is_ascii()).then(|| table().collect()),
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
