//! The lab with real machines: up, remote request, reset, crash, down.
//!
//! Needs images (`ci/lab/build`), QEMU and the right to make namespaces, and minutes of two
//! processors; test runs leave binaries that begin with `lab` out unless they are asked for.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of a test may panic and tell how far it came"
)]

use std::{
    ffi::OsString,
    fs,
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use patchgate_engine::lab::{HostState, HostStatus, Lab, Progress};

const HOST: &str = "lab-rebuild";
const ADDRESS: &str = "10.77.0.11";
const MARK: &str = "/var/www/html/index.html";

fn report(progress: &Progress) {
    println!("{progress}");
}

fn words(text: &str) -> Vec<OsString> {
    text.split_whitespace().map(OsString::from).collect()
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// The HTTP status that the remote client sees.
fn remote_status(lab: &Lab) -> String {
    let curl = format!("curl -s -m 30 -o /dev/null -w %{{http_code}} http://{ADDRESS}/");
    let output = output(&mut lab.exec_command(&words(&curl)).unwrap());
    String::from_utf8(output.stdout).unwrap()
}

/// What a port that nobody listens on says to the remote client: curl's exit code.
fn closed_port(lab: &Lab) -> Option<i32> {
    let curl = format!("curl -s -m 30 http://{ADDRESS}:81/");
    output(&mut lab.exec_command(&words(&curl)).unwrap())
        .status
        .code()
}

fn in_guest(lab: &Lab, script: &str) -> String {
    let output = output(&mut lab.ssh_command(HOST, &[script.to_owned()]).unwrap());
    assert!(output.status.success(), "{script}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn row(lab: &Lab) -> HostStatus {
    lab.status()
        .into_iter()
        .find(|row| row.host == HOST)
        .unwrap()
}

/// The kernel needs a moment to end a machine with its memory.
fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the condition was never met"
        );
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// Every process whose command line has this text.
fn processes(text: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(text)).collect()
}

fn assert_nothing_is_left(lab: &Lab) {
    let run = lab.dirs().run();
    assert!(!run.exists(), "{} is left", run.display());
    assert_eq!(
        processes(&format!("{}/", run.display())),
        Vec::<String>::new()
    );
    for name in ["pgtest-lab", "pgtest-client"] {
        assert!(
            !Path::new("/run/netns").join(name).exists(),
            "{name} is left"
        );
    }
    let links = output(Command::new("ip").args(["-o", "link"])).stdout;
    let links = String::from_utf8(links).unwrap();
    assert!(!links.contains("tap11"), "{links}");
}

/// Takes the lab down whatever the test's end.
struct Down<'a>(&'a Lab);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.down(&report) {
            println!("down failed: {error}");
        }
    }
}

/// One test, because the steps build on each other and guests are expensive.
#[test]
fn a_lab_host_serves_resets_is_seen_to_crash_and_leaves_nothing() {
    let from_env = Lab::from_env().unwrap();
    // Namespaces of its own: a lab that is up on this machine is not disturbed, unless it is the
    // very same directory, and that is refused here.
    assert!(
        from_env
            .status()
            .iter()
            .all(|row| row.state == HostState::Down),
        "a lab is up"
    );
    let lab = Lab::new(from_env.dirs().clone(), "pgtest");
    let _down = Down(&lab);

    let inventory = lab.up(&[HOST.to_owned()], true, &report).unwrap();
    assert!(
        fs::read_to_string(inventory)
            .unwrap()
            .contains("patchgate_lab: true")
    );
    assert_eq!(row(&lab).state, HostState::Up);
    assert_eq!(remote_status(&lab), "200");
    assert_eq!(
        closed_port(&lab),
        Some(7),
        "a closed port must refuse and not reset"
    );
    assert_eq!(in_guest(&lab, "getenforce"), "Enforcing\n");

    let before = in_guest(&lab, &format!("sha256sum {MARK}"));
    in_guest(
        &lab,
        &format!("echo spoilt > {MARK}; touch /root/spoilt; sync"),
    );
    let done = lab.reset(&[HOST.to_owned()], &report).unwrap();
    assert!(done[0].1 < Duration::from_secs(30), "{done:?}");
    assert_eq!(
        in_guest(&lab, &format!("sha256sum {MARK}; ls /root")),
        before
    );

    let pid = row(&lab).pid.unwrap();
    assert!(
        output(Command::new("kill").args(["-9", &pid.to_string()]))
            .status
            .success()
    );
    wait_until(|| row(&lab).state == HostState::Crashed);

    lab.up(&[HOST.to_owned()], false, &report).unwrap();
    assert_eq!(remote_status(&lab), "200");
    // As after a crash that took state files with it.
    fs::remove_file(lab.dirs().host(HOST).join("host.json")).unwrap();
    lab.down(&report).unwrap();
    assert_nothing_is_left(&lab);
    assert_eq!(row(&lab).state, HostState::Down);
    assert!(row(&lab).console.unwrap().starts_with(lab.dirs().logs()));
}
