//! The shell texts that run on a host, each beside the code that reads its answer.
//!
//! All of it is POSIX `sh` and the base system of EL6 to EL10: no Python, no `ausearch`. Small things
//! are read with the shell's own builtins, because a fork on a busy host costs more than the answer.

pub mod checks;
pub mod diagnosis;
pub mod experiment;
pub mod facts;
pub mod packages;
pub mod restart;
pub mod snapshot;
pub mod transaction;
pub mod upload;
pub mod vectors;
pub mod window;

use patchgate_core::reading::Reading;

use crate::host::{Exit, Reply};

/// The text that an item printed, when it ran to its end with status 0 and nothing was cut.
#[must_use]
pub fn answer(reply: &Reply) -> Reading<String> {
    match &reply.exit {
        Exit::Code(0) if reply.stdout.is_complete() => Reading::Known(reply.stdout.text()),
        Exit::Code(0) => Reading::missing("the answer was too long"),
        other @ (Exit::Code(_)
        | Exit::DeadlineExceeded
        | Exit::NotRun { .. }
        | Exit::Lost { .. }) => Reading::missing(trouble(other, &reply.stderr.text())),
    }
}

/// How an item ended, in words.
#[must_use]
pub fn trouble(exit: &Exit, stderr: &str) -> String {
    let said = stderr
        .lines()
        .next()
        .map(|l| format!(": {l}"))
        .unwrap_or_default();
    match exit {
        Exit::Code(code) => format!("exit status {code}{said}"),
        Exit::DeadlineExceeded => "ran into its deadline".to_owned(),
        Exit::NotRun { why } => format!("did not run: {why}"),
        Exit::Lost { why } => format!("its end was lost: {why}"),
    }
}

/// The value of a `key=value` line.
#[must_use]
pub fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|l| l.strip_prefix(key)?.strip_prefix('='))
}
