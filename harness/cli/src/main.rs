//! `patchgate`: a regression gate for Enterprise Linux patches.

mod args;
mod commands;
mod draw;
mod error;
mod files;
mod inventories;
mod out;
mod signals;
mod suites;

use std::{panic, process::ExitCode};

use clap::Parser as _;
use patchgate_core::exit;

use crate::{args::Cli, error::CliError};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A panic has told its own story by then; what is left is the code that nobody takes for a verdict.
    match panic::catch_unwind(|| commands::run(cli)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            error.show();
            error.code().code.into()
        }
        Err(_) => exit::BUG.code.into(),
    }
}

/// What a command ends with.
type Ended = Result<patchgate_core::exit::ExitCode, CliError>;
