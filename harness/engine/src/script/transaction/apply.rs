//! The transaction as a job on the host.

use std::fmt::Write as _;

use patchgate_core::transaction::Manager;

use super::{FIND, FileThere, Order, arguments};
use crate::host::quote;

/// Before the number of the transaction in the job's output.
const TRANSACTION: &str = "patchgate-transaction=";

/// The package manager, then its own number for what it did; files that were brought go in any case.
#[must_use]
pub fn apply_script(manager: Manager, order: &Order<'_>) -> String {
    let mut script = FIND.to_owned();
    let _ = write!(
        script,
        "[ \"$pm\" = {word} ] || {{ echo 'another package manager than planned'; exit 97; }}\n\
         (\n{checked}exec \"$p\" -y {arguments}\n)\nrc=$?\n{clear}\
         [ $rc = 0 ] && \"$p\" -q history list 2>/dev/null | {{\n\
         while read -r n rest; do case $n in *[!0-9]*|'') ;; *) echo \"{TRANSACTION}$n\"; break;; esac; done\n\
         }}\n\
         exit $rc\n",
        word = manager.word(),
        checked = checked(&order.files),
        arguments = arguments::transaction(manager, order),
        clear = clear(&order.files),
    );
    script
}

/// Ends the script unless every file is, byte for byte, what was read on the controller.
pub(super) fn checked(files: &[FileThere]) -> String {
    let mut text = String::new();
    for FileThere { path, sha256 } in files {
        let _ = writeln!(
            text,
            "s=$(sha256sum <{path}) && [ \"${{s%% *}}\" = {sha256} ] || \
             {{ echo {told} >&2; exit 98; }}",
            path = quote::sh(path),
            told = quote::sh(&format!("{path} is not the file that was brought")),
        );
    }
    text
}

fn clear(files: &[FileThere]) -> String {
    let words = files.iter().map(|f| format!(" {}", quote::sh(&f.path)));
    match files {
        [] => String::new(),
        _ => format!("rm -f --{}\n", words.collect::<String>()),
    }
}

/// The number of the transaction in a job's output.
#[must_use]
pub fn transaction(output: &str) -> Option<String> {
    output
        .lines()
        .rev()
        .find_map(|l| l.strip_prefix(TRANSACTION))
        .map(ToOwned::to_owned)
}
