//! The real door against a real sshd, client and server in network namespaces of their own.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use net::{Net, SERVER};
use patchgate_engine::{
    host::{
        Batch, ConnectError, Connector as _, Exit, Host as _, HostError, HostKeyProblem, Item,
        Reply, Target,
        job::{self, JobId, JobSpec, JobState},
        lock::{self, LockState, Owner},
        state_dir::StateDir,
    },
    ssh::{SshConnector, SshHost},
};
use sshd::{Sshd, keygen, wait_for};

#[path = "support/net.rs"]
mod net;
#[path = "support/sshd.rs"]
mod sshd;

fn target(sshd: &Sshd) -> Target {
    let known = format!("{} {}\n", sshd.name(), sshd.public("host_ed25519.pub"));
    Target {
        port: sshd.port(),
        key_files: vec![sshd.path("id")],
        known_hosts: vec![sshd.write_known_hosts(&known)],
        connect_timeout: Duration::from_secs(5),
        login_timeout: Duration::from_secs(10),
        ..Target::new("server", SERVER.to_string())
    }
}

async fn connect(target: &Target) -> SshHost {
    SshConnector::new().connect(target).await.unwrap()
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn batch(scripts: &[&str]) -> Batch {
    Batch::new(
        "test",
        scripts
            .iter()
            .map(|script| Item::new(*script, seconds(20)))
            .collect(),
    )
}

fn exits(replies: &[Reply]) -> Vec<Exit> {
    replies.iter().map(|reply| reply.exit.clone()).collect()
}

fn is_lost(exit: &Exit) -> bool {
    match exit {
        Exit::Lost { .. } => true,
        Exit::Code(_) | Exit::DeadlineExceeded | Exit::NotRun { .. } => false,
    }
}

#[test]
fn a_batch_is_answered_item_by_item() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        assert_eq!(
            host.peer().host_key.fingerprint,
            sshd.fingerprint("host_ed25519.pub")
        );
        assert!(
            host.peer().banner.starts_with("SSH-2.0-OpenSSH"),
            "{:?}",
            host.peer()
        );
        let mut seen = Vec::new();
        let scripts = [
            "echo one",
            "exit 3",
            "kill -9 $$",
            "echo '4'; echo err >&2",
            "sleep 0.3",
        ];
        let replies = host
            .run_with(&batch(&scripts), |index, _| seen.push(index))
            .await
            .unwrap();
        assert_eq!(seen, [0, 1, 2, 3, 4]);
        let codes = [0, 3, 137, 0, 0].map(Exit::Code);
        assert_eq!(exits(&replies), codes);
        assert_eq!(replies[0].stdout.bytes, b"one\n");
        assert_eq!(replies[3].stdout.bytes, b"4\n");
        assert_eq!(replies[3].stderr.bytes, b"err\n");
        assert!(
            replies[4].elapsed >= Duration::from_millis(280),
            "{:?}",
            replies[4].elapsed
        );
        let again = host
            .run(&batch(&["env; id -u; echo $0; ulimit -c >/dev/null"]))
            .await
            .unwrap();
        let text = again[0].stdout.text();
        assert!(
            text.contains("LC_ALL=C\n") && text.contains("\n0\n"),
            "{text}"
        );
        assert!(!text.contains("SSH_CONNECTION"), "{text}");
        host.close().await;
    });
}

#[test]
fn an_agent_can_sign_instead_of_a_file() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let socket = sshd.path("agent");
    let mut agent = Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the agent", || socket.exists());
    let added = Command::new("ssh-add")
        .arg("-q")
        .arg(sshd.path("id"))
        .env("SSH_AUTH_SOCK", &socket)
        .status()
        .unwrap();
    assert!(added.success());
    let mut target = target(&sshd);
    target.key_files.clear();
    net.block_on(async {
        let error = SshConnector::new().connect(&target).await.unwrap_err();
        assert!(matches!(error, ConnectError::Auth { .. }), "{error}");
        target.use_agent = true;
        target.agent_socket = Some(socket);
        let replies = connect(&target)
            .await
            .run(&batch(&["exit 5"]))
            .await
            .unwrap();
        assert_eq!(exits(&replies), [Exit::Code(5)]);
    });
    agent.kill().unwrap();
    agent.wait().unwrap();
}

