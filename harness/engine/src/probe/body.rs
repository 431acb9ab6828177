//! A body as it streams by: counted, digested, searched, and never kept.

use openssl::sha::Sha256;

/// Takes a body in pieces.
pub(super) struct Body<'a> {
    needles: &'a [String],
    found: Vec<bool>,
    /// The end of what has passed: one byte less than the longest needle.
    tail: Vec<u8>,
    digest: Sha256,
    len: u64,
}

/// What is known of a whole body.
pub(super) struct BodyFacts {
    /// Its length in bytes.
    pub(super) len: u64,
    /// Its SHA-256 in lower-case hexadecimal.
    pub(super) sha256: String,
    /// Which needles it holds, in their order.
    pub(super) contained: Vec<bool>,
}

impl<'a> Body<'a> {
    /// Starts with an empty body; an empty needle is in every body.
    pub(super) fn new(needles: &'a [String]) -> Self {
        Self {
            needles,
            found: needles.iter().map(String::is_empty).collect(),
            tail: Vec::new(),
            digest: Sha256::new(),
            len: 0,
        }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.len += piece.len() as u64;
        self.digest.update(piece);
        if self.found.iter().all(|f| *f) {
            return;
        }
        self.tail.extend_from_slice(piece);
        for (needle, found) in self.needles.iter().zip(&mut self.found) {
            *found = *found || holds(&self.tail, needle.as_bytes());
        }
        let keep = self.needles.iter().map(String::len).max().unwrap_or(0);
        let gone = self.tail.len().saturating_sub(keep.saturating_sub(1));
        self.tail.drain(..gone);
    }

    /// The length so far, in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Ends the body.
    pub(super) fn finish(self) -> BodyFacts {
        BodyFacts {
            len: self.len,
            sha256: hex(&self.digest.finish()),
            contained: self.found,
        }
    }
}

fn holds(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|w| w == needle)
}

/// Writes bytes in lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts(needles: &[String], pieces: &[&[u8]]) -> BodyFacts {
        let mut body = Body::new(needles);
        pieces.iter().for_each(|p| body.push(p));
        body.finish()
    }

    #[test]
    fn a_needle_across_pieces_is_found() {
        let needles = ["nonce".to_owned(), "absent".to_owned(), String::new()];
        let facts = facts(&needles, &[b"a no", b"n", b"", b"ce b"]);
        assert_eq!(facts.contained, [true, false, true]);
        assert_eq!(facts.len, 9);
    }

    #[test]
    fn the_digest_is_sha256() {
        // FIPS 180-2, appendix B.1.
        let facts = facts(&[], &[b"a", b"bc"]);
        assert_eq!(
            facts.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    proptest! {
        #[test]
        fn cutting_a_body_into_pieces_changes_nothing(
            body in proptest::collection::vec(0u8..3, 0..60),
            needles in proptest::collection::vec("[\u{0}-\u{2}]{0,4}", 0..4),
            cuts in proptest::collection::vec(0usize..60, 0..6),
        ) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|c| c.min(body.len())).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([body.len()]) {
                pieces.push(&body[from..cut]);
                from = cut;
            }
            let whole = facts(&needles, &[&body]);
            let parts = facts(&needles, &pieces);
            prop_assert_eq!(&whole.contained, &parts.contained);
            prop_assert_eq!(whole.sha256, parts.sha256);
            for (needle, found) in needles.iter().zip(whole.contained) {
                let text = String::from_utf8(body.clone()).unwrap();
                prop_assert_eq!(found, text.contains(needle.as_str()));
            }
        }
    }
}
