//! A line of words as Python's `shlex` splits it, with comments: what Ansible does with a line of a host.

use crate::source::Span;

/// A word, its quotes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Where it stands, with its quotes.
    pub(super) span: Span,
}

/// Why a line cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WordsError {
    #[error("a quote is not closed in this line")]
    Quote,
    #[error("nothing follows the backslash at the end of this line")]
    Backslash,
}

/// Splits a line that begins at a byte of its text.
///
/// `#` begins a comment, also in the middle of a word; a backslash takes the next character as it is, in
/// double quotes only before `"` and itself.
pub(super) fn split(line: &str, at: usize) -> Result<Vec<Word>, WordsError> {
    let mut words = Vec::new();
    let mut word: Option<(usize, String)> = None;
    let mut quote: Option<char> = None;
    let mut end = line.len();
    let mut chars = line.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        if quote == Some(c) {
            quote = None;
            continue;
        }
        match (quote, c) {
            (None, '#') => {
                end = i;
                break;
            }
            (None, c) if c.is_ascii_whitespace() => finish(&mut words, &mut word, i, at),
            (None, '"' | '\'') => {
                word.get_or_insert_with(|| (i, String::new()));
                quote = Some(c);
            }
            (None | Some('"'), '\\') => {
                let (_, next) = chars.next().ok_or(WordsError::Backslash)?;
                let text = &mut word.get_or_insert_with(|| (i, String::new())).1;
                if quote.is_some() && !matches!(next, '"' | '\\') {
                    text.push(c);
                }
                text.push(next);
            }
            (_, c) => word.get_or_insert_with(|| (i, String::new())).1.push(c),
        }
    }
    if quote.is_some() {
        return Err(WordsError::Quote);
    }
    finish(&mut words, &mut word, end, at);
    Ok(words)
}

fn finish(words: &mut Vec<Word>, word: &mut Option<(usize, String)>, end: usize, at: usize) {
    if let Some((start, text)) = word.take() {
        let span = Span {
            start: at + start,
            end: at + end,
        };
        words.push(Word { text, span });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a line, as `shlex.split(line, comments=True)` of Python 3.11 gave them.
    #[test]
    fn lines_are_split_as_python_splits_them() {
        for (line, wanted) in [
            ("web1 a=1  b=2", vec!["web1", "a=1", "b=2"]),
            ("web1 # a=1", vec!["web1"]),
            ("web1 a=b#c d=e", vec!["web1", "a=b"]),
            ("web1 a='b c' d=\"e # f\"", vec!["web1", "a=b c", "d=e # f"]),
            (
                r#"web1 a="b\"c" d='e\f' g=h\ i"#,
                vec!["web1", "a=b\"c", r"d=e\f", "g=h i"],
            ),
            (r#"web1 a="\x""#, vec!["web1", r"a=\x"]),
            ("web1 a='' b=\"\"", vec!["web1", "a=", "b="]),
            ("web1 a='{\"k\": 1}'", vec!["web1", "a={\"k\": 1}"]),
            ("é\tb", vec!["é", "b"]),
        ] {
            let words = split(line, 0).unwrap();
            let texts: Vec<&str> = words.iter().map(|w| w.text.as_str()).collect();
            assert_eq!(texts, wanted, "{line}");
        }
        assert_eq!(split("a 'b", 0), Err(WordsError::Quote));
        assert_eq!(split("a b\\", 0), Err(WordsError::Backslash));
    }

    #[test]
    fn words_know_their_places() {
        let words = split("é b='c d' e", 10).unwrap();
        let places: Vec<_> = words.iter().map(|w| (w.span.start, w.span.end)).collect();
        assert_eq!(places, [(10, 12), (13, 20), (21, 22)]);
    }
}
