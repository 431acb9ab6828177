//! The lines of a text in pieces of bounded length.

/// Which part of its line a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// The beginning of a line that is too long to be read as one.
    First,
    /// A later part of such a line.
    Rest,
}

/// A line without its end, or a part of a long one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// The text.
    pub(super) text: &'a str,
    /// Which part of the line it is.
    pub(super) part: Part,
}

/// How far back from the limit a space is looked for, so that words stay whole.
const LOOK_BACK: usize = 512;

/// Splits a text as [`str::lines`] does, and lines of more than `limit` bytes further.
pub(super) fn pieces(text: &str, limit: usize) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut part = Part::Whole;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let near = &rest.as_bytes()[..rest.len().min(limit + 1)];
        let end = near.iter().position(|byte| *byte == b'\n');
        let (piece, next) = match end {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None if rest.len() > limit => rest.split_at(cut(near, limit)),
            None => (rest, ""),
        };
        let goes_on = end.is_none() && rest.len() > limit;
        let this = if goes_on { opening(part) } else { part };
        (rest, part) = (next, if goes_on { Part::Rest } else { Part::Whole });
        let text = piece.strip_suffix('\r').filter(|_| end.is_some());
        Some(Piece {
            text: text.unwrap_or(piece),
            part: this,
        })
    })
}

/// The part that a piece is when its line goes on behind it.
pub(super) fn opening(part: Part) -> Part {
    match part {
        Part::Whole | Part::First => Part::First,
        Part::Rest => Part::Rest,
    }
}

/// Where a line of more than `limit` bytes is cut: behind a space if there is one, else between
/// two characters. Depends on no byte behind the one at `limit`.
pub(super) fn cut(line: &[u8], limit: usize) -> usize {
    let tail = limit.saturating_sub(LOOK_BACK);
    let space = line[tail..limit].iter().rposition(|byte| *byte == b' ');
    let is_start = |at: &usize| line[*at] & 0b1100_0000 != 0b1000_0000;
    space
        .map(|n| tail + n + 1)
        .or_else(|| (1..=limit).rev().take(4).find(is_start))
        .unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Part, pieces};

    fn all(text: &str, limit: usize) -> Vec<(&str, Part)> {
        pieces(text, limit)
            .map(|piece| (piece.text, piece.part))
            .collect()
    }

    #[test]
    fn short_lines_are_whole() {
        let found = all("a\r\n\nb\rc\n\u{e4}\r", 8);
        let wanted = ["a", "", "b\rc", "\u{e4}\r"].map(|text| (text, Part::Whole));
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_long_line_is_cut_behind_a_space_or_between_characters() {
        assert_eq!(
            all("one two three\nx", 8),
            [
                ("one two ", Part::First),
                ("three", Part::Rest),
                ("x", Part::Whole)
            ]
        );
        assert_eq!(
            all("\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}", 9),
            [
                ("\u{fc}\u{fc}\u{fc}\u{fc}", Part::First),
                ("\u{fc}", Part::Rest)
            ]
        );
    }

    proptest! {
        #[test]
        fn pieces_are_bounded_and_nothing_is_lost(text in "(.|\n| ){0,80}", limit in 8..30_usize) {
            let found = all(&text, limit);
            prop_assert!(found.iter().all(|(piece, _)| piece.len() <= limit));
            let kept: String = found.iter().map(|(piece, _)| *piece).collect();
            let wanted: String = text.lines().collect();
            prop_assert_eq!(kept, wanted);
        }
    }
}
