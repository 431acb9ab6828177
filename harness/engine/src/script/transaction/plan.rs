//! What a transaction would bring, asked without doing it.

use std::{fmt::Write as _, time::Duration};

use patchgate_core::{
    reading::Reading,
    transaction::{Action, Manager, Preview, read_table},
};

use super::{FIND, Order, apply::checked, arguments::transaction};
use crate::{
    host::{Exit, Item, Reply},
    script::{trouble, value},
};

/// How long planning may take: metadata is read first.
const PLAN_DEADLINE: Duration = Duration::from_secs(300);

/// Asks the host's package manager what the order would bring.
///
/// yum of EL6 knows no `--assumeno`, so each yum is told "no" where it asks.
#[must_use]
pub fn plan_item(order: &Order<'_>) -> Item {
    let mut script = FIND.to_owned();
    let _ = write!(
        script,
        "echo \"pm=$pm\"\n{}case $pm in\n\
         yum) \"$p\" -q clean expire-cache >/dev/null 2>&1\necho n | \"$p\" {};;\n\
         dnf4) \"$p\" --assumeno --refresh {};;\n\
         dnf5) \"$p\" --assumeno --refresh {};;\nesac\n",
        checked(&order.files),
        transaction(Manager::Yum, order),
        transaction(Manager::Dnf4, order),
        transaction(Manager::Dnf5, order),
    );
    Item {
        cap: 1 << 20,
        ..Item::new(script, PLAN_DEADLINE)
    }
}

/// What a package manager said to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The packages that come, as `name-[epoch:]version-release.arch`.
    pub packages: Reading<Vec<String>>,
    /// All that it said; none where no package manager answered.
    pub preview: Option<Preview>,
}

/// Reads the answer. That there is nothing to do is said and never inferred, and so is what would be done.
#[must_use]
pub fn read_plan(order: &Order<'_>, reply: &Reply) -> Planned {
    let (out, err) = (reply.stdout.text(), reply.stderr.text());
    let Some(manager) = value(&out, "pm").and_then(Manager::of_word) else {
        let why = trouble(&reply.exit, &err);
        return Planned {
            packages: Reading::missing(format!("no package manager: {why}")),
            preview: None,
        };
    };
    let table = read_table(manager, &out);
    let packages = read_packages(manager, reply, &table);
    let preview = Preview {
        manager,
        rows: table.rows,
        advisories: order.advisories.clone(),
        at_least: order.at_least.clone(),
        held: None,
    };
    Planned {
        packages,
        preview: Some(preview),
    }
}

fn read_packages(
    manager: Manager,
    reply: &Reply,
    table: &patchgate_core::transaction::Table,
) -> Reading<Vec<String>> {
    let (out, err) = (reply.stdout.text(), reply.stderr.text());
    let name = manager.word();
    if !reply.stdout.is_complete() {
        return Reading::missing(format!("the answer of {name} was too long"));
    }
    if let Some(line) = out.lines().chain(err.lines()).find(|l| leaves_out(l)) {
        return Reading::missing(format!("{name} leaves something out: {line}"));
    }
    match &reply.exit {
        Exit::Code(0) if says_nothing(manager, &out) => Reading::Known(Vec::new()),
        Exit::Code(0 | 1) if was_refused(manager, &out, &err) => {
            let brings = table.rows.iter().filter(|r| r.action.brings());
            let packages: Vec<_> = brings.map(|r| r.package.to_string()).collect();
            let removes = table.rows.iter().any(|r| r.action == Action::Remove);
            match table.unread.first() {
                Some(row) => {
                    Reading::missing(format!("a row of {name}'s table cannot be read: {row}"))
                }
                None if packages.is_empty() && !removes => {
                    Reading::missing(format!("{name}'s table names no package"))
                }
                None => Reading::Known(packages),
            }
        }
        exit @ (Exit::Code(_)
        | Exit::DeadlineExceeded
        | Exit::NotRun { .. }
        | Exit::Lost { .. }) => {
            let said = complaint(&err).or_else(|| complaint(&out));
            Reading::missing(format!("{name}: {}", trouble(exit, said.unwrap_or(""))))
        }
    }
}

/// A package that is skipped, or one of several that cannot be had (yum goes on with the others).
fn leaves_out(line: &str) -> bool {
    line.starts_with("Skipping ")
        || line.starts_with("Skipped (")
        || (line.starts_with("No package ") && line.ends_with(" available."))
}

/// yum: `No Packages marked for Update` (EL6), `No packages marked for update` (EL7), `Nothing to do`.
fn says_nothing(manager: Manager, out: &str) -> bool {
    match manager {
        Manager::Dnf4 | Manager::Dnf5 => out.lines().any(|l| l.trim() == "Nothing to do."),
        Manager::Yum => out.lines().any(|l| {
            let line = l.trim().to_ascii_lowercase();
            line == "no packages marked for update"
                || line == "nothing to do"
                || line.starts_with("no packages needed for security")
        }),
    }
}

/// Whether the manager showed its table and took our "no". yum prints its question without a line break.
fn was_refused(manager: Manager, out: &str, err: &str) -> bool {
    let both = [out, err];
    let said = |words: &str| both.iter().any(|t| t.to_ascii_lowercase().contains(words));
    match manager {
        Manager::Yum => said("exiting on user command"),
        Manager::Dnf4 | Manager::Dnf5 => said("operation aborted"),
    }
}

/// From the first line that says what is wrong. dnf heads its problems with a bare `Error:`, and says of
/// what was asked for by name why it cannot be had before it says that it cannot.
fn complaint(text: &str) -> Option<&str> {
    const REASONS: [&str; 3] = [
        "All matches were filtered out by ",
        "No match for argument: ",
        "No package ",
    ];
    let reason = text
        .lines()
        .find(|l| REASONS.iter().any(|r| l.starts_with(r)));
    if reason.is_some() {
        return reason;
    }
    let text = text.trim_start();
    let rest = text.strip_prefix("Error:").unwrap_or(text);
    let said = match rest.split_once('\n') {
        Some((head, rest)) if head.trim().is_empty() => rest.trim_start(),
        Some(_) | None => text,
    };
    (!said.is_empty()).then_some(said)
}
