//! Access vectors: what the kernel itself answers when asked who may do what.
//!
//! Source of the numbers: `/sys/fs/selinux/access` (one query, one answer) and
//! `/sys/fs/selinux/class/CLASS/{index,perms/PERM}`. A permission's value counts bits from 1.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::context::Context;

/// The kernel's answer to one query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessVector {
    /// Permissions that are given.
    pub allowed: u32,
    /// Permissions that were decided; all of them since 2.6.
    pub decided: u32,
    /// Permissions whose use is recorded although it is given (`auditallow`).
    pub auditallow: u32,
    /// Permissions whose refusal is recorded; `dontaudit` takes them out.
    pub auditdeny: u32,
    /// Number of the policy load (or boolean change) that the answer belongs to.
    pub seqno: u32,
    /// Bit 0: the source domain is permissive. 0 on kernels that do not print it.
    pub flags: u32,
}

/// Why a text is no access vector.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{answer}` is no access vector")]
pub struct AccessVectorError {
    /// The text.
    pub answer: String,
}

impl FromStr for AccessVector {
    type Err = AccessVectorError;

    /// Reads `3fa3f ffffffff 0 ffffffff 1 0`: four masks in hex, a decimal number, flags in hex.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let error = || AccessVectorError {
            answer: text.to_owned(),
        };
        if !(5..=6).contains(&words.len()) {
            return Err(error());
        }
        let hex = |index: usize| u32::from_str_radix(words[index], 16).map_err(|_| error());
        Ok(Self {
            allowed: hex(0)?,
            decided: hex(1)?,
            auditallow: hex(2)?,
            auditdeny: hex(3)?,
            seqno: words[4].parse().map_err(|_| error())?,
            flags: if words.len() == 6 { hex(5)? } else { 0 },
        })
    }
}

impl AccessVector {
    /// True when the source domain is permissive, so that refusals are not enforced.
    #[must_use]
    pub fn is_permissive(&self) -> bool {
        self.flags & 1 != 0
    }
}

/// One question: may this context do something to that one, for this class?
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Query {
    source: String,
    target: String,
    class: String,
}

/// Why a query cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is no SELinux context or class that can be asked about")]
pub struct QueryError {
    /// The offending part.
    pub text: String,
}

impl Query {
    /// Makes a query; contexts and class must be plain words, fit for a shell script's data.
    ///
    /// # Errors
    ///
    /// When a part is empty or holds anything but letters, digits and `_:.,-`.
    pub fn new(source: &str, target: &str, class: &str) -> Result<Self, QueryError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_:.,-".contains(c);
        for text in [source, target, class] {
            if text.is_empty() || !text.chars().all(plain) || text.starts_with('-') {
                return Err(QueryError {
                    text: text.to_owned(),
                });
            }
        }
        let own = str::to_owned;
        Ok(Self {
            source: own(source),
            target: own(target),
            class: own(class),
        })
    }

    /// The context of the process.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The context of the object.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The object class.
    #[must_use]
    pub fn class(&self) -> &str {
        &self.class
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.source, self.target, self.class)
    }
}

impl From<Query> for String {
    fn from(query: Query) -> Self {
        query.to_string()
    }
}

impl TryFrom<String> for Query {
    type Error = QueryError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut words = text.split(' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some(source), Some(target), Some(class), None) => Self::new(source, target, class),
            _ => Err(QueryError { text }),
        }
    }
}

/// One object class of the loaded policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Its number; `None` when it could not be read.
    pub index: Option<u32>,
    /// Its permissions' values, counted from 1 for the lowest bit.
    pub permissions: BTreeMap<String, u32>,
}

impl Class {
    /// The names of the permissions in a mask.
    #[must_use]
    pub fn names(&self, mask: u32) -> BTreeSet<String> {
        let set = |value: u32| {
            value
                .checked_sub(1)
                .and_then(|bit| 1_u32.checked_shl(bit))
                .is_some_and(|m| m & mask != 0)
        };
        let named = self.permissions.iter().filter(|(_, value)| set(**value));
        named.map(|(name, _)| name.clone()).collect()
    }
}

/// The answers to many queries, with the classes that give their bits names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorTable {
    /// The classes of the loaded policy; another policy may number them otherwise.
    pub classes: BTreeMap<String, Class>,
    /// The answers.
    pub vectors: BTreeMap<Query, AccessVector>,
    /// What the host was found to use, and the files that the suites rest on: by path, the type for each
    /// class. A symbolic link has two, its own and that of what it leads to.
    #[serde(default)]
    pub labels: BTreeMap<String, BTreeMap<String, String>>,
    /// What was not looked at, and why: types that only appear there are not asked about.
    #[serde(default)]
    pub limits: Vec<String>,
}

