//! Remote clients and the control against a real Apache, with a real network between them: the faults
//! that the two vantages must tell apart. Needs root, `ip`, `nft`, `curl` and Apache 2.4.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test's helper may panic, and its child half talks over stdout"
)]

#[path = "support_http/net.rs"]
mod support;

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Stdio,
    time::Duration,
};

use patchgate_core::observation::{
    CommandEnd, CommandSeen, HttpEnd, HttpPhase, HttpSeen, Observation,
};
use patchgate_engine::probe::{
    HttpRequest, Prober, RemoteProber,
    local::{LocalProbe, Next},
    observation,
};
use rustix::process::Signal;
use support::{Apache, LONG, NONCE, Net, SERVER, run};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout},
};

/// For servers that never answer; more than a second, so that a lost first packet is sent again.
const SHORT: Duration = Duration::from_secs(2);

fn request(url: &str, deadline: Duration) -> HttpRequest {
    HttpRequest {
        url: url.to_owned(),
        contains: vec![NONCE.to_owned()],
        redirects: 0,
        body_limit: 1 << 16,
        verify_tls: true,
        deadline,
        pin: None,
    }
}

/// Asks as a client on the other end of the cable.
async fn remote(net: &Net, url: &str, deadline: Duration) -> HttpSeen {
    match observed(net, url, deadline).await {
        Observation::Http(seen) => seen,
        other => panic!("{url}: {other:?}"),
    }
}

/// What the record would hold of a client's request.
async fn observed(net: &Net, url: &str, deadline: Duration) -> Observation {
    let mut child = net.client(std::env::current_exe().unwrap());
    child
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env("PATCHGATE_TEST_ROLE", "probe")
        .env("PATCHGATE_TEST_URL", url)
        .env("PATCHGATE_TEST_MS", deadline.as_millis().to_string());
    let out = String::from_utf8(run(&mut child).await.stdout).unwrap();
    let told = out.lines().find_map(|l| l.strip_prefix("@seen "));
    serde_json::from_str(told.unwrap_or_else(|| panic!("{out}"))).unwrap()
}

/// Asks on the server itself.
async fn control(net: &Net, url: &str, deadline: Duration) -> HttpSeen {
    let probe = LocalProbe::new(&request(url, deadline)).unwrap();
    let script = probe.script();
    let out = run(net.server("/bin/bash").args(["--posix", "-c", &script])).await;
    let ran = CommandSeen {
        end: CommandEnd::Exited(0),
        stdout: String::from_utf8(out.stdout).unwrap(),
        stderr: String::from_utf8(out.stderr).unwrap(),
        dropped: 0,
        elapsed: Duration::ZERO,
    };
    match probe.next(probe.read(&ran).unwrap()) {
        Next::Done(seen) => seen,
        Next::Again(_) => panic!("redirected"),
    }
}

/// The phase, or none of a good answer.
fn phase(seen: &HttpSeen) -> Option<HttpPhase> {
    match &seen.end {
        HttpEnd::Failed(failure) => Some(failure.phase),
        HttpEnd::Answered(answer) => {
            assert_eq!((answer.status, &answer.contained[..]), (200, &[true][..]));
            None
        }
    }
}

/// Both vantages, remote first.
async fn both(net: &Net, deadline: Duration) -> (Option<HttpPhase>, Option<HttpPhase>) {
    let url = page();
    let remote = remote(net, &url, deadline).await;
    let control = control(net, &url, deadline).await;
    (phase(&remote), phase(&control))
}

fn page() -> String {
    format!("http://{SERVER}/page")
}

#[tokio::test]
async fn a_healthy_server_gives_both_vantages_the_same_answer() {
    let net = Net::up().await;
    let apache = Apache::start(&net, "80").await;
    let from_afar = remote(&net, &page(), LONG).await;
    let here = control(&net, &page(), LONG).await;
    assert_eq!(phase(&from_afar), None);
    assert_eq!(from_afar.end, here.end);
    assert_eq!(from_afar.peer, Some(format!("{SERVER}:80")));
    assert_eq!(here.peer.as_deref(), Some("127.0.0.1:80"));
    let six = remote(&net, "http://[fd00:213::2]/page", LONG).await;
    assert_eq!(six.end, here.end);
    assert_eq!(six.peer.as_deref(), Some("[fd00:213::2]:80"));
    apache.stop().await;
    assert_eq!(
        both(&net, LONG).await,
        (Some(HttpPhase::Refused), Some(HttpPhase::Refused))
    );
}

#[tokio::test]
async fn a_server_on_loopback_only_refuses_remote_clients_and_answers_the_control() {
    let net = Net::up().await;
    let _apache = Apache::start(&net, "127.0.0.1:80").await;
    assert_eq!(both(&net, LONG).await, (Some(HttpPhase::Refused), None));
}

