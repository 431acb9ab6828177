//! The prober against servers that misbehave on purpose, each in its own way.

mod env;
mod redirects;
pub(in crate::probe) mod server;
pub(in crate::probe) mod tls;

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use self::server::{Server, drain, read_request, reset};
use super::*;
use crate::probe::Pin;

/// Long enough for a loaded machine.
const LONG: Duration = Duration::from_secs(20);
/// For servers that never answer.
const SHORT: Duration = Duration::from_millis(400);

fn request(url: &str, deadline: Duration) -> HttpRequest {
    HttpRequest {
        url: url.to_owned(),
        contains: Vec::new(),
        redirects: 0,
        body_limit: 1 << 20,
        verify_tls: true,
        deadline,
        pin: None,
    }
}

async fn see(request: &HttpRequest) -> HttpSeen {
    RemoteProber::new().http(request).await.unwrap()
}

async fn fail(request: &HttpRequest) -> HttpFailure {
    match see(request).await.end {
        HttpEnd::Failed(failure) => failure,
        HttpEnd::Answered(answer) => panic!("answered: {answer:?}"),
    }
}

async fn answer(request: &HttpRequest) -> HttpAnswer {
    match see(request).await.end {
        HttpEnd::Answered(answer) => answer,
        HttpEnd::Failed(failure) => panic!("failed: {failure:?}"),
    }
}

/// What a server that reads the request, says this and closes in order makes the prober see.
async fn after(said: &'static [u8]) -> HttpFailure {
    let server = Server::saying(said).await;
    fail(&request(&server.url("/"), LONG)).await
}

#[tokio::test]
async fn an_answer_is_told_in_full() {
    let server = Server::saying(
        b"HTTP/1.1 404 Not Found\r\nServer: Apache/2.2.15 (CentOS)\r\nContent-Length: 3\r\n\r\nabc",
    )
    .await;
    let mut request = request(&server.url("/x?y#z"), LONG);
    request.contains = vec!["bc".into(), "BC".into()];
    let seen = see(&request).await;
    assert_eq!(seen.peer, Some(server.address.to_string()));
    assert!(seen.elapsed < LONG);
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let answer = HttpAnswer {
        status: 404,
        server: Some("Apache/2.2.15 (CentOS)".into()),
        location: None,
        bytes: 3,
        sha256: Some(sha256.into()),
        contained: vec![true, false],
    };
    assert_eq!(seen.end, HttpEnd::Answered(answer));
    let asked = server.requests().join("");
    assert!(asked.starts_with("GET /x?y HTTP/1.1\r\n"), "{asked}");
    assert!(!asked.to_lowercase().contains("accept-encoding"), "{asked}");
    assert!(
        asked.contains(&format!("host: {}\r\n", server.address)),
        "{asked}"
    );
}

#[tokio::test]
async fn bodies_end_by_length_by_chunks_or_by_an_orderly_close() {
    for said in [
        b"HTTP/1.0 200 OK\r\n\r\nabc".as_slice(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    ] {
        let server = Server::saying(said).await;
        let answer = answer(&request(&server.url("/"), LONG)).await;
        assert_eq!((answer.status, answer.bytes), (200, 3));
    }
}

#[tokio::test]
async fn nothing_listening_is_refused() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let seen = see(&request(&format!("http://{address}/"), LONG)).await;
    assert_eq!(seen.peer, Some(address.to_string()));
    let HttpEnd::Failed(failure) = seen.end else {
        panic!("answered");
    };
    assert_eq!(failure.phase, HttpPhase::Refused);
    assert!(failure.detail.contains("os error 111"), "{failure:?}");
}

#[tokio::test]
async fn an_accepted_and_silent_connection_is_a_first_byte_timeout() {
    let server = Server::start(async |mut stream| drain(&mut stream).await).await;
    let failure = fail(&request(&server.url("/"), SHORT)).await;
    assert_eq!(failure.phase, HttpPhase::FirstByteTimeout);
    assert_eq!(failure.bytes, 0);
}

/// The fault of 2013: the kernel completes the handshake, and the server never calls accept.
#[tokio::test]
async fn a_server_that_never_accepts_is_a_first_byte_timeout() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let failure = fail(&request(&url, SHORT)).await;
    assert_eq!(failure.phase, HttpPhase::FirstByteTimeout);
}

#[tokio::test]
async fn a_full_backlog_is_a_connect_timeout() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    // The kernel holds one more than the backlog; the next first packet is dropped.
    while let Ok(stream) = timeout_at(Instant::now() + SHORT, TcpStream::connect(address)).await {
        held.push(stream.unwrap());
    }
    let failure = fail(&request(&format!("http://{address}/"), SHORT)).await;
    assert_eq!(failure.phase, HttpPhase::ConnectTimeout, "{failure:?}");
}

