//! How YAML 1.1 reads a plain word: what PyYAML, and so Ansible, would make of it.
//!
//! Our own tree keeps the text as it was written; these functions say what the other reader sees.

/// Reads a boolean as YAML 1.1 and Ansible do: `true`, `yes`, `on` and their opposites, in three cases.
#[must_use]
pub fn boolean_1_1(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Whether a plain word means that there is no value: nothing at all, `~` or `null`.
#[must_use]
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether PyYAML reads a plain word as a number, so that the text itself would be lost there.
#[must_use]
pub fn is_number_1_1(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number_like = |c: char| c.is_ascii_digit() || c == '_';
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    match digits.split_once('.') {
        None => digits.chars().all(number_like) || is_prefixed(digits),
        Some((whole, rest)) => whole.chars().all(number_like) && is_fraction(rest),
    }
}

/// Whether a number is written with a base: `0x1f`, `0b101`.
fn is_prefixed(digits: &str) -> bool {
    let all =
        |rest: &str, base| !rest.is_empty() && rest.chars().all(|c| c == '_' || c.is_digit(base));
    let hexadecimal = digits.strip_prefix("0x").is_some_and(|r| all(r, 16));
    hexadecimal || digits.strip_prefix("0b").is_some_and(|r| all(r, 2))
}

/// Whether this can stand behind a decimal point: `5`, `5e+3` (PyYAML wants the exponent's sign).
fn is_fraction(rest: &str) -> bool {
    let (digits, exponent) = match rest.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (rest, None),
    };
    let whole = |e: &str| !e.is_empty() && e.chars().all(|c| c.is_ascii_digit());
    digits.chars().all(|c| c.is_ascii_digit() || c == '_')
        && exponent.is_none_or(|e| e.strip_prefix(['+', '-']).is_some_and(whole))
}

/// Whether PyYAML reads a plain word as a day: `2026-11-30`.
#[must_use]
pub fn is_day_1_1(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |p: &str| p.chars().all(|c| c.is_ascii_digit());
    parts.len() == 3
        && parts.iter().all(|p| digits(p))
        && parts[0].len() == 4
        && parts[1..].iter().all(|p| p.len() == 2)
}

/// Whether a character changes the direction or the look of text without being seen.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_pyyaml() {
        for yes in [
            "1", "6.10", "-3", "022", "1_000", "0x1f", "0b1", "1.", "1.5e+3",
        ] {
            assert!(is_number_1_1(yes), "{yes}");
        }
        for no in [
            "1e3",
            "192.0.2.1",
            "web1",
            "1web",
            "1.5e3",
            ".",
            "",
            "-",
            "0x",
            "1.2.3",
        ] {
            assert!(!is_number_1_1(no), "{no}");
        }
    }

    #[test]
    fn days_are_seen() {
        assert!(is_day_1_1("2026-11-30"));
        assert!(!is_day_1_1("2026-11-nightly"));
        assert!(!is_day_1_1("20-11-30"));
    }
}
