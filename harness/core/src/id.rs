//! Names of hosts, suites, checks and runs, and the one rule for what a name may hold.
//!
//! Every name here ends up in file names, JUnit identities and shell comments, so the rule is strict
//! and the same for all: `[A-Za-z0-9][A-Za-z0-9._-]*`, at most 253 bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name that is taken, in bytes (the longest DNS name).
pub const MAX_NAME: usize = 253;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("a name cannot be empty")]
    Empty,
    /// The text is longer than [`MAX_NAME`] bytes.
    #[error("a name has at most {MAX_NAME} bytes, this one has {0}")]
    TooLong(usize),
    /// The first character is not a letter or a digit.
    #[error("a name begins with a letter or a digit, not with `{0}`")]
    BadStart(char),
    /// Some later character is not a letter, digit, dot, dash or underscore.
    #[error("a name holds letters, digits, `.`, `_` and `-`, not `{0}`")]
    BadCharacter(char),
}

/// Checks a text against the rule for names.
///
/// # Errors
/// The first reason why it is not a name.
pub fn check_name(text: &str) -> Result<(), NameError> {
    let first = text.chars().next().ok_or(NameError::Empty)?;
    if text.len() > MAX_NAME {
        return Err(NameError::TooLong(text.len()));
    }
    if !first.is_ascii_alphanumeric() {
        return Err(NameError::BadStart(first));
    }
    match text
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !"._-".contains(*c))
    {
        Some(bad) => Err(NameError::BadCharacter(bad)),
        None => Ok(()),
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text that obeys the rule for names.
            ///
            /// # Errors
            /// The first reason why it does not.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check_name(text).map(|()| Self(text.to_owned()))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

names! {
    /// The name of a host in the inventory.
    HostName
    /// The name of an inventory group.
    GroupName
    /// The name of a suite.
    SuiteName
    /// The name of a check within its suite.
    CheckName
    /// The identity of a run.
    RunId
}

/// A check's stable identity: suite and check name, written `suite/check`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CheckId {
    /// The suite.
    pub suite: SuiteName,
    /// The check within the suite.
    pub check: CheckName,
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.suite, self.check)
    }
}

impl From<CheckId> for String {
    fn from(id: CheckId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for CheckId {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        let (suite, check) = text.split_once('/').ok_or(NameError::Empty)?;
        Ok(Self {
            suite: SuiteName::new(suite)?,
            check: CheckName::new(check)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_obey_one_rule() {
        for good in ["web1", "lab-rebuild", "a.b.example", "0", "x_y"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        let long = "x".repeat(MAX_NAME + 1);
        for (bad, why) in [
            ("", NameError::Empty),
            ("-oProxyCommand=x", NameError::BadStart('-')),
            ("a b", NameError::BadCharacter(' ')),
            ("a;b", NameError::BadCharacter(';')),
            ("a/b", NameError::BadCharacter('/')),
            (long.as_str(), NameError::TooLong(MAX_NAME + 1)),
        ] {
            assert_eq!(check_name(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn a_check_id_survives_json() {
        let id = CheckId::try_from("httpd/root-page".to_owned()).unwrap();
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, "\"httpd/root-page\"");
        assert_eq!(serde_json::from_str::<CheckId>(&json).unwrap(), id);
        assert!(serde_json::from_str::<CheckId>("\"httpd\"").is_err());
    }
}
