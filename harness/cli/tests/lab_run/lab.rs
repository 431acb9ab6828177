//! The lab as a person sees it: through `patchgate lab`, and nothing else.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::record::Record;

/// The host that took the outage in 2013.
pub(crate) const REBUILD: &str = "lab-rebuild";
/// Its twin, which did not.
pub(crate) const UPSTREAM: &str = "lab-upstream";
/// What a run of one night may take on a machine that is busy with other things.
const RUN_LIMIT: Duration = Duration::from_secs(400);

/// One lab for all tests of this process, also where they are threads.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Clean hosts that are up.
#[must_use]
pub(crate) struct Lab {
    hosts: Vec<&'static str>,
    inventory: PathBuf,
    was_up: bool,
    dir: TempDir,
    runs: AtomicU32,
    _turn: MutexGuard<'static, ()>,
}

impl Lab {
    /// Starts these hosts, or returns them to their clean state.
    pub(crate) fn with(hosts: &[&'static str]) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let was_up = status().iter().any(|row| row["state"] == "up");
        let inventory = said(patchgate().args(["lab", "up"]).args(hosts));
        let lab = Self {
            hosts: hosts.to_vec(),
            inventory: PathBuf::from(inventory.trim()),
            was_up,
            dir: tempfile::tempdir().unwrap(),
            runs: AtomicU32::new(0),
            _turn: turn,
        };
        if was_up {
            said(patchgate().args(["lab", "reset"]).args(hosts));
        }
        lab
    }

    /// The inventory that the lab wrote.
    pub(crate) fn inventory(&self) -> &Path {
        &self.inventory
    }

    /// The inventory with one text changed, as a file of its own.
    pub(crate) fn inventory_with(&self, from: &str, to: &str) -> PathBuf {
        let text = fs::read_to_string(&self.inventory).unwrap();
        assert!(text.contains(from), "`{from}` is not in {text}");
        self.file("inventory.yaml", &text.replace(from, to))
    }

    /// Writes a file in a place that goes with the test.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let n = self.runs.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.path().join(format!("{n}-{name}"));
        fs::write(&path, text).unwrap();
        path
    }

    /// Starts a command of patchgate that makes a record, where the remote client is.
    pub(crate) fn start(&self, inventory: &Path, words: &[&str]) -> Run {
        self.start_with(inventory, words, &[])
    }

    /// The same with variables in its environment.
    pub(crate) fn start_with(
        &self,
        inventory: &Path,
        words: &[&str],
        environment: &[(&str, &OsStr)],
    ) -> Run {
        let n = self.runs.fetch_add(1, Ordering::Relaxed);
        let (dir, console) = (
            self.dir.path().join(format!("run{n}")),
            self.dir.path().join(format!("console{n}")),
        );
        let to = File::create(&console).unwrap();
        let child = patchgate()
            .args(["lab", "exec", "--"])
            .arg(env!("CARGO_BIN_EXE_patchgate"))
            .args(words)
            .args(["--limit", &self.hosts.join(":")])
            .arg("--inventory")
            .arg(inventory)
            .arg("--output")
            .arg(&dir)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(to.try_clone().unwrap())
            .stderr(to)
            .spawn()
            .unwrap();
        Run {
            record: Record::at(&dir),
            console,
            child,
        }
    }

    /// Starts the night of a patch set of `ci/lab/nights`.
    pub(crate) fn start_night(&self, name: &str) -> Run {
        let night = night(name);
        self.start(&self.inventory, &["run", "--patch", &night])
    }

    /// Starts March's night on hosts that a run left locked.
    pub(crate) fn start_broken(&self, run: &str) -> Run {
        let night = night("march");
        self.start(
            &self.inventory,
            &["run", "--patch", &night, "--break-lock", run],
        )
    }

    /// Runs suites only, to the end.
    pub(crate) fn check(&self, inventory: &Path) -> Ended {
        self.start(inventory, &["check"]).end()
    }

    /// Runs a script in a guest as root; it must succeed.
    pub(crate) fn in_guest(&self, host: &str, script: &str) -> String {
        let output = self.try_in_guest(host, script);
        assert!(output.status.success(), "{host}: {script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a script in a guest as root, whatever comes of it.
    pub(crate) fn try_in_guest(&self, host: &str, script: &str) -> Output {
        assert!(self.hosts.contains(&host), "{host} is not this test's");
        patchgate()
            .args(["lab", "ssh", host, script])
            .output()
            .unwrap()
    }

    /// Waits in a guest until a command succeeds there: each login would cost it half a second.
    pub(crate) fn await_in_guest(&self, host: &str, command: &str) {
        let look = format!("n=0; until {command}; do [ $((n += 1)) -lt 300 ]; sleep 0.2; done");
        self.in_guest(host, &format!("set -e; {look}"));
    }

    /// The command lines of a guest's processes, the kernel's and our own look left out.
    pub(crate) fn processes(&self, host: &str) -> BTreeSet<String> {
        let text = self.in_guest(host, "ps -eo args=");
        let ours = ["[", "ps -eo", "bash -c ps -eo", "sshd: "];
        let foreign = |line: &&str| ours.iter().all(|word| !line.starts_with(word));
        text.lines()
            .map(str::trim)
            .filter(foreign)
            .map(ToOwned::to_owned)
            .collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !self.was_up {
            drop(patchgate().args(["lab", "down"]).output());
        }
    }
}

/// The program itself.
pub(crate) fn patchgate() -> Command {
    Command::new(env!("CARGO_BIN_EXE_patchgate"))
}

/// The path of a patch set of `ci/lab/nights`.
fn night(name: &str) -> String {
    format!(
        "{}/../../ci/lab/nights/{name}.yaml",
        env!("CARGO_MANIFEST_DIR")
    )
}

/// What `lab status` says.
pub(crate) fn status() -> Vec<Value> {
    let output = patchgate()
        .args(["lab", "status", "--format", "json"])
        .output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

/// The standard output of a command that must succeed.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Waits for a condition that nothing announces; says in the end how long it took.
pub(crate) fn await_that(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> bool,
) -> Duration {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        thread::park_timeout(Duration::from_millis(50));
    }
    began.elapsed()
}

/// A patchgate that is at work; it ends with the test at the latest.
#[must_use]
pub(crate) struct Run {
    pub(crate) record: Record,
    console: PathBuf,
    child: Child,
}

/// A patchgate that has ended.
#[must_use]
pub(crate) struct Ended {
    /// The exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// All that it printed.
    pub(crate) console: String,
    /// Its record.
    pub(crate) record: Record,
}

impl Run {
    /// Waits until the record holds an event of this kind about this host.
    pub(crate) fn await_event(&mut self, kind: &str, host: &str) {
        let (record, child, console) = (&self.record, &mut self.child, &self.console);
        await_that(&format!("{kind} of {host}"), RUN_LIMIT, || {
            let there = !record.events(kind, host).is_empty();
            let over = child.try_wait().unwrap().is_some();
            assert!(there || !over, "it ended: {}", read(console));
            there
        });
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let (child, console) = (&mut self.child, &self.console);
        let mut status = None;
        await_that("the end of patchgate", RUN_LIMIT, || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        Ended {
            code: status.and_then(|s| s.code()),
            console: read(console),
            record: self.record.clone(),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // It has ended in every test that passes.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Ended {
    /// Says that it ended with this code.
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.console);
        self
    }

    /// Says that the console told this.
    pub(crate) fn assert_told(&self, text: &str) {
        assert!(self.console.contains(text), "`{text}`: {}", self.console);
    }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}
