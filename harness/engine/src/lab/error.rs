//! What can go wrong in the lab, each with one sentence and, where it helps, a hint.

use std::{io, path::PathBuf, time::Duration};

use thiserror::Error;

/// Why a lab command did not do its work.
///
/// `Display` is one fragment without the source; [`LabError::hint`] says what to do about it.
#[derive(Debug, Error)]
pub enum LabError {
    /// The machine cannot run the lab's guests at all.
    #[error("the lab needs Linux on x86-64, and this is {os} on {arch}")]
    Platform {
        /// Operating system, as Rust names it.
        os: &'static str,
        /// Processor architecture, as Rust names it.
        arch: &'static str,
    },
    /// A program that the lab calls is not installed.
    #[error("`{tool}` is not installed")]
    ToolMissing {
        /// The program.
        tool: &'static str,
        /// Which packages bring it.
        packages: &'static str,
    },
    /// Neither root nor a user namespace.
    #[error("no right to make network namespaces: {detail}")]
    NoRights {
        /// What the refused attempt said.
        detail: String,
    },
    /// The tap device node is missing or closed.
    #[error("`/dev/net/tun` cannot be opened, so guests would have no network")]
    NoTun {
        /// The refusal.
        #[source]
        source: io::Error,
    },
    /// No directory to keep images and state in.
    #[error("no cache directory: neither PATCHGATE_CACHE nor XDG_CACHE_HOME nor HOME is set")]
    NoCache,
    /// A UNIX socket's path has a fixed maximum (`sockaddr_un`, 108 bytes).
    #[error("`{path}` is too long for a socket ({length} bytes, at most 107)")]
    PathTooLong {
        /// The socket that would be made.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
    },
    /// An image file is missing and no build script was found.
    #[error("`{path}` is missing and `ci/lab/build` was not found")]
    ImageMissing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// An image file is there and says nothing usable.
    #[error("`{path}` is empty or damaged")]
    ImageDamaged {
        /// The file.
        path: PathBuf,
    },
    /// The build script failed.
    #[error("`{script}` failed ({status})\n{tail}")]
    BuildFailed {
        /// The script.
        script: PathBuf,
        /// How it ended.
        status: String,
        /// Its last lines.
        tail: String,
        /// The whole log.
        log: PathBuf,
    },
    /// A host argument that is neither NAME nor NAME=FLAVOUR.
    #[error("`{text}` is not a lab host: {problem}")]
    BadHost {
        /// What was written.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A host that is not running was to be used.
    #[error("lab host `{host}` is not up")]
    NotUp {
        /// The host.
        host: String,
        /// The hosts that are.
        up: Vec<String>,
    },
    /// The client namespace is not there.
    #[error("the lab is not up")]
    LabDown,
    /// Another lab command holds the lock for longer than a lab command can take.
    #[error("another lab command (process {holder}) is still at work")]
    Locked {
        /// Process id as written in the lock file, or `unknown`.
        holder: String,
    },
    /// A machine of some other lab lives in the namespace.
    #[error("the network namespace `{namespace}` is in use by process {pid} of another lab")]
    NamespaceInUse {
        /// The namespace.
        namespace: String,
        /// One process in it.
        pid: u32,
    },
    /// The address has a machine already.
    #[error("the address {address} is in use: {detail}")]
    AddressInUse {
        /// The address.
        address: String,
        /// What the kernel or the state files said.
        detail: String,
    },
    /// A guest did not reach a condition in time, or its machine ended.
    #[error("`{host}` {problem} after {} s\n{tail}", elapsed.as_secs())]
    Guest {
        /// The guest.
        host: String,
        /// What it did not do, with the last thing that was seen.
        problem: String,
        /// How long was waited.
        elapsed: Duration,
        /// Last lines of its console.
        tail: String,
        /// The console log.
        console: PathBuf,
    },
    /// A program that the lab called failed.
    #[error("`{what}` failed: {detail}")]
    Command {
        /// The command line, shortened.
        what: String,
        /// Its last words or exit status.
        detail: String,
    },
    /// The machine monitor refused or did not answer.
    #[error("the machine monitor failed at `{command}`: {detail}")]
    Qmp {
        /// The monitor command.
        command: String,
        /// What came back.
        detail: String,
    },
    /// A file operation failed.
    #[error("cannot {action} `{path}`")]
    Io {
        /// Verb phrase.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The refusal.
        #[source]
        source: io::Error,
    },
}

impl LabError {
    /// Makes a closure that wraps an I/O error, for `map_err`.
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// Says what the user can do about it, as full sentences.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Platform { .. } => "Any other lab machine works by being in an inventory: give \
                patchgate hosts of your own with `patchgate_lab: true`."
                .to_owned(),
            Self::ToolMissing { packages, .. } => format!("Install {packages}."),
            Self::NoRights { .. } => "Run it as root, or allow user namespaces without root \
                (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone=1, \
                kernel.apparmor_restrict_unprivileged_userns=0)."
                .to_owned(),
            Self::NoTun { .. } => "Load the module (`modprobe tun`); without root the device must \
                be open to everybody (mode 0666), and in a container it must be passed in."
                .to_owned(),
            Self::NoCache => "Set PATCHGATE_CACHE to a directory with 4 GiB of room.".to_owned(),
            Self::PathTooLong { .. } => "Set PATCHGATE_CACHE to a shorter path.".to_owned(),
            Self::ImageMissing { .. } => "Run it inside a checkout of patchgate, or set \
                PATCHGATE_LAB_BUILD to the path of `ci/lab/build`."
                .to_owned(),
            Self::ImageDamaged { .. } => "Delete it and run `patchgate lab up` again.".to_owned(),
            Self::BuildFailed { log, .. } => format!("The whole log is in `{}`.", log.display()),
            Self::BadHost { .. } => "Write NAME for a host of the table, or NAME=upstream or \
                NAME=rebuild for one more."
                .to_owned(),
            Self::NotUp { up, .. } => not_up_hint(up),
            Self::LabDown => "Run `patchgate lab up` first.".to_owned(),
            Self::Locked { .. } => "Wait for it to end, or end it.".to_owned(),
            Self::NamespaceInUse { .. } => "Take the other lab down, or set PATCHGATE_LAB_NAME to \
                give this one namespaces of its own."
                .to_owned(),
            Self::AddressInUse { .. } => "Run `patchgate lab down` first.".to_owned(),
            Self::Guest { console, .. } => {
                format!("The whole console is in `{}`.", console.display())
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "If root made the cache, give it to this user (`chown -R`), or run it as root."
                    .to_owned()
            }
            Self::Command { .. } | Self::Qmp { .. } | Self::Io { .. } => return None,
        };
        Some(text)
    }
}

fn not_up_hint(up: &[String]) -> String {
    if up.is_empty() {
        return "Run `patchgate lab up` first.".to_owned();
    }
    format!("Up are: {}. `patchgate lab up` starts more.", up.join(", "))
}
