//! Why a host could not be reached, or not be spoken to, by stage.

use std::{fmt, io, net::SocketAddr, path::PathBuf, time::Duration};

/// The stage of a connection, in the order in which they are passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Looking the name up.
    Resolve,
    /// Opening the TCP connection.
    Connect,
    /// Waiting for the server's identification.
    Banner,
    /// Agreeing on algorithms and keys.
    Kex,
    /// Verifying the host's key.
    HostKey,
    /// Reading the own private keys.
    KeyFile,
    /// Logging in.
    Auth,
    /// Opening a channel and starting the shell.
    Channel,
    /// Talking to the shell.
    Talk,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "name lookup",
            Self::Connect => "tcp connect",
            Self::Banner => "banner",
            Self::Kex => "key exchange",
            Self::HostKey => "host key",
            Self::KeyFile => "private key",
            Self::Auth => "login",
            Self::Channel => "channel",
            Self::Talk => "batch",
        })
    }
}

/// How a TCP connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpFailure {
    /// The host answered with a reset: nothing listens, or a firewall rejects.
    Refused,
    /// Nothing answered in time.
    TimedOut,
    /// A router or the own kernel knows no way there.
    Unreachable,
    /// Anything else; see the errno.
    Other,
}

impl fmt::Display for TcpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::Other => "failed",
        })
    }
}

/// A host key: its type, and its fingerprint in OpenSSH's form (`SHA256:` and unpadded base64).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// Such as `ssh-ed25519`.
    pub kind: String,
    /// Such as `SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8`.
    pub fingerprint: String,
}

impl fmt::Display for KnownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.fingerprint)
    }
}

fn list(keys: &[KnownKey]) -> String {
    keys.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What is wrong with the key that a host presented.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostKeyProblem {
    /// The host stands in no known_hosts file.
    #[error(
        "host key {got} of `{name}` is not known{note}; compare it on the host itself (ssh-keygen -lf of its \
         /etc/ssh/ssh_host_*_key.pub) and put it into the known_hosts file"
    )]
    Unknown {
        /// The name that was looked up.
        name: String,
        /// The key presented.
        got: KnownKey,
        /// What else the files say about this name, such as an unsupported `@cert-authority`;
        /// empty or a text that starts with `; `.
        note: String,
    },
    /// The host is known, but only by keys of other types than the one that it presented.
    #[error("host key {got} of `{name}` is of a type not known for it, known are {}", list(.known))]
    OtherType {
        /// The name that was looked up.
        name: String,
        /// The key presented.
        got: KnownKey,
        /// The keys on file.
        known: Vec<KnownKey>,
    },
    /// The host is known by another key of this type: reinstalled, or somebody in between.
    #[error("host key of `{name}` changed: expected {}, got {got}", list(.expected))]
    Changed {
        /// The name that was looked up.
        name: String,
        /// The keys of this type on file.
        expected: Vec<KnownKey>,
        /// The key presented.
        got: KnownKey,
    },
    /// The key is marked `@revoked`.
    #[error("host key {got} of `{name}` is revoked")]
    Revoked {
        /// The name that was looked up.
        name: String,
        /// The key presented.
        got: KnownKey,
    },
}

