//! The scripts in real shells: `dash` and `bash`, as `sh` is one or the other on every host.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::Instant,
};

use super::*;
use crate::host::{Exit, Reply};

pub(crate) const SHELLS: [&str; 2] = ["dash", "bash"];

fn nonce() -> Nonce {
    Nonce::new([0x3c; 16])
}

struct Output {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

fn feed_shell(shell: &str, script: &str) -> Output {
    let mut args = vec!["-c", r#"eval "$(cat)""#];
    if shell == "bash" {
        args.insert(0, "--posix");
    }
    let mut child = Command::new(shell)
        .args(args)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    Output {
        stdout: output.stdout,
        stderr: output.stderr,
    }
}

pub(crate) fn run(shell: &str, items: &[&str]) -> (Vec<Reply>, Collector) {
    let script = script(
        &nonce(),
        items.iter().copied(),
        Some(Duration::from_secs(30)),
    );
    let output = feed_shell(shell, &script);
    let mut collector = Collector::new(&nonce(), items.iter().map(|_| 300_000));
    collector.feed_stdout(&output.stdout, Duration::ZERO);
    collector.feed_stderr(&output.stderr);
    let replies = std::iter::from_fn(|| collector.next_reply())
        .map(|(_, reply)| reply)
        .collect();
    (replies, collector)
}

#[test]
fn each_item_is_answered_for_itself() {
    for shell in SHELLS {
        let items = [
            "echo out; echo err >&2; exit 3",
            "if broken syntax (",
            "echo \"it's\"; cd /tmp; umask 777; set -e; x=1; false",
            "umask; pwd; echo ${x-unset} $#; cat",
            "sh -c 'kill -9 $$'",
            "return 7",
            "exec true",
            "exec >&- 2>&-; echo lost",
        ];
        let (replies, collector) = run(shell, &items);
        assert_eq!(collector.fault(), None, "{shell}");
        assert!(collector.is_complete(), "{shell}");
        let exits: Vec<&Exit> = replies.iter().map(|reply| &reply.exit).collect();
        assert_eq!(*exits[0], Exit::Code(3), "{shell}");
        assert_eq!(replies[0].stdout.bytes, b"out\n");
        assert_eq!(replies[0].stderr.bytes, b"err\n");
        assert_ne!(*exits[1], Exit::Code(0), "{shell}");
        assert!(
            !replies[1].stderr.bytes.is_empty(),
            "{shell} complains of the syntax"
        );
        assert_eq!(*exits[2], Exit::Code(1), "{shell}");
        assert_eq!(replies[2].stdout.text(), "it's\n");
        assert_eq!(replies[3].stdout.text(), "0022\n/\nunset 0\n", "{shell}");
        assert_eq!(*exits[4], Exit::Code(137), "{shell}");
        assert_eq!(*exits[5], Exit::Code(7), "{shell}");
        assert_eq!(*exits[6], Exit::Code(0), "{shell}");
        assert_ne!(*exits[7], Exit::Code(0), "{shell}");
    }
}

#[test]
fn the_nonce_is_in_no_argument_and_no_environment() {
    for shell in SHELLS {
        let (replies, _) = run(
            shell,
            &["cat /proc/[0-9]*/cmdline /proc/self/environ | tr '\\0' ' '; env"],
        );
        let text = replies[0].stdout.text();
        assert!(text.contains("PATH=/usr/sbin"), "{shell}");
        assert!(!text.contains(nonce().as_str()), "{shell}");
    }
}

#[test]
fn a_torn_script_runs_nothing() {
    let mark = tempfile::tempdir().unwrap();
    let path = mark.path().join("touched");
    let item = format!("touch {}", path.display());
    let whole = script(&nonce(), [item.as_str(), item.as_str()].into_iter(), None);
    for cut in (0..whole.len() - 2)
        .step_by(7)
        .chain(whole.len() - 60..whole.len() - 2)
    {
        feed_shell("dash", &whole[..cut]);
        assert!(!path.exists(), "cut at {cut} of {}", whole.len());
    }
    feed_shell("dash", &whole);
    assert!(path.exists());
}

#[test]
fn a_background_child_does_not_hold_the_last_frame() {
    for shell in SHELLS {
        let began = Instant::now();
        let (replies, collector) = run(shell, &["sleep 30 >/dev/null 2>&1 & echo $!", "echo two"]);
        assert!(collector.is_complete(), "{shell}");
        assert_eq!(replies[1].stdout.bytes, b"two\n");
        assert!(began.elapsed() < Duration::from_secs(10), "{shell}");
        kill(replies[0].stdout.text().trim());
    }
}

fn kill(pid: &str) {
    assert!(
        Command::new("kill")
            .args(["-9", pid])
            .status()
            .unwrap()
            .success()
    );
}

fn alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap()
            .trim_start()
            .starts_with('Z')
    })
}

/// Says whether a process with exactly this command line lives.
fn runs(cmdline: &str) -> bool {
    let wanted: Vec<u8> = cmdline
        .split(' ')
        .flat_map(|word| [word.as_bytes(), b"\0"].concat())
        .collect();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .any(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|found| found == wanted))
}

#[test]
fn the_watchdog_ends_with_the_batch_and_leaves_no_sleep() {
    for (shell, seconds) in SHELLS.into_iter().zip([3_571_u64, 3_573]) {
        let sleep = format!("sleep {seconds}");
        let items = [
            "sleep 0.2",
            "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '",
        ];
        let script = script(
            &nonce(),
            items.into_iter(),
            Some(Duration::from_secs(seconds)),
        );
        let output = feed_shell(shell, &script);
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(&sleep),
            "{shell}: it did run"
        );
        let began = Instant::now();
        while runs(&sleep) {
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "{shell} left `{sleep}`"
            );
            std::thread::yield_now();
        }
    }
}

#[test]
fn the_watchdog_ends_what_overstays() {
    for shell in SHELLS {
        let items = ["sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' & echo $!; sleep 30"];
        let script = script(&nonce(), items.into_iter(), Some(Duration::from_secs(1)));
        let began = Instant::now();
        let output = feed_shell(shell, &script);
        assert!(
            began.elapsed() < Duration::from_secs(8),
            "{shell} took {:?}",
            began.elapsed()
        );
        let mut collector = Collector::new(&nonce(), [1000].into_iter());
        collector.feed_stdout(&output.stdout, Duration::ZERO);
        assert!(!collector.is_complete());
        let pid = collector
            .give_up(0, Exit::DeadlineExceeded, Duration::ZERO)
            .stdout
            .text();
        assert!(!alive(pid.trim()), "{shell} left {pid}");
    }
}
