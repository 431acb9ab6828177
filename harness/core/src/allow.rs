//! Allow-lists: denials that are known and taken as harmless, each with a reason, a ticket and a last
//! day.
//!
//! ```yaml
//! allow:
//!   - source: httpd_t              # types; a trailing * fits any ending
//!     target: user_home_t
//!     class: file
//!     permissions: [getattr, read] # all that was denied must be among them
//!     program: httpd               # comm or exe; any unless said
//!     reason: "the old cgi reads a home directory, harmless"
//!     ticket: OPS-1234
//!     expires: 2027-03-31          # the last day, in UTC, on which the entry holds
//! ```

mod parse;

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::parse::parse;
use crate::evidence::{context::Context, denial::Decision};

/// The list of a check: the file that the suite names, and what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowList {
    /// The file, as the suite writes it: relative to the suite's own.
    pub file: String,
    /// Its entries, in the order of the file; none until somebody has read it.
    pub entries: Vec<AllowEntry>,
}

/// Denials that are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowEntry {
    /// The type of the process; a trailing `*` fits any ending.
    pub source: String,
    /// The type of the object; a trailing `*` fits any ending.
    pub target: String,
    /// The class.
    pub class: String,
    /// The permissions; a denial of any other beside them does not fit.
    pub permissions: Vec<String>,
    /// The name of the task, or the program's file; any where there is none.
    pub program: Option<String>,
    /// Why it is harmless.
    pub reason: String,
    /// Where that was decided.
    pub ticket: String,
    /// The last day on which the entry holds.
    pub expires: Date,
}

impl AllowEntry {
    /// Whether the entry holds on a day.
    #[must_use]
    pub fn holds_on(&self, day: Date) -> bool {
        day <= self.expires
    }

    /// Whether a denial is one that the entry is about.
    ///
    /// What was cut may have said anything, and what names no permission may be about any: neither fits
    /// any entry.
    #[must_use]
    pub fn fits(&self, denial: &Decision) -> bool {
        let among = |p: &String| self.permissions.contains(p);
        let is = |pattern: &str, context: &Option<Context>| {
            context
                .as_ref()
                .is_some_and(|c| fits_type(pattern, &c.type_))
        };
        denial.is_denial()
            && denial.complete
            && !denial.permissions.is_empty()
            && denial.permissions.iter().all(among)
            && is(&self.source, &denial.source)
            && is(&self.target, &denial.target)
            && denial.class.as_ref() == Some(&self.class)
            && self.fits_program(denial)
    }

    fn fits_program(&self, denial: &Decision) -> bool {
        let Some(program) = &self.program else {
            return true;
        };
        [&denial.comm, &denial.exe].contains(&&Some(program.clone()))
    }
}

fn fits_type(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

impl fmt::Display for AllowEntry {
    /// `httpd_t { getattr read } on file of user_home_t, by httpd (OPS-1234, until 2027-03-31)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            source,
            target,
            class,
            permissions,
            program,
            reason: _,
            ticket,
            expires,
        } = self;
        let permissions = permissions.join(" ");
        write!(f, "{source} {{ {permissions} }} on {class} of {target}")?;
        program.iter().try_for_each(|p| write!(f, ", by {p}"))?;
        write!(f, " ({ticket}, until {expires})")
    }
}

#[cfg(test)]
mod tests;
