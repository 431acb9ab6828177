//! Placeholder.
use clap::Parser;
mod commands {
    pub(crate) mod lab;
}
#[derive(Parser)]
enum Cli {
    Lab(commands::lab::LabArgs),
}
fn main() -> std::process::ExitCode {
    match Cli::parse() {
        Cli::Lab(args) => commands::lab::run(args),
    }
}
