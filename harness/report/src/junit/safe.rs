//! Text made fit for JUnit: legal in XML, of bounded length, and harmless to whoever reads it.

use patchgate_core::text::{one_line, visible};

/// The longest message: what consumers show in a list.
const MESSAGE: usize = 200;
/// The longest body of one case, in characters.
const BODY: usize = 50_000;
/// However many cases there are, each may say so much.
const LEAST_BODY: usize = 2_000;
/// What the bodies of a document may hold together: GitLab takes no file beyond 30 MB.
const ALL_BODIES: usize = 20_000_000;

/// The longest body in a document of so many cases, in characters.
pub(super) fn room(n_cases: usize) -> usize {
    (ALL_BODIES / n_cases.max(1)).clamp(LEAST_BODY, BODY)
}

/// A message or another attribute: one line of at most 200 characters.
pub(super) fn attribute(text: &str) -> String {
    one_line(text, MESSAGE - 1)
}

/// A body: several lines, its middle left out when it is too long, ready for `junit-report`.
pub(super) fn body(text: &str, max: usize) -> String {
    in_cdata(&cut(&visible(text), max))
}

/// `junit-report` writes bodies into CDATA sections as they are, so `]]>` is spread over two of them
/// here: the text stays what it was.
fn in_cdata(text: &str) -> String {
    text.replace("]]>", "]]]]><![CDATA[>")
}

/// Keeps three quarters from the beginning and one from the end.
fn cut(text: &str, max: usize) -> String {
    let n_chars = text.chars().count();
    if n_chars <= max {
        return text.to_owned();
    }
    let (head, tail) = (max / 4 * 3, max / 4);
    let begin: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(n_chars - tail).collect();
    let left_out = n_chars - head - tail;
    format!("{begin}\n[... {left_out} characters left out ...]\n{end}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_bodies_lose_their_middle() {
        assert_eq!(cut("abcdefgh", 8), "abcdefgh");
        assert_eq!(
            cut("abcdefghi", 8),
            "abcdef\n[... 1 characters left out ...]\nhi"
        );
        let long = "é".repeat(1_000_000);
        assert!(body(&long, room(1)).chars().count() < BODY + 60);
        for (n_cases, max) in [
            (0, 50_000),
            (400, 50_000),
            (4_000, 5_000),
            (1_000_000, 2_000),
        ] {
            assert_eq!(room(n_cases), max);
        }
    }

    #[test]
    fn a_cdata_end_is_spread_over_two_sections() {
        assert_eq!(body("a]]>b", 9), "a]]]]><![CDATA[>b");
        assert_eq!(body("]]\u{1b}>", 9), "]]\\u{1b}>");
    }

    proptest! {
        #[test]
        fn attributes_are_one_short_line(text in any::<String>()) {
            let safe = attribute(&text);
            prop_assert!(safe.chars().count() <= MESSAGE);
            prop_assert!(!safe.contains(['\n', '\t', '\r']));
        }
    }
}