impl VectorTable {
    /// The policy numbers of all answers; more than one means that policy changed meanwhile.
    #[must_use]
    pub fn seqnos(&self) -> BTreeSet<u32> {
        self.vectors.values().map(|vector| vector.seqno).collect()
    }

    /// The permissions that one answer gives; `None` when query or class are unknown.
    #[must_use]
    pub fn allowed(&self, query: &Query) -> Option<BTreeSet<String>> {
        self.named(query, |vector| vector.allowed)
    }

    /// The permissions that one answer refuses without a record: the silent denials.
    #[must_use]
    pub fn silent(&self, query: &Query) -> Option<BTreeSet<String>> {
        self.named(query, |vector| !vector.allowed & !vector.auditdeny)
    }

    /// The names of the permissions of one mask of one answer.
    fn named(
        &self,
        query: &Query,
        mask: impl Fn(&AccessVector) -> u32,
    ) -> Option<BTreeSet<String>> {
        let vector = self.vectors.get(query)?;
        Some(self.classes.get(query.class())?.names(mask(vector)))
    }
}

impl VectorTable {
    /// The silent denials on what stands at a path, whoever would be denied it.
    #[must_use]
    pub fn silent_on(&self, path: &str) -> Vec<SilentDenial> {
        let Some(labels) = self.labels.get(path) else {
            return Vec::new();
        };
        let mut denials = silent_denials(self);
        denials.retain(|d| {
            let type_ = Context::parse(d.query.target()).map(|c| c.type_);
            type_.is_some() && labels.get(d.query.class()) == type_.as_ref()
        });
        denials
    }
}

/// Permissions that are refused without a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilentDenial {
    /// Who would be refused what.
    pub query: Query,
    /// The permissions, sorted.
    pub permissions: Vec<String>,
}

/// Finds every silent denial of a table.
#[must_use]
pub fn silent_denials(table: &VectorTable) -> Vec<SilentDenial> {
    let silent = |query: &Query| table.silent(query).filter(|names| !names.is_empty());
    let found = table
        .vectors
        .keys()
        .filter_map(|query| Some((query, silent(query)?)));
    found
        .map(|(query, names)| SilentDenial {
            query: query.clone(),
            permissions: names.into_iter().collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{AccessVector, Class, Query};

    #[test]
    fn an_answer_of_the_kernel_is_read() {
        let vector: AccessVector = "39a3f ffffffff 0 ffff9fff 8 0\n".parse().unwrap();
        assert_eq!((vector.allowed, vector.auditdeny), (0x39a3f, 0xffff_9fff));
        assert_eq!(
            (vector.seqno, vector.flags, vector.is_permissive()),
            (8, 0, false)
        );
        let old: AccessVector = "0 ffffffff 0 ffffffff 12".parse().unwrap();
        assert_eq!((old.seqno, old.flags), (12, 0));
        assert!(
            "0 ffffffff 0 ffffffff 1 1"
                .parse::<AccessVector>()
                .unwrap()
                .is_permissive()
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "3fa3f",
            "x ffffffff 0 ffffffff 1 0",
            "0 0 0 0 -1 0",
            "1 2 3 4 5 6 7",
        ] {
            assert!(text.parse::<AccessVector>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_permission_value_counts_bits_from_one() {
        let permissions = [
            ("ioctl", 1),
            ("listen", 14),
            ("nlmsg", 32),
            ("odd", 0),
            ("far", 33),
        ];
        let permissions = permissions
            .map(|(name, value)| (name.to_owned(), value))
            .into();
        let class = Class {
            index: Some(1),
            permissions,
        };
        assert_eq!(class.names(1).into_iter().collect::<Vec<_>>(), ["ioctl"]);
        assert_eq!(
            class.names(0x2000).into_iter().collect::<Vec<_>>(),
            ["listen"]
        );
        assert_eq!(class.names(u32::MAX).len(), 3);
    }

    #[test]
    fn a_query_cannot_carry_shell_text() {
        for text in ["", "a b", "a\nb", "$(id)", "a'b", "`id`", "a;b", "-n"] {
            assert!(Query::new(text, "b", "c").is_err(), "{text}");
            assert!(Query::new("a", "b", text).is_err(), "{text}");
        }
        assert!(Query::new("u:r:t:s0-s0:c0.c1023,c5", "u:r:t", "tcp_socket").is_ok());
    }
}
