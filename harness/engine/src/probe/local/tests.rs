//! The control's script run by a real `sh`, with real tools, against servers that misbehave.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Stdio};

use patchgate_core::observation::HttpAnswer;
use tokio::{io::AsyncWriteExt, net::TcpListener, process::Command};

use super::*;
use crate::probe::http::tests::{
    server::{Server, drain, read_request, reset},
    tls,
};

const DEADLINE: Duration = Duration::from_secs(20);

/// What a test's servers are asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Curl,
    /// One that knows none of the options that came after 7.19.
    OldCurl,
    Bash,
    Neither,
}

const OLD_CURL: &str = "#!/bin/sh
case \"$*\" in
*--resolve*|*--http1.1*) echo 'curl: option --resolve: is unknown' >&2; exit 2 ;;
esac
exec /usr/bin/curl \"$@\"
";

/// A directory with what the base system has, and with the tool or without.
fn path_with(tool: Tool) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut names = vec!["head", "base64", "cat", "date", "sed", "timeout"];
    match tool {
        Tool::Curl => names.push("curl"),
        Tool::Bash => names.push("bash"),
        Tool::Neither => {}
        Tool::OldCurl => {
            let curl = dir.path().join("curl");
            std::fs::write(&curl, OLD_CURL).unwrap();
            std::fs::set_permissions(&curl, PermissionsExt::from_mode(0o755)).unwrap();
        }
    }
    for name in names {
        let real = Path::new("/usr/bin").join(name);
        std::os::unix::fs::symlink(real, dir.path().join(name)).unwrap();
    }
    dir
}

fn request(url: &str) -> HttpRequest {
    HttpRequest {
        url: url.to_owned(),
        contains: Vec::new(),
        redirects: 0,
        body_limit: 1000,
        verify_tls: true,
        deadline: DEADLINE,
        pin: None,
    }
}

/// Runs the script as a host would, with a hostile environment.
async fn run(probe: &LocalProbe, tool: Tool) -> CommandSeen {
    let path = path_with(tool);
    // Debian's sh is dash, Enterprise Linux's is bash in its POSIX mode.
    let mut sh = match tool {
        Tool::Curl | Tool::Neither => Command::new("/bin/dash"),
        Tool::OldCurl | Tool::Bash => Command::new("/bin/bash"),
    };
    if matches!(tool, Tool::OldCurl | Tool::Bash) {
        sh.arg("--posix");
    }
    sh.args(["-c", &probe.script()])
        .env_clear()
        .env("PATH", path.path())
        .env("http_proxy", "http://127.0.0.1:1")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let out = tokio::time::timeout(DEADLINE * 2, sh.output()).await;
    let out = out.unwrap().unwrap();
    CommandSeen {
        end: CommandEnd::Exited(out.status.code().unwrap().try_into().unwrap()),
        stdout: String::from_utf8(out.stdout).unwrap(),
        stderr: String::from_utf8(out.stderr).unwrap(),
        dropped: 0,
        elapsed: Duration::ZERO,
    }
}

async fn see(request: &HttpRequest, tool: Tool) -> HttpSeen {
    let probe = LocalProbe::new(request).unwrap();
    let ran = run(&probe, tool).await;
    assert_eq!(ran.stderr, "", "{}", probe.script());
    probe
        .read(&ran)
        .unwrap_or_else(|e| panic!("{e}: {}", ran.stdout))
}

async fn answer(request: &HttpRequest, tool: Tool) -> HttpAnswer {
    match see(request, tool).await.end {
        HttpEnd::Answered(answer) => answer,
        HttpEnd::Failed(failure) => panic!("{tool:?}: {failure:?}"),
    }
}

async fn phase(url: &str, deadline: Duration, tool: Tool) -> HttpPhase {
    let mut request = request(url);
    request.deadline = deadline;
    match see(&request, tool).await.end {
        HttpEnd::Failed(failure) => failure.phase,
        HttpEnd::Answered(answer) => panic!("{tool:?}: {answer:?}"),
    }
}

