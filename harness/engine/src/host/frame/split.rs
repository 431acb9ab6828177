//! Cutting one stream into output and frames, however its bytes are chunked.

use super::{Nonce, RECORD_SEPARATOR};

/// No frame of ours is longer; what is, was not written by us.
const LONGEST: usize = 160;

/// A piece of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Output.
    Data(&'a [u8]),
    /// A frame with the right nonce: what stands between the nonce and the line's end.
    Frame(String),
    /// A frame with the right nonce that has no end; the stream cannot be trusted any more.
    Endless,
}

/// Finds the frames of one batch in one stream.
///
/// Frames are cut out wherever they stand, also within a line; everything else is output, frames
/// with other nonces included.
#[derive(Debug)]
pub struct Splitter {
    prefix: Vec<u8>,
    /// The beginning of what may be a frame.
    held: Vec<u8>,
}

impl Splitter {
    /// Makes a splitter for the frames with this nonce.
    #[must_use]
    pub fn new(nonce: &Nonce) -> Self {
        let mut prefix = vec![RECORD_SEPARATOR];
        prefix.extend_from_slice(nonce.as_str().as_bytes());
        prefix.push(b' ');
        Self {
            prefix,
            held: Vec::with_capacity(LONGEST),
        }
    }

    /// Takes the next bytes and hands over the pieces that they complete.
    pub fn feed(&mut self, mut bytes: &[u8], mut sink: impl FnMut(Piece<'_>)) {
        while !bytes.is_empty() {
            if self.held.is_empty() {
                let plain = bytes.iter().position(|byte| *byte == RECORD_SEPARATOR);
                let (data, rest) = bytes.split_at(plain.unwrap_or(bytes.len()));
                if !data.is_empty() {
                    sink(Piece::Data(data));
                }
                bytes = rest;
            }
            bytes = self.hold(bytes, &mut sink);
        }
    }

    /// Goes on with the frame that may have begun; returns what is left to look at.
    fn hold<'a>(&mut self, bytes: &'a [u8], sink: &mut impl FnMut(Piece<'_>)) -> &'a [u8] {
        for (at, byte) in bytes.iter().enumerate() {
            match self.prefix.get(self.held.len()) {
                Some(expected) if expected == byte => self.held.push(*byte),
                Some(_) => {
                    self.let_go(sink);
                    return &bytes[at..];
                }
                None if *byte == b'\n' => {
                    let body = String::from_utf8_lossy(&self.held[self.prefix.len()..]);
                    sink(Piece::Frame(body.into_owned()));
                    self.held.clear();
                    return &bytes[at + 1..];
                }
                None if self.held.len() >= LONGEST => {
                    self.held.clear();
                    sink(Piece::Endless);
                    return &bytes[at..];
                }
                None => self.held.push(*byte),
            }
        }
        &[]
    }

    /// Hands over what was held back: the stream has ended, or it was no frame.
    fn let_go(&mut self, sink: &mut impl FnMut(Piece<'_>)) {
        sink(Piece::Data(&self.held));
        self.held.clear();
    }

    /// Ends the stream: a frame that was cut short is output.
    pub fn end(&mut self, mut sink: impl FnMut(Piece<'_>)) {
        if !self.held.is_empty() {
            self.let_go(&mut sink);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Clone)]
    enum Owned {
        Data(Vec<u8>),
        Frame(String),
        Endless,
    }

    fn split(chunks: &[&[u8]]) -> Vec<Owned> {
        let mut splitter = Splitter::new(&Nonce::new([0xab; 16]));
        let mut pieces: Vec<Owned> = Vec::new();
        let mut take = |piece: Piece<'_>| match (piece, pieces.last_mut()) {
            (Piece::Data(more), Some(Owned::Data(data))) => data.extend_from_slice(more),
            (Piece::Data(data), _) => pieces.push(Owned::Data(data.to_vec())),
            (Piece::Frame(body), _) => pieces.push(Owned::Frame(body)),
            (Piece::Endless, _) => pieces.push(Owned::Endless),
        };
        for chunk in chunks {
            splitter.feed(chunk, &mut take);
        }
        splitter.end(&mut take);
        pieces
    }

    fn frame(body: &str) -> Vec<u8> {
        format!("\u{1e}{} {body}\n", "ab".repeat(16)).into_bytes()
    }

    #[test]
    fn frames_are_cut_out_of_the_middle_of_a_line() {
        let stream = [b"abc".as_slice(), &frame("b 0 7 1.00"), b"def"].concat();
        assert_eq!(
            split(&[&stream]),
            [
                Owned::Data(b"abc".to_vec()),
                Owned::Frame("b 0 7 1.00".into()),
                Owned::Data(b"def".to_vec())
            ]
        );
    }

    #[test]
    fn frames_with_another_nonce_are_output() {
        let other = format!("\u{1e}{} e 0 0\n", "cd".repeat(16)).into_bytes();
        assert_eq!(split(&[&other]), [Owned::Data(other.clone())]);
    }

    #[test]
    fn a_record_separator_right_before_a_frame_is_output() {
        let stream = [b"\x1e\x1eab".as_slice(), &frame("z")].concat();
        assert_eq!(
            split(&[&stream]),
            [
                Owned::Data(b"\x1e\x1eab".to_vec()),
                Owned::Frame("z".into())
            ]
        );
    }

    #[test]
    fn a_frame_without_an_end_is_told() {
        let stream = frame(&"x".repeat(500));
        assert_eq!(split(&[&stream])[0], Owned::Endless);
    }

    #[test]
    fn a_torn_frame_is_output() {
        let whole = frame("e 0 0 1.00");
        let torn = &whole[..whole.len() - 1];
        assert_eq!(split(&[torn]), [Owned::Data(torn.to_vec())]);
    }

    proptest! {
        #[test]
        fn chunking_changes_nothing(
            parts in prop::collection::vec(
                prop_oneof![
                    any::<Vec<u8>>(),
                    Just(frame("e 1 0 2.00")),
                    Just(frame("z")),
                    Just(b"\x1eabab".to_vec()),
                    Just(b"\x1e".to_vec()),
                ],
                0..12,
            ),
            size in 1..40_usize,
        ) {
            let stream = parts.concat();
            let chunks: Vec<&[u8]> = stream.chunks(size).collect();
            prop_assert_eq!(split(&chunks), split(&[&stream]));
        }
    }
}
