//! One file a command.

mod explain;
mod facts;
mod hosts;
mod judge;
pub(crate) mod lab;
mod plan;
mod resume;
mod run;

use clap::CommandFactory as _;
use patchgate_core::exit;

use crate::{
    Ended,
    args::{Cli, Command},
    error::CliError,
    out,
};

/// Does what was asked.
pub(crate) fn run(cli: Cli) -> Result<std::process::ExitCode, CliError> {
    let told = run::Told {
        color: cli.color,
        quiet: cli.quiet,
    };
    let ended = match cli.command {
        Command::Lab(args) => return Ok(lab::run(args)),
        Command::Run(args) => run::run(&args, told),
        Command::Resume(args) => resume::resume(&args, told),
        Command::Check(args) => run::check(&args, told),
        Command::Plan(args) => plan::plan(&args, told),
        Command::Facts(args) => facts::facts(&args, told),
        Command::Hosts(args) => hosts::hosts(&args),
        Command::Judge(args) => judge::judge(&args, cli.color),
        Command::Report(args) => judge::report(&args, cli.color),
        Command::Explain(args) => explain::explain(&args, cli.color),
        Command::ExitCodes => exit_codes(),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "patchgate", &mut text);
            out::answer(&String::from_utf8_lossy(&text))?;
            Ok(exit::OPEN)
        }
        Command::Man => man(),
    };
    ended.map(|code| code.code.into())
}

fn exit_codes() -> Ended {
    let lines = exit::ALL
        .iter()
        .map(|c| format!("{:>4}  {}\n", c.code, c.meaning));
    out::answer(&lines.collect::<String>())?;
    Ok(exit::OPEN)
}

fn man() -> Ended {
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
    rendered.map_err(|e| CliError::Bug(format!("the manual page: {e}")))?;
    out::answer(&String::from_utf8_lossy(&page))?;
    Ok(exit::OPEN)
}