#[test]
fn a_key_that_the_server_does_not_know_is_an_auth_error() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    keygen(&sshd.path("other"), "ed25519");
    let mut target = target(&sshd);
    target.key_files = vec![sshd.path("other")];
    net.block_on(async {
        let error = SshConnector::new().connect(&target).await.unwrap_err();
        assert!(error.to_string().contains("other: refused"), "{error}");
        assert!(!error.is_security_stop());
    });
}

#[test]
fn every_key_type_can_log_in_and_be_verified() {
    let net = Net::new();
    let types = ["ed25519", "rsa", "ecdsa"];
    let sshd = Sshd::start_with(&net, 2222, &types, "");
    let mut target = target(&sshd);
    net.block_on(async {
        for key_type in types {
            // Only this type is known: it has to be asked for, though the server has better ones.
            let public = sshd.public(&format!("host_{key_type}.pub"));
            let lines = format!("{} {public}\n", sshd.name());
            target.known_hosts = vec![sshd.write_known_hosts(&lines)];
            let id = sshd.path(&format!("id_{key_type}"));
            keygen(&id, key_type);
            let line = fs::read_to_string(id.with_extension("pub")).unwrap();
            fs::write(sshd.path("authorized_keys"), line).unwrap();
            target.key_files = vec![id];
            let host = connect(&target).await;
            assert_eq!(host.peer().host_key.kind, public.split(' ').next().unwrap());
            assert!(
                !host.peer().algorithms.contains("sha1"),
                "{}",
                host.peer().algorithms
            );
        }
    });
}

/// What the server's log says of authentication.
fn was_asked_to_authenticate(sshd: &Sshd) -> bool {
    let log = sshd.log();
    log.contains("publickey") || log.contains("Accepted") || log.contains("Failed")
}

fn host_key_problem(error: ConnectError) -> HostKeyProblem {
    assert!(error.is_security_stop(), "{error}");
    let text = error.to_string();
    let ConnectError::HostKey(problem) = error else {
        panic!("{text}")
    };
    problem
}

#[test]
fn an_unknown_changed_or_revoked_host_key_stops_before_login() {
    let net = Net::new();
    let sshd = Sshd::start_with(&net, 22, &["ed25519"], "LogLevel DEBUG1\n");
    let mut target = target(&sshd);
    let name = sshd.name();
    let real = sshd.public("host_ed25519.pub");
    keygen(&sshd.path("imposter"), "ed25519");
    let other = sshd.public("imposter.pub");
    net.block_on(async {
        let mut refuse = async |lines: String| {
            target.known_hosts = vec![sshd.write_known_hosts(&lines)];
            let error = SshConnector::new().connect(&target).await.unwrap_err();
            host_key_problem(error)
        };
        let unknown = refuse(format!("[{name}]:2222 {real}\n")).await;
        assert!(
            matches!(unknown, HostKeyProblem::Unknown { .. }),
            "{unknown}"
        );
        let changed = refuse(format!("{name} {other}\n")).await;
        let HostKeyProblem::Changed { expected, got, .. } = changed else {
            panic!("{changed}")
        };
        assert_eq!(expected[0].fingerprint, sshd.fingerprint("imposter.pub"));
        assert_eq!(got.fingerprint, sshd.fingerprint("host_ed25519.pub"));
        let revoked = refuse(format!("{name} {real}\n@revoked * {real}\n")).await;
        assert!(
            matches!(revoked, HostKeyProblem::Revoked { .. }),
            "{revoked}"
        );
        let authority = refuse(format!("@cert-authority * {real}\n")).await;
        assert!(
            authority.to_string().contains("@cert-authority"),
            "{authority}"
        );
    });
    assert!(!was_asked_to_authenticate(&sshd), "{}", sshd.log());
}

