//! Host patterns of an inventory: `web[01:50].example.com`, `web1:2222`.
//!
//! Ansible's rules, seen in `ansible-inventory` 2.19: bounds are inclusive, a leading zero keeps the
//! width, a third number is the step, letters run `a` to `z` and then `A` to `Z`, several ranges multiply,
//! the first one slowest. One difference is wanted: a range that holds nothing (`[3:1]`) is silently no
//! host at all there and a mistake here.

/// How many hosts one file may describe.
pub const MAX_HOSTS: usize = 10_000;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Why a host pattern cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// `[` without `]`, or the other way round.
    #[error("brackets do not pair")]
    Brackets,
    /// Neither `[begin:end]` nor `[begin:end:step]`.
    #[error("`[{0}]` is not `[begin:end]` or `[begin:end:step]`")]
    Form(String),
    /// Bounds that are neither two numbers nor two letters.
    #[error("`[{0}]` needs two numbers or two letters")]
    Bounds(String),
    /// `[01:5]`: a width that changes.
    #[error("`[{0}]` begins with a zero, so its end must have as many digits")]
    Width(String),
    /// A step that is not a number above zero.
    #[error("`[{0}]` needs a step of 1 or more")]
    Step(String),
    /// `[3:1]`: nothing in it.
    #[error("`[{0}]` is empty: it ends before it begins")]
    Empty(String),
    /// More than [`MAX_HOSTS`].
    #[error("this is more than {MAX_HOSTS} hosts")]
    TooMany,
    /// A port that is none.
    #[error("`{0}` is not a port")]
    Port(String),
}

/// A host pattern, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expanded {
    /// The names, in Ansible's order; not checked to be names.
    pub names: Vec<String>,
    /// The port behind the name.
    pub port: Option<u16>,
}

