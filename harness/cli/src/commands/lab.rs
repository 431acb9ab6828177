//! `patchgate lab`: SELinux-enforcing lab VMs on this machine.

use std::{
    ffi::OsString,
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
    time::Instant,
};

use clap::{Args, Subcommand, ValueEnum};
use patchgate_engine::lab::{HostState, HostStatus, Lab, LabError, Progress};

/// Everything that was asked for is so.
const DONE: u8 = 0;
/// The lab cannot run here, or was asked for something that it has not.
const CANNOT: u8 = 2;
/// A guest or the network did not do what it should; `status`: not every host is up.
const NOT_UP: u8 = 3;
/// Another lab command holds the lock.
const LOCKED: u8 = 7;

/// What `--help` says after the subcommands.
const AFTER_HELP: &str = "\
Environment:
  PATCHGATE_CACHE      images, saved states and logs are in its `lab` directory [default: ~/.cache/patchgate]
  PATCHGATE_LAB_NAME   begins the names of the network namespaces [default: patchgate]
  PATCHGATE_LAB_BUILD  the script that makes images [default: ci/lab/build of the checkout]

Hosts answer on 10.77.0.0/24 inside the lab only: run what talks to them with `patchgate lab exec`.

Exit codes: 0 done; 2 the lab cannot run here, or has not what was asked for; 3 a guest or the network
failed, or (status) not every host is up; 7 another lab command is at work; ssh and exec give the
command's own.";

/// Arguments of `patchgate lab`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct LabArgs {
    #[command(subcommand)]
    command: LabCommand,
}