#[test]
fn a_private_key_open_to_others_stops_before_the_first_packet() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    fs::set_permissions(sshd.path("id"), fs::Permissions::from_mode(0o644)).unwrap();
    net.block_on(async {
        let error = SshConnector::new().connect(&target).await.unwrap_err();
        assert!(error.is_security_stop(), "{error}");
        assert!(error.to_string().contains("0644"), "{error}");
    });
    assert!(!sshd.log().contains("Connection"), "{}", sshd.log());
}

#[test]
fn a_refused_and_a_silent_port_are_told_apart() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let mut target = target(&sshd);
    target.port = 4444;
    target.connect_timeout = Duration::from_millis(700);
    net.block_on(async {
        let error = SshConnector::new().connect(&target).await.unwrap_err();
        assert!(error.to_string().ends_with("refused"), "{error}");
        net.black_hole();
        let began = Instant::now();
        let error = SshConnector::new().connect(&target).await.unwrap_err();
        assert!(error.to_string().ends_with("timed out"), "{error}");
        assert!(began.elapsed() < seconds(2));
    });
}

#[test]
fn a_flood_on_either_stream_is_drained_and_capped() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let five = "head -c 5000000 /dev/zero";
        let scripts = [
            &format!("{five} >&2; exit 3"),
            &format!("{five}; {five} >&2"),
            "echo ok",
        ];
        let replies = host.run(&batch(&scripts)).await.unwrap();
        assert_eq!(exits(&replies), [3, 0, 0].map(Exit::Code));
        for captured in [&replies[0].stderr, &replies[1].stdout, &replies[1].stderr] {
            assert_eq!(captured.bytes.len() as u64 + captured.dropped, 5_000_000);
            assert_eq!(captured.bytes.len(), 256 * 1024);
        }
        assert_eq!(replies[2].stdout.bytes, b"ok\n");
    });
}

#[test]
fn an_overrunning_item_is_killed_with_its_children_and_the_next_one_runs() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let mut batch = batch(&[
            "echo first",
            "sleep 7531 & sh -c 'trap \"\" TERM; sleep 7532; sleep 7533' ; echo not reached",
            "yes",
            "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o 'sleep 753[123]' | sort -u",
            "echo last",
        ]);
        batch.items[1].deadline = Duration::from_millis(500);
        batch.items[2].deadline = Duration::from_millis(500);
        let began = Instant::now();
        let replies = host.run(&batch).await.unwrap();
        assert_eq!(replies[0].exit, Exit::Code(0));
        assert_eq!(replies[1].exit, Exit::DeadlineExceeded);
        assert_eq!(replies[1].stdout.text(), "");
        assert_eq!(replies[2].exit, Exit::DeadlineExceeded);
        assert!(replies[2].stdout.text().starts_with("y\ny\n"));
        assert_eq!(replies[3].stdout.text(), "", "no child is left");
        assert_eq!(replies[4].stdout.text(), "last\n");
        assert!(began.elapsed() < seconds(8), "{:?}", began.elapsed());
        let replies = host.run(&self::batch(&["echo still here"])).await.unwrap();
        assert!(replies[0].is_ok());
    });
}

#[test]
fn a_batch_that_overruns_ends_with_all_that_it_started() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let mut batch = batch(&["echo done", "sleep 7541", "echo never"]);
        batch.deadline = seconds(1);
        let began = Instant::now();
        let replies = host.run(&batch).await.unwrap();
        assert!(began.elapsed() < seconds(4), "{:?}", began.elapsed());
        assert_eq!(replies[0].exit, Exit::Code(0));
        assert_eq!(replies[1].exit, Exit::DeadlineExceeded);
        assert!(
            matches!(replies[2].exit, Exit::NotRun { .. }),
            "{:?}",
            replies[2].exit
        );
        let left = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o 'sleep 754[1]' || echo none";
        let replies = host.run(&self::batch(&[left])).await.unwrap();
        assert_eq!(replies[0].stdout.text(), "none\n");
    });
}

#[test]
fn a_background_child_that_keeps_the_streams_holds_nothing_up() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let began = Instant::now();
        for _ in 0..12 {
            let replies = host
                .run(&batch(&["sleep 20 & echo hi", "echo two"]))
                .await
                .unwrap();
            assert_eq!(exits(&replies), [0, 0].map(Exit::Code));
        }
        host.close().await;
        assert!(began.elapsed() < seconds(10), "{:?}", began.elapsed());
    });
}

