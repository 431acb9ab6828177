//! Switches in real shells, without a connection: `dash` and `bash`.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Instant,
};

use super::*;
use crate::host::{
    Reply,
    frame::tests::{SHELLS, run},
    job,
};

const RUN: &str = "r1";

/// A host with a value that a change spoils and a switch restores.
struct Rig {
    shell: &'static str,
    dir: tempfile::TempDir,
}

impl Rig {
    fn new(shell: &'static str) -> Self {
        let rig = Self {
            shell,
            dir: tempfile::tempdir().unwrap(),
        };
        fs::write(rig.path("value"), "good\n").unwrap();
        fs::create_dir(rig.path("bin")).unwrap();
        symlink(format!("/bin/{shell}"), rig.path("bin/sh")).unwrap();
        rig.take_lock(None);
        rig
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn state_dir(&self) -> StateDir {
        StateDir::new(self.path("state").display().to_string()).unwrap()
    }

    fn take_lock(&self, job: Option<JobId>) {
        let owner = lock::Owner {
            run: RUN.to_owned(),
            job,
            ..lock::Owner::default()
        };
        self.ask(&lock::acquire_item(&owner, &self.state_dir()));
        self.ask(&lock::update_item(&owner, &self.state_dir()));
    }

    fn spec(&self, after: u64) -> SwitchSpec {
        let value = self.path("value");
        let log = self.path("log");
        SwitchSpec {
            state_dir: self.state_dir(),
            ..SwitchSpec::new(
                JobId::new("r1.x").unwrap(),
                format!("cp {} saved", value.display()),
                format!(
                    "echo restored >>{}; cp saved {} || exit 1",
                    log.display(),
                    value.display()
                ),
                Duration::from_secs(after),
            )
        }
    }

    /// Runs an item, and what it starts, in this shell: on a host `sh` is one or the other.
    fn ask(&self, item: &Item) -> Reply {
        let bin = self.path("bin").display().to_string();
        let script = format!("PATH={bin}:$PATH\n{}", item.script);
        let (mut replies, _) = run(self.shell, &[&script]);
        replies.remove(0)
    }

    fn state(&self, item: &Item) -> SwitchState {
        let reply = self.ask(item);
        parse(&reply).unwrap_or_else(|error| panic!("{error}: {reply:?}"))
    }

    fn arm(&self, spec: &SwitchSpec) -> SwitchState {
        self.state(&arm_item(spec, RUN))
    }

    fn status(&self, spec: &SwitchSpec) -> SwitchState {
        self.state(&status_item(&spec.id, &spec.state_dir))
    }

    fn disarm(&self, spec: &SwitchSpec) -> SwitchState {
        self.state(&disarm_item(&spec.id, &spec.state_dir))
    }

    /// Spoils the value; says why it was not let.
    fn change(&self, spec: &SwitchSpec, need: u64) -> Option<String> {
        let need = Duration::from_secs(need);
        let spoil = format!("echo bad >{}\n", self.path("value").display());
        let script = guarded(&spec.id, &spec.state_dir, need, &spoil);
        let reply = self.ask(&Item::new(script, Duration::from_secs(10)));
        refusal(&reply.stdout.text()).map(ToOwned::to_owned)
    }

    fn value(&self) -> String {
        fs::read_to_string(self.path("value")).unwrap()
    }

    /// How often the host was restored.
    fn restored(&self) -> usize {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        log.lines().count()
    }

    fn switch(&self) -> PathBuf {
        self.path("state/switch/r1.x")
    }

    fn watcher(&self) -> String {
        let armed = fs::read_to_string(self.switch().join("armed")).unwrap();
        armed.split_whitespace().nth(1).unwrap().to_owned()
    }

    /// Waits until the host has restored itself.
    fn await_result(&self, within: Duration) -> Duration {
        let began = Instant::now();
        while !self.switch().join("result").exists() {
            assert!(began.elapsed() < within, "not within {within:?}");
            thread::park_timeout(Duration::from_millis(20));
        }
        began.elapsed()
    }

    fn assert_nothing_is_left(&self) {
        assert!(!self.path("state/switch").exists(), "{}", self.shell);
        let dir = self.dir.path().display().to_string();
        let ours = || processes(&dir);
        let began = Instant::now();
        while !ours().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", ours());
            thread::park_timeout(Duration::from_millis(20));
        }
    }
}