#[tokio::test]
async fn the_control_tells_what_the_remote_client_tells() {
    let server = Server::saying(
        b"HTTP/1.1 403 Forbidden\r\nServer: Apache/2.2.15 (CentOS)\r\nContent-Length: 25\r\n\r\na \xff\0body\n@patchgate rc=7\r\n\r\n",
    )
    .await;
    let port = server.address.port();
    // The name is not resolved: the control goes to 127.0.0.1 whatever it means.
    let mut request = request(&format!("http://web1.invalid:{port}/it's?a=$(id)&b='c'"));
    request.contains = vec!["body\n@patch".into(), "absent".into()];
    let mut whole = HttpAnswer {
        status: 403,
        server: Some("Apache/2.2.15 (CentOS)".into()),
        location: None,
        bytes: 25,
        sha256: None,
        contained: vec![true, false],
    };
    let body = b"a \xff\0body\n@patchgate rc=7\r\n\r\n";
    let digest = openssl::sha::sha256(&body[..25]);
    whole.sha256 = Some(crate::probe::body::hex(&digest));
    for tool in [Tool::Curl, Tool::Bash] {
        let seen = see(&request, tool).await;
        assert_eq!(seen.peer, Some(format!("127.0.0.1:{port}")));
        assert!(seen.elapsed > Duration::ZERO);
        assert_eq!(seen.end, HttpEnd::Answered(whole.clone()), "{tool:?}");
    }
    for asked in server.requests() {
        let line = asked.lines().next().unwrap();
        assert!(
            line.starts_with("GET /it's?a=$(id)&b=%27c%27 HTTP/1."),
            "{asked}"
        );
        let host = format!("Host: web1.invalid:{port}\r\n");
        assert!(asked.contains(&host), "{asked}");
        assert!(asked.contains("User-Agent: patchgate/"), "{asked}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_whole() {
    for said in [
        b"HTTP/1.1 204 No Content\r\n\r\n".as_slice(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ] {
        let server = Server::saying(said).await;
        for tool in [Tool::Curl, Tool::Bash] {
            assert_eq!(answer(&request(&server.url("/")), tool).await.bytes, 0);
        }
    }
}

#[tokio::test]
async fn what_a_server_says_and_then_closes_has_the_remote_phases() {
    for (said, phases) in [
        (b"".as_slice(), [HttpPhase::NoData; 2]),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            [HttpPhase::Body; 2],
        ),
        (b"SSH-2.0-OpenSSH_5.3\r\n", [HttpPhase::Protocol; 2]),
    ] {
        let server = Server::saying(said).await;
        for (tool, want) in [Tool::Curl, Tool::Bash].into_iter().zip(phases) {
            let got = phase(&server.url("/"), DEADLINE, tool).await;
            assert_eq!(got, want, "{tool:?}: {said:?}");
        }
    }
}

#[tokio::test]
async fn refused_reset_and_silent_are_told_apart() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let backlog = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/", backlog.local_addr().unwrap());
    let resets = Server::start(async |mut stream| {
        read_request(&mut stream).await;
        reset(stream);
    })
    .await;
    let stalls = Server::start(async |mut stream| {
        read_request(&mut stream).await;
        let said = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
        stream.write_all(said).await.unwrap();
        drain(&mut stream).await;
    })
    .await;
    let second = Duration::from_secs(1);
    for tool in [Tool::Curl, Tool::Bash] {
        for (url, deadline, want) in [
            (&refused, DEADLINE, HttpPhase::Refused),
            (&resets.url("/"), DEADLINE, HttpPhase::Reset),
            (&silent, second, HttpPhase::FirstByteTimeout),
            (&stalls.url("/"), second, HttpPhase::Body),
        ] {
            assert_eq!(phase(url, deadline, tool).await, want, "{tool:?}");
        }
    }
}

/// Which of the two it is depends on whether the request had come when the server closed.
#[tokio::test]
async fn closing_at_once_is_no_data_or_a_reset_and_nothing_else() {
    let closes = Server::start(async |stream| drop(stream)).await;
    let resets = Server::start(async |stream| reset(stream)).await;
    for url in [closes.url("/"), resets.url("/")] {
        for tool in [Tool::Curl, Tool::Bash].repeat(10) {
            let got = phase(&url, DEADLINE, tool).await;
            assert!(
                matches!(got, HttpPhase::NoData | HttpPhase::Reset),
                "{tool:?}: {got:?}"
            );
        }
    }
}

#[tokio::test]
async fn endless_answers_are_cut_and_the_limit_itself_is_allowed() {
    let body = Server::start(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await.unwrap();
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let exact = Server::saying(b"HTTP/1.0 200 OK\r\n\r\nabc").await;
    for tool in [Tool::Curl, Tool::Bash] {
        let got = phase(&body.url("/"), DEADLINE, tool).await;
        assert_eq!(got, HttpPhase::BodyTooLong, "{tool:?}");
        let mut request = request(&exact.url("/"));
        request.body_limit = 3;
        assert_eq!(answer(&request, tool).await.bytes, 3);
        request.body_limit = 2;
        let seen = see(&request, tool).await;
        assert!(
            matches!(&seen.end, HttpEnd::Failed(f) if f.phase == HttpPhase::BodyTooLong),
            "{seen:?}"
        );
        // The check allows more than the control can carry: no claim either way.
        request.url = body.url("/");
        request.body_limit = 1 << 30;
        let probe = LocalProbe::new(&request).unwrap();
        let ran = run(&probe, tool).await;
        assert_eq!(probe.read(&ran), Err(LocalError::TooLong));
    }
}

#[tokio::test]
async fn endless_heads_are_no_answers() {
    let server = Server::start(async |mut stream| {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.0 200 OK\r\n").await.unwrap();
        while stream.write_all(b"X-Padding: abcdef\r\n").await.is_ok() {}
    })
    .await;
    for tool in [Tool::Curl, Tool::Bash] {
        let got = phase(&server.url("/"), DEADLINE, tool).await;
        assert_eq!(got, HttpPhase::Protocol, "{tool:?}");
    }
}

#[tokio::test]
async fn tls_is_asked_by_name_and_verified_when_it_must_be() {
    let server = tls::self_signed("web1.invalid").await;
    let url = format!("https://web1.invalid:{}/", server.address.port());
    let verified = request(&url);
    let mut trusting = request(&url);
    trusting.verify_tls = false;
    for tool in [Tool::Curl, Tool::OldCurl] {
        assert_eq!(answer(&trusting, tool).await.bytes, 3, "{tool:?}");
    }
    assert_eq!(phase(&url, DEADLINE, Tool::Curl).await, HttpPhase::Tls);
    let probe = LocalProbe::new(&verified).unwrap();
    let ran = run(&probe, Tool::OldCurl).await;
    assert_eq!(probe.read(&ran), Err(LocalError::OldCurl));
}

#[tokio::test]
async fn a_host_without_a_client_is_our_trouble() {
    for (url, tool) in [
        ("http://127.0.0.1:1/", Tool::Neither),
        ("https://127.0.0.1:1/", Tool::Bash),
    ] {
        let probe = LocalProbe::new(&request(url)).unwrap();
        let ran = run(&probe, tool).await;
        assert_eq!(probe.read(&ran), Err(LocalError::NoClient));
    }
}

#[tokio::test]
async fn redirects_are_followed_by_the_remote_rules() {
    let server = Server::start(async |mut stream| {
        let asked = read_request(&mut stream).await;
        let said = match asked.split(' ').nth(1).unwrap() {
            "/end" => "HTTP/1.0 200 OK\r\n\r\nend",
            "/away" => "HTTP/1.0 302 Found\r\nLocation: http://elsewhere/\r\n\r\n",
            _ => "HTTP/1.0 302 Found\r\nLocation: /end\r\n\r\n",
        };
        stream.write_all(said.as_bytes()).await.unwrap();
    })
    .await;
    let mut asked = request(&server.url("/start"));
    asked.redirects = 1;
    let probe = LocalProbe::new(&asked).unwrap();
    let seen = probe.read(&run(&probe, Tool::Curl).await).unwrap();
    let Next::Again(probe) = probe.next(seen) else {
        panic!("not followed");
    };
    let seen = probe.read(&run(&probe, Tool::Curl).await).unwrap();
    let Next::Done(seen) = probe.next(seen) else {
        panic!("followed on");
    };
    assert!(matches!(&seen.end, HttpEnd::Answered(a) if a.status == 200));
    asked.url = server.url("/away");
    let probe = LocalProbe::new(&asked).unwrap();
    let seen = probe.read(&run(&probe, Tool::Curl).await).unwrap();
    let Next::Done(seen) = probe.next(seen) else {
        panic!("led away");
    };
    assert!(matches!(&seen.end, HttpEnd::Failed(f) if f.phase == HttpPhase::Redirect));
}

fn ran(stdout: &str) -> CommandSeen {
    CommandSeen {
        end: CommandEnd::Exited(0),
        stdout: stdout.to_owned(),
        stderr: String::new(),
        dropped: 0,
        elapsed: Duration::ZERO,
    }
}

#[test]
fn what_the_script_cannot_have_said_is_our_trouble() {
    let probe = LocalProbe::new(&request("http://web1/")).unwrap();
    for stdout in [
        "",
        "tool=wget\n",
        "tool=curl\n",
        "tool=curl\n!!!!\n",
        "tool=bash\naGVsbG8=\n",
        "tool=bash\n1\naGVsbG8=\n2\n",
        "tool=curl\nCkBwYXRjaGdhdGUgIHJjPTAK\n",
    ] {
        let read = probe.read(&ran(stdout));
        assert!(read.is_err(), "{stdout:?}: {read:?}");
    }
    let old = probe.read(&ran("tool=curl-old\n"));
    assert_eq!(old, Err(LocalError::OldCurl));
    let mut late = ran("tool=curl\n");
    late.end = CommandEnd::DeadlineExceeded;
    assert_eq!(
        probe.read(&late),
        Err(LocalError::Script(CommandEnd::DeadlineExceeded))
    );
}

type Said = (u8, &'static str, &'static str, u64, u64, Option<HttpPhase>);

/// The words of several versions of curl, as they print them: status, note, complaint, bytes of the
/// head and of the body, and what they mean; none where they say nothing of the service.
#[rustfmt::skip]
const CURL_SAYS: &[Said] = &[
    (6, "*   Trying 127.0.0.1:80...", "Couldn't resolve host 'web1'", 0, 0, Some(HttpPhase::Dns)),
    (7, "*   Trying 127.0.0.1... Connection refused", "couldn't connect to host", 0, 0, Some(HttpPhase::Refused)),
    (7, "*   Trying 127.0.0.1:80...", "Failed connect to 127.0.0.1:80; Connection refused", 0, 0, Some(HttpPhase::Refused)),
    (7, "*   Trying 127.0.0.1:80...", "Failed connect to 127.0.0.1:80; No route to host", 0, 0, Some(HttpPhase::Unreachable)),
    (7, "* getpeername() failed with errno 107: Transport endpoint is not connected", "Failed to connect to 127.0.0.1 port 80 after 1 ms: Couldn't connect to server", 0, 0, Some(HttpPhase::Reset)),
    (7, "* Immediate connect fail for 127.0.0.1: Network is unreachable", "Failed to connect to 127.0.0.1 port 80 after 0 ms: Couldn't connect to server", 0, 0, Some(HttpPhase::Unreachable)),
    (7, "*   Trying 127.0.0.1:80...", "Failed to connect to 127.0.0.1 port 80 after 0 ms: Couldn't connect to server", 0, 0, None),
    (7, "* connect to 127.0.0.1 port 80 failed: Connection refused", "Failed to connect to 127.0.0.1 port 80 after 0 ms: Couldn't connect to server", 0, 0, Some(HttpPhase::Refused)),
    (28, "*   Trying 127.0.0.1:80...", "connect() timed out!", 0, 0, Some(HttpPhase::ConnectTimeout)),
    (28, "*   Trying 127.0.0.1:80...", "Connection timed out after 1001 milliseconds", 0, 0, Some(HttpPhase::ConnectTimeout)),
    (28, "*   Trying 127.0.0.1... connected", "Operation timed out after 1001 milliseconds with 0 bytes received", 0, 0, Some(HttpPhase::FirstByteTimeout)),
    (28, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "Operation timed out after 1001 milliseconds with 0 bytes received", 0, 0, Some(HttpPhase::FirstByteTimeout)),
    (28, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "Operation timed out after 1001 milliseconds with 3 out of 9 bytes received", 38, 3, Some(HttpPhase::Body)),
    (52, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "Empty reply from server", 0, 0, Some(HttpPhase::NoData)),
    (56, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "Failure when receiving data from the peer", 0, 0, Some(HttpPhase::NoData)),
    (56, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "Recv failure: Connection reset by peer", 0, 0, Some(HttpPhase::Reset)),
    (56, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "Recv failure: Connection reset by peer", 38, 3, Some(HttpPhase::Reset)),
    (18, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "transfer closed with 6 bytes remaining to read", 38, 3, Some(HttpPhase::Body)),
    (1, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "Received HTTP/0.9 when not allowed", 0, 21, Some(HttpPhase::Protocol)),
    (35, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "OpenSSL SSL_connect: Connection reset by peer in connection to 127.0.0.1:443", 0, 0, Some(HttpPhase::Reset)),
    (35, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to 127.0.0.1:443", 0, 0, Some(HttpPhase::NoData)),
    (35, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "error:0A00010B:SSL routines::wrong version number", 0, 0, Some(HttpPhase::Tls)),
    (60, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "SSL certificate problem: self signed certificate", 0, 0, Some(HttpPhase::Tls)),
    (60, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "Peer certificate cannot be authenticated with known CA certificates", 0, 0, Some(HttpPhase::Tls)),
    (51, "* Connected to 127.0.0.1 (127.0.0.1) port 80 (#0)", "SSL: certificate subject name 'a' does not match target host name 'b'", 0, 0, Some(HttpPhase::Tls)),
    (2, "*   Trying 127.0.0.1:80...", "Failed initialization", 0, 0, None),
    (27, "*   Trying 127.0.0.1:80...", "Out of memory", 0, 0, None),
];

#[test]
fn curls_statuses_are_read_across_versions() {
    let probe = LocalProbe::new(&request("https://web1/")).unwrap();
    for (rc, note, said, head, body, want) in CURL_SAYS {
        let complaint = format!("curl: ({rc}) {said}");
        let more = "curl: (HTTP server doesn't seem to support byte ranges.)";
        let raw = format!(
            "\n@figures total=1.000 body={body} head={head}{MARK}rc={rc}\n\
             {note}\n{complaint}\n{more}\n"
        );
        let read = curl::read(&probe, raw.as_bytes()).map(|told| told.end);
        let told = match want {
            Some(phase) => Ok(failed(*phase, &complaint, head + body)),
            None => Err(LocalError::Curl(*rc, complaint.clone())),
        };
        assert_eq!(read, told, "{raw}");
    }
}