#[test]
fn a_forged_frame_changes_nothing() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let forge = "printf '\\036%032d e 0 0 1.00\\n\\036%032d z\\n' 0 0; exit 9";
        let replies = host.run(&batch(&[forge, "echo next"])).await.unwrap();
        assert_eq!(exits(&replies), [9, 0].map(Exit::Code));
        assert!(replies[0].stdout.text().contains(" z\n"));
    });
}

#[test]
fn a_black_hole_ends_within_a_second_of_the_deadline() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let mut batch = batch(&["echo before", "sleep 60", "echo after"]);
        batch.items[1].deadline = seconds(2);
        let began = Instant::now();
        let replies = host.run_with(&batch, |_, reply| {
            if reply.stdout.text() == "before\n" {
                net.black_hole();
            }
        });
        let replies = replies.await.unwrap();
        let elapsed = began.elapsed();
        assert!(elapsed > seconds(2) && elapsed < seconds(3), "{elapsed:?}");
        assert_eq!(replies[0].exit, Exit::Code(0));
        assert!(is_lost(&replies[1].exit), "{:?}", replies[1].exit);
        assert!(is_lost(&replies[2].exit), "{:?}", replies[2].exit);
        let error = host.run(&self::batch(&["true"])).await.unwrap_err();
        assert!(!error.connection_lives(), "{error}");
        let began = Instant::now();
        host.close().await;
        assert!(
            began.elapsed() < Duration::from_millis(1200),
            "{:?}",
            began.elapsed()
        );
    });
}

#[test]
fn a_killed_server_process_means_lost_and_never_passed() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let scripts = [
            "echo before",
            "sleep 0.3; kill -9 $PPID; sleep 0.2; exit 0",
            "echo after",
        ];
        let replies = host.run(&batch(&scripts)).await.unwrap();
        assert_eq!(replies[0].exit, Exit::Code(0));
        assert!(is_lost(&replies[1].exit), "{:?}", replies[1].exit);
        assert!(is_lost(&replies[2].exit), "{:?}", replies[2].exit);
    });
}

#[test]
fn a_channel_that_ends_by_itself_means_lost_and_never_passed() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        // The batch's shell exits 0 without its last frames: `gdb`-like interference from outside.
        let scripts = [
            "echo before",
            "kill -TERM $$; sleep 0.2",
            "kill -USR1 0",
            "echo after",
        ];
        let replies = host.run(&batch(&scripts)).await.unwrap();
        assert_eq!(exits(&replies), [0, 143, 138, 0].map(Exit::Code));
        assert_eq!(replies[3].stdout.text(), "after\n");
    });
}

#[test]
fn a_shell_that_does_not_start_says_why() {
    let net = Net::new();
    let config = "ForceCommand echo This account is not available >&2; exit 1\n";
    let sshd = Sshd::start_with(&net, 22, &["ed25519"], config);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let error = host.run(&batch(&["true"])).await.unwrap_err();
        assert!(
            error.to_string().contains("This account is not available"),
            "{error}"
        );
        assert!(error.connection_lives());
        let mut bad = batch(&["true", "echo \0"]);
        bad.items[0].cap = 1;
        assert!(matches!(
            host.run(&bad).await,
            Err(HostError::BadItem { index: 1 })
        ));
    });
}

#[test]
fn logins_turned_away_by_max_startups_are_tried_again() {
    let net = Net::new();
    let config = "MaxStartups 2:100:2\nLoginGraceTime 1\n";
    let sshd = Sshd::start_with(&net, 22, &["ed25519"], config);
    let target = target(&sshd);
    net.block_on(async {
        // Two idle connections fill the server for a second.
        let address = format!("{SERVER}:22");
        let _idle = std::net::TcpStream::connect(&address).unwrap();
        let _idle2 = std::net::TcpStream::connect(&address).unwrap();
        wait_for("the server to be full", || {
            let mut third = std::net::TcpStream::connect(&address).unwrap();
            let mut text = [0; 64];
            let read = std::io::Read::read(&mut third, &mut text).unwrap_or(0);
            !text[..read].starts_with(b"SSH-2.0")
        });
        let began = Instant::now();
        let mut host = connect(&target).await;
        assert!(
            began.elapsed() > Duration::from_millis(90),
            "there was nothing to retry"
        );
        assert!(host.run(&batch(&["true"])).await.unwrap()[0].is_ok());
    });
}

