//! Quoting for POSIX shells: text that a shell reads back as exactly one word.

/// Returns the text in single quotes, safe as one word of a POSIX shell command.
///
/// A single quote becomes `'\''`. NUL cannot be expressed in a shell word and must not be there.
#[must_use]
pub fn sh(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for part in text.split_inclusive('\'') {
        match part.strip_suffix('\'') {
            Some(plain) => {
                quoted.push_str(plain);
                quoted.push_str(r"'\''");
            }
            None => quoted.push_str(part),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_escaped_and_all_else_is_literal() {
        assert_eq!(sh(""), "''");
        assert_eq!(sh("a b"), "'a b'");
        assert_eq!(sh("it's"), r"'it'\''s'");
        assert_eq!(sh("'"), r"''\'''");
        assert_eq!(sh("$(x) `y` \\ \n"), "'$(x) `y` \\ \n'");
    }
}
