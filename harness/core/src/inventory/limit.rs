//! `--limit`: the hosts that a pattern names, in Ansible's pattern language.
//!
//! Names, groups, `all`, `*`, `?`, `[abc]` and `~regex`; parts are separated by `,` or `:`; `&` keeps only what
//! a part names too, `!` takes it away. As in Ansible these two apply after all others, wherever they stand.
//! A part that names nothing is a mistake here and only a warning there.

use std::collections::BTreeSet;

use regex_lite::Regex;

use super::raw::ALL;
use crate::{
    id::{GroupName, HostName},
    source::closest,
};

/// Why a pattern names no hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// There is nothing in it.
    #[error("the pattern is empty")]
    Empty,
    /// One part matches no host and no group: most often a misspelt name.
    #[error("`{part}` is no host or group of the inventory")]
    NoMatch {
        /// The part.
        part: String,
        /// The nearest name that there is.
        near: Option<String>,
    },
    /// A regular expression that cannot be read; look-around and back references cannot.
    #[error("`{part}` cannot be read: {why}")]
    Regex {
        /// The part.
        part: String,
        /// What is wrong with it.
        why: String,
    },
    /// `web[0]`, `web[1:3]`.
    #[error("`{0}`: hosts are not counted; name them, or use `[…]` for characters")]
    Subscript(String),
}

/// A pattern, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    parts: Vec<String>,
}

/// Every host and the groups that it is in.
type Members<'m> = [(&'m HostName, BTreeSet<GroupName>)];

/// Takes a pattern apart; one that begins with `@` is a file, of which each line is a part.
#[must_use]
pub fn split(pattern: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut in_brackets = false;
    for c in pattern.chars() {
        match c {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ => {}
        }
        match (c, parts.last_mut()) {
            (',', _) => parts.push(String::new()),
            (':', _) if !in_brackets => parts.push(String::new()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    let parts = parts.iter().map(|p| p.trim()).filter(|p| !p.is_empty());
    parts.map(str::to_owned).collect()
}

impl Limit {
    /// Takes the parts of a pattern.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(parts: Vec<String>) -> Result<Self, LimitError> {
        match parts.is_empty() {
            true => Err(LimitError::Empty),
            false => Ok(Self { parts }),
        }
    }

    /// The hosts that the pattern names; there may be none left.
    pub(super) fn choose(&self, members: &Members<'_>) -> Result<BTreeSet<HostName>, LimitError> {
        let signed = |sign: char| self.parts.iter().filter_map(move |p| p.strip_prefix(sign));
        let is_plain = |p: &&str| !p.starts_with(['&', '!']);
        let mut plain: Vec<&str> = self
            .parts
            .iter()
            .map(String::as_str)
            .filter(is_plain)
            .collect();
        if plain.is_empty() {
            plain.push(ALL);
        }
        let mut found = BTreeSet::new();
        for part in plain {
            // A host's own name is the host, also where a group has that name too.
            match members.iter().find(|(name, _)| name.as_str() == part) {
                Some((name, _)) => found.extend([(*name).clone()]),
                None => found.extend(matching(part, members)?),
            }
        }
        for part in signed('&') {
            let these = matching(part, members)?;
            found.retain(|name| these.contains(name));
        }
        for part in signed('!') {
            let these = matching(part, members)?;
            found.retain(|name| !these.contains(name));
        }
        Ok(found)
    }
}

/// The hosts that one part names, never none.
fn matching(part: &str, members: &Members<'_>) -> Result<BTreeSet<HostName>, LimitError> {
    let pattern = pattern(part)?;
    let groups = members.iter().flat_map(|(_, groups)| groups);
    let names_group = pattern.is_match(ALL) || groups.clone().any(|g| pattern.is_match(g.as_str()));
    // A plain word that is a group is no host.
    let hosts_too = !names_group || part.starts_with('~') || part.contains(['.', '?', '*', '[']);
    let is_named = |(name, groups): &&(&HostName, BTreeSet<GroupName>)| {
        pattern.is_match(ALL)
            || groups.iter().any(|g| pattern.is_match(g.as_str()))
            || hosts_too && pattern.is_match(name.as_str())
    };
    let named = members.iter().filter(is_named);
    let found: BTreeSet<HostName> = named.map(|(name, _)| (*name).clone()).collect();
    if found.is_empty() {
        let hosts = members.iter().map(|(name, _)| name.as_str());
        let names: Vec<&str> = hosts.chain(groups.map(GroupName::as_str)).collect();
        return Err(LimitError::NoMatch {
            part: part.to_owned(),
            near: closest(part, &names).map(str::to_owned),
        });
    }
    Ok(found)
}

/// What a part matches: a regular expression from the beginning of a name, or a whole name.
fn pattern(part: &str) -> Result<Regex, LimitError> {
    let text = match part.strip_prefix('~') {
        Some(regex) => format!("^(?:{regex})"),
        None if is_subscript(part) => return Err(LimitError::Subscript(part.to_owned())),
        None => translated(part),
    };
    Regex::new(&text).map_err(|why| LimitError::Regex {
        part: part.to_owned(),
        why: why.to_string(),
    })
}

/// Whether a part counts hosts: `web[0]`, `web[-1]`, `web[1:3]`.
fn is_subscript(part: &str) -> bool {
    let inside = part.strip_suffix(']').and_then(|p| p.rsplit_once('['));
    inside.is_some_and(|(before, inside)| {
        let counts = |c: char| c.is_ascii_digit() || matches!(c, ':' | '-');
        let digits = inside.chars().any(|c| c.is_ascii_digit());
        !before.is_empty() && digits && inside.chars().all(counts)
    })
}

/// A pattern of the shell as a regular expression, as Python's `fnmatch` translates it.
fn translated(glob: &str) -> String {
    let mut regex = String::from("^(?s:");
    let mut rest = glob;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => match rest.split_once(']').filter(|(set, _)| !set.is_empty()) {
                Some((set, after)) => {
                    let (sign, set) = set.strip_prefix('!').map_or(("", set), |set| ("^", set));
                    let set = set
                        .replace('\\', r"\\")
                        .replace('[', r"\[")
                        .replace('^', r"\^");
                    regex.extend(["[", sign, &set, "]"]);
                    rest = after;
                }
                None => regex.push_str(r"\["),
            },
            c => regex.push_str(&regex_lite::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex + ")$"
}

#[cfg(test)]
mod tests;