#[test]
fn a_script_beyond_one_packet_goes_through() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let long = format!(": {}\necho end", "x".repeat(3_000_000));
        let replies = host.run(&batch(&["true", &long])).await.unwrap();
        assert_eq!(replies[1].stdout.text(), "end\n");
        let many: Vec<&str> = vec!["echo x"; 200];
        let replies = host.run(&batch(&many)).await.unwrap();
        assert!(replies.len() == 200 && replies.iter().all(Reply::is_ok));
    });
}

#[test]
fn an_abandoned_batch_spoils_the_connection() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let batch = batch(&["sleep 5"]);
        let early = tokio::time::timeout(Duration::from_millis(300), host.run(&batch)).await;
        assert!(early.is_err());
        let error = host.run(&self::batch(&["true"])).await.unwrap_err();
        assert!(error.to_string().contains("abandoned"), "{error}");
    });
}

#[test]
fn a_job_survives_the_connection_and_runs_once() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    let count = sshd.path("count");
    let script = format!("echo ran >>{}; sleep 1; echo end; exit 6", count.display());
    let spec = JobSpec {
        state_dir: StateDir::new(sshd.path("state").display().to_string()).unwrap(),
        ..JobSpec::new(JobId::new("run-1.patch").unwrap(), script)
    };
    let poll = || job::poll_item(&spec.id, &spec.state_dir, 0, job::LONG_POLL);
    net.block_on(async {
        let mut host = connect(&target).await;
        // The connection dies right after the start, before its answer.
        let cut = Item::new("kill -9 $PPID", seconds(5));
        let batch = Batch::new("start and die", vec![job::start_item(&spec), cut]);
        drop(host.run(&batch).await);
        let mut host = connect(&target).await;
        let replies = host
            .run(&Batch::new("again", vec![job::start_item(&spec)]))
            .await
            .unwrap();
        assert_eq!(job::parse(&replies[0]).unwrap().state, JobState::Running);
        let replies = host.run(&Batch::new("poll", vec![poll()])).await.unwrap();
        let first = job::parse(&replies[0]).unwrap();
        let report = match first.state {
            JobState::Running => {
                job::parse(&host.run(&Batch::new("poll", vec![poll()])).await.unwrap()[0]).unwrap()
            }
            JobState::Unknown
            | JobState::Accepted
            | JobState::Finished { .. }
            | JobState::Lost
            | JobState::Rejected { .. } => first,
        };
        assert_eq!(report.state, JobState::Finished { exit: 6 });
        assert_eq!(report.output, b"end\n");
    });
    assert_eq!(fs::read_to_string(count).unwrap(), "ran\n");
}

#[test]
fn a_lock_left_by_a_dead_run_tells_its_job_and_can_be_taken_over() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = target(&sshd);
    let at = StateDir::new(sshd.path("state").display().to_string()).unwrap();
    let owner = |run: &str, job: Option<&str>| Owner {
        run: run.into(),
        job: job.map(|id| JobId::new(id).unwrap()),
        ..Owner::default()
    };
    let spec = JobSpec {
        state_dir: at.clone(),
        ..JobSpec::new(JobId::new("dead.patch").unwrap(), "exit 2")
    };
    net.block_on(async {
        let mut host = connect(&target).await;
        let items = vec![
            lock::acquire_item(&owner("dead", None), &at),
            lock::update_item(&owner("dead", Some("dead.patch")), &at),
            job::start_item(&spec),
            job::poll_item(&spec.id, &at, 0, seconds(5)),
        ];
        host.run(&Batch::new("the dead run", items)).await.unwrap();
        drop(host);
        let mut host = connect(&target).await;
        let items = vec![
            lock::acquire_item(&owner("next", None), &at),
            lock::take_over_item("dead", &owner("next", None), &at),
        ];
        let replies = host.run(&Batch::new("the next run", items)).await.unwrap();
        let LockState::Held { owner, job } = lock::parse(&replies[0]).unwrap() else {
            panic!()
        };
        assert_eq!(
            (owner.run.as_str(), job),
            ("dead", Some(JobState::Finished { exit: 2 }))
        );
        assert_eq!(
            lock::parse(&replies[1]).unwrap(),
            LockState::Acquired { job: None }
        );
    });
}

