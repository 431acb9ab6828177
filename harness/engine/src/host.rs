//! The door to a host: batches of scripts go in, one reply for each item comes out.
//!
//! What is behind the door (a real SSH connection, a scripted host of a test) is somebody else's
//! business. Nothing here judges a reply: an exit code is told, not weighed.

use std::{net::SocketAddr, time::Duration};

mod error;
pub mod frame;
pub mod job;
pub mod lock;
pub mod mark;
pub mod quote;
pub mod state_dir;
pub mod switch;
mod target;

pub use error::{
    ConnectError, HostError, HostKeyProblem, KeyFileProblem, KnownKey, Stage, TcpFailure,
};
pub use target::Target;

/// What one item may keep of each of its output streams when nothing else is said: 256 KiB.
pub const DEFAULT_CAP: usize = 256 * 1024;

/// Several scripts that go down one channel together and are answered one by one.
///
/// The items run one after the other, in order. One exec on the host carries all of them, so a
/// batch costs the same few round trips whether it has one item or two hundred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What the batch is for, for messages and the record; never sent to the host.
    pub label: String,
    /// The scripts.
    pub items: Vec<Item>,
    /// How long the whole batch may take, connection round trips included.
    pub deadline: Duration,
}

impl Batch {
    /// Makes a batch whose own deadline is the sum of its items' deadlines plus ten seconds.
    #[must_use]
    pub fn new(label: impl Into<String>, items: Vec<Item>) -> Self {
        let items_take: Duration = items.iter().map(|item| item.deadline).sum();
        Self {
            label: label.into(),
            items,
            deadline: items_take + Duration::from_secs(10),
        }
    }
}

/// One script of a batch.
///
/// It runs in a subshell of a POSIX `sh` with a clean environment (`PATH`, `LC_ALL=C`, `HOME=/`),
/// umask 022, working directory `/`, and standard input from `/dev/null`. Whatever it does to its
/// shell (`exit`, `cd`, `set`, syntax errors, functions) ends with the item. `$$` is the pid of the
/// batch's shell, not of the item's subshell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// POSIX shell text of any number of lines; no NUL.
    pub script: String,
    /// How long the item may run on the host, counted from its begin frame.
    pub deadline: Duration,
    /// How many bytes of each stream are kept; the rest is counted and thrown away.
    pub cap: usize,
}

impl Item {
    /// Makes an item that keeps [`DEFAULT_CAP`] bytes of each stream.
    #[must_use]
    pub fn new(script: impl Into<String>, deadline: Duration) -> Self {
        Self {
            script: script.into(),
            deadline,
            cap: DEFAULT_CAP,
        }
    }
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How it ended.
    pub exit: Exit,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// How long it ran, from the host's own monotonic clock (centiseconds) where the host has
    /// one, else between the arrivals of its frames; for an item without an end, until it was
    /// given up.
    pub elapsed: Duration,
}

impl Reply {
    /// Makes the reply of an item that printed nothing and took no time.
    #[must_use]
    pub fn silent(exit: Exit) -> Self {
        Self {
            exit,
            stdout: Captured::default(),
            stderr: Captured::default(),
            elapsed: Duration::ZERO,
        }
    }

    /// Says whether the item ran to its end and exited with 0.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.exit == Exit::Code(0)
    }
}

/// How an item ended. Only [`Exit::Code`] says anything about the script's own success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The item ended by itself with this status; 128+n where a signal n ended it, as `sh` has it.
    Code(u8),
    /// The item overran its own deadline (or the batch's) and was killed with its children.
    DeadlineExceeded,
    /// The item was never begun, for certain.
    NotRun {
        /// Why not.
        why: String,
    },
    /// Nobody knows: it may have run, in part or to its end, but no end was reported.
    Lost {
        /// What happened instead.
        why: String,
    },
}

/// One output stream of an item, cut at the item's cap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The first bytes, at most the cap.
    pub bytes: Vec<u8>,
    /// How many more came after those.
    pub dropped: u64,
}

impl Captured {
    /// Says whether nothing was thrown away.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.dropped == 0
    }

    /// Returns the kept bytes as text, with U+FFFD for what is not UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Who answered at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// The address that the connection goes to.
    pub address: SocketAddr,
    /// The host key that was presented and accepted.
    pub host_key: KnownKey,
    /// The server's identification, such as `SSH-2.0-OpenSSH_8.7`; text of the host.
    pub banner: String,
    /// The agreed algorithms, `kex host-key cipher mac` (client to server), for the record.
    pub algorithms: String,
}

/// One connected host. It is used by one owner, one batch after the other.
pub trait Host: Send {
    /// Runs a batch and hands each reply over as soon as its item has ended.
    ///
    /// `Ok` holds exactly one reply an item, in order, even when the connection died half-way: the
    /// items without an end are then [`Exit::Lost`]. The callback sees every reply once, in order.
    /// A future that is dropped before its end leaves the connection unusable.
    ///
    /// # Errors
    /// Only when no item was begun: the channel could not be had, or the host's shell (or `sudo`)
    /// did not start.
    fn run_with<F>(
        &mut self,
        batch: &Batch,
        on_reply: F,
    ) -> impl Future<Output = Result<Vec<Reply>, HostError>> + Send
    where
        F: FnMut(usize, &Reply) + Send;

    /// Runs a batch and returns all replies at its end.
    ///
    /// # Errors
    /// As [`Host::run_with`].
    fn run(&mut self, batch: &Batch) -> impl Future<Output = Result<Vec<Reply>, HostError>> + Send {
        self.run_with(batch, |_, _| {})
    }

    /// Tells who answered.
    fn peer(&self) -> &PeerInfo;

    /// Says goodbye and closes the connection, within a second.
    fn close(self) -> impl Future<Output = ()> + Send
    where
        Self: Sized;
}

/// Something that can open the door to any host of the inventory.
pub trait Connector: Send + Sync {
    /// What a connection is.
    type Host: Host;

    /// Connects, verifies the host's key, and logs in.
    ///
    /// # Errors
    /// By stage, see [`ConnectError`].
    fn connect(
        &self,
        target: &Target,
    ) -> impl Future<Output = Result<Self::Host, ConnectError>> + Send;
}
