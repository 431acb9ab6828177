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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    /// The text without its quotes.
    pub(super) text: &'a str,
    /// True when it stood in double quotes, so that it is never hex.
    pub(super) quoted: bool,
    /// Where `text` starts in the text that was scanned.
    pub(super) start: usize,
    /// The byte after the value, closing quote included.
    pub(super) end: usize,
}

impl Value<'_> {
    /// The value as an untrusted string: quoted text as it stands, bare upper-case hex as bytes.
    pub(super) fn string(&self, style: Style) -> Option<String> {
        if self.quoted {
            return Some(self.text.to_owned());
        }
        match (self.text, style) {
            ("" | "(null)" | "?", _) => None,
            (text, Style::Raw) => Some(unhex(text).unwrap_or_else(|| text.to_owned())),
            (text, Style::Interpreted) => Some(text.to_owned()),
        }
    }

    /// The value as a decimal number.
    pub(super) fn number<T: std::str::FromStr>(&self) -> Option<T> {
        self.text.parse().ok()
    }
}

/// Walks through the `key=value` pairs of a text, in order, repeated keys too.
///
/// Words that are no pair are passed over; in interpreted text they belong to the value before.
#[derive(Clone, Debug)]
pub(super) struct Pairs<'a> {
    text: &'a str,
    style: Style,
    at: usize,
    last: Option<(&'a str, Value<'a>)>,
}

impl<'a> Pairs<'a> {
    pub(super) fn new(text: &'a str, style: Style) -> Self {
        Self {
            text,
            style,
            at: 0,
            last: None,
        }
    }

    /// Takes a word that is no pair.
    fn pass_over(&mut self, start: usize) {
        self.at = word_end(self.text, start);
        if let Some((_, value)) = &mut self.last
            && self.style == Style::Interpreted
            && !value.quoted
        {
            value.text = self.text[value.start..self.at].trim_end_matches('\'');
            value.end = self.at;
        }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(start) = next_word(self.text, self.at) {
            let Some(key) = key_at(self.text, start) else {
                self.pass_over(start);
                continue;
            };
            let value = value_at(self.text, start + key.len() + 1);
            self.at = value.end;
            if let Some(pair) = self.last.replace((key, value)) {
                return Some(pair);
            }
        }
        self.last.take()
    }
}

/// All pairs of one text.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    pairs: Vec<(&'a str, Value<'a>)>,
    style: Style,
}

impl<'a> Fields<'a> {
    /// Scans a text.
    pub(super) fn scan(text: &'a str, style: Style) -> Self {
        Self {
            pairs: Pairs::new(text, style).collect(),
            style,
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
        self.last(key).and_then(|value| value.string(self.style))
    }

    /// The last value of a key as a decimal number.
    pub(super) fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.last(key).and_then(Value::number)
    }
}

/// Finds the start of the next word; opening brackets and commas separate words too.
fn next_word(text: &str, from: usize) -> Option<usize> {
    let rest = text.as_bytes().get(from..)?;
    let separates = |byte: &u8| b" \t\n(,".contains(byte);
    rest.iter()
        .position(|byte| !separates(byte))
        .map(|n| from + n)
}

/// Finds the end of a bare word.
fn word_end(text: &str, start: usize) -> usize {
    let rest = &text.as_bytes()[start..];
    let end = memchr::memchr3(b' ', b'\t', b'\n', rest);
    end.map_or(text.len(), |n| start + n)
}

/// Reads a key that is followed at once by `=`.
fn key_at(text: &str, start: usize) -> Option<&str> {
    let rest = &text.as_bytes()[start..];
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
    let len = rest.iter().position(|byte| !is_key(byte))?;
    (len > 0 && rest[len] == b'=').then(|| &text[start..start + len])
}

/// Reads the value that starts here: quoted, in braces, or bare.
fn value_at(text: &str, start: usize) -> Value<'_> {
    let close = match text.as_bytes().get(start) {
        Some(b'"') => Some(b'"'),
        Some(b'{') => Some(b'}'),
        Some(_) | None => None,
    };
    if let Some(close) = close {
        let inner = &text[start + 1..];
        let len = memchr::memchr(close, inner.as_bytes()).unwrap_or(inner.len());
        return Value {
            text: &inner[..len],
            quoted: true,
            start: start + 1,
            end: (start + len + 2).min(text.len()),
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
