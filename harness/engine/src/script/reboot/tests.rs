//! The scripts in real shells; the order goes to pretended programs and never to this machine's own.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::*;
use crate::host::{
    frame::tests::{SHELLS, run},
    lock::{LockState, Owner, acquire_item, parse},
};

/// A host whose `systemctl` and `shutdown` are written down.
struct Pretended {
    dir: tempfile::TempDir,
    state: StateDir,
}

impl Pretended {
    fn new(programs: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("state").display().to_string()).unwrap();
        let host = Self { dir, state };
        fs::create_dir(host.bin()).unwrap();
        for (name, text) in programs {
            host.program(name, text);
        }
        host
    }

    fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    fn program(&self, name: &str, text: &str) {
        let (path, log) = (self.bin().join(name), self.log());
        let told = format!(
            "#!/bin/sh\necho \"{name} $*\" >>'{}'\n{text}\n",
            log.display()
        );
        fs::write(&path, told).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn heard(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// Runs an item where no program of this machine's is found but those that change nothing.
    fn run(&self, shell: &str, item: &Item) -> Reply {
        let base = self.dir.path().join("base");
        if !base.exists() {
            fs::create_dir(&base).unwrap();
            for name in [
                "head", "flock", "sync", "cat", "mkdir", "chmod", "mv", "rm", "readlink",
            ] {
                let found = ["/usr/bin", "/bin"].map(|d| Path::new(d).join(name));
                let found = found.into_iter().find(|p| p.exists()).unwrap();
                std::os::unix::fs::symlink(found, base.join(name)).unwrap();
            }
        }
        let path = format!("PATH='{}:{}'\n", self.bin().display(), base.display());
        let (mut replies, _) = run(shell, &[&(path + &item.script)]);
        replies.remove(0)
    }

    fn lock(&self, shell: &str, run: &str) {
        let owner = Owner {
            run: run.to_owned(),
            ..Owner::default()
        };
        let taken = parse(&self.run(shell, &acquire_item(&owner, &self.state)));
        assert_eq!(taken, Ok(LockState::Acquired { job: None }));
    }
}

fn this_boot() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    text.trim().to_owned()
}

#[test]
fn the_order_is_given_under_the_lock_and_to_the_boot_that_is_meant() {
    for shell in SHELLS {
        let host = Pretended::new(&[("systemctl", ""), ("shutdown", "")]);
        let order = |boot: &str| order_item("r1", boot, &host.state);
        let unlocked = host.run(shell, &order(&this_boot()));
        assert_eq!(
            read_order(&unlocked),
            Err("the lock is not this run's".to_owned())
        );
        host.lock(shell, "r1");
        let other = host.run(shell, &order("another-boot"));
        assert_eq!(read_order(&other), Ok(()));
        assert_eq!(other.stdout.text(), "pgreboot done\n");
        assert_eq!(host.heard(), "", "{shell}");
        let given = host.run(shell, &order(&this_boot()));
        assert_eq!(
            (read_order(&given), given.stdout.text().as_str()),
            (Ok(()), "pgreboot ordered\n")
        );
        assert_eq!(host.heard(), "systemctl --no-block reboot\n", "{shell}");
    }
}

#[test]
fn the_lock_of_another_run_keeps_the_host_up() {
    for shell in SHELLS {
        let host = Pretended::new(&[("systemctl", "")]);
        host.lock(shell, "r2");
        let reply = host.run(shell, &order_item("r1", &this_boot(), &host.state));
        assert!(read_order(&reply).is_err(), "{reply:?}");
        assert_eq!(host.heard(), "", "{shell}");
    }
}

#[test]
fn what_the_host_refuses_is_told_in_its_words() {
    let inhibited = "echo 'Operation inhibited by \"rpm\", reason is \"transaction\".' >&2; exit 1";
    for shell in SHELLS {
        let host = Pretended::new(&[("systemctl", inhibited)]);
        host.lock(shell, "r1");
        let reply = host.run(shell, &order_item("r1", &this_boot(), &host.state));
        let why = "exit status 1: Operation inhibited by \"rpm\", reason is \"transaction\".";
        assert_eq!(read_order(&reply), Err(why.to_owned()), "{shell}");
    }
}

