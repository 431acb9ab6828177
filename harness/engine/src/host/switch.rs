//! A dead man's switch: the host undoes a temporary change by itself, whatever becomes of us.
//!
//! A switch is a directory on the host that comes into being by one rename, with everything in it that
//! undoing takes. Before anything is changed a watcher is started in a session of its own and seen to
//! live. It waits, without polling, for the deadline or for a word from the controller, whichever
//! comes first, and then restores: it and nobody else, so that a connection that breaks cannot break
//! off the restoring. What changes the host does so under the lock `busy` and only while the watcher
//! lives and time is left; the watcher takes that lock before it restores. So no change comes after it.
//!
//! | file | holds |
//! |---|---|
//! | `restore`, `watch`, `sha256` | the script that restores, the watcher, the sum of both |
//! | what the preparation leaves | what `restore` needs; its working directory is this one |
//! | `deadline` | seconds since boot at which the host restores itself |
//! | `lock` | held by the watcher while it lives |
//! | `busy` | held by whoever changes the host, or restores it |
//! | `pipe`, `up` | wakes the watcher; says that it lives |
//! | `armed` | boot id and pid of the watcher |
//! | `asked`, `fired` | somebody said the word; the restoring began |
//! | `result` | `restored`, or `failed` and why |
//!
//! After a reboot there is nothing to restore, since nothing that outlives one may be changed under a
//! switch; what is left of it is then `stale`. A host that restored itself keeps the result, and all
//! else only where it failed, until somebody looks: the switch's own controller, or the next one.
//! Only `sh` and base tools are used, as EL6 has them.

use std::time::Duration;

use openssl::sha::sha256;

use super::{
    Item,
    job::{JobId, state_function},
    lock, quote,
    state_dir::StateDir,
};

mod parse;
mod script;

pub use parse::{Swept, SwitchParseError, parse, parse_sweep, refusal};

/// How long the watcher waits for a change that is under way before it restores all the same.
const BUSY_WAIT: Duration = Duration::from_secs(100);

/// How long a restoring may take before a question about its end is answered with `restoring`.
const RESTORE_WAIT: Duration = Duration::from_secs(240);

/// What to arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchSpec {
    /// Its name, unique on the host while it stands.
    pub id: JobId,
    /// POSIX shell text without NUL that saves what the restoring needs, in the switch's directory; it
    /// must change nothing else. Its output is told when it fails.
    pub prepare: String,
    /// POSIX shell text without NUL that restores the host, however far a change had come, and may be
    /// run again. Status 0 means that it looked and the host is restored; else its first line is told.
    pub restore: String,
    /// After how long the host restores itself; whole seconds.
    pub after: Duration,
    /// Where the switch's directory is.
    pub state_dir: StateDir,
}

impl SwitchSpec {
    /// Makes a switch in the default place.
    #[must_use]
    pub fn new(
        id: JobId,
        prepare: impl Into<String>,
        restore: impl Into<String>,
        after: Duration,
    ) -> Self {
        Self {
            id,
            prepare: prepare.into(),
            restore: restore.into(),
            after,
            state_dir: StateDir::default(),
        }
    }