#[derive(Debug, Subcommand)]
enum LabCommand {
    /// Start hosts and print the path of their inventory.
    Up {
        /// Hosts to start, NAME or NAME=upstream or NAME=rebuild [default: one of each].
        hosts: Vec<String>,
        /// Use the images as they are: do not run `ci/lab/build`.
        #[arg(long)]
        no_build: bool,
    },
    /// End every machine and take namespaces, taps and overlays away.
    Down,
    /// Tell what runs; exit code 0 if every host is up, else 3.
    Status {
        /// How to tell it.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Return hosts to their clean state.
    Reset {
        /// Hosts to return.
        #[arg(required_unless_present = "all")]
        hosts: Vec<String>,
        /// All hosts.
        #[arg(long, conflicts_with = "hosts")]
        all: bool,
    },
    /// Log in to a host as root, or run a command there.
    Ssh {
        /// The host.
        host: String,
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Run a command where the remote client is: everything that talks to lab hosts.
    Exec {
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A table.
    Text,
    /// A list of objects.
    Json,
}

/// Runs a lab command.
pub(crate) fn run(args: LabArgs) -> ExitCode {
    let code = match Lab::from_env().and_then(|lab| dispatch(&lab, args.command)) {
        Ok(code) => code,
        Err(error) => {
            tell_error(&error);
            exit_code(&error)
        }
    };
    ExitCode::from(code)
}

fn dispatch(lab: &Lab, command: LabCommand) -> Result<u8, LabError> {
    let started = Instant::now();
    let report = |progress: &Progress| {
        tell(&format!(
            "[{:6.1} s] {progress}",
            started.elapsed().as_secs_f64()
        ));
    };
    match command {
        LabCommand::Up { hosts, no_build } => {
            let inventory = lab.up(&hosts, !no_build, &report)?;
            print(&format!("{}\n", inventory.display()));
        }
        LabCommand::Down => lab.down(&report)?,
        LabCommand::Status { format } => return Ok(status(&lab.status(), format)),
        // `all` is the absence of names, which clap allows only with the flag.
        LabCommand::Reset { hosts, all: _ } => {
            for (host, elapsed) in lab.reset(&hosts, &report)? {
                print(&format!(
                    "{host}: clean after {:.1} s\n",
                    elapsed.as_secs_f64()
                ));
            }
        }
        LabCommand::Ssh { host, command } => return replace(lab.ssh_command(&host, &command)?),
        LabCommand::Exec { command } => return replace(lab.exec_command(&command)?),
    }
    Ok(DONE)
}

/// Becomes the command, so that terminal, signals and exit code are its own.
fn replace(mut command: Command) -> Result<u8, LabError> {
    let source = command.exec();
    Err(LabError::Io {
        action: "run",
        path: command.get_program().into(),
        source,
    })
}

fn status(rows: &[HostStatus], format: Format) -> u8 {
    print(&match format {
        Format::Text => table(rows),
        Format::Json => json(rows),
    });
    if rows.iter().all(|row| row.state == HostState::Up) {
        DONE
    } else {
        NOT_UP
    }
}

fn json(rows: &[HostStatus]) -> String {
    let text = serde_json::to_string_pretty(rows).expect("plain data serialises");
    format!("{text}\n")
}

fn table(rows: &[HostStatus]) -> String {
    let header = [
        "HOST",
        "FLAVOUR",
        "ADDRESS",
        "STATE",
        "PID",
        "ACCELERATOR",
        "SINCE",
        "CONSOLE",
    ];
    let mut lines = vec![header.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| {
        lines
            .iter()
            .map(|line| line[column].len())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let padded = |line: &[String; 8]| {
        let cells = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    lines.iter().map(padded).collect()
}

fn cells(row: &HostStatus) -> [String; 8] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        row.host.clone(),
        row.flavour.to_string(),
        row.address.clone(),
        row.state.as_str().to_owned(),
        or_dash(row.pid.map(|pid| pid.to_string())),
        or_dash(row.accelerator.map(|accelerator| accelerator.to_string())),
        or_dash(row.since.map(|since| format!("{since:.0}"))),
        or_dash(row.console.as_ref().map(|path| path.display().to_string())),
    ]
}

fn exit_code(error: &LabError) -> u8 {
    match error {
        LabError::Platform { .. }
        | LabError::ToolMissing { .. }
        | LabError::NoRights { .. }
        | LabError::NoTun { .. }
        | LabError::NoCache
        | LabError::PathTooLong { .. }
        | LabError::ImageMissing { .. }
        | LabError::ImageDamaged { .. }
        | LabError::BadHost { .. }
        | LabError::NotUp { .. }
        | LabError::LabDown => CANNOT,
        LabError::BuildFailed { .. }
        | LabError::NamespaceInUse { .. }
        | LabError::AddressInUse { .. }
        | LabError::Guest { .. }
        | LabError::Command { .. }
        | LabError::Qmp { .. }
        | LabError::Io { .. } => NOT_UP,
        LabError::Locked { .. } => LOCKED,
    }
}

fn tell_error(error: &LabError) {
    let first: &dyn std::error::Error = error;
    let chain = std::iter::successors(Some(first), |error| error.source());
    let chain: Vec<_> = chain.map(ToString::to_string).collect();
    tell(&format!("error: {}", chain.join(": ")));
    if let Some(hint) = error.hint() {
        tell(&format!("hint: {hint}"));
    }
}

/// A closed standard error is no reason to stop.
fn tell(text: &str) {
    let _written = writeln!(io::stderr(), "{text}");
}

/// A closed standard output is no reason to stop.
fn print(text: &str) {
    let _written = io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        lab: LabArgs,
    }

    fn parse(text: &str) -> Result<LabCommand, clap::Error> {
        Cli::try_parse_from(text.split_whitespace()).map(|cli| cli.lab.command)
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_commands_own_options_stay_its_own() {
        for text in ["lab exec -- curl -s --fail x", "lab exec curl -s --fail x"] {
            let LabCommand::Exec { command } = parse(text).unwrap() else {
                panic!("{text}")
            };
            assert_eq!(command, ["curl", "-s", "--fail", "x"]);
        }
        let LabCommand::Ssh { command, .. } = parse("lab ssh h rpm -q --all").unwrap() else {
            panic!("not ssh")
        };
        assert_eq!(command, ["rpm", "-q", "--all"]);
    }

    #[test]
    fn reset_needs_hosts_or_all_and_not_both() {
        assert!(parse("lab reset").is_err());
        assert!(parse("lab reset a --all").is_err());
        assert!(parse("lab reset --all").is_ok());
        assert!(parse("lab reset a b").is_ok());
    }

    #[test]
    fn status_is_a_table_with_a_dash_for_what_is_unknown() {
        let row: HostStatus = HostStatus {
            host: "lab-rebuild".into(),
            flavour: patchgate_engine::lab::Flavour::Rebuild,
            address: "10.77.0.11".into(),
            state: HostState::Down,
            pid: None,
            accelerator: None,
            since: None,
            console: None,
        };
        let text = table(std::slice::from_ref(&row));
        assert_eq!(
            text,
            "HOST         FLAVOUR  ADDRESS     STATE  PID  ACCELERATOR  SINCE  CONSOLE\n\
             lab-rebuild  rebuild  10.77.0.11  down   -    -            -      -\n"
        );
        assert_eq!(status(&[row], Format::Json), NOT_UP);
    }
}