fn processes(text: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(text)).collect()
}

fn kill(pid: &str) {
    let killed = Command::new("kill").args(["-9", pid]).status().unwrap();
    assert!(killed.success());
    let began = Instant::now();
    while Path::new("/proc").join(pid).join("exe").exists() {
        assert!(began.elapsed() < Duration::from_secs(5), "{pid} lives on");
        thread::park_timeout(Duration::from_millis(5));
    }
}

fn is_armed(state: &SwitchState) -> bool {
    matches!(state, SwitchState::Armed { .. })
}

#[test]
fn a_host_restores_itself_at_the_deadline_when_nobody_comes() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let spec = rig.spec(2);
        let armed = rig.arm(&spec);
        assert!(is_armed(&armed), "{shell}: {armed:?}");
        assert_eq!(rig.change(&spec, 0), None, "{shell}");
        assert_eq!(rig.value(), "bad\n", "{shell}");
        rig.await_result(Duration::from_secs(5));
        assert_eq!(rig.value(), "good\n", "{shell}");
        assert_eq!(rig.status(&spec), SwitchState::Restored);
        assert!(
            !rig.switch().join("saved").exists(),
            "only the result stays"
        );
        let refused = rig.change(&spec, 0).unwrap();
        assert!(refused.contains("restored"), "{refused}");
        assert_eq!(rig.disarm(&spec), SwitchState::Restored);
        assert_eq!(rig.restored(), 1, "{shell}");
        rig.assert_nothing_is_left();
    }
}

#[test]
fn a_word_restores_at_once_and_once() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let spec = rig.spec(600);
        for _ in 0..3 {
            assert!(is_armed(&rig.arm(&spec)), "{shell}");
        }
        assert_eq!(rig.change(&spec, 60), None);
        let began = Instant::now();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| rig.disarm(&spec));
            }
        });
        assert!(began.elapsed() < Duration::from_secs(10), "{shell}");
        assert_eq!(rig.disarm(&spec), SwitchState::None, "{shell}");
        assert_eq!((rig.value().as_str(), rig.restored()), ("good\n", 1));
        rig.assert_nothing_is_left();
    }
}

#[test]
fn a_switch_that_is_taken_away_while_it_is_asked_about_is_told_as_gone() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let spec = rig.spec(600);
        rig.arm(&spec);
        kill(&rig.watcher());
        let place = place(&spec.id, &spec.state_dir);
        let script = format!(
            "{}_pg_switch() {{\n[ -d \"$1\" ] || {{ echo none; return; }}\nrm -rf \"$1\"\necho 'armed 5'\n}}\n\
             _pg_undo {place}\necho \"pgswitch $S\"\n",
            functions()
        );
        let state = rig.state(&Item::new(script, Duration::from_secs(10)));
        assert_eq!(state, SwitchState::None, "{shell}");
    }
}

#[test]
fn nothing_is_armed_or_changed_without_the_lock() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let spec = rig.spec(600);
        let other = rig.state(&arm_item(&spec, "r2"));
        assert!(
            matches!(other, SwitchState::Rejected { .. }),
            "{shell}: {other:?}"
        );
        assert_eq!(rig.status(&spec), SwitchState::None);
        let refused = rig.change(&spec, 0);
        assert_eq!(refused.as_deref(), Some("there is no switch"), "{shell}");
        assert_eq!(rig.value(), "good\n", "{shell}");
    }
}