    fn sha256(&self) -> String {
        let stored = format!("{}\n{}\n", self.restore, script::watcher(BUSY_WAIT));
        let sum = sha256(stored.as_bytes());
        sum.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What has become of a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SwitchState {
    /// There is none. After it was armed: it was taken away, which nobody does before it has restored.
    None,
    /// It stands and its watcher lives.
    Armed {
        /// How long until the host restores itself.
        left: Duration,
    },
    /// The host is restoring itself.
    Restoring,
    /// The host was restored.
    Restored,
    /// The host could not be restored; it can be tried again.
    Failed {
        /// The host's reason.
        why: String,
    },
    /// It stands and nobody watches it: the watcher died.
    Dead,
    /// It is left from before a reboot, which restored the host.
    Stale,
    /// It was not armed, and nothing was changed.
    Rejected {
        /// The host's reason.
        why: String,
    },
}

/// Builds the item that arms a switch, or finds it armed; `run` must hold the host's lock, and its
/// transaction must not be running.
///
/// It answers only after the watcher is seen to live. Its reply is for [`parse()`].
#[must_use]
pub fn arm_item(spec: &SwitchSpec, run: &str) -> Item {
    let script = script::ARM
        .replace("@GUARD@", &lock::owned_script(run, &spec.state_dir))
        .replace("@JOB@", state_function())
        .replace("@FUNCTIONS@", &functions())
        .replace("@JOBS@", &spec.state_dir.word("jobs"))
        .replace("@DIR@", &spec.state_dir.word(DIR))
        .replace("@ID@", spec.id.as_str())
        .replace("@SHA@", &spec.sha256())
        .replace("@AFTER@", &spec.after.as_secs().to_string())
        .replace("@WATCH@", &quote::sh(&script::watcher(BUSY_WAIT)))
        // Last, so that nothing in them is taken for a place to fill in.
        .replace("@PREPARE@", &quote::sh(&spec.prepare))
        .replace("@RESTORE@", &quote::sh(&spec.restore));
    Item::new(script, Duration::from_secs(60))
}

/// Builds the item that asks for a switch's state. Its reply is for [`parse()`].
#[must_use]
pub fn status_item(id: &JobId, state_dir: &StateDir) -> Item {
    let script = format!(
        "{}echo \"pgswitch $(_pg_switch {})\"\n",
        script::STATE,
        place(id, state_dir)
    );
    Item::new(script, Duration::from_secs(20))
}

/// Builds the item that has the host restored now, waits for it, and takes the switch away once it is.
///
/// Asking again is safe: what was restored is not restored again. Its reply is for [`parse()`].
#[must_use]
pub fn disarm_item(id: &JobId, state_dir: &StateDir) -> Item {
    let script = format!(
        "{}_pg_undo {}\necho \"pgswitch $S\"\n",
        functions(),
        place(id, state_dir)
    );
    Item::new(script, RESTORE_WAIT + Duration::from_secs(30))
}

/// Builds the item that does the same with every switch that is left on the host, if `run` holds the
/// host's lock: for whoever comes after a dead controller. Its reply is for [`parse_sweep`].
#[must_use]
pub fn sweep_item(run: &str, state_dir: &StateDir) -> Item {
    let script = script::SWEEP
        .replace("@GUARD@", &lock::owned_script(run, state_dir))
        .replace("@FUNCTIONS@", &functions())
        .replace("@DIR@", &state_dir.word(DIR));
    Item::new(script, RESTORE_WAIT + Duration::from_secs(30))
}

/// Lets a script that changes the host run only while the switch is armed with at least `need` left,
/// and holds the restoring back until it has ended: the shell variable `J` is the switch's directory,
/// and descriptor 8 the lock, which no process that outlives the script may keep.
///
/// The script's reader asks [`refusal`] whether it was let.
#[must_use]
pub fn guarded(id: &JobId, state_dir: &StateDir, need: Duration, script: &str) -> String {
    script::GUARDED
        .replace("@STATE@", script::STATE)
        .replace("@PLACE@", &place(id, state_dir))
        .replace("@NEED@", &need.as_secs().to_string())
        + script
}

/// Lets a script that changes nothing but files in the switch's directory run only while the switch is
/// armed. The restoring does not wait for it.
#[must_use]
pub fn beside(id: &JobId, state_dir: &StateDir, script: &str) -> String {
    script::BESIDE
        .replace("@STATE@", script::STATE)
        .replace("@PLACE@", &place(id, state_dir))
        + script
}

const DIR: &str = "switch";

fn place(id: &JobId, state_dir: &StateDir) -> String {
    state_dir.word(&format!("{DIR}/{id}"))
}

fn functions() -> String {
    let wait = RESTORE_WAIT.as_secs().to_string();
    script::STATE.to_owned() + script::START + &script::UNDO.replace("@WAIT@", &wait)
}

#[cfg(test)]
mod tests;
