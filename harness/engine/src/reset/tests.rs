//! Real commands of this machine.

use std::{fs, time::Instant};

use super::*;

fn order(snapshot: SnapshotSource, within: Duration) -> ResetOrder {
    ResetOrder {
        host: HostName::new("web1").unwrap(),
        run: RunId::new("r1").unwrap(),
        snapshot,
        within,
    }
}

fn shell(script: &str, within: Duration) -> ResetOrder {
    let words = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    order(SnapshotSource::Command(words), within)
}

async fn done(order: &ResetOrder) -> ResetDone {
    LocalResetter.reset(order).await
}

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_command_gets_the_host_and_the_run_and_a_clean_environment() {
    let done = done(&shell("env | sort; echo oops >&2", SOON)).await;
    assert_eq!(done.end, Ok(()));
    let text = String::from_utf8(done.output).unwrap();
    let names: Vec<&str> = text
        .lines()
        .filter_map(|l| Some(l.split_once('=')?.0))
        .collect();
    for name in ["PATCHGATE_HOST", "PATCHGATE_RUN", "LC_ALL", "PATH"] {
        assert!(names.contains(&name), "{name}: {text}");
    }
    let known = [
        "HOME",
        "LC_ALL",
        "PATCHGATE_HOST",
        "PATCHGATE_RUN",
        "PATH",
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
    ];
    assert!(names.iter().all(|n| known.contains(n)), "{text}");
    assert!(
        text.contains("PATCHGATE_HOST=web1\n") && text.contains("oops\n"),
        "{text}"
    );
}

#[tokio::test]
async fn a_command_is_no_line_for_a_shell() {
    let words = ["echo", "$HOME; exit 3", "&&"].map(str::to_owned).to_vec();
    let done = done(&order(SnapshotSource::Command(words), SOON)).await;
    assert_eq!(done.output, b"$HOME; exit 3 &&\n");
}

#[tokio::test]
async fn what_fails_is_told_with_its_status() {
    let done = done(&shell("echo no such domain; exit 3", SOON)).await;
    let why = done.end.unwrap_err();
    assert!(why.contains("exit status: 3"), "{why}");
    assert_eq!(done.output, b"no such domain\n");
    let missing = order(
        SnapshotSource::Command(vec!["/no/such/program".into()]),
        SOON,
    );
    let why = LocalResetter.reset(&missing).await.end.unwrap_err();
    assert!(why.starts_with("/no/such/program cannot be run"), "{why}");
}

#[tokio::test]
async fn the_end_of_much_output_is_kept() {
    let done = done(&shell(
        "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done",
        SOON,
    ))
    .await;
    assert!(done.output.len() <= MOST && done.output.ends_with(b"line 19999\n"));
}

#[tokio::test]
async fn what_a_command_leaves_running_is_not_waited_for() {
    let begun = Instant::now();
    let done = done(&shell("sleep 20 & echo begun", SOON)).await;
    assert_eq!(
        (done.end, done.output.as_slice()),
        (Ok(()), &b"begun\n"[..])
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
}

/// The file grows for as long as anything of the group lives.
async fn is_dead(file: &std::path::Path) -> bool {
    let length = || fs::metadata(file).map_or(0, |m| m.len());
    for _ in 0..50 {
        let before = length();
        crate::clock::pause(Duration::from_millis(100)).await;
        if before > 0 && length() == before {
            return true;
        }
    }
    false
}

fn growing(file: &std::path::Path) -> String {
    let file = file.display();
    format!("(while :; do echo x >>{file}; sleep 0.02; done) & wait")
}

#[tokio::test]
async fn at_its_deadline_all_that_it_began_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("alive");
    let done = done(&shell(&growing(&file), Duration::from_millis(500))).await;
    let why = done.end.unwrap_err();
    assert!(
        why.ends_with("did not end within 0.5 s and was killed"),
        "{why}"
    );
    assert!(is_dead(&file).await);
}

#[tokio::test]
async fn who_stops_waiting_has_it_killed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("alive");
    let order = shell(&growing(&file), SOON);
    let stopped = timeout(Duration::from_millis(500), LocalResetter.reset(&order)).await;
    assert!(stopped.is_err());
    assert!(is_dead(&file).await);
}

#[test]
fn libvirt_is_told_domain_and_snapshot() {
    let snapshot = SnapshotSource::Libvirt {
        uri: "qemu:///system".into(),
        domain: "web1".into(),
        snapshot: "clean".into(),
    };
    let words = words(&order(snapshot, SOON)).unwrap();
    assert_eq!(
        words.join(" "),
        "virsh -c qemu:///system snapshot-revert web1 clean --running"
    );
    let lab = super::words(&order(SnapshotSource::Lab, SOON)).unwrap();
    assert_eq!(lab[1..], ["lab", "reset", "web1"]);
}
