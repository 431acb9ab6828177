//! The lock of a host: two controllers must not work on one host at the same time.
//!
//! The lock is a file that names its owner and the job that the owner is about, so that whoever
//! comes after a dead controller learns what has become of its job. Every change is made under a
//! `flock` of a guard file and by one rename, so a change is whole or not there. The owner touches a file
//! while it works, so that a dead one can be told from a slow one; no lock goes away by itself.

use std::time::Duration;

use super::{
    Exit, Item, Reply,
    job::{JobId, JobState, parse_state, state_function},
    quote,
    state_dir::StateDir,
};

/// Who holds the lock of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The run, which is what counts: the same run takes its own lock again.
    pub run: String,
    /// Host name of the controller.
    pub controller: String,
    /// Process id of the controller.
    pub pid: u32,
    /// Boot id of the controller's machine: with another one, `pid` says nothing.
    pub boot_id: String,
    /// When the lock was taken, by the controller's clock.
    pub since: String,
    /// The job that is under way, or was.
    pub job: Option<JobId>,
    /// How long the host has heard nothing of the owner, by the host's clock; none where it does not say.
    pub silent: Option<Duration>,
}

/// What a question about the lock has brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockState {
    /// Nobody holds it.
    Free,
    /// The asking run holds it.
    Acquired {
        /// What has become of the job that the owner file names; after a resume this matters.
        job: Option<JobState>,
    },
    /// Another run holds it.
    Held {
        /// Its owner, as the file says; text of the host.
        owner: Owner,
        /// What has become of the owner's job.
        job: Option<JobState>,
    },
    /// The host could not do it.
    Failed {
        /// Its reason.
        why: String,
    },
}

/// A reply that says nothing about the lock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockParseError {
    /// The item itself did not run to its end.
    #[error("the host gave no answer about its lock: {exit:?}")]
    NoAnswer {
        /// How the item ended.
        exit: Exit,
    },
    /// The item ran, and its answer cannot be understood.
    #[error("answer about the lock cannot be understood: `{head}`")]
    Foreign {
        /// The first line.
        head: String,
    },
}

/// Builds the item that takes the lock, if it is free or the run's own.
#[must_use]
pub fn acquire_item(owner: &Owner, state_dir: &StateDir) -> Item {
    item(
        &owner.run,
        state_dir,
        &format!("[ -n \"$run\" ] || {}", put(owner)),
    )
}

/// Builds the item that only asks who holds the lock.
#[must_use]
pub fn read_item(run: &str, state_dir: &StateDir) -> Item {
    item(run, state_dir, ":")
}

/// Builds the item that tells the host that the run goes on, if it holds the lock: whoever asks for the lock
/// learns how long ago that was. Asks for the lock as [`read_item`] does.
#[must_use]
pub fn beat_item(run: &str, state_dir: &StateDir) -> Item {
    let action = "[ \"$run\" != \"$me\" ] || touch \"$L/beat\" 2>/dev/null";
    item(run, state_dir, action)
}

/// Builds the item that writes the owner anew, with another job, if the run holds the lock.
#[must_use]
pub fn update_item(owner: &Owner, state_dir: &StateDir) -> Item {
    item(
        &owner.run,
        state_dir,
        &format!("[ \"$run\" != \"$me\" ] || {}", put(owner)),
    )
}

/// Builds the item that gives the lock back, if the run holds it.
#[must_use]
pub fn release_item(run: &str, state_dir: &StateDir) -> Item {
    let action = "[ \"$run\" != \"$me\" ] || rm -f \"$O\" || fail \"it cannot be given back\"";
    item(run, state_dir, action)
}

/// Builds the item that takes the lock from a dead run.
///
/// The host does it only while `dead_run` still holds it, and never while its job runs.
#[must_use]
pub fn take_over_item(dead_run: &str, owner: &Owner, state_dir: &StateDir) -> Item {
    let action = format!(
        "if [ \"$run\" = {} ] && [ \"$(job_state)\" != running ]; then {}; fi",
        quote::sh(&plain(dead_run)),
        put(owner)
    );
    item(&owner.run, state_dir, &action)
}

/// Every question has the same frame: guard, load, act, tell.
pub(super) fn item(run: &str, state_dir: &StateDir, action: &str) -> Item {
    let script = FRAME
        .replace("@STATE@", state_function())
        .replace("@LOCK@", &state_dir.word("lock"))
        .replace("@JOBS@", &state_dir.word("jobs"))
        .replace("@ME@", &quote::sh(&plain(run)))
        .replace("@ACTION@", action);
    Item::new(script, Duration::from_secs(30))
}

/// Sets the shell variable `held` to `true` or `false`: whether the owner is this run and names this
/// job. The guard stays taken, as file descriptor 9, until the shell that asked has ended.
pub(super) fn held_script(run: &str, job: &JobId, state_dir: &StateDir) -> String {
    let named = format!("[ \"$job\" = {} ] || held=false\n", quote::sh(job.as_str()));
    owned_script(run, state_dir) + &named
}