/// Expands a host pattern into the names that it stands for.
///
/// # Errors
/// Why it stands for none, or for too many.
pub fn expand(pattern: &str) -> Result<Expanded, RangeError> {
    let (pattern, port) = split_port(pattern)?;
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((head, after)) = rest.split_once('[') {
        let (inside, tail) = after.split_once(']').ok_or(RangeError::Brackets)?;
        if head.contains(']') {
            return Err(RangeError::Brackets);
        }
        let items = items_of(inside)?;
        if names.len() * items.len() > MAX_HOSTS {
            return Err(RangeError::TooMany);
        }
        let joined = |n: &String| {
            items
                .iter()
                .map(|i| format!("{n}{head}{i}"))
                .collect::<Vec<_>>()
        };
        names = names.iter().flat_map(joined).collect();
        rest = tail;
    }
    if rest.contains(']') {
        return Err(RangeError::Brackets);
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok(Expanded { names, port })
}

/// Takes `:2222` off the end. A text with more colons than that is an IPv6 address and stays whole.
fn split_port(pattern: &str) -> Result<(&str, Option<u16>), RangeError> {
    let after_brackets = pattern.rfind(']').map_or(0, |i| i + 1);
    let Some(colon) = pattern[after_brackets..].find(':') else {
        return Ok((pattern, None));
    };
    let (name, port) = pattern.split_at(after_brackets + colon);
    let port = &port[1..];
    if port.contains(':') {
        return Ok((pattern, None));
    }
    let digits = port.chars().all(|c| c.is_ascii_digit());
    match port.parse() {
        Ok(number) if number > 0 && digits => Ok((name, Some(number))),
        Ok(_) | Err(_) => Err(RangeError::Port(port.to_owned())),
    }
}

/// The parts of names that one range stands for.
fn items_of(inside: &str) -> Result<Vec<String>, RangeError> {
    let own = || inside.to_owned();
    let parts: Vec<&str> = inside.split(':').collect();
    let (begin, end, step) = match parts.as_slice() {
        [begin, end] => (*begin, *end, "1"),
        [begin, end, step] => (*begin, *end, *step),
        _ => return Err(RangeError::Form(own())),
    };
    if end.is_empty() {
        return Err(RangeError::Form(own()));
    }
    let step: usize = match step.parse() {
        Ok(n) if n > 0 => n,
        Ok(_) | Err(_) => return Err(RangeError::Step(own())),
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    let items = match (letter(begin), letter(end)) {
        (Some(first), Some(last)) => letters(first, last, step),
        (None, None) => numbers(inside, begin, end, step)?,
        (Some(_), None) | (None, Some(_)) => return Err(RangeError::Bounds(own())),
    };
    if items.is_empty() {
        return Err(RangeError::Empty(own()));
    }
    Ok(items)
}

fn letter(bound: &str) -> Option<usize> {
    (bound.len() == 1).then(|| LETTERS.find(bound)).flatten()
}

fn letters(first: usize, last: usize, step: usize) -> Vec<String> {
    let range = (first..=last).step_by(step);
    range.map(|i| LETTERS[i..=i].to_owned()).collect()
}

fn numbers(inside: &str, begin: &str, end: &str, step: usize) -> Result<Vec<String>, RangeError> {
    let width = if begin.len() > 1 && begin.starts_with('0') {
        begin.len()
    } else {
        1
    };
    let (first, last) = (number(inside, begin)?, number(inside, end)?);
    if width > 1 && width != end.len() {
        return Err(RangeError::Width(inside.to_owned()));
    }
    let range = (first..=last).step_by(step);
    if range.clone().nth(MAX_HOSTS).is_some() {
        return Err(RangeError::TooMany);
    }
    Ok(range.map(|n| format!("{n:0width$}")).collect())
}

fn number(inside: &str, bound: &str) -> Result<u32, RangeError> {
    let digits = bound.chars().all(|c| c.is_ascii_digit());
    match bound.parse() {
        Ok(n) if digits => Ok(n),
        Ok(_) | Err(_) => Err(RangeError::Bounds(inside.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(pattern: &str) -> String {
        expand(pattern).unwrap().names.join(" ")
    }

    #[test]
    fn patterns_expand_as_ansible_expands_them() {
        for (pattern, wanted) in [
            ("web", "web"),
            ("web[1:3]", "web1 web2 web3"),
            (
                "web[01:03].example.com",
                "web01.example.com web02.example.com web03.example.com",
            ),
            ("s[1:10:4]", "s1 s5 s9"),
            ("e[:2]", "e0 e1 e2"),
            ("r[a:c]", "ra rb rc"),
            ("r[y:B]", "ry rz rA rB"),
            ("db[01:02]x[a:b]", "db01xa db01xb db02xa db02xb"),
            ("r[9:11]", "r9 r10 r11"),
            ("r[5:5]", "r5"),
        ] {
            assert_eq!(names(pattern), wanted, "{pattern}");
        }
    }

    #[test]
    fn a_port_may_follow() {
        let found = expand("web[1:2]:2222").unwrap();
        assert_eq!(
            (found.names.join(" "), found.port),
            ("web1 web2".to_owned(), Some(2222))
        );
        assert_eq!(expand("2001:db8::1").unwrap().port, None);
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_reason() {
        for (pattern, why) in [
            ("r[1:2", "brackets do not pair"),
            ("r1:2]", "brackets do not pair"),
            ("w]1[", "brackets do not pair"),
            (
                "r[1-3]",
                "`[1-3]` is not `[begin:end]` or `[begin:end:step]`",
            ),
            ("r[1:]", "`[1:]` is not `[begin:end]` or `[begin:end:step]`"),
            (
                "r[1:2:3:4]",
                "`[1:2:3:4]` is not `[begin:end]` or `[begin:end:step]`",
            ),
            ("r[1:b]", "`[1:b]` needs two numbers or two letters"),
            ("r[aa:bb]", "`[aa:bb]` needs two numbers or two letters"),
            ("r[-1:2]", "`[-1:2]` needs two numbers or two letters"),
            ("r[+1:2]", "`[+1:2]` needs two numbers or two letters"),
            (
                "r[01:5]",
                "`[01:5]` begins with a zero, so its end must have as many digits",
            ),
            ("r[1:3:0]", "`[1:3:0]` needs a step of 1 or more"),
            ("r[3:1]", "`[3:1]` is empty: it ends before it begins"),
            ("r[A:c]", "`[A:c]` is empty: it ends before it begins"),
            ("r[1:99999]", "this is more than 10000 hosts"),
            ("r[1:999][1:999]", "this is more than 10000 hosts"),
            ("web:0", "`0` is not a port"),
            ("web:65536", "`65536` is not a port"),
            ("web:abc", "`abc` is not a port"),
            ("web:+22", "`+22` is not a port"),
        ] {
            assert_eq!(expand(pattern).unwrap_err().to_string(), why, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn a_range_holds_as_many_hosts_as_it_says(first in 0u32..500, more in 0u32..300, step in 1u32..9) {
            let found = expand(&format!("h[{first}:{}:{step}]", first + more)).unwrap().names;
            prop_assert_eq!(found.len(), usize::try_from(more / step).unwrap() + 1);
            let last = format!("h{}", first + more / step * step);
            prop_assert_eq!(found.last(), Some(&last));
        }

        #[test]
        fn several_ranges_multiply(a in 1usize..30, b in 1usize..30) {
            let found = expand(&format!("h[1:{a}]-[1:{b}]")).unwrap().names;
            let each: std::collections::BTreeSet<_> = found.iter().collect();
            prop_assert_eq!((found.len(), each.len()), (a * b, a * b));
        }

        #[test]
        fn no_pattern_makes_it_panic(pattern in "[a-c0-9\\[\\]:é.-]{0,24}") {
            if let Ok(found) = expand(&pattern) {
                prop_assert!((1..=MAX_HOSTS).contains(&found.names.len()));
            }
        }
    }
}
