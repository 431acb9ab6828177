//! Names for people: the nearest valid one, lists, and values safe to print.

/// The longest value that a message quotes, in characters.
const MAX_QUOTE: usize = 60;

/// Puts a value of a file into backquotes, its control characters escaped, shortened where it is long.
#[must_use]
pub fn quote(text: &str) -> String {
    let shown: String = text.chars().take(MAX_QUOTE).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    let safe: String = shown
        .chars()
        .flat_map(|c| {
            let plain = !c.is_control() && c != '\u{feff}' && !super::scalar::is_invisible(c);
            let escaped = (!plain).then(|| c.escape_unicode());
            escaped.into_iter().flatten().chain(plain.then_some(c))
        })
        .collect();
    format!("`{safe}{more}`")
}

/// Writes valid names for people: `` `a` `` or `` one of `a`, `b` ``.
#[must_use]
pub fn list_of<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{}`", n.as_ref())).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        several => format!("one of {}", several.join(", ")),
    }
}

/// The name nearest to what was written, where one is near: at most one edit in three characters.
#[must_use]
pub fn closest<'n, S: AsRef<str>>(written: &str, names: &'n [S]) -> Option<&'n str> {
    let written = written.to_ascii_lowercase();
    if written.chars().count() > MAX_QUOTE {
        return None;
    }
    let far = (written.chars().count() / 3).clamp(1, 4);
    names
        .iter()
        .map(|n| {
            (
                distance(&written, &n.as_ref().to_ascii_lowercase()),
                n.as_ref(),
            )
        })
        .filter(|(d, _)| *d <= far)
        .min_by_key(|(d, _)| *d)
        .map(|(_, name)| name)
}

/// The number of edits between two words: insert, delete, replace, or swap two neighbours.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        let names = ["selinux", "service", "http", "denials"];
        for (written, wanted) in [
            ("selnux", Some("selinux")),
            ("Selinux", Some("selinux")),
            ("htpp", Some("http")),
            ("denails", Some("denials")),
            ("frobnicate", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(closest(written, &names), wanted, "{written}");
        }
        assert_eq!(closest(&"h".repeat(100_000), &names), None);
    }

    #[test]
    fn edits_are_counted() {
        for (a, b, n) in [
            ("", "", 0),
            ("a", "", 1),
            ("ab", "ba", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), n, "{a} {b}");
            assert_eq!(distance(b, a), n, "{b} {a}");
        }
    }

    #[test]
    fn quoted_values_cannot_steer_a_terminal() {
        assert_eq!(quote("a\u{1b}[31m\nb"), "`a\\u{1b}[31m\\u{a}b`");
        assert_eq!(quote("\u{202e}x"), "`\\u{202e}x`");
        assert_eq!(quote(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
    }

    #[test]
    fn lists_read_well() {
        assert_eq!(list_of(&["a"]), "`a`");
        assert_eq!(list_of(&["a", "b"]), "one of `a`, `b`");
    }
}