#[test]
fn a_host_without_systemd_is_shut_down_its_own_way() {
    for shell in SHELLS {
        let host = Pretended::new(&[("shutdown", "")]);
        host.lock(shell, "r1");
        let reply = host.run(shell, &order_item("r1", &this_boot(), &host.state));
        assert_eq!(read_order(&reply), Ok(()));
        assert_eq!(host.heard(), "shutdown -r now\n", "{shell}");
    }
}

/// Nobody knows whether an order was carried out that has no answer; one that was not begun was not.
#[test]
fn an_order_without_an_answer_may_have_been_heard() {
    let lost = Exit::Lost { why: String::new() };
    for exit in [lost, Exit::DeadlineExceeded, Exit::Code(137)] {
        assert_eq!(read_order(&Reply::silent(exit)), Ok(()));
    }
    let why = "the channel could not be had".to_owned();
    let not_run = Reply::silent(Exit::NotRun { why: why.clone() });
    assert_eq!(read_order(&not_run), Err(why));
}

#[test]
fn each_manager_is_asked_for_its_advice() {
    let dnf = Pretended::new(&[("dnf", "echo 'Reboot should not be necessary.'")]);
    let yum = Pretended::new(&[
        ("yum", ""),
        (
            "needs-restarting",
            "echo '  glibc -> 2.17-324.el7_9'; echo 'Reboot is required to ensure that your system benefits from these updates.'; exit 1",
        ),
    ]);
    let bare = Pretended::new(&[("yum", "")]);
    for shell in SHELLS {
        let advice = advised(&dnf.run(shell, &advice_item()));
        assert_eq!(advice, Reading::Known(Advice::NotNeeded));
        let packages = vec!["glibc".to_owned()];
        let advice = advised(&yum.run(shell, &advice_item()));
        assert_eq!(advice, Reading::Known(Advice::Needed { packages }));
        let advice = advised(&bare.run(shell, &advice_item()));
        assert!(advice.why().unwrap().contains("not found"), "{advice:?}");
    }
    let heard = "dnf -q -C --disablerepo=* needs-restarting -r\n";
    assert_eq!(dnf.heard(), heard.repeat(SHELLS.len()));
}

#[test]
fn packages_count_that_were_installed_after_the_boot() {
    let rpm = "echo 'installed glibc 4102444800'; echo 'installed systemd 1'; echo 'installed glibc 4102444800'";
    for shell in SHELLS {
        let host = Pretended::new(&[("rpm", rpm)]);
        let reply = host.run(shell, &times_item(&["glibc", "systemd"]));
        let signs = read_signs(&reply, &Reply::silent(Exit::Code(127)));
        assert_eq!(signs.since_boot, Reading::Known(vec!["glibc".to_owned()]));
        assert_eq!(signs.boot_id, Reading::Known(this_boot()));
        assert!(signs.advice.why().is_some());
        assert!(host.heard().contains("glibc systemd"), "{}", host.heard());
        let broken = Pretended::new(&[("rpm", "echo 'error: rpmdb open failed'; exit 1")]);
        let reply = broken.run(shell, &times_item(&["glibc"]));
        let signs = read_signs(&reply, &Reply::silent(Exit::Code(127)));
        assert_eq!(
            signs.since_boot.why(),
            Some("rpm or the kernel does not say")
        );
    }
}

#[test]
fn a_host_is_ready_when_its_service_manager_says_so() {
    for (says, ready) in [
        ("echo running", true),
        ("echo degraded; exit 1", true),
        ("echo starting; exit 1", false),
        ("echo initializing; exit 1", false),
        ("echo stopping; exit 1", false),
        ("exit 1", false),
    ] {
        for shell in SHELLS {
            let host = Pretended::new(&[("systemctl", says)]);
            let sight = read_sight(&host.run(shell, &sight_item()));
            assert_eq!(sight.boot_id, Reading::Known(this_boot()));
            assert_eq!(sight.is_ready(), ready, "{says}: {sight:?}");
        }
    }
    let gone = read_sight(&Reply::silent(Exit::DeadlineExceeded));
    assert!(!gone.is_ready() && gone.boot_id.known().is_none());
}