/// Sets `held` as [`held_script`] does, whatever job the owner names; `job` is then that job's name, as
/// the file says. The shell that asks has a function `reject`, which ends it.
pub(crate) fn owned_script(run: &str, state_dir: &StateDir) -> String {
    OWNED
        .replace("@LOCK@", &state_dir.word("lock"))
        .replace("@ME@", &quote::sh(&plain(run)))
}

const OWNED: &str = r#"held=false run= job=
L=@LOCK@
if [ -w "$L/guard" ] && [ -r "$L/owner" ]; then
exec 9>>"$L/guard"
flock -w 5 9 || reject "the guard of the lock is busy"
while IFS== read -r k v; do
case $k in
run) run=$v ;;
job) job=$v ;;
esac
done <"$L/owner"
[ "$run" != @ME@ ] || held=true
fi
"#;

pub(super) fn put(owner: &Owner) -> String {
    let job = owner.job.as_ref().map_or("", JobId::as_str);
    let text = format!(
        "run={}\ncontroller={}\npid={}\nboot={}\nsince={}\njob={job}",
        plain(&owner.run),
        plain(&owner.controller),
        owner.pid,
        plain(&owner.boot_id),
        plain(&owner.since),
    );
    format!("put {}", quote::sh(&text))
}

/// Keeps a field to one word of harmless characters.
pub(super) fn plain(text: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || "._:@+-/".contains(c);
    text.chars()
        .take(128)
        .map(|c| if keep(c) { c } else { '_' })
        .collect()
}

const FRAME: &str = r#"@STATE@umask 077
L=@LOCK@
O=$L/owner
me=@ME@
fail() { echo "pglock failed $*"; exit 0; }
mkdir -p "$L" || fail "its directory cannot be made"
chmod 700 "${L%/*}" "$L"
: >>"$L/guard" || fail "its guard cannot be made"
exec 9>>"$L/guard"
flock -w 5 9 || fail "its guard is busy"
load() {
run= job=
[ -e "$O" ] || return 0
while IFS== read -r k v; do
case $k in
run) run=$v ;;
job) job=$v ;;
esac
done <"$O"
[ -n "$run" ] || fail "its owner file is damaged"
}
put() {
printf '%s\n' "$1" >"$O.new" && mv "$O.new" "$O" || fail "its owner cannot be written"
sync "$O" 2>/dev/null
load
}
job_state() {
case $job in
'' | .* | *[!A-Za-z0-9._-]*) echo none ;;
*) _pg_state @JOBS@/"$job" ;;
esac
}
load
@ACTION@
load
if [ -z "$run" ]; then
echo "pglock free none"
elif [ "$run" = "$me" ]; then
echo "pglock acquired $(job_state)"
else
echo "pglock held $(job_state)"
cat "$O"
heard=$(stat -c %Y "$L/beat" "$O" 2>/dev/null | sort -n | tail -n 1)
now=$(date +%s)
[ -z "$heard" ] || [ "$now" -lt "$heard" ] || echo "silent=$((now - heard))"
fi
"#;

/// Reads the reply of any item of this module.
///
/// # Errors
/// When the reply tells nothing; the lock may be anybody's.
pub fn parse(reply: &Reply) -> Result<LockState, LockParseError> {
    if !reply.is_ok() {
        return Err(LockParseError::NoAnswer {
            exit: reply.exit.clone(),
        });
    }
    let text = reply.stdout.text();
    let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
    parse_parts(head, rest).ok_or_else(|| LockParseError::Foreign {
        head: head.to_owned(),
    })
}

/// Reads `pglock free none`, `pglock acquired JOBSTATE`, `pglock held JOBSTATE` with the owner's
/// file after it, or `pglock failed REASON`.
fn parse_parts(head: &str, rest: &str) -> Option<LockState> {
    let (word, tail) = head.strip_prefix("pglock ")?.split_once(' ')?;
    let job = || match tail {
        "none" => Some(None),
        state => parse_state(state).map(Some),
    };
    Some(match word {
        "free" => LockState::Free,
        "acquired" => LockState::Acquired { job: job()? },
        "held" => LockState::Held {
            owner: parse_owner(rest),
            job: job()?,
        },
        "failed" => LockState::Failed {
            why: tail.to_owned(),
        },
        _ => return None,
    })
}

fn parse_owner(text: &str) -> Owner {
    let field = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().to_owned()
    };
    Owner {
        run: field("run"),
        controller: field("controller"),
        pid: field("pid").parse().unwrap_or(0),
        boot_id: field("boot"),
        since: field("since"),
        job: JobId::new(field("job")).ok(),
        silent: field("silent").parse().ok().map(Duration::from_secs),
    }
}

#[cfg(test)]
mod tests;