#[tokio::test]
async fn an_orderly_close_without_a_byte_is_no_data() {
    let failure = after(b"").await;
    assert_eq!((failure.phase, failure.bytes), (HttpPhase::NoData, 0));
    // Closed for writing before the request is read.
    let server = Server::start(async |mut stream| {
        stream.shutdown().await.unwrap();
        drain(&mut stream).await;
    })
    .await;
    let failure = fail(&request(&server.url("/"), LONG)).await;
    assert_eq!((failure.phase, failure.bytes), (HttpPhase::NoData, 0));
}

/// Left unread, the request makes the server's kernel reset the connection.
#[tokio::test]
async fn closing_over_an_unread_request_is_a_reset() {
    let server = Server::start(async |stream| {
        stream.peek(&mut [0]).await.unwrap();
        drop(stream);
    })
    .await;
    let failure = fail(&request(&server.url("/"), LONG)).await;
    assert_eq!((failure.phase, failure.bytes), (HttpPhase::Reset, 0));
}

#[tokio::test]
async fn accepting_and_closing_at_once_is_no_data_or_a_reset_and_nothing_else() {
    let server = Server::start(async |stream| drop(stream)).await;
    for _ in 0..50 {
        let failure = fail(&request(&server.url("/"), LONG)).await;
        assert!(
            matches!(failure.phase, HttpPhase::NoData | HttpPhase::Reset),
            "{failure:?}"
        );
        assert_eq!(failure.bytes, 0);
    }
}

/// What reqwest alone loses: see `relay`.
#[tokio::test]
async fn a_reset_is_a_reset_however_early_it_comes() {
    let at_once = Server::start(async |stream| reset(stream)).await;
    let after_reading = Server::start(async |mut stream| {
        read_request(&mut stream).await;
        reset(stream);
    })
    .await;
    for server in [at_once, after_reading] {
        for _ in 0..50 {
            let failure = fail(&request(&server.url("/"), LONG)).await;
            assert_eq!((failure.phase, failure.bytes), (HttpPhase::Reset, 0));
        }
    }
}

#[tokio::test]
async fn a_reset_within_an_answer_is_a_reset_with_the_bytes_before_it() {
    for said in [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Le",
    ] {
        let server = Server::start(async move |mut stream| {
            read_request(&mut stream).await;
            stream.write_all(said.as_bytes()).await.unwrap();
            reset(stream);
        })
        .await;
        let failure = fail(&request(&server.url("/"), LONG)).await;
        assert_eq!(failure.phase, HttpPhase::Reset, "{said:?}: {failure:?}");
        assert_eq!(failure.bytes, said.len() as u64, "{said:?}");
    }
}