#[test]
fn a_host_at_work_on_its_transaction_is_left_alone() {
    let rig = Rig::new("dash");
    let id = JobId::new("r1").unwrap();
    rig.take_lock(Some(id.clone()));
    let job = job::JobSpec {
        state_dir: rig.state_dir(),
        ..job::JobSpec::new(id, "sleep 2")
    };
    rig.ask(&job::start_item(&job));
    let state = rig.arm(&rig.spec(600));
    let SwitchState::Rejected { why } = state else {
        panic!("{state:?}")
    };
    assert!(why.contains("transaction"), "{why}");
}

#[test]
fn a_change_needs_time_that_is_left() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let spec = rig.spec(30);
        rig.arm(&spec);
        let refused = rig.change(&spec, 60).unwrap();
        assert!(refused.starts_with("only "), "{shell}: {refused}");
        assert_eq!(rig.value(), "good\n");
        assert_eq!(rig.disarm(&spec), SwitchState::Restored);
    }
}

/// The one order that would leave a host spoilt: restored first, changed after.
#[test]
fn the_restoring_waits_for_a_change_that_is_under_way() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let spec = rig.spec(600);
        rig.arm(&spec);
        let (begun, value) = (rig.path("begun"), rig.path("value"));
        let spoil = format!(
            ": >{}; until [ -e fired ]; do sleep 0.05; done; echo bad >{}\n",
            begun.display(),
            value.display()
        );
        let script = guarded(&spec.id, &spec.state_dir, Duration::ZERO, &spoil);
        let change = Item::new(script, Duration::from_secs(30));
        thread::scope(|scope| {
            let changing = scope.spawn(|| rig.ask(&change));
            let waited = Instant::now();
            while !begun.exists() {
                assert!(waited.elapsed() < Duration::from_secs(30), "{shell}");
                thread::park_timeout(Duration::from_millis(20));
            }
            assert_eq!(rig.disarm(&spec), SwitchState::Restored, "{shell}");
            let reply = changing.join().unwrap();
            assert_eq!(refusal(&reply.stdout.text()), None, "{shell}");
        });
        assert_eq!(rig.value(), "good\n", "{shell}");
    }
}

#[test]
fn a_dead_watcher_is_seen_refuses_changes_and_does_not_keep_the_host_from_being_restored() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let spec = rig.spec(600);
        rig.arm(&spec);
        rig.change(&spec, 0);
        kill(&rig.watcher());
        assert_eq!(rig.status(&spec), SwitchState::Dead, "{shell}");
        assert!(rig.change(&spec, 0).unwrap().contains("dead"), "{shell}");
        assert_eq!(rig.disarm(&spec), SwitchState::Restored, "{shell}");
        assert_eq!((rig.value().as_str(), rig.restored()), ("good\n", 1));
    }
}

#[test]
fn what_cannot_be_prepared_is_not_armed_and_leaves_nothing() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let mut spec = rig.spec(600);
        spec.prepare = "echo 'there is nothing to save' >&2; exit 3".to_owned();
        let why = "there is nothing to save".to_owned();
        assert_eq!(rig.arm(&spec), SwitchState::Rejected { why }, "{shell}");
        let mut item = arm_item(&rig.spec(600), RUN);
        item.script = item.script.replacen("cp saved", "cp soved", 1);
        let state = rig.state(&item);
        assert!(
            matches!(state, SwitchState::Rejected { .. }),
            "{shell}: mutilated, {state:?}"
        );
        rig.assert_nothing_is_left();
    }
}

