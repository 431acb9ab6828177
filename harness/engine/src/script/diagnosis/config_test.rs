//! A service's own check of its configuration, and the owners of the files that it complains of.

use std::time::Duration;

use patchgate_core::diagnosis::{Found, owners::parse};

use super::{super::trouble, owners};
use crate::host::{Exit, Item, Reply, quote};

/// How much of the output is kept, in bytes: its end.
const KEPT: usize = 8192;

/// The line that follows the output.
const END: &str = "\nexit=";

/// The output with the exit status behind it, where the command cannot write; the owners go to the error
/// stream, since they are no output of the command.
pub(super) fn item(command: &str) -> Item {
    let (functions, command) = (owners::functions(), quote::sh(command));
    let script = format!(
        r#"{functions}
out=$({{ sh -c {command} 2>&1; printf '\nexit=%s' "$?"; }} | tail -c {KEPT})
printf '%s\n' "$out"
printf '%s\n' "$out" | named | owned >&2
exit 0"#
    );
    Item::new(script, Duration::from_secs(20))
}

/// A test that ran into its deadline has no exit status; one that nobody knows the end of says nothing.
pub(super) fn read(command: &str, reply: &Reply) -> Result<Vec<Found>, String> {
    let text = reply.stdout.text();
    let ended = text.rsplit_once(END);
    let ended = ended.and_then(|(out, exit)| Some((out, exit.trim_end().parse::<u8>().ok()?)));
    let (output, exit) = match (ended, &reply.exit) {
        (Some((output, exit)), _) => (output, Some(exit)),
        (None, Exit::DeadlineExceeded) => ("", None),
        (None, exit @ (Exit::Code(_) | Exit::NotRun { .. } | Exit::Lost { .. })) => {
            return Err(trouble(exit, &reply.stderr.text()));
        }
    };
    let test = Found::ConfigTest {
        command: command.to_owned(),
        exit,
        output: output.trim_end_matches('\n').to_owned(),
    };
    let owners = parse(&reply.stderr.text()).owners;
    let named = (!owners.is_empty()).then_some(Found::Owners { owners });
    Ok(std::iter::once(test).chain(named).collect())
}
