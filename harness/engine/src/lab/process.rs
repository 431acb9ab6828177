//! Identity of processes: a process id alone may have been given to another process since.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::{
    net::tap,
    wait::{Deadline, wait_for},
};

/// A process, told from every later owner of its id by its start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProcessId {
    /// The process id.
    pub(super) pid: u32,
    /// Start time in clock ticks since boot: field 22 of `/proc/PID/stat`, see proc(5).
    pub(super) start: u64,
}

impl ProcessId {
    /// Looks at a live process.
    pub(super) fn of(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let start = parse_stat(&text)?;
        Some(Self { pid, start })
    }

    /// Whether this very process still runs; a zombie does not.
    pub(super) fn is_running(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }

    /// Kills it, and waits until it is gone; gives whether it is.
    pub(super) fn kill(&self, limit: Duration) -> bool {
        let gone = || Ok::<_, ()>((!self.is_running()).then_some(()));
        if self.is_running() {
            let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
            // A refusal (already gone, not ours) shows below: the process runs on or it does not.
            let _sent = pid.map(|pid| kill_process(pid, Signal::KILL));
        }
        matches!(
            wait_for(Deadline::after(limit), Duration::from_millis(10), gone),
            Ok(Some(()))
        )
    }
}

/// The start time out of `/proc/PID/stat`; `None` for a zombie or a dead process.
///
/// The command name in parentheses may hold anything, so fields are counted from its end.
fn parse_stat(text: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split_ascii_whitespace();
    match fields.next()? {
        "Z" | "X" | "x" => None,
        _state => fields.nth(18)?.parse().ok(),
    }
}

/// What a command line says about its process, seen from one lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A machine or a namespace holder of this lab.
    ThisLab,
    /// A machine of some other lab, or of somebody else.
    OtherMachine,
    /// Anything else, a pager on one of our logs included.
    Unrelated,
}

/// Tells whose process a command line is; `run_dir` is the lab's run directory.
pub(super) fn owner(argv: &[String], run_dir: &Path) -> Owner {
    let Some(program) = argv.first() else {
        return Owner::Unrelated;
    };
    let program = program.rsplit('/').next().unwrap_or(program);
    let prefix = format!("{}/", run_dir.display());
    let machine = program.starts_with("qemu-system") || program == "qemu-kvm";
    let names_us = |word: &String| word.replace(",,", ",").contains(&prefix);
    if machine && argv.iter().any(names_us) {
        return Owner::ThisLab;
    }
    let holder = program == "tail" && argv.last().is_some_and(|file| is_holder(file, &prefix));
    match (holder, machine) {
        (true, _) => Owner::ThisLab,
        (false, true) => Owner::OtherMachine,
        (false, false) => Owner::Unrelated,
    }
}

fn is_holder(file: &str, prefix: &str) -> bool {
    file.starts_with(prefix) && file.ends_with(".holder")
}

/// Every live process that belongs to this lab, whatever the state files say.
pub(super) fn of_this_lab(run_dir: &Path) -> Vec<ProcessId> {
    let ours = |pid: &u32| owner(&command_line(*pid), run_dir) == Owner::ThisLab;
    all()
        .into_iter()
        .filter(ours)
        .filter_map(ProcessId::of)
        .collect()
}

/// The machines of this lab on the tap of an address, recorded or not.
pub(super) fn on_tap(run_dir: &Path, octet: u8) -> Vec<ProcessId> {
    let word = format!("ifname={},", tap(octet));
    let on_tap = |process: &ProcessId| {
        command_line(process.pid)
            .iter()
            .any(|argument| argument.contains(&word))
    };
    of_this_lab(run_dir).into_iter().filter(on_tap).collect()
}

/// The process whose last argument is this path, used to find a namespace holder.
pub(super) fn holder_of(file: &Path) -> Option<ProcessId> {
    let file = file.display().to_string();
    let holds = |pid: &u32| {
        let argv = command_line(*pid);
        argv.first().is_some_and(|program| program == "tail") && argv.last() == Some(&file)
    };
    all().into_iter().find(holds).and_then(ProcessId::of)
}

/// The arguments of a process; empty when it is gone or a kernel thread.
pub(super) fn command_line(pid: u32) -> Vec<String> {
    let bytes = fs::read(PathBuf::from(format!("/proc/{pid}/cmdline"))).unwrap_or_default();
    let words = bytes
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned());
    let mut argv: Vec<String> = words.collect();
    argv.pop_if(|last| last.is_empty());
    argv
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn start_times_are_found_behind_any_command_name() {
        let tail = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987 20 21";
        let cases = [
            (format!("42 (qemu-system-x86) S {tail}"), Some(987)),
            (format!("42 (a) b) (c) R {tail}"), Some(987)),
            (format!("42 (qemu) Z {tail}"), None),
            ("42 (qemu) S 1 2".to_owned(), None),
            (String::new(), None),
        ];
        for (text, want) in cases {
            assert_eq!(parse_stat(&text), want, "{text}");
        }
    }

    #[test]
    fn a_recycled_process_id_is_another_process() {
        let me = ProcessId::of(std::process::id()).unwrap();
        let recycled = ProcessId {
            start: me.start - 1,
            ..me
        };
        assert!(me.is_running());
        assert!(!recycled.is_running());
        // This would end the test run if the start time were not looked at.
        assert!(recycled.kill(Duration::ZERO));
    }

    #[test]
    fn a_killed_process_is_gone_even_as_a_zombie() {
        let mut child = Command::new("tail")
            .args(["-f", "/dev/null"])
            .spawn()
            .unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        assert!(id.kill(Duration::from_secs(20)));
        child.wait().unwrap();
    }

    #[test]
    fn only_machines_and_holders_of_this_lab_are_ours() {
        let cases = [
            (
                "/usr/bin/qemu-system-x86_64 -pidfile /c/lab/run/hosts/a/pid",
                Owner::ThisLab,
            ),
            (
                "/usr/libexec/qemu-kvm -drive file=/c/lab/run/hosts/a/disk,if=virtio",
                Owner::ThisLab,
            ),
            (
                "qemu-system-x86_64 -pidfile /other/lab/run/hosts/a/pid",
                Owner::OtherMachine,
            ),
            (
                "qemu-system-x86_64 -pidfile /c/lab/running/pid",
                Owner::OtherMachine,
            ),
            ("tail -f /c/lab/run/net/guests.holder", Owner::ThisLab),
            ("tail -f /c/lab/run/hosts/a/console.log", Owner::Unrelated),
            ("less /c/lab/run/hosts/a/console.log", Owner::Unrelated),
            ("", Owner::Unrelated),
        ];
        for (text, want) in cases {
            let argv: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            assert_eq!(owner(&argv, Path::new("/c/lab/run")), want, "{text}");
        }
    }
}
