//! Network namespaces without root: a user namespace, and two idle processes that hold it all.
//!
//! A namespace lives as long as something is in it. Without root it cannot be given a name, so a
//! `tail` on an empty file stays in each; its argument tells whose it is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{
    command,
    error::LabError,
    net::{IP_LIMIT, Place},
    process::{self, ProcessId},
    tools::tool,
    wait::{Deadline, wait_for},
};

fn file(run_dir: &Path, place: Place, suffix: &str) -> PathBuf {
    run_dir
        .join("net")
        .join(format!("{}.{suffix}", place.as_str()))
}

/// The process that holds a namespace, if the lab runs without root.
pub(super) fn find(run_dir: &Path, place: Place) -> Option<ProcessId> {
    let bytes = fs::read(file(run_dir, place, "json")).ok()?;
    let process: ProcessId = serde_json::from_slice(&bytes).ok()?;
    process.is_running().then_some(process)
}

/// Starts both holders.
pub(super) fn start(run_dir: &Path) -> Result<(), LabError> {
    let dir = run_dir.join("net");
    fs::create_dir_all(&dir).map_err(LabError::io("create", dir))?;
    let mut outer = tool("setsid");
    outer.args(["--fork", "unshare", "--user", "--map-root-user", "--net"]);
    let guests = start_one(run_dir, Place::Guests, outer)?;
    let mut inner = tool("setsid");
    inner.args(["--fork", "nsenter", "--target", &guests.pid.to_string()]);
    inner.args(["--user", "--preserve-credentials", "--", "unshare", "--net"]);
    start_one(run_dir, Place::Client, inner).map(drop)
}

/// Ends a holder; fine if there is none.
pub(super) fn stop(run_dir: &Path, place: Place) {
    if let Some(process) = process::holder_of(&file(run_dir, place, "holder")) {
        process.kill(IP_LIMIT);
    }
    // A file that stays names a dead process, which `find` sees.
    let _removed = fs::remove_file(file(run_dir, place, "json"));
}

/// Adds what `nsenter` needs to enter the holder's user namespace.
///
/// The kernel refuses to enter the one that the caller is in already, see setns(2).
pub(super) fn enter_user_namespace(command: &mut Command, process: ProcessId) {
    let of = |who: &str| fs::read_link(format!("/proc/{who}/ns/user")).ok();
    if of("self") != of(&process.pid.to_string()) {
        command.args(["--user", "--preserve-credentials"]);
    }
}

/// Whether user ids are mapped, which is so everywhere but in the machine's first user namespace.
pub(super) fn is_inside_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    maps_some_ids_only(&map)
}

fn maps_some_ids_only(uid_map: &str) -> bool {
    let words: Vec<&str> = uid_map.split_whitespace().collect();
    !words.is_empty() && words != ["0", "0", "4294967295"]
}

/// Tries to make namespaces without root.
pub(super) fn check_rights() -> Result<(), LabError> {
    let mut command = tool("unshare");
    command.args(["--user", "--map-root-user", "--net", "true"]);
    let no_rights = |detail| LabError::NoRights { detail };
    let finished =
        command::run(&mut command, IP_LIMIT).map_err(|error| no_rights(error.to_string()))?;
    if finished.status.success() {
        Ok(())
    } else {
        Err(no_rights(finished.last_words()))
    }
}

fn start_one(run_dir: &Path, place: Place, mut command: Command) -> Result<ProcessId, LabError> {
    let held = file(run_dir, place, "holder");
    fs::write(&held, "").map_err(LabError::io("write", &held))?;
    command::run_ok(command.args(["tail", "-f"]).arg(&held), IP_LIMIT)?;
    // It is called `tail` only after the namespaces were made.
    let look = || Ok(process::holder_of(&held));
    let process = wait_for(Deadline::after(IP_LIMIT), Duration::from_millis(10), look)?
        .ok_or_else(|| LabError::NoRights {
            detail: "the namespace's holder ended".to_owned(),
        })?;
    let record = file(run_dir, place, "json");
    let text = serde_json::to_vec(&process).expect("two numbers serialise");
    fs::write(&record, text).map_err(LabError::io("write", &record))?;
    Ok(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_user_namespace_is_told_from_all_others() {
        assert!(!maps_some_ids_only("         0          0 4294967295\n"));
        assert!(maps_some_ids_only("         0       1000          1\n"));
        assert!(maps_some_ids_only("         0     100000      65536\n"));
        assert!(!maps_some_ids_only(""));
    }

    #[test]
    fn a_record_of_a_dead_holder_holds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let record = file(dir.path(), Place::Guests, "json");
        fs::create_dir_all(record.parent().unwrap()).unwrap();
        let me = ProcessId::of(std::process::id()).unwrap();
        fs::write(&record, serde_json::to_vec(&me).unwrap()).unwrap();
        assert_eq!(find(dir.path(), Place::Guests), Some(me));
        let dead = ProcessId {
            start: me.start + 1,
            ..me
        };
        fs::write(&record, serde_json::to_vec(&dead).unwrap()).unwrap();
        assert_eq!(find(dir.path(), Place::Guests), None);
    }
}
