//! Patterns with `*` and `?`, for names of hosts, files and packages.

/// Whether a whole text is what a pattern says: `*` is anything, `?` one byte. No other character means more
/// than itself. Linear space, at most quadratic time.
#[must_use]
pub fn glob(pattern: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> bool {
    let (p, t) = (pattern.as_ref(), text.as_ref());
    let (mut i, mut j) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while j < t.len() {
        match p.get(i) {
            Some(b'*') => {
                star = Some((i, j));
                i += 1;
            }
            Some(c) if *c == b'?' || *c == t[j] => (i, j) = (i + 1, j + 1),
            Some(_) | None => {
                let Some((at, taken)) = star else {
                    return false;
                };
                star = Some((at, taken + 1));
                (i, j) = (at + 1, taken + 1);
            }
        }
    }
    p[i..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_texts() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("", "a", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("a*b*c", "a-b-b-c-c", true),
            ("a*b*c", "a-c-b", false),
            ("*a", "aba", true),
            ("**b", "aab", true),
            ("w?b1", "web1", true),
            ("w?b1", "wb1", false),
            ("?", "", false),
            ("a**", "a", true),
            ("web*", "web1.example", true),
            ("*.example", "web1.example", true),
        ] {
            assert_eq!(glob(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