#[test]
fn a_channel_that_the_server_times_out_means_lost() {
    let net = Net::new();
    let config = "ChannelTimeout session:command=1s\n";
    let sshd = Sshd::start_with(&net, 22, &["ed25519"], config);
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        let replies = host
            .run(&batch(&["echo before", "sleep 4; exit 7", "true"]))
            .await
            .unwrap();
        assert_eq!(replies[0].exit, Exit::Code(0));
        assert!(is_lost(&replies[1].exit), "{:?}", replies[1].exit);
        assert!(is_lost(&replies[2].exit), "{:?}", replies[2].exit);
    });
}

#[test]
fn a_server_without_channels_is_an_error_of_the_batch() {
    let net = Net::new();
    let sshd = Sshd::start_with(&net, 22, &["ed25519"], "MaxSessions 0\n");
    let target = target(&sshd);
    net.block_on(async {
        let mut host = connect(&target).await;
        for _ in 0..3 {
            let error = host.run(&batch(&["true"])).await.unwrap_err();
            assert!(matches!(error, HostError::Channel { .. }), "{error}");
        }
    });
}

#[test]
fn a_host_with_nothing_but_sha1_needs_the_legacy_switch() {
    let net = Net::new();
    let config = "HostKeyAlgorithms ssh-rsa\nKexAlgorithms diffie-hellman-group14-sha1\n\
                  MACs hmac-sha1\nCiphers aes128-ctr\n";
    let sshd = Sshd::start_with(&net, 22, &["rsa"], config);
    let known = format!("{} {}\n", sshd.name(), sshd.public("host_rsa.pub"));
    let mut target = Target {
        key_files: vec![sshd.path("id")],
        known_hosts: vec![sshd.write_known_hosts(&known)],
        ..Target::new("server", SERVER.to_string())
    };
    net.block_on(async {
        let error = SshConnector::new().connect(&target).await.unwrap_err();
        assert!(error.to_string().contains("legacy"), "{error}");
        target.legacy_algorithms = true;
        let mut host = connect(&target).await;
        assert!(
            host.peer().algorithms.contains("group14-sha1 ssh-rsa"),
            "{:?}",
            host.peer()
        );
        assert!(host.run(&batch(&["true"])).await.unwrap()[0].is_ok());
    });
}

#[test]
fn a_server_or_an_agent_that_says_nothing_ends_with_the_deadline() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let mut target = target(&sshd);
    target.login_timeout = Duration::from_millis(700);
    let mute = std::os::unix::net::UnixListener::bind(sshd.path("mute")).unwrap();
    net.block_on(async {
        target.key_files.clear();
        target.use_agent = true;
        target.agent_socket = Some(sshd.path("mute"));
        let began = Instant::now();
        let error = SshConnector::new().connect(&target).await.unwrap_err();
        assert!(
            error.to_string().contains("did not finish login"),
            "{error}"
        );
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        target.address = "127.0.0.1".into();
        target.port = silent.local_addr().unwrap().port();
        let error = SshConnector::new().connect(&target).await.unwrap_err();
        assert!(
            error.to_string().contains("did not finish banner"),
            "{error}"
        );
        assert!(began.elapsed() < seconds(3), "{:?}", began.elapsed());
    });
    drop(mute);
}

