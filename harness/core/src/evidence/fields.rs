//! The `key=value` text inside audit records, and the decoding of its untrusted values.

/// How values were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As the kernel and auditd write: a bare value ends at a space, strange bytes are in hex.
    Raw,
    /// As `ausearch -i` writes: values are decoded, unquoted, and may hold spaces.
    Interpreted,
}

/// One value as it stands in the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    /// The text without its quotes.
    pub(super) text: &'a str,
    /// True when it stood in double quotes, so that it is never hex.
    pub(super) quoted: bool,
    /// Where `text` starts in the text that was scanned.
    start: usize,
    /// The byte after the value, closing quote included.
    end: usize,
}

/// The `key=value` pairs of one text, in order, with repeated keys.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    pairs: Vec<(&'a str, Value<'a>)>,
    style: Style,
    len: usize,
}

impl<'a> Fields<'a> {
    /// Scans text; words that are no pair are passed over.
    pub(super) fn scan(text: &'a str, style: Style) -> Self {
        let mut pairs: Vec<(&'a str, Value<'a>)> = Vec::new();
        let mut at = 0;
        while let Some(start) = next_word(text, at) {
            match key_at(text, start) {
                Some(key) => {
                    let value = value_at(text, start + key.len() + 1);
                    at = value.end;
                    pairs.push((key, value));
                }
                None => {
                    at = word_end(text, start);
                    if style == Style::Interpreted {
                        extend_last(text, &mut pairs, at);
                    }
                }
            }
        }
        Self {
            pairs,
            style,
            len: text.trim_end().len(),
        }
    }

    /// The last value of a key: the writer's own fields follow any that a process could inject.
    pub(super) fn last(&self, key: &str) -> Option<&Value<'a>> {
        self.pairs
            .iter()
            .rev()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// The last value of a key, decoded as an untrusted string.
    pub(super) fn string(&self, key: &str) -> Option<String> {
        self.last(key).and_then(|value| decode(value, self.style))
    }

    /// The last value of a key as a decimal number.
    pub(super) fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.last(key).and_then(|value| value.text.parse().ok())
    }

    /// True when nothing follows this value, so that the record may have been cut inside it.
    pub(super) fn is_final(&self, value: &Value<'a>) -> bool {
        value.end >= self.len
    }
}

/// Finds the start of the next word; opening brackets and commas separate words too.
fn next_word(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let skip = rest.find(|c: char| !c.is_whitespace() && c != '(' && c != ',')?;
    Some(from + skip)
}

/// Finds the end of a bare word.
fn word_end(text: &str, start: usize) -> usize {
    text[start..]
        .find(char::is_whitespace)
        .map_or(text.len(), |n| start + n)
}

/// Reads a key that is followed at once by `=`.
fn key_at(text: &str, start: usize) -> Option<&str> {
    let rest = &text[start..];
    let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))?;
    (len > 0 && rest[len..].starts_with('=')).then(|| &rest[..len])
}

/// Reads the value that starts here: quoted, in braces, or bare.
fn value_at(text: &str, start: usize) -> Value<'_> {
    let rest = &text[start..];
    let close = match rest.chars().next() {
        Some('"') => Some('"'),
        Some('{') => Some('}'),
        _ => None,
    };
    if let Some(close) = close {
        let inner = &rest[1..];
        let len = inner.find(close).unwrap_or(inner.len());
        let end = (start + len + 2).min(text.len());
        return Value {
            text: &inner[..len],
            quoted: true,
            start: start + 1,
            end,
        };
    }
    let end = word_end(text, start);
    Value {
        text: text[start..end].trim_end_matches(['\'', ',']),
        quoted: false,
        start,
        end,
    }
}

/// Adds the word that ends here to the value before it, for values with spaces.
fn extend_last<'a>(text: &'a str, pairs: &mut [(&'a str, Value<'a>)], end: usize) {
    if let Some((_, value)) = pairs.last_mut()
        && !value.quoted
    {
        value.text = text[value.start..end].trim_end_matches('\'');
        value.end = end;
    }
}

/// Decodes an untrusted value: quoted text as it stands, bare upper-case hex as bytes.
fn decode(value: &Value<'_>, style: Style) -> Option<String> {
    if value.quoted {
        return Some(value.text.to_owned());
    }
    match value.text {
        "" | "(null)" | "?" => None,
        text if style == Style::Raw => Some(unhex(text).unwrap_or_else(|| text.to_owned())),
        text => Some(text.to_owned()),
    }
}

/// Decodes upper-case hex of whole bytes; trailing NULs go, bytes that are no UTF-8 are replaced.
pub(super) fn unhex(text: &str) -> Option<String> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    };
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect();
    Some(
        String::from_utf8_lossy(&bytes?)
            .trim_end_matches('\0')
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Fields, Style, unhex};

    fn string(text: &str, key: &str) -> Option<String> {
        Fields::scan(text, Style::Raw).string(key)
    }

    #[test]
    fn untrusted_values_are_decoded() {
        let text = r#"comm="a b" exe=2F746D702F6120622063 name=(null) path=002F746D702F73 key=x"#;
        assert_eq!(string(text, "comm").as_deref(), Some("a b"));
        assert_eq!(string(text, "exe").as_deref(), Some("/tmp/a b c"));
        assert_eq!(string(text, "name"), None);
        assert_eq!(string(text, "path").as_deref(), Some("\0/tmp/s"));
    }

    #[test]
    fn a_quoted_value_is_never_hex_and_lower_case_is_no_hex() {
        assert_eq!(string(r#"comm="4142""#, "comm").as_deref(), Some("4142"));
        assert_eq!(string("comm=abcd", "comm").as_deref(), Some("abcd"));
        assert_eq!(string("comm=ABC", "comm").as_deref(), Some("ABC"));
    }

    #[test]
    fn quoted_values_hide_the_pairs_inside_them() {
        let text = r#"cmdline="x scontext=a:b:c" scontext=u:r:t:s0"#;
        let fields = Fields::scan(text, Style::Raw);
        assert_eq!(fields.last("scontext").unwrap().text, "u:r:t:s0");
    }

    #[test]
    fn interpreted_values_keep_their_spaces() {
        let fields = Fields::scan("comm=Web Content name=x tclass=file", Style::Interpreted);
        assert_eq!(fields.string("comm").as_deref(), Some("Web Content"));
        assert_eq!(fields.string("tclass").as_deref(), Some("file"));
    }

    #[test]
    fn el5_brackets_do_not_hide_fields() {
        let text = r#": exe="/bin/dbus-daemon" (sauid=81, hostname=?, addr=?, terminal=?)"#;
        let fields = Fields::scan(text, Style::Raw);
        assert_eq!(fields.number::<u32>("sauid"), Some(81));
        assert_eq!(fields.string("exe").as_deref(), Some("/bin/dbus-daemon"));
    }

    proptest! {
        #[test]
        fn scanning_never_panics(text in ".*", interpreted: bool) {
            let style = if interpreted { Style::Interpreted } else { Style::Raw };
            let fields = Fields::scan(&text, style);
            prop_assert!(fields.pairs.len() <= text.len());
        }

        #[test]
        fn hex_round_trips(text in "[^\0]+") {
            let hex: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
            prop_assert_eq!(unhex(&hex), Some(text));
        }
    }
}
