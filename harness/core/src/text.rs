//! Foreign text made fit for people: no control characters, no terminal escapes, no bidi tricks.

/// Replaces what could move a cursor, hide text or break a file: control characters other than tab
/// and newline, the C1 range, bidirectional overrides, zero-width characters and non-characters.
/// Each shows as `\u{..}`.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmless(c) {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

/// One line: [`visible`], with line breaks and tabs as spaces, and cut at `max` characters.
#[must_use]
pub fn one_line(text: &str, max: usize) -> String {
    let flat: String = visible(text.trim()).replace(['\n', '\t'], " ");
    match flat.char_indices().nth(max) {
        Some((at, _)) => format!("{}…", &flat[..at]),
        None => flat,
    }
}

/// One word for a shell, to be pasted: as it is where nothing in it has a meaning, else in single quotes.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", visible(text).replace('\'', r"'\''"))
}

fn is_harmless(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
    let non_character = matches!(u32::from(c) & 0xffff, 0xfffe | 0xffff);
    matches!(c, '\n' | '\t') || !(c.is_control() || hidden || non_character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_become_visible() {
        assert_eq!(visible("a\x1b[31mb\r\n\tc"), "a\\u{1b}[31mb\\u{d}\n\tc");
        assert_eq!(
            visible("\u{202e}evil\u{9b}1m\u{fffe}"),
            "\\u{202e}evil\\u{9b}1m\\u{fffe}"
        );
        assert_eq!(one_line("  two\nlines  ", 80), "two lines");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }

    #[test]
    fn a_word_for_a_shell_stays_one_word() {
        for (text, word) in [
            ("/var/www/html", "/var/www/html"),
            ("", "''"),
            ("/a b", "'/a b'"),
            ("/it's; rm -rf /", r"'/it'\''s; rm -rf /'"),
            ("$(id)\x1b", r"'$(id)\u{1b}'"),
            ("~root", "'~root'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }

    proptest! {
        #[test]
        fn nothing_harmful_survives_and_twice_is_once(text in any::<String>()) {
            let once = visible(&text);
            prop_assert!(once.chars().all(is_harmless));
            prop_assert_eq!(visible(&once), once);
        }
    }
}
