//! The slice in real shells, over logs that were rotated in every way.

use std::{fs, os::unix::fs::MetadataExt as _, path::PathBuf, process::Command};

use super::*;
use crate::host::Captured;

/// `sh` is one or the other on every host.
const SHELLS: [&str; 2] = ["dash", "bash"];

const MARK: &str = "patchgate 5f3a w-x begin";

/// Runs an item's script.
pub(in crate::script::window) fn run(shell: &str, script: &str) -> Reply {
    let mut command = Command::new(shell);
    if shell == "bash" {
        command.arg("--posix");
    }
    let output = command
        .args(["-c", script])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let captured = |bytes| Captured { bytes, dropped: 0 };
    let code = u8::try_from(output.status.code().unwrap()).unwrap();
    Reply {
        stdout: captured(output.stdout),
        stderr: captured(output.stderr),
        ..Reply::silent(Exit::Code(code))
    }
}

/// A log in a directory of its own, with a window that has been opened.
struct Log {
    dir: tempfile::TempDir,
    from: LogPosition,
}

impl Log {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        fs::write(&path, "old 1\nold 2\n").unwrap();
        let meta = fs::metadata(&path).unwrap();
        let from = LogPosition {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            path: path.display().to_string(),
        };
        let log = Self { dir, from };
        log.add(&format!("{MARK}\nnew 1\n"));
        log
    }

    fn path(&self, suffix: &str) -> PathBuf {
        self.dir.path().join(format!("audit.log{suffix}"))
    }

    fn add(&self, text: &str) {
        let path = self.path("");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, before + text).unwrap();
    }

    /// As auditd rotates, with so many files kept.
    fn rotate(&self, kept: usize) {
        for n in (1..kept).rev() {
            let from = if n == 1 {
                String::new()
            } else {
                format!(".{}", n - 1)
            };
            if self.path(&from).exists() {
                fs::rename(self.path(&from), self.path(&format!(".{n}"))).unwrap();
            }
        }
        fs::write(self.path(""), "").unwrap();
    }

    fn shell(&self, script: &str) {
        let script = format!("cd '{}' && {script}", self.dir.path().display());
        let done = Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(done.success(), "{script}");
    }

    fn read(&self, shell: &str, marker: Option<&str>) -> LogSlice {
        let from = Reading::Known(self.from.clone());
        read_slice(&run(shell, &slice_item(&from, marker).script))
    }
}

/// What was done to the log, and what must come of it: rotated, reached the begin, text.
type Case = (&'static str, fn(&Log), (bool, bool, &'static str));

const WHOLE: &str = "patchgate 5f3a w-x begin\nnew 1\n";
const MORE: &str = "patchgate 5f3a w-x begin\nnew 1\nnew 2\nnew 3\n";

const CASES: &[Case] = &[
    ("left alone", |_| {}, (false, true, WHOLE)),
    (
        "rotated once",
        |log| {
            log.rotate(5);
            log.add("new 2\nnew 3\n");
        },
        (true, true, MORE),
    ),
    (
        "rotated three times",
        |log| {
            log.rotate(5);
            log.add("new 2\n");
            log.rotate(5);
            log.rotate(5);
            log.add("new 3\n");
        },
        (true, true, MORE),
    ),
    (
        "rotated away",
        |log| {
            // Else the file system would give its number to the next file.
            log.shell("ln audit.log elsewhere");
            for line in ["new 2\n", "new 3\n"] {
                log.rotate(2);
                log.add(line);
            }
        },
        (true, false, "new 2\nnew 3\n"),
    ),
    (
        "rotated away, and its inode is another file's",
        |log| {
            fs::remove_file(log.path("")).unwrap();
            log.add("something else that is long enough\n");
        },
        (true, false, "something else that is long enough\n"),
    ),
    (
        "rotated, the older compressed",
        |log| {
            log.rotate(5);
            log.add("new 2\n");
            log.rotate(5);
            log.add("new 3\n");
            log.shell("gzip audit.log.2");
        },
        (true, true, MORE),
    ),
    (
        "rotated, all compressed with xz",
        |log| {
            log.rotate(5);
            log.add("new 2\n");
            log.rotate(5);
            log.add("new 3\n");
            log.shell("xz audit.log.1 audit.log.2");
        },
        (true, true, MORE),
    ),
    (
        "rotated with dates",
        |log| {
            log.shell("mv audit.log audit.log-20261124; gzip audit.log-20261124; echo 'new 2' >audit.log; \
                   mv audit.log audit.log-20261125; echo 'new 3' >audit.log");
        },
        (true, true, MORE),
    ),
    (
        "copied and truncated",
        |log| {
            log.add("new 2\n");
            log.shell("cp audit.log audit.log.1; : >audit.log");
            log.add("new 3\n");
        },
        (true, true, MORE),
    ),
    (
        "copied, truncated, and grown beyond the position",
        |log| {
            log.add("new 2\n");
            log.shell("cp audit.log audit.log.1; : >audit.log");
            log.add("new 3\n");
        },
        (true, true, MORE),
    ),
    (
        "truncated",
        |log| {
            log.shell(": >audit.log");
            log.add("new 3\n");
        },
        (false, false, "new 3\n"),
    ),
];

