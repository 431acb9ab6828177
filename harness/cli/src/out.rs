//! The only places that print: standard output for answers, standard error for everything else.

use std::io::{self, IsTerminal as _, Write as _};

use patchgate_report::console::{Colour, Paint};

use crate::{args::When, error::CliError};

/// Prints an answer. A reader that went away is no error; one that would get only a part is.
pub(crate) fn answer(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Answer(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints a message as it is.
pub(crate) fn raw(text: &str) {
    ignore(io::stderr().lock().write_all(text.as_bytes()));
}

/// Prints an error.
pub(crate) fn error(text: &str) {
    raw(&format!("patchgate: error: {text}\n"));
}

/// Prints what to do about an error.
pub(crate) fn hint(text: &str) {
    raw(&format!("  hint: {text}\n"));
}

/// Prints a remark.
pub(crate) fn note(text: &str) {
    raw(&format!("patchgate: {text}\n"));
}

/// How the end of a run is painted on standard output.
pub(crate) fn paint(when: When) -> Paint {
    colour(when).paint(io::stdout().is_terminal(), no_color().as_deref())
}

/// How a running run is painted on standard error.
pub(crate) fn paint_stderr(when: When) -> Paint {
    colour(when).paint(io::stderr().is_terminal(), no_color().as_deref())
}

/// Whether somebody watches standard error.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal() && std::env::var_os("CI").is_none()
}

fn no_color() -> Option<String> {
    std::env::var("NO_COLOR").ok()
}

fn colour(when: When) -> Colour {
    match when {
        When::Auto => Colour::Auto,
        When::Always => Colour::Always,
        When::Never => Colour::Never,
    }
}

/// Nobody is left to be told that nobody reads.
fn ignore(_: io::Result<()>) {}
