//! The stretch of a stream's text that is kept.

use std::ops::Range;

use memchr::memchr_iter;

/// Text that has come and may still be asked for. Places count from the stream's beginning.
#[derive(Debug, Default)]
pub(super) struct Kept {
    text: String,
    /// The place where `text` begins.
    base: usize,
    /// The place up to which lines were read.
    read: usize,
    /// The beginning of a character whose rest has not come.
    torn: Vec<u8>,
}

impl Kept {
    /// Takes bytes. What is no UTF-8 is replaced as [`String::from_utf8_lossy`] does it.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !self.torn.is_empty() {
            let mut all = std::mem::take(&mut self.torn);
            all.extend_from_slice(bytes);
            return self.push(&all);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.push_broken(bytes),
        }
    }

    /// Takes bytes that are not all UTF-8.
    fn push_broken(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.text.push_str(chunk.valid());
            let broken = chunk.invalid();
            let is_begun = |error: std::str::Utf8Error| error.error_len().is_none();
            if chunks.peek().is_none() && std::str::from_utf8(broken).is_err_and(is_begun) {
                self.torn.extend_from_slice(broken);
            } else if !broken.is_empty() {
                self.text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }

    /// Takes note that nothing more comes.
    pub(super) fn end(&mut self) {
        if !self.torn.is_empty() {
            self.torn.clear();
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
    }

    /// What has not been read.
    pub(super) fn unread(&self) -> Range<usize> {
        self.read..self.base + self.text.len()
    }

    /// How many bytes are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// The places of line ends in what has not been read.
    pub(super) fn line_ends(&self) -> impl Iterator<Item = usize> {
        let unread = self.get(&self.unread()).as_bytes();
        memchr_iter(b'\n', unread).map(|at| self.read + at)
    }

    /// The text between two places.
    pub(super) fn get(&self, range: &Range<usize>) -> &str {
        &self.text[range.start - self.base..range.end - self.base]
    }

    /// The place of a text that was got from here.
    pub(super) fn place(&self, part: &str) -> Range<usize> {
        let start = self.base + (part.as_ptr() as usize - self.text.as_ptr() as usize);
        start..start + part.len()
    }

    /// Takes note that all before this place was read.
    pub(super) fn read_to(&mut self, place: usize) {
        self.read = place;
    }

    /// Forgets what was read and stands before this place, once that is most of the text.
    pub(super) fn forget(&mut self, place: usize) {
        let useless = place.min(self.read) - self.base;
        if useless > self.text.len() / 2 {
            self.text.drain(..useless);
            self.base += useless;
        }
    }
}
