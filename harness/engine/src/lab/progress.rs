//! What a lab command tells while it works.

use std::{fmt, path::PathBuf, time::Duration};

use super::{accel::Accelerator, hosts::Flavour};

/// Receives progress; called from several threads at once.
pub type Report<'a> = &'a (dyn Fn(&Progress) + Sync);

/// One thing that happened, told in a full sentence by `Display`.
#[derive(Clone, Debug)]
pub enum Progress {
    /// Another lab command is at work.
    LockAwaited {
        /// Its process id.
        holder: String,
    },
    /// The build script was started.
    BuildStarted {
        /// The script.
        script: PathBuf,
    },
    /// The build script wrote a line.
    BuildSaid {
        /// The line.
        line: String,
    },
    /// The accelerator was chosen.
    AcceleratorChosen {
        /// The choice.
        accelerator: Accelerator,
    },
    /// No saved state fits, so one is made by a cold boot.
    ColdBootStarted {
        /// What is booted.
        flavour: Flavour,
        /// Why the saved state there was, if any, is not used.
        why: &'static str,
    },
    /// A guest reached a condition on its way up.
    GuestReached {
        /// The guest.
        guest: String,
        /// The condition, as the end of a sentence.
        condition: String,
    },
    /// A saved state was made.
    StateSaved {
        /// What was saved.
        flavour: Flavour,
        /// Its size in bytes.
        bytes: u64,
        /// Boot and save together.
        elapsed: Duration,
    },
    /// A saved state could not be used and is made again.
    StateRefused {
        /// The host that was to start from it.
        host: String,
        /// Why.
        detail: String,
    },
    /// A host is ready.
    HostReady {
        /// The host.
        host: String,
        /// Its address.
        address: String,
        /// From the first file to the last condition.
        elapsed: Duration,
    },
    /// A host was up before.
    HostWasUp {
        /// The host.
        host: String,
    },
    /// A host was not started.
    HostFailed {
        /// The host.
        host: String,
        /// Why.
        detail: String,
    },
    /// A machine, or a holder of its network, was ended.
    MachineStopped {
        /// Process id.
        pid: u32,
    },
    /// Something was left in place, and why.
    Left {
        /// What and why.
        what: String,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LockAwaited { holder } => {
                write!(f, "Waiting for another lab command (process {holder}).")
            }
            Self::BuildStarted { script } => write!(f, "Images: running {}.", script.display()),
            Self::BuildSaid { line } => write!(f, "Images: {line}"),
            Self::AcceleratorChosen { accelerator } => write!(f, "Accelerator: {accelerator}."),
            Self::ColdBootStarted { flavour, why } => {
                write!(f, "{flavour}: cold boot for a saved state ({why}).")
            }
            Self::GuestReached { guest, condition } => write!(f, "{guest}: {condition}."),
            Self::StateSaved {
                flavour,
                bytes,
                elapsed,
            } => {
                write!(
                    f,
                    "{flavour}: state saved, {} MiB, {}.",
                    bytes >> 20,
                    seconds(*elapsed)
                )
            }
            Self::StateRefused { host, detail } => {
                write!(
                    f,
                    "{host}: the saved state is of no use ({detail}); making it again."
                )
            }
            Self::HostReady {
                host,
                address,
                elapsed,
            } => {
                write!(f, "{host}: ready at {address} after {}.", seconds(*elapsed))
            }
            Self::HostWasUp { host } => write!(f, "{host}: is up already."),
            Self::HostFailed { host, detail } => write!(f, "{host}: not started: {detail}."),
            Self::MachineStopped { pid } => write!(f, "Process {pid} ended."),
            Self::Left { what } => write!(f, "Left in place: {what}."),
        }
    }
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}
