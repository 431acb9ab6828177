//! The mark of a dirty host: a file beside the lock, which outlives reboots and controllers.
//!
//! It is put there under the lock and before the lock is given back. Who takes the lock to change the host looks
//! for it under the same guard, so that no run slips in between.

use std::time::Duration;

use patchgate_core::{text::one_line, undo::Mark};

use super::{
    Item, Reply,
    lock::{self, Owner},
    quote,
    state_dir::StateDir,
};

/// The longest reason that a mark holds, in characters.
const LONGEST: usize = 400;

/// How much of a mark is read: more than one holds.
const MOST_BYTES: usize = 4096;

/// What taking the lock has told of the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// There is none.
    Absent,
    /// It is there and is the run's own, which takes the lock all the same.
    Own,
    /// It is another run's, and the lock was not taken.
    Marked,
    /// It was there and was taken away, as somebody said.
    Cleared,
}

/// Builds the item that takes the lock if it is free or the run's own, and the host carries no mark but the run's
/// own. The mark of the run that `clear` names is taken away first.
///
/// Its reply is for [`lock::parse`] and for [`fate`]. A lock that the run has just taken from a dead one is given
/// back where there is another's mark.
#[must_use]
pub fn acquire_item(owner: &Owner, clear: Option<&str>, dir: &StateDir) -> Item {
    let action = ACQUIRE
        .replace("@MARK@", &dir.word("dirty"))
        .replace(
            "@CLEAR@",
            &quote::sh(&clear.map_or_else(String::new, lock::plain)),
        )
        .replace("@PUT@", &lock::put(owner));
    let item = lock::item(&owner.run, dir, &action);
    Item {
        script: item.script + TOLD,
        ..item
    }
}

const ACQUIRE: &str = r#"M=@MARK@ C=@CLEAR@ mark=absent
if [ -z "$run" ] || [ "$run" = "$me" ]; then
if [ -n "$C" ] && [ -e "$M" ]; then
r=; IFS= read -r r <"$M"
if [ "$r" = "run=$C" ]; then rm -f "$M" || fail "its mark cannot be taken away"; mark=cleared; fi
fi
r=; [ ! -e "$M" ] || { mark=marked; IFS= read -r r <"$M"; }
[ "$r" != "run=$me" ] || mark=own
if [ "$mark" = marked ]; then [ -n "$job" ] || rm -f "$O"
elif [ -z "$run" ]; then @PUT@
fi
fi"#;

const TOLD: &str = "echo \"pgmark $mark\"\n";

/// What taking the lock has told of the mark.
#[must_use]
pub fn fate(reply: &Reply) -> Fate {
    let text = reply.stdout.text();
    match text.lines().last() {
        Some("pgmark own") => Fate::Own,
        Some("pgmark marked") => Fate::Marked,
        Some("pgmark cleared") => Fate::Cleared,
        Some(_) | None => Fate::Absent,
    }
}

/// Builds the item that reads the mark; it changes nothing, also on a host that was never locked.
#[must_use]
pub fn read_item(dir: &StateDir) -> Item {
    let script = format!(
        "M={}\nif [ -e \"$M\" ]; then echo 'pgmark there'; head -c {MOST_BYTES} \"$M\"\n\
         else echo 'pgmark none'; fi\n",
        dir.word("dirty")
    );
    Item::new(script, Duration::from_secs(30))
}

/// Reads the answer of [`read_item`]: the mark, where there is one.
///
/// # Errors
/// When the reply tells nothing.
pub fn read(reply: &Reply) -> Result<Option<Mark>, String> {
    let text = reply.stdout.text();
    let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
    match (reply.is_ok(), head) {
        (true, "pgmark none") => Ok(None),
        (true, "pgmark there") => Ok(Some(parse(rest))),
        (true | false, _) => Err(format!("no answer about its mark: {:?}", reply.exit)),
    }
}

fn parse(text: &str) -> Mark {
    let field = |name: &str| {
        let lines = text.lines();
        let mut found = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        one_line(found.next().unwrap_or("?"), LONGEST)
    };
    Mark {
        run: field("run"),
        since: field("since"),
        why: field("why"),
    }
}

/// Builds the item that puts a mark there, if the run that it names holds the lock; an older one of any run gives
/// way.
#[must_use]
pub fn put_item(mark: &Mark, dir: &StateDir) -> Item {
    let text = format!(
        "run={}\nsince={}\nwhy={}",
        lock::plain(&mark.run),
        lock::plain(&mark.since),
        one_line(&mark.why, LONGEST)
    );
    owned(&mark.run, dir, &PUT.replace("@TEXT@", &quote::sh(&text)))
}

const PUT: &str = r#"umask 077
printf '%s\n' @TEXT@ >"$M.new" && mv -f "$M.new" "$M" || reject "it cannot be written"
sync "$M" "${M%/*}" 2>/dev/null || sync
echo 'pgmark done'
"#;

/// Builds the item that takes the run's own mark away, if the run holds the lock.
#[must_use]
pub fn drop_item(run: &str, dir: &StateDir) -> Item {
    owned(
        run,
        dir,
        &DROP.replace("@ME@", &quote::sh(&lock::plain(run))),
    )
}

const DROP: &str = r#"r=; [ ! -e "$M" ] || IFS= read -r r <"$M"
[ "$r" != "run="@ME@ ] || rm -f "$M"
[ ! -e "$M" ] || reject "it is not this run's, or cannot be taken away"
sync "${M%/*}" 2>/dev/null || sync
echo 'pgmark done'
"#;

fn owned(run: &str, dir: &StateDir, action: &str) -> Item {
    let script = OWNED
        .replace("@OWNED@", &lock::owned_script(run, dir))
        .replace("@MARK@", &dir.word("dirty"));
    Item::new(script + action, Duration::from_secs(60))
}

const OWNED: &str = r#"reject() { printf 'pgmark failed %s\n' "$*"; exit 0; }
@OWNED@[ "$held" = true ] || reject "the lock is not this run's"
M=@MARK@
"#;

/// Whether [`put_item`] or [`drop_item`] did what they are for.
///
/// # Errors
/// Why not, or that nobody knows.
pub fn done(reply: &Reply) -> Result<(), String> {
    let text = reply.stdout.text();
    let last = text.lines().last().unwrap_or_default();
    match last.strip_prefix("pgmark failed ") {
        Some(why) => Err(why.to_owned()),
        None if reply.is_ok() && last == "pgmark done" => Ok(()),
        None => Err(format!("no answer about its mark: {:?}", reply.exit)),
    }
}

#[cfg(test)]
mod tests;
