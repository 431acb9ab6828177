//! `patchgate`: a regression gate for Enterprise Linux patches.

mod args;
mod commands;
mod draw;
mod error;
mod files;
mod out;
mod signals;
mod suites;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{args::Cli, error::CliError};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match commands::run(cli) {
        Ok(code) => code,
        Err(error) => {
            error.show();
            error.code().code.into()
        }
    }
}

/// What a command ends with.
type Ended = Result<patchgate_core::exit::ExitCode, CliError>;
