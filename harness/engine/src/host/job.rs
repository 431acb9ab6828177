//! Jobs that survive the connection: a patch transaction must neither die with it nor run twice.
//!
//! A job is a directory on the host. It comes into being by one rename, after its script's SHA-256
//! was verified; a detached runner takes the lock, writes `started`, runs the script, and puts the
//! result in place by one rename, synced. `started` without a lock and without a result means that
//! the runner died: the job is lost, and never runs again by itself.
//!
//! | file | holds |
//! |---|---|
//! | `cmd`, `sha256` | the script and its sum |
//! | `lock` | held by the runner while it lives |
//! | `started` | boot id and pid of the runner |
//! | `pipe`, `out` | the output on its way and on disk, both streams, at most the cap |
//! | `result` | the exit status |
//!
//! Output passes through a pipe to a process that only writes it down, so that a full disk or the
//! cap never reaches the job itself: it sees no error and no signal, and its output is then thrown
//! away. Only `sh` and base tools are used, as EL6 has them (no `setsid -f`, no `sync FILE`).

use std::time::Duration;

use openssl::sha::sha256;

use super::{Item, lock, quote, state_dir::StateDir};

mod parse;
mod script;

pub(super) use parse::parse_state;
pub use parse::{JobParseError, parse};

/// How much of a job's output is kept on the host unless said otherwise: 16 MiB.
pub const DEFAULT_OUTPUT_CAP: u64 = 16 * 1024 * 1024;

/// How much of a job's output one poll brings at most: 256 KiB.
pub const CHUNK: u64 = 256 * 1024;

/// How long a poll should wait on the host for the job's end, to save round trips.
pub const LONG_POLL: Duration = Duration::from_secs(10);

/// Name of a job, chosen by the controller, unique for ever on a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(String);

impl JobId {
    /// Takes letters, digits, `_`, `.` and `-`, at most 64, the first a letter or a digit.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn new(text: impl Into<String>) -> Result<Self, BadJobId> {
        let text = text.into();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let is_good = text.len() <= 64
            && text.chars().all(is_plain)
            && text
                .chars()
                .next()
                .is_some_and(|c| c.is_ascii_alphanumeric());
        match is_good {
            true => Ok(Self(text)),
            false => Err(BadJobId(text)),
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that cannot name a job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot name a job: letters, digits, `_`, `.`, `-`, at most 64")]
pub struct BadJobId(String);

/// What to run as a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSpec {
    /// Its name; the same name never runs twice.
    pub id: JobId,
    /// POSIX shell text without NUL; it runs with a clean environment, umask 022, in `/`, standard
    /// input from `/dev/null`.
    pub script: String,
    /// How many bytes of output are kept, rounded to 512.
    pub output_cap: u64,
    /// Where the job's files are.
    pub state_dir: StateDir,
}

impl JobSpec {
    /// Makes a job with the default cap and place.
    #[must_use]
    pub fn new(id: JobId, script: impl Into<String>) -> Self {
        Self {
            id,
            script: script.into(),
            output_cap: DEFAULT_OUTPUT_CAP,
            state_dir: StateDir::default(),
        }
    }

    /// Returns the SHA-256 of the script as it is stored, in hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256(self.stored().as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    fn stored(&self) -> String {
        format!("{}\n", self.script)
    }
}

/// What has become of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// The host has never heard of it; it can be started.
    Unknown,
    /// It is stored, but its runner has not begun; starting it again is safe and goes on from here.
    Accepted,
    /// It runs.
    Running,
    /// It ended.
    Finished {
        /// Its exit status, 128+n for signal n.
        exit: u8,
    },
    /// Its runner died in the middle, or the host was reset: nobody knows how far it got. It will
    /// not be run again under this name.
    Lost,
    /// The host did not take it: another script has this name, the script came mutilated, or it
    /// could not be stored.
    Rejected {
        /// The host's reason.
        why: String,
    },
}

/// What a start or a poll has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobReport {
    /// The job's state.
    pub state: JobState,
    /// How many bytes of output there were on the host.
    pub output_size: u64,
    /// Where `output` begins.
    pub offset: u64,
    /// The next piece of its output, both streams mixed.
    pub output: Vec<u8>,
}

impl JobReport {
    /// Returns the offset for the next poll.
    #[must_use]
    pub fn next_offset(&self) -> u64 {
        self.offset + self.output.len() as u64
    }

    /// Says whether the state is final and all output was fetched.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.state {
            JobState::Finished { .. } | JobState::Lost => self.next_offset() >= self.output_size,
            JobState::Rejected { .. } => true,
            JobState::Unknown | JobState::Accepted | JobState::Running => false,
        }
    }
}

/// Builds the item that starts a job, or finds it started: sending it twice runs it once.
///
/// Its reply is for [`parse()`].
#[must_use]
pub fn start_item(spec: &JobSpec) -> Item {
    start(spec, "")
}

/// As [`start_item`], if the lock's owner is this run and names this job.
///
/// The host looks and starts under the lock's own guard: nobody takes the lock in between.
#[must_use]
pub fn start_locked_item(spec: &JobSpec, run: &str) -> Item {
    start(spec, &lock::held_script(run, &spec.id, &spec.state_dir))
}

fn start(spec: &JobSpec, guard: &str) -> Item {
    let script = script::START
        .replace("@GUARD@", guard)
        .replace("@JOBS@", &spec.state_dir.word("jobs"))
        .replace("@ID@", spec.id.as_str())
        .replace("@SHA@", &spec.sha256())
        .replace("@RUN@", &quote::sh(&script::runner(spec.output_cap)))
        .replace("@STATE@", script::STATE)
        // Last, so that nothing in it is taken for a place to fill in.
        .replace("@CMD@", &quote::sh(&spec.script));
    Item::new(script, Duration::from_secs(30))
}

/// Builds the item that asks for a job's state and its output from `offset` on.
///
/// It waits on the host for the job's end, `wait` in whole seconds ([`LONG_POLL`] is a good
/// choice), unless there is output to bring already. Its reply is for [`parse()`].
#[must_use]
pub fn poll_item(id: &JobId, state_dir: &StateDir, offset: u64, wait: Duration) -> Item {
    let script = script::POLL
        .replace("@JOB@", &state_dir.word(&format!("jobs/{id}")))
        .replace("@STATE@", script::STATE)
        .replace("@OFFSET@", &offset.to_string())
        .replace("@CHUNK@", &CHUNK.to_string())
        .replace("@WAIT@", &wait.as_secs().to_string());
    let mut item = Item::new(script, wait + Duration::from_secs(20));
    // The head line comes on top.
    item.cap = usize::try_from(CHUNK)
        .unwrap_or(usize::MAX)
        .saturating_add(1024);
    item
}

/// Returns the shell function `_pg_state JOB`, which prints what [`parse_state`] reads.
pub(super) fn state_function() -> &'static str {
    script::STATE
}

#[cfg(test)]
mod tests;