#[tokio::test]
async fn an_answer_cut_off_in_order_is_a_cut_body() {
    for said in [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".as_slice(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nServer: cut",
        b"H",
    ] {
        let failure = after(said).await;
        assert_eq!(failure.phase, HttpPhase::Body, "{failure:?}");
        assert_eq!(failure.bytes, said.len() as u64);
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_failure() {
    for said in [
        b"SSH-2.0-OpenSSH_5.3\r\n".as_slice(),
        b"<html>HTTP/0.9</html>\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    ] {
        let failure = after(said).await;
        assert_eq!(failure.phase, HttpPhase::Protocol, "{said:?}: {failure:?}");
    }
}

/// A banner that comes before the request is sent has no better luck by its timing.
#[tokio::test]
async fn a_server_that_speaks_first_is_a_protocol_failure() {
    let server = Server::start(async |mut stream| {
        stream.write_all(b"220 mail ESMTP\r\n").await.unwrap();
        drain(&mut stream).await;
    })
    .await;
    for _ in 0..20 {
        let failure = fail(&request(&server.url("/"), LONG)).await;
        assert_eq!(failure.phase, HttpPhase::Protocol, "{failure:?}");
    }
}

/// An answer to nobody's question is an answer all the same, whenever it comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_before_the_request_is_one() {
    let server = Server::start(async |mut stream| {
        let said = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(said).await.unwrap();
        drain(&mut stream).await;
    })
    .await;
    for _ in 0..50 {
        assert_eq!(answer(&request(&server.url("/"), LONG)).await.status, 408);
    }
}

/// A reader deadline alone would let a byte a second through for ever.
#[tokio::test]
async fn dripping_and_stalling_end_at_the_deadline() {
    for (head, drip) in [
        ("HTTP/1.1 200 OK\r\nX: ", "x"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", "x"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nabc", ""),
    ] {
        let server = Server::start(async move |mut stream| {
            read_request(&mut stream).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            while stream.write_all(drip.as_bytes()).await.is_ok() {
                tick.tick().await;
            }
        })
        .await;
        let started = Instant::now();
        let failure = fail(&request(&server.url("/"), SHORT)).await;
        assert_eq!(failure.phase, HttpPhase::Body, "{failure:?}");
        assert!(failure.bytes >= head.len() as u64);
        assert!(started.elapsed() < SHORT * 5, "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_by_its_limit() {
    for (head, phase) in [
        ("HTTP/1.1 200 OK\r\n\r\n", HttpPhase::BodyTooLong),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
            HttpPhase::BodyTooLong,
        ),
        ("HTTP/1.1 200 OK\r\nX: ", HttpPhase::Protocol),
    ] {
        let server = Server::start(async move |mut stream| {
            read_request(&mut stream).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        })
        .await;
        let failure = fail(&request(&server.url("/"), LONG)).await;
        assert_eq!(failure.phase, phase, "{failure:?}");
        assert!(failure.bytes < 4 << 20, "{failure:?}");
    }
}

#[tokio::test]
async fn the_limit_itself_is_allowed() {
    let server = Server::saying(b"HTTP/1.0 200 OK\r\n\r\nabc").await;
    let mut request = request(&server.url("/"), LONG);
    request.body_limit = 3;
    assert_eq!(answer(&request).await.bytes, 3);
    request.body_limit = 2;
    assert_eq!(fail(&request).await.phase, HttpPhase::BodyTooLong);
}

#[tokio::test]
async fn a_compressed_body_is_taken_as_it_is() {
    // gzip of "abc"; decoded it would hold the needle.
    let server = Server::saying(
        b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\x02\x03\x4b\x4c\x4a\x06\0\xc2\x41\x24\x35\x03\0\0\0",
    )
    .await;
    let mut request = request(&server.url("/"), LONG);
    request.contains = vec!["abc".into()];
    let answer = answer(&request).await;
    assert_eq!((answer.bytes, answer.contained), (23, vec![false]));
}

#[tokio::test]
async fn names_are_pinned_or_resolved_and_failing_to_is_dns() {
    let server = Server::saying(b"HTTP/1.0 200 OK\r\n\r\n").await;
    let port = server.address.port();
    let mut pinned = request(&format!("http://Web1.example:{port}/"), LONG);
    pinned.pin = Some(Pin {
        name: "web1.EXAMPLE".into(),
        address: server.address.ip(),
    });
    assert_eq!(answer(&pinned).await.status, 200);
    let asked = server.requests().join("");
    assert!(
        asked.contains(&format!("host: web1.example:{port}\r\n")),
        "{asked}"
    );
    let localhost = request(&format!("http://localhost:{port}/"), LONG);
    assert_eq!(answer(&localhost).await.status, 200);
    let unknown = fail(&request("http://no-such.invalid/", LONG)).await;
    assert_eq!(unknown.phase, HttpPhase::Dns, "{unknown:?}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_our_trouble() {
    for url in ["", "/x", "ftp://web1/", "http://", "web1:80"] {
        let e = RemoteProber::new().http(&request(url, LONG)).await;
        assert!(matches!(e, Err(ProbeError::Url { .. })), "{url}: {e:?}");
    }
}

#[tokio::test]
async fn the_connection_is_closed_after_every_outcome() {
    let (gone, mut left) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start(move |mut stream| {
        let gone = gone.clone();
        async move {
            let asked = read_request(&mut stream).await;
            if !asked.contains("/silent") {
                let said = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
                stream.write_all(said).await.unwrap();
            }
            let n = stream.read(&mut [0]).await.unwrap_or(0);
            gone.send(n).unwrap();
        }
    })
    .await;
    see(&request(&server.url("/"), LONG)).await;
    see(&request(&server.url("/silent"), SHORT)).await;
    for _ in 0..2 {
        let n = timeout_at(Instant::now() + LONG, left.recv()).await;
        assert_eq!(n.unwrap(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_at_once_do_not_mix() {
    let server = Server::start(async |mut stream| {
        let asked = read_request(&mut stream).await;
        let path = asked.split(' ').nth(1).unwrap_or_default();
        let said = format!("HTTP/1.0 200 OK\r\n\r\n[{path}]");
        stream.write_all(said.as_bytes()).await.unwrap();
    })
    .await;
    let prober = std::sync::Arc::new(RemoteProber::new());
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..100 {
        let mut request = request(&server.url(&format!("/{i}")), LONG);
        request.contains = vec![format!("[/{i}]")];
        let prober = std::sync::Arc::clone(&prober);
        tasks.spawn(async move { prober.http(&request).await.unwrap().end });
    }
    for end in tasks.join_all().await {
        let HttpEnd::Answered(answer) = end else {
            panic!("{end:?}");
        };
        assert_eq!(answer.contained, [true]);
    }
}
