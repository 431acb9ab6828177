//! `--limit`: the hosts that a pattern names, in Ansible's pattern language.
//!
//! Names, groups, `all`, `*` and `?`; parts are separated by `,` or `:`; `&` keeps only what a part names
//! too, `!` takes it away. As in Ansible these two apply after all others, wherever they stand.

use std::collections::BTreeSet;

use super::{Inventory, InventoryHost};
use crate::{id::HostName, source::closest};

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
    /// `~regex`, `name[0]`, `@file`.
    #[error("`{0}`: regular expressions, `[…]` and `@file` are not built in this version")]
    NotBuilt(String),
}

impl Inventory {
    /// The hosts that a pattern names, in the order of the inventory; there may be none left.
    ///
    /// # Errors
    /// A part that matches nothing at all, or that this version cannot read.
    pub fn limit(&self, pattern: &str) -> Result<Self, LimitError> {
        let parts: Vec<&str> = pattern
            .split([',', ':'])
            .map(str::trim)
            .filter(|p| !p.is_empty())
            .collect();
        if parts.is_empty() {
            return Err(LimitError::Empty);
        }
        let chosen = |sign: &str| parts.iter().filter_map(|p| p.strip_prefix(sign)).collect();
        let kept: Vec<&str> = chosen("&");
        let dropped: Vec<&str> = chosen("!");
        let plain: Vec<&str> = parts
            .iter()
            .copied()
            .filter(|p| !p.starts_with(['&', '!']))
            .collect();
        let mut found = self.union(if plain.is_empty() { &["all"] } else { &plain })?;
        for part in kept {
            let these = self.matching(part)?;
            found.retain(|name| these.contains(name));
        }
        for part in dropped {
            let these = self.matching(part)?;
            found.retain(|name| !these.contains(name));
        }
        let hosts = self.hosts.iter().filter(|h| found.contains(&h.name));
        Ok(Self {
            hosts: hosts.cloned().collect(),
        })
    }

    fn union(&self, parts: &[&str]) -> Result<BTreeSet<&HostName>, LimitError> {
        let mut found = BTreeSet::new();
        for part in parts {
            found.extend(self.matching(part)?);
        }
        Ok(found)
    }

    /// The hosts that one part names, never none.
    fn matching(&self, part: &str) -> Result<BTreeSet<&HostName>, LimitError> {
        if part.starts_with(['~', '@']) || part.contains(['[', ']']) {
            return Err(LimitError::NotBuilt(part.to_owned()));
        }
        let is_named = |h: &&InventoryHost| {
            part == "all"
                || glob(part, h.name.as_str())
                || h.groups.iter().any(|g| glob(part, g.as_str()))
        };
        let found: BTreeSet<&HostName> = self
            .hosts
            .iter()
            .filter(is_named)
            .map(|h| &h.name)
            .collect();
        if found.is_empty() {
            return Err(self.no_match(part));
        }
        Ok(found)
    }

    fn no_match(&self, part: &str) -> LimitError {
        let hosts = self.hosts.iter().map(|h| h.name.as_str());
        let groups = self
            .hosts
            .iter()
            .flat_map(|h| &h.groups)
            .map(|g| g.as_str());
        let names: Vec<&str> = hosts.chain(groups).collect();
        LimitError::NoMatch {
            part: part.to_owned(),
            near: closest(part, &names).map(str::to_owned),
        }
    }
}

/// Whether a text is what a pattern with `*` and `?` says.
fn glob(pattern: &str, text: &str) -> bool {
    let (p, t) = (pattern.as_bytes(), text.as_bytes());
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
    use crate::inventory::{Defaults, parse};

    fn inventory() -> Inventory {
        let text = "
web: { hosts: { 'web[1:3].example': } }
db: { hosts: { db1: , db2: } }
lab: { hosts: { web1.example: , db1: } }
all: { hosts: { lone: } }
";
        parse(text, "i", &Defaults::default()).unwrap()
    }

    #[test]
    fn patterns_choose_as_ansible_chooses() {
        let inventory = inventory();
        for (pattern, wanted) in [
            ("all", "web1.example web2.example web3.example db1 db2 lone"),
            ("*", "web1.example web2.example web3.example db1 db2 lone"),
            ("web", "web1.example web2.example web3.example"),
            ("db2,web1.example", "web1.example db2"),
            ("db:lone", "db1 db2 lone"),
            ("web:db:&lab", "web1.example db1"),
            ("&lab:web", "web1.example"),
            ("web:!lab", "web2.example web3.example"),
            ("!web", "db1 db2 lone"),
            ("web*:!web2*", "web1.example web3.example"),
            ("db?", "db1 db2"),
            ("ungrouped", "lone"),
            ("web:&db", ""),
        ] {
            let found = inventory.limit(pattern).unwrap();
            let names: Vec<&str> = found.hosts.iter().map(|h| h.name.as_str()).collect();
            assert_eq!(names.join(" "), wanted, "{pattern}");
        }
    }

    #[test]
    fn a_part_that_matches_nothing_is_a_mistake_even_when_it_takes_away() {
        for pattern in ["wbe", "db:!wbe", "db:&wbe"] {
            let near = Some("web".to_owned());
            let part = "wbe".to_owned();
            let wanted = Err(LimitError::NoMatch { part, near });
            assert_eq!(inventory().limit(pattern), wanted, "{pattern}");
        }
        assert_eq!(inventory().limit(" , "), Err(LimitError::Empty));
        for pattern in ["~web.*", "web[0]", "@retry"] {
            let wanted = Err(LimitError::NotBuilt(pattern.to_owned()));
            assert_eq!(inventory().limit(pattern), wanted);
        }
    }

    #[test]
    fn globs_match_whole_texts() {
        for (pattern, text, wanted) in [
            ("*", "", true),
            ("", "a", false),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("*a", "aba", true),
            ("?", "", false),
            ("a**", "a", true),
        ] {
            assert_eq!(glob(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
