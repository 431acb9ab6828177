//! How a batch travels: one shell script down, nonce-tagged frames with raw output between them up.
//!
//! Nothing is installed on the host. The script goes in by standard input, so it shows up in no
//! process list and knows no length limit; it is one function with its call on the last line, so a
//! torn script is a syntax error and never half run. Frames are lines that begin with the record
//! separator (0x1e) and a nonce of 128 bits, which stands neither in an argument nor in the
//! environment: output cannot forge one. Output itself travels raw and goes to no file, so a full
//! or read-only disk does not blind us, and the channel's window holds an endless writer back.
//!
//! | frame | on | means |
//! |---|---|---|
//! | `h SHELL WATCHDOG` | both | the batch's shell runs, with these pids |
//! | `b INDEX PID UPTIME` | both | the item begins, in the subshell PID |
//! | `e INDEX STATUS UPTIME` | both | the item ended |
//! | `z` | both | the batch is through; without it the end is not known |
//!
//! (On standard error the frames carry nothing but the index.)

use std::{fmt, time::Duration};

use super::quote;

mod collect;
mod split;

pub use collect::{Collector, Running};
pub use split::{Piece, Splitter};

/// The byte that begins every frame: the ASCII record separator.
pub const RECORD_SEPARATOR: u8 = 0x1e;

/// Tag of one batch: 128 random bits in lower-case hex.
#[derive(Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// Makes a nonce of the given (random) bytes.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Returns the 32 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

/// Returns the command line that makes any login shell (sh, csh, fish) run a script from its
/// standard input in a POSIX shell with a clean environment.
///
/// `exec` keeps the login shell out of the way, so that sshd sees how the script's shell itself
/// ended. The script is read to its end before its first line runs.
#[must_use]
pub fn command(become_root: bool) -> String {
    let sudo = if become_root {
        "/usr/bin/sudo -n -- "
    } else {
        ""
    };
    format!(
        "exec {sudo}/usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/ \
         /bin/sh -c 'eval \"$(cat)\"'"
    )
}

/// Builds the script of a batch.
///
/// Each item costs one fork and nothing else. With a watchdog, the host itself ends everything
/// that the batch started, that long after its start, should the controller be gone by then.
#[must_use]
pub fn script<'a>(
    nonce: &Nonce,
    items: impl Iterator<Item = &'a str>,
    watchdog: Option<Duration>,
) -> String {
    let mut text = ITEM.replace("@N@", nonce.as_str());
    let mut arms = "_pg_w=0\n".to_owned();
    if let Some(after) = watchdog {
        text.push_str(TREE);
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        arms = WATCHDOG.replace("@S@", &seconds.to_string());
    }
    text.push_str("_pg_main() {\numask 022\ncd /\n");
    text.push_str(&arms);
    text.push_str(&HELLO.replace("@N@", nonce.as_str()));
    for (index, item) in items.enumerate() {
        text.push_str("_pg_item ");
        text.push_str(&index.to_string());
        text.push(' ');
        text.push_str(&quote::sh(item));
        text.push('\n');
    }
    text.push_str(&GOODBYE.replace("@N@", nonce.as_str()));
    text.push_str("}\n_pg_main\n");
    text
}

/// Builds the script that ends one item of a running batch with all its children, and nothing if
/// that item has ended meanwhile.
///
/// The item's shell is frozen first, so that it does not go on to its next command; its children
/// get a second for their own clean-up.
#[must_use]
pub fn kill_item(shell: u32, item: u32) -> String {
    format!(
        "{TREE}_pg_scan\ncase \"$_pg_all \" in *\" {item}:{shell} \"*) _pg_end {item} 0 ;; esac\n"
    )
}

/// Builds the script that ends a whole batch: its shell, its watchdog, and all their children.
#[must_use]
pub fn kill_batch(shell: u32) -> String {
    format!("{TREE}_pg_end {shell} 0\n")
}

