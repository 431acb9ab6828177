//! Lines inside brackets and quotes that begin further left than YAML allows.
//!
//! PyYAML, and with it Ansible, lets them begin anywhere. Spaces in front of them mean nothing, so they are
//! moved to the right until the parser takes them too.

use std::collections::BTreeMap;

use saphyr_parser::{Parser, ScanError};

use super::places::Places;

/// How many bytes may be parsed for it, so that a long text of such lines ends too.
const MAX_PARSED: usize = 64 << 20;

/// The furthest to the right that a line is moved.
const MAX_MOVED: usize = 400;

/// How far to the right lines are moved: by the byte at which a line begins, in spaces.
pub(super) type Moved = BTreeMap<usize, usize>;

/// Finds the lines that must be moved; none where that does not help.
pub(super) fn lines(text: &str) -> Moved {
    let mut moved = Moved::new();
    let mut left = MAX_PARSED;
    while let Some(error) = first_error(&apply(text, &moved)) {
        let at = Places::new(text, 0, &moved).byte(error.marker());
        let line = match error.info() {
            "invalid indentation" | "invalid indentation in flow construct" => {
                Some(text[..at].rfind('\n').map_or(0, |n| n + 1))
            }
            // This error is placed at the opening quote.
            "invalid indentation in quoted scalar" => next_line(text, at, &moved),
            _ => return moved,
        };
        let Some(rest) = left.checked_sub(text.len()) else {
            return Moved::new();
        };
        left = rest;
        let before = line.and_then(|line| moved.insert(line, indent_before(&text[..line])));
        if line.is_none() || before.is_some() {
            return Moved::new();
        }
    }
    moved
}

/// The text with its lines moved.
pub(super) fn apply(text: &str, moved: &Moved) -> String {
    let mut found = String::with_capacity(text.len());
    let mut done = 0;
    for (line, spaces) in moved {
        found.push_str(&text[done..*line]);
        found.extend(std::iter::repeat_n(' ', *spaces));
        done = *line;
    }
    found.push_str(&text[done..]);
    found
}

fn first_error(text: &str) -> Option<ScanError> {
    Parser::new_from_str(text).find_map(Result::err)
}

/// The first line behind a place that is not empty and was not moved yet.
fn next_line(text: &str, at: usize, moved: &Moved) -> Option<usize> {
    let breaks = text[at..].match_indices('\n');
    let mut lines = breaks.map(|(n, _)| at + n + 1);
    lines.find(|line| {
        let rest = text[*line..].lines().next().unwrap_or_default();
        !rest.trim().is_empty() && !moved.contains_key(line)
    })
}

/// More than any block before a line is indented by.
fn indent_before(text: &str) -> usize {
    let content = |line: &str| line.find(|c| !matches!(c, ' ' | '-' | '?'));
    let deepest = text.lines().filter_map(content).max();
    MAX_MOVED.min(deepest.unwrap_or_default() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let moved = lines(text);
        moved
            .iter()
            .map(|(line, n)| format!("{}+{n} ", text[..*line].matches('\n').count() + 1))
            .collect()
    }

    #[test]
    fn lines_in_brackets_and_quotes_may_begin_anywhere() {
        for (text, wanted) in [
            ("a: [\n 1,\n]\n", ""),
            ("a: {\nx: 1,\n}\nb: 2\n", "2+1 "),
            ("a:\n  - b: [1, # }\n2]\n    c: 3\n", "3+5 "),
            ("a:\n  b: 'x\n\ny\n  z\n'\n", "4+3 5+3 6+3 "),
            ("a: [\n\"x\ny\",\n]\n", "2+1 3+1 4+1 "),
            ("é: {\né: [\n1]}\n", "2+1 3+1 "),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
            assert_eq!(first_error(&apply(text, &lines(text))), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_yaml_for_ansible_either_stays_none() {
        for text in [
            "a: [\nb\n---\n",
            "a:\n  - b\n c: d\n",
            "a:\n  b: 'x\ny\n",
            "a:\n\t- b\n",
            "[web]\nw1 a='b\nc'\n",
        ] {
            assert!(first_error(&apply(text, &lines(text))).is_some(), "{text}");
        }
    }
}