/// What a client can know of a packet filter. A forged reset and a closed port are the same packet;
/// so is port-unreachable to connect(2), by its errno. Telling them apart takes the host's listeners.
#[tokio::test]
async fn a_packet_filter_is_seen_by_remote_clients_only() {
    let net = Net::up().await;
    let _apache = Apache::start(&net, "80").await;
    for (verdict, deadline, want) in [
        ("drop", SHORT, Some(HttpPhase::ConnectTimeout)),
        ("reject with tcp reset", LONG, Some(HttpPhase::Refused)),
        (
            "reject with icmpx port-unreachable",
            LONG,
            Some(HttpPhase::Refused),
        ),
        (
            "reject with icmpx admin-prohibited",
            LONG,
            Some(HttpPhase::Unreachable),
        ),
        (
            "reject with icmpx host-unreachable",
            LONG,
            Some(HttpPhase::Unreachable),
        ),
        (
            "reject with icmpx no-route",
            LONG,
            Some(HttpPhase::Unreachable),
        ),
        ("accept", LONG, None),
    ] {
        net.filter(verdict).await;
        assert_eq!(both(&net, deadline).await, (want, None), "{verdict}");
    }
}

/// The fault of 2013 as clients saw it: connections are taken by the kernel and never by httpd.
#[tokio::test]
async fn a_stopped_server_is_silent_to_both_vantages_and_recovers() {
    let net = Net::up().await;
    let apache = Apache::start(&net, "80").await;
    apache.signal(Signal::STOP);
    let silent = Some(HttpPhase::FirstByteTimeout);
    assert_eq!(both(&net, SHORT).await, (silent, silent));
    apache.signal(Signal::CONT);
    assert_eq!(both(&net, LONG).await, (None, None));
}

#[tokio::test]
async fn closing_and_resetting_are_told_apart_with_their_bytes() {
    let net = Net::up().await;
    for (role, phase, bytes) in [
        ("close", HttpPhase::NoData, 0),
        ("reset", HttpPhase::Reset, 20),
        ("cut", HttpPhase::Body, 40),
    ] {
        let _server = serve(&net, role).await;
        for seen in [
            remote(&net, &page(), LONG).await,
            control(&net, &page(), LONG).await,
        ] {
            let HttpEnd::Failed(failure) = &seen.end else {
                panic!("{role}: {seen:?}");
            };
            assert_eq!(failure.phase, phase, "{role}: {seen:?}");
            // curl counts only the lines of the head that are whole.
            let control = seen.peer.as_deref() == Some("127.0.0.1:80");
            assert!(control || failure.bytes == bytes, "{role}: {seen:?}");
        }
    }
}

#[tokio::test]
async fn a_missing_machine_is_unreachable() {
    let net = Net::up().await;
    let seen = remote(&net, "http://10.213.7.3/", LONG).await;
    let HttpEnd::Failed(failure) = &seen.end else {
        panic!("{seen:?}");
    };
    assert_eq!(failure.phase, HttpPhase::Unreachable, "{seen:?}");
    assert!(failure.detail.contains("os error 113"), "{seen:?}");
}

#[tokio::test]
async fn a_route_or_a_resolver_that_the_controller_lacks_says_nothing_of_the_host() {
    let net = Net::up().await;
    for (url, trouble) in [
        ("http://10.213.9.9/", "no route to 10.213.9.9"),
        ("http://web1.example.org/", "resolver does not answer"),
    ] {
        match observed(&net, url, LONG).await {
            Observation::Errored { why } => assert!(why.contains(trouble), "{url}: {why}"),
            other => panic!("{url}: {other:?}"),
        }
    }
}

/// Starts this program again as a raw server, and waits until it listens.
async fn serve(net: &Net, role: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut command = net.server(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env("PATCHGATE_TEST_ROLE", role)
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = async { while lines.next_line().await.unwrap().unwrap() != "@ready" {} };
    tokio::time::timeout(LONG, ready).await.expect("in time");
    (child, lines)
}

#[tokio::test]
#[ignore = "the child half of other tests"]
async fn child() {
    let var = |name: &str| std::env::var(name).unwrap();
    let role = var("PATCHGATE_TEST_ROLE");
    if role != "probe" {
        return raw_server(&role);
    }
    let deadline = Duration::from_millis(var("PATCHGATE_TEST_MS").parse().unwrap());
    let request = request(&var("PATCHGATE_TEST_URL"), deadline);
    let seen = observation(RemoteProber::new().http(&request).await);
    println!("\n@seen {}", serde_json::to_string(&seen).unwrap());
}

/// Treats two connections, one of each vantage.
fn raw_server(role: &str) {
    let listener = TcpListener::bind("0.0.0.0:80").unwrap();
    println!("\n@ready");
    for stream in listener.incoming().take(2) {
        let mut stream = stream.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let said = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcd";
        match role {
            "close" => {}
            "cut" => stream.write_all(&said[..40]).unwrap(),
            "reset" => {
                stream.write_all(&said[..20]).unwrap();
                let none = Some(Duration::ZERO);
                rustix::net::sockopt::set_socket_linger(&stream, none).unwrap();
            }
            other => panic!("{other}"),
        }
    }
}
