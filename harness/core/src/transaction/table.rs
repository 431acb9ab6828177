//! The table in which a package manager shows a transaction, of yum 3, dnf 4 and dnf5.
//!
//! Under each heading stand rows ` name arch version repository size unit`. All three break a row after a
//! long name; the size has no unit where it is 0 (dnf 4). Rows that begin with `replacing` name what goes
//! for another package.

use super::{Action, Manager, Row};
use crate::package::NevraSpec;

/// What a table holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The rows, in order.
    pub rows: Vec<Row>,
    /// Lines inside of the table that are none of its known rows or headings.
    pub unread: Vec<String>,
}

/// Headings and what is done with the packages under them; `None` where there are no packages under it.
/// The words of yum 3 (`yum/output.py`), dnf 4 (`dnf/cli/output.py`) and dnf5 (`transaction_table.cpp`).
const HEADINGS: [(&str, Option<Action>); 41] = [
    ("Installing:", Some(Action::Install)),
    ("Installing group/module packages:", Some(Action::Install)),
    ("Installing dependencies:", Some(Action::Dependency)),
    ("Installing weak dependencies:", Some(Action::Dependency)),
    ("Installing for dependencies:", Some(Action::Dependency)),
    ("Installing groups:", None),
    ("Installing Groups:", None),
    ("Installing Environment Groups:", None),
    ("Installing environmental groups:", None),
    ("Installing module profiles:", None),
    ("Upgrading:", Some(Action::Upgrade)),
    ("Updating:", Some(Action::Upgrade)),
    ("Updating for dependencies:", Some(Action::Upgrade)),
    ("Upgrading dependencies:", Some(Action::Upgrade)),
    ("Upgrading Groups:", None),
    ("Upgrading groups:", None),
    ("Upgrading Environment Groups:", None),
    ("Upgrading environmental groups:", None),
    ("Downgrading:", Some(Action::Downgrade)),
    ("Downgrading dependencies:", Some(Action::Downgrade)),
    ("Reinstalling:", Some(Action::Reinstall)),
    ("Removing:", Some(Action::Remove)),
    ("Removing dependent packages:", Some(Action::Remove)),
    ("Removing for dependencies:", Some(Action::Remove)),
    ("Removing unused dependencies:", Some(Action::Remove)),
    ("Removing groups:", None),
    ("Removing Groups:", None),
    ("Removing Environment Groups:", None),
    ("Removing environmental groups:", None),
    ("Skipped (dependency problems):", Some(Action::Skip)),
    ("Skipping packages with conflicts:", Some(Action::Skip)),
    (
        "Skipping packages with broken dependencies:",
        Some(Action::Skip),
    ),
    ("Skipping:", Some(Action::Skip)),
    ("Enabling module streams:", None),
    ("Switching module streams:", None),
    ("Disabling modules:", None),
    ("Disabling module profiles:", None),
    ("Resetting modules:", None),
    ("Changing reason:", None),
    ("Marking packages as installed by the group:", None),
    ("Marking packages as removed by the group:", None),
];

/// Where tables end.
const ENDS: [&str; 2] = ["Transaction Summary", "Transaction Summary:"];

/// Reads the table of a package manager's answer. Without one there are no rows.
#[must_use]
pub fn read_table(manager: Manager, text: &str) -> Table {
    let mut reading = Reading::default();
    let lines = text.lines().map(str::trim_end);
    for line in lines.skip_while(|l| !begins(manager, l)).skip(1) {
        if ENDS.contains(&line) {
            break;
        }
        reading.line(line);
    }
    reading.end();
    reading.table
}

/// Whether the next lines are the table's: yum and dnf 4 say that all is resolved, dnf5 begins with the
/// heads of the columns.
fn begins(manager: Manager, line: &str) -> bool {
    match manager {
        Manager::Yum => line == "Dependencies Resolved",
        Manager::Dnf4 => line == "Dependencies resolved.",
        Manager::Dnf5 => is_head(line),
    }
}

fn is_head(line: &str) -> bool {
    let words: Vec<_> = line.split_whitespace().collect();
    words.starts_with(&["Package", "Arch"])
}

#[derive(Default)]
struct Reading {
    table: Table,
    /// What the packages under the last heading are for.
    section: Option<Action>,
    /// The words of a row that goes on in the next line.
    words: Vec<String>,
}

impl Reading {
    fn line(&mut self, line: &str) {
        let is_rule = !line.is_empty() && line.chars().all(|c| c == '=');
        let is_hint = line.starts_with("(add '--best");
        if line.is_empty() || is_rule || is_head(line) || is_hint {
            return;
        }
        if let Some((_, section)) = HEADINGS.iter().find(|h| h.0 == line) {
            self.end();
            self.section = *section;
        } else if !line.starts_with(' ') {
            self.end();
            self.section = None;
            self.table.unread.push(line.to_owned());
        } else if let Some(action) = self.section
            && !line.trim_start().starts_with("replacing ")
        {
            self.words
                .extend(line.split_whitespace().map(ToOwned::to_owned));
            self.row(action);
        }
    }

    /// Takes a row whose words are all there: five, or six where the size has a unit.
    fn row(&mut self, action: Action) {
        let [name, arch, version, repository, size, unit @ ..] = self.words.as_slice() else {
            return;
        };
        let is_size = size.starts_with(|c: char| c.is_ascii_digit()) && unit.len() <= 1;
        let version = version.strip_prefix("0:").unwrap_or(version);
        let package = NevraSpec::parse(&format!("{name}-{version}.{arch}"));
        match package.filter(|_| is_size) {
            Some(package) => self.table.rows.push(Row {
                action,
                package,
                repository: repository.clone(),
            }),
            None => self.table.unread.push(self.words.join(" ")),
        }
        self.words.clear();
    }

    /// Ends a section; what is left of a row cannot be read.
    fn end(&mut self) {
        if !self.words.is_empty() {
            self.table.unread.push(self.words.join(" "));
            self.words.clear();
        }
    }
}