#[test]
fn sudo_that_is_not_there_or_not_allowed_is_told() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let target = Target {
        become_root: true,
        ..target(&sshd)
    };
    net.block_on(async {
        let result = connect(&target).await.run(&batch(&["id -u"])).await;
        match (std::path::Path::new("/usr/bin/sudo").exists(), result) {
            (true, Ok(replies)) => assert_eq!(replies[0].stdout.text(), "0\n"),
            (_, Ok(replies)) => panic!("{replies:?}"),
            (_, Err(error)) => assert!(error.to_string().contains("sudo"), "{error}"),
        }
    });
}

/// Passes one connection on to the server and cuts it after so many bytes from the server.
async fn cutting_proxy(listener: tokio::net::TcpListener, limit: u64) {
    use tokio::io::{AsyncReadExt as _, copy};
    let (client, _) = listener.accept().await.unwrap();
    let server = tokio::net::TcpStream::connect((SERVER, 22)).await.unwrap();
    drop(listener);
    let (mut from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let mut limited = from_server.take(limit);
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        _ = copy(&mut limited, &mut to_client) => {}
    }
}

#[test]
fn a_connection_cut_after_any_byte_never_gives_a_wrong_answer() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let mut target = target(&sshd);
    target.host_key_alias = Some(sshd.name());
    target.address = "127.0.0.1".into();
    let count = sshd.path("count");
    let first = format!("echo ran >>{}; echo one", count.display());
    net.block_on(async {
        let (mut whole, mut lost, mut refused) = (0, 0, 0);
        for limit in (1_500..7_000).step_by(97).chain([100_000]) {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            target.port = listener.local_addr().unwrap().port();
            let proxy = tokio::spawn(cutting_proxy(listener, limit));
            drop(fs::remove_file(&count));
            if let Ok(mut host) = SshConnector::new().connect(&target).await {
                match host.run(&batch(&[&first, "echo two >&2; exit 3"])).await {
                    Ok(replies) => {
                        for (reply, right) in replies.iter().zip([0, 3]) {
                            let good = reply.exit == Exit::Code(right) || is_lost(&reply.exit);
                            assert!(good, "{limit}: {:?}", reply.exit);
                        }
                        let all = replies.iter().all(|reply| !is_lost(&reply.exit));
                        *(if all { &mut whole } else { &mut lost }) += 1;
                    }
                    Err(_) => {
                        refused += 1;
                        assert!(!count.exists(), "{limit}: it ran, and was called not begun");
                    }
                }
            }
            proxy.abort();
        }
        assert!(
            whole > 0 && lost > 0 && refused > 0,
            "{whole} {lost} {refused}"
        );
    });
}

/// Passes one connection on to the server; after so many bytes from the server nothing comes any more. Counts
/// them.
async fn stalling_proxy(listener: tokio::net::TcpListener, limit: u64, passed: Arc<AtomicU64>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
    let (client, _) = listener.accept().await.unwrap();
    let server = tokio::net::TcpStream::connect((SERVER, 22)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let mut limited = from_server.take(limit);
    let down = async {
        let mut buffer = [0; 4096];
        loop {
            let read = limited.read(&mut buffer).await.unwrap_or(0);
            if read == 0 {
                std::future::pending::<()>().await;
            }
            if to_client.write_all(&buffer[..read]).await.is_err() {
                return;
            }
            passed.fetch_add(read as u64, Ordering::Relaxed);
        }
    };
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        () = down => {}
    }
}

/// What a batch of three said through a proxy that stalls: how many bytes had come from the server when the
/// first item's end was heard, and how long it took from the last that was heard to the end.
async fn stalled(target: &Target, limit: u64) -> Option<(u64, Duration)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut target = target.clone();
    target.port = listener.local_addr().unwrap().port();
    let passed = Arc::new(AtomicU64::new(0));
    let proxy = tokio::spawn(stalling_proxy(listener, limit, passed.clone()));
    let mut host = SshConnector::new().connect(&target).await.ok()?;
    let mut batch = batch(&["echo one", "echo two", "echo three"]);
    for item in &mut batch.items {
        item.deadline = seconds(2);
    }
    // Where not even the first item is heard of.
    batch.deadline = seconds(8);
    let mut heard: Option<(u64, Instant)> = None;
    let replies = host.run_with(&batch, |_, reply| {
        if !is_lost(&reply.exit) {
            let first = heard.map_or_else(|| passed.load(Ordering::Relaxed), |(first, _)| first);
            heard = Some((first, Instant::now()));
        }
    });
    drop(replies.await);
    proxy.abort();
    heard.map(|(first, last)| (first, last.elapsed()))
}