#[test]
fn a_slice_begins_where_the_window_does() {
    for shell in SHELLS {
        for (what, happens, wanted) in CASES {
            let log = Log::new();
            happens(&log);
            let slice = log.read(shell, Some(MARK));
            let got = (slice.rotated, slice.reached_begin, slice.text.as_str());
            if what.contains("inode") && got.1 {
                // The file system did not do it this time: the file is found by its number.
                assert!(log.from.inode == fs::metadata(log.path("")).unwrap().ino());
                continue;
            }
            assert_eq!(got, *wanted, "{shell}: {what}");
            assert_eq!((slice.source, slice.trouble), (LogSource::AuditLog, None));
            assert_eq!(slice.truncated_bytes, 0);
        }
    }
}

#[test]
fn without_a_marker_the_inode_tells_the_file() {
    for shell in SHELLS {
        let log = Log::new();
        log.rotate(5);
        log.add("new 2\nnew 3\n");
        for marker in [None, Some("never written")] {
            let slice = log.read(shell, marker);
            let got = (slice.rotated, slice.reached_begin, slice.text.as_str());
            assert_eq!(got, (true, true, MORE), "{shell}: {marker:?}");
        }
    }
}

#[test]
fn of_a_flood_the_host_sends_the_first_bytes_and_counts_the_rest() {
    for shell in SHELLS {
        let log = Log::new();
        log.add(&"0123456789abcde\n".repeat(SLICE_CAP / 16));
        let slice = log.read(shell, Some(MARK));
        assert_eq!(slice.text.len(), SLICE_CAP);
        assert_eq!(slice.truncated_bytes, WHOLE.len() as u64, "{shell}");
        log.rotate(5);
        let slice = log.read(shell, Some(MARK));
        let got = (slice.text.len(), slice.truncated_bytes, slice.rotated);
        assert_eq!(got, (SLICE_CAP, WHOLE.len() as u64, true), "{shell}");
    }
}

#[test]
fn a_log_that_is_not_there_is_said() {
    let log = Log::new();
    fs::remove_file(log.path("")).unwrap();
    let slice = log.read("dash", Some(MARK));
    assert_eq!(slice.source, LogSource::None);
    assert!(slice.trouble.unwrap().contains("No such file"));
    let slice = read_slice(&run(
        "dash",
        &slice_item(&Reading::missing("why\nnot"), None).script,
    ));
    assert_eq!(slice.trouble.as_deref(), Some("why not"));
}

#[test]
fn what_came_before_a_bad_end_counts() {
    let stdout = Captured {
        bytes: b"slice audit-log whole\nnew 1\n".to_vec(),
        dropped: 3,
    };
    let reply = Reply {
        stdout,
        ..Reply::silent(Exit::DeadlineExceeded)
    };
    let slice = read_slice(&reply);
    assert_eq!((slice.text.as_str(), slice.truncated_bytes), ("new 1\n", 3));
    assert_eq!(slice.trouble.as_deref(), Some("ran into its deadline"));
    let lost = read_slice(&Reply::silent(Exit::Lost { why: "gone".into() }));
    assert_eq!(lost.source, LogSource::None);
}