/// Why a private key file is not used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileProblem {
    /// The file cannot be read.
    #[error("private key `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Others may read the file; OpenSSH refuses such a key too.
    #[error("private key `{}` has mode {mode:04o}, others must not have access to it", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address.
    #[error("`{host}` cannot be looked up")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The TCP connection failed; the errno is in the source.
    #[error("tcp connection to {address} {failure}")]
    Tcp {
        /// The (last) address tried.
        address: SocketAddr,
        /// The class of the failure.
        failure: TcpFailure,
        /// What the kernel said.
        source: io::Error,
    },
    /// The server hung up or said nonsense instead of its identification; sshd does this when it
    /// has too many logins under way (`MaxStartups`). Retried before it is reported.
    #[error("{address} sent no ssh banner")]
    Banner {
        /// The address.
        address: SocketAddr,
        /// What libssh2 said.
        source: ssh2::Error,
    },
    /// No algorithms or keys could be agreed on.
    #[error("key exchange with {address} failed{hint}")]
    Kex {
        /// The address.
        address: SocketAddr,
        /// Empty, or a hint such as `; an old host may need legacy algorithms`.
        hint: &'static str,
        /// What libssh2 said.
        source: ssh2::Error,
    },
    /// The host is not, or not provably, the one that was meant. Nothing was sent after this.
    #[error(transparent)]
    HostKey(#[from] HostKeyProblem),
    /// A known_hosts file cannot be read.
    #[error("known hosts file `{}` cannot be read", path.display())]
    KnownHosts {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A private key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileProblem),
    /// The server took none of the keys.
    #[error("login as `{user}` refused, tried: {}", tried.join("; "))]
    Auth {
        /// The account.
        user: String,
        /// Each key with what came of it.
        tried: Vec<String>,
    },
    /// The connection broke before the login was through.
    #[error("connection to {address} lost during {stage}")]
    Lost {
        /// The address.
        address: SocketAddr,
        /// How far it got.
        stage: Stage,
        /// What libssh2 said.
        source: ssh2::Error,
    },
    /// The server fell silent.
    #[error("{host} did not finish {stage} within {after:?}")]
    Deadline {
        /// The host's address or name.
        host: String,
        /// How far it got.
        stage: Stage,
        /// The time it had.
        after: Duration,
    },
    /// The own machine could not do its part.
    #[error("local failure during {stage}")]
    Local {
        /// What was being done.
        stage: Stage,
        /// What the system said.
        source: io::Error,
    },
}

impl ConnectError {
    /// Says at which stage it failed.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Resolve { .. } => Stage::Resolve,
            Self::Tcp { .. } => Stage::Connect,
            Self::Banner { .. } => Stage::Banner,
            Self::Kex { .. } => Stage::Kex,
            Self::HostKey(_) | Self::KnownHosts { .. } => Stage::HostKey,
            Self::KeyFile(_) => Stage::KeyFile,
            Self::Auth { .. } => Stage::Auth,
            Self::Lost { stage, .. } | Self::Deadline { stage, .. } | Self::Local { stage, .. } => {
                *stage
            }
        }
    }

    /// Says whether going on would be unsafe: the host may be another one, or a secret lies open.
    #[must_use]
    pub fn is_security_stop(&self) -> bool {
        match self {
            Self::HostKey(_) | Self::KeyFile(KeyFileProblem::TooOpen { .. }) => true,
            Self::KeyFile(KeyFileProblem::Unreadable { .. })
            | Self::Resolve { .. }
            | Self::Tcp { .. }
            | Self::Banner { .. }
            | Self::Kex { .. }
            | Self::KnownHosts { .. }
            | Self::Auth { .. }
            | Self::Lost { .. }
            | Self::Deadline { .. }
            | Self::Local { .. } => false,
        }
    }
}

/// Why a batch was not begun; [`HostError::connection_lives`] tells whether another one can be.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The server gave no channel, or did not take the command.
    #[error("no channel for a command")]
    Channel {
        /// What libssh2 said.
        source: ssh2::Error,
    },
    /// The channel was had, but the shell never spoke: a restricted account, `sudo` that wants a
    /// password or a tty, a broken login shell.
    #[error("the host's shell did not start: {said}")]
    NotStarted {
        /// What came instead, both streams, at most a few kilobytes; text of the host.
        said: String,
    },
    /// The connection broke before any item was begun.
    #[error("connection lost: {why}")]
    Lost {
        /// How it was seen.
        why: String,
    },
    /// The batch's deadline passed before any item was begun.
    #[error("host was silent for {after:?} during {stage}")]
    Deadline {
        /// How far it got.
        stage: Stage,
        /// The time it had.
        after: Duration,
    },
    /// An item cannot be sent.
    #[error("item {index} holds a NUL byte")]
    BadItem {
        /// Its place in the batch.
        index: usize,
    },
}

impl HostError {
    /// Says whether the connection can still be used.
    #[must_use]
    pub fn connection_lives(&self) -> bool {
        match self {
            Self::Channel { .. } | Self::NotStarted { .. } | Self::BadItem { .. } => true,
            Self::Lost { .. } | Self::Deadline { .. } => false,
        }
    }
}