/// Runs one item. The shell's own remarks on killed jobs go nowhere; positional parameters and
/// descriptor 3 are not passed on. `/proc/self` is the subshell's own, without a fork.
const ITEM: &str = r#"_pg_item() {
_pg_i=$1 _pg_s=$2
shift 2
{
(
_pg_p=0 _pg_u=0
read -r _pg_p _pg_x </proc/self/stat
read -r _pg_u _pg_x </proc/uptime
printf '\036@N@ b %s %s %s\n' "$_pg_i" "$_pg_p" "$_pg_u"
printf '\036@N@ b %s\n' "$_pg_i" >&3
exec 2>&3 3>&-
eval "$_pg_s"
) </dev/null
_pg_r=$?
_pg_u=0
read -r _pg_u _pg_x </proc/uptime
} 3>&2 2>/dev/null
printf '\036@N@ e %s %s %s\n' "$_pg_i" "$_pg_r" "$_pg_u"
printf '\036@N@ e %s\n' "$_pg_i" >&2
}
"#;

/// Process trees, from `/proc` and without forks. `_pg_scan` lists every process that is not a
/// zombie as ` PID:PARENT`. `_pg_grow SKIP` adds to `_pg_list` all descendants of its members but
/// SKIP's. `_pg_end ROOT SKIP` freezes ROOT, sends TERM to its descendants, waits for them for up
/// to a second, and kills what is left.
const TREE: &str = r#"_pg_scan() {
_pg_all=
for _pg_d in /proc/[0-9]*; do
while read -r _pg_k _pg_v _pg_x; do
case $_pg_k in
State:) [ "$_pg_v" = Z ] && break ;;
PPid:) _pg_all="$_pg_all ${_pg_d#/proc/}:$_pg_v"; break ;;
esac
done 2>/dev/null <"$_pg_d/status"
done 2>/dev/null
}
_pg_grow() {
_pg_more=1
while [ "$_pg_more" ]; do
_pg_more=
for _pg_e in $_pg_all; do
_pg_p=${_pg_e%:*}
case "$_pg_list" in *" $_pg_p "*) continue ;; esac
[ "$_pg_p" = "$1" ] && continue
case "$_pg_list" in *" ${_pg_e#*:} "*) _pg_list="$_pg_list$_pg_p " _pg_more=1 ;; esac
done
done
}
_pg_end() {
_pg_list=" $1 "
kill -STOP "$1" 2>/dev/null
_pg_scan
_pg_grow "$2"
for _pg_p in $_pg_list; do
[ "$_pg_p" = "$1" ] || kill -TERM "$_pg_p" 2>/dev/null
done
for _pg_n in 1 2 3 4 5 6 7 8 9 10; do
_pg_scan
_pg_grow "$2"
_pg_live=
for _pg_p in $_pg_list; do
[ "$_pg_p" = "$1" ] && continue
case "$_pg_all" in *" $_pg_p:"*) _pg_live=1 ;; esac
done
[ "$_pg_live" ] || break
sleep 0.1
done
kill -KILL $_pg_list 2>/dev/null
:
}
"#;

/// Starts the watchdog: silent, off the channel, and gone at once on TERM. It strikes only while
/// the batch's shell is still its parent, so a reused pid is safe.
const WATCHDOG: &str = r#"(
trap 'kill "$!" 2>/dev/null; exit 0' TERM
sleep @S@ &
wait "$!"
read -r _pg_self _pg_x _pg_x _pg_parent _pg_x </proc/self/stat
[ "$_pg_parent" = "$$" ] && _pg_end "$$" "$_pg_self"
) </dev/null >/dev/null 2>&1 &
_pg_w=$!
"#;

const HELLO: &str = "printf '\\036@N@ h %s %s\\n' \"$$\" \"$_pg_w\"\nprintf '\\036@N@ h\\n' >&2\n";

/// The watchdog goes last: by then the controller has its answer.
const GOODBYE: &str = "printf '\\036@N@ z\\n'\nprintf '\\036@N@ z\\n' >&2\n\
                       [ \"$_pg_w\" = 0 ] || kill \"$_pg_w\" 2>/dev/null\nexit 0\n";

#[cfg(test)]
pub(crate) mod tests;