/// That an item has begun may be what was lost.
#[test]
fn a_connection_that_stalls_between_two_items_ends_by_the_deadline_of_the_next() {
    let net = Net::new();
    let sshd = Sshd::start(&net);
    let mut target = target(&sshd);
    target.host_key_alias = Some(sshd.name());
    target.address = "127.0.0.1".into();
    target.login_timeout = seconds(3);
    net.block_on(async {
        let (first, _) = stalled(&target, u64::MAX).await.expect("all was heard");
        let mut seen = 0;
        for limits in (first.saturating_sub(64)..first + 320)
            .step_by(16)
            .collect::<Vec<_>>()
            .chunks(6)
        {
            let all = limits.iter().map(|limit| stalled(&target, *limit));
            for took in futures_util::future::join_all(all)
                .await
                .into_iter()
                .flatten()
            {
                assert!(took.1 < seconds(3), "{took:?}");
                seen += 1;
            }
        }
        assert!(seen > 10, "{seen}");
    });
}

/// A host behind a jump host: both on the server's machine, the host on another port.
fn behind(host: &Sshd, jump: &Sshd) -> Target {
    Target {
        jump: Some(Box::new(target(jump))),
        ..target(host)
    }
}

#[test]
fn a_host_behind_a_jump_host_is_worked_on_through_it() {
    let net = Net::new();
    let jump = Sshd::start(&net);
    // Only who is on the server's own machine may log in: the client itself may not.
    let only_itself = format!("AllowUsers *@{SERVER}\n");
    let host = Sshd::start_with(&net, 2222, &["ed25519"], &only_itself);
    let target = behind(&host, &jump);
    net.block_on(async {
        let direct = Target {
            jump: None,
            ..target.clone()
        };
        let refused = SshConnector::new().connect(&direct).await.unwrap_err();
        assert!(matches!(refused, ConnectError::Auth { .. }), "{refused:?}");
        let mut host = connect(&target).await;
        // More than a window and every buffer on the way holds.
        let scripts = ["echo here", "head -c 5000000 /dev/zero | tr '\\0' x"];
        let mut batch = batch(&scripts);
        batch.items[1].cap = 6_000_000;
        let replies = host.run_with(&batch, |_, _| {}).await.unwrap();
        assert_eq!(exits(&replies), [0, 0].map(Exit::Code));
        assert_eq!(replies[1].stdout.bytes.len(), 5_000_000);
        host.close().await;
    });
}

#[test]
fn both_keys_are_checked_on_the_way_through_a_jump_host() {
    let net = Net::new();
    let jump = Sshd::start(&net);
    let host = Sshd::start_with(&net, 2222, &["ed25519"], "");
    let swapped = |target: Target, by: &Sshd, name: &str| Target {
        known_hosts: vec![by.write_known_hosts(&format!("{name} {}\n", by.public("id.pub")))],
        ..target
    };
    let good = behind(&host, &jump);
    let bad_host = swapped(good.clone(), &host, &host.name());
    let bad_jump = Target {
        jump: Some(Box::new(swapped(target(&jump), &jump, &jump.name()))),
        ..good
    };
    net.block_on(async {
        for target in [bad_host, bad_jump] {
            let refused = SshConnector::new().connect(&target).await.unwrap_err();
            assert!(matches!(refused, ConnectError::HostKey(_)), "{refused:?}");
        }
    });
}

#[test]
fn a_jump_host_that_cannot_reach_the_host_is_named() {
    let net = Net::new();
    let jump = Sshd::start(&net);
    let target = Target {
        port: 2222,
        ..behind(&jump, &jump)
    };
    net.block_on(async {
        let failed = SshConnector::new().connect(&target).await.unwrap_err();
        let told = std::error::Error::source(&failed).map(ToString::to_string);
        assert!(told.unwrap().contains("cannot reach"), "{failed:?}");
    });
}