#[test]
fn a_failure_is_told_keeps_everything_and_can_be_tried_again() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let mut spec = rig.spec(600);
        let ready = rig.path("ready");
        spec.restore = format!(
            "[ -e {} ] || {{ echo 'not yet'; exit 1; }}",
            ready.display()
        );
        rig.arm(&spec);
        let why = "not yet".to_owned();
        assert_eq!(rig.disarm(&spec), SwitchState::Failed { why }, "{shell}");
        assert!(rig.switch().join("saved").exists());
        fs::write(ready, "").unwrap();
        let swept = parse_sweep(&rig.ask(&sweep_item(RUN, &spec.state_dir))).unwrap();
        let id = "r1.x".to_owned();
        let state = SwitchState::Restored;
        assert_eq!(swept, [Swept { id, state }], "{shell}");
        rig.assert_nothing_is_left();
    }
}

#[test]
fn the_next_run_sweeps_what_a_dead_one_left_if_it_holds_the_lock() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let spec = rig.spec(600);
        let sweep = |run| parse_sweep(&rig.ask(&sweep_item(run, &spec.state_dir))).unwrap();
        assert_eq!(sweep(RUN), [], "{shell}: there is nothing");
        rig.arm(&spec);
        rig.change(&spec, 0);
        let rejected = sweep("r2");
        assert!(
            matches!(rejected[0].state, SwitchState::Rejected { .. }),
            "{shell}: {rejected:?}"
        );
        assert!(is_armed(&rig.status(&spec)), "{shell}");
        fs::create_dir(rig.path("state/switch/.new.abc")).unwrap();
        assert_eq!(sweep(RUN)[0].state, SwitchState::Restored, "{shell}");
        assert_eq!(rig.value(), "good\n", "{shell}");
        rig.assert_nothing_is_left();
    }
}

#[test]
fn a_reboot_makes_a_switch_stale_and_nothing_is_restored() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let spec = rig.spec(600);
        rig.arm(&spec);
        kill(&rig.watcher());
        fs::write(rig.switch().join("armed"), "another-boot 1\n").unwrap();
        assert_eq!(rig.status(&spec), SwitchState::Stale, "{shell}");
        assert!(rig.change(&spec, 0).unwrap().contains("stale"), "{shell}");
        assert_eq!(rig.disarm(&spec), SwitchState::Stale, "{shell}");
        assert_eq!(rig.restored(), 0, "{shell}");
        rig.assert_nothing_is_left();
    }
}

#[test]
fn one_switch_at_a_time() {
    let rig = Rig::new("dash");
    let first = rig.spec(600);
    rig.arm(&first);
    let second = SwitchSpec {
        id: JobId::new("r1.y").unwrap(),
        ..first.clone()
    };
    let state = rig.arm(&second);
    let SwitchState::Rejected { why } = state else {
        panic!("{state:?}")
    };
    assert_eq!(why, "another switch stands there: r1.x");
    rig.disarm(&first);
}

#[test]
fn work_beside_the_switch_does_not_hold_the_restoring_back() {
    for shell in SHELLS {
        let rig = Rig::new(shell);
        let spec = rig.spec(1);
        rig.arm(&spec);
        let script = beside(&spec.id, &spec.state_dir, "sleep 3; echo late >file");
        let began = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| rig.ask(&Item::new(&*script, Duration::from_secs(10))));
            rig.await_result(Duration::from_secs(5));
            assert!(began.elapsed() < Duration::from_secs(3), "{shell}");
        });
        assert_eq!(rig.disarm(&spec), SwitchState::Restored, "{shell}");
        rig.assert_nothing_is_left();
    }
}

#[test]
fn an_answer_that_tells_nothing_is_an_error_and_never_a_state() {
    for text in [
        "",
        "pgswitch\n",
        "pgswitch armed\n",
        "pgswitch gone\n",
        "sh: x\n",
    ] {
        let mut reply = Reply::silent(crate::host::Exit::Code(0));
        reply.stdout.bytes = text.into();
        assert!(parse(&reply).is_err(), "{text:?}");
        assert!(parse_sweep(&reply).is_err(), "{text:?}");
    }
    let lost = Reply::silent(crate::host::Exit::Lost { why: "x".into() });
    assert!(parse(&lost).is_err() && parse_sweep(&lost).is_err());
}
