//! The way to the server: name, TCP connection, TLS handshake, each with its own failure.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    pin::Pin,
    sync::Arc,
};

use openssl::ssl::{self, Ssl};
use patchgate_core::observation::{HttpFailure, HttpPhase};
use rustix::io::Errno;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};
use tokio_openssl::SslStream;

use super::{
    ProbeError, chain,
    tally::{Tallied, Tally},
};

/// Bytes in both directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that stands, TLS included, and has carried no HTTP yet.
pub(super) struct Wire {
    /// Where plain HTTP goes in and comes out.
    pub(super) stream: Box<dyn Stream>,
    /// What came in underneath.
    pub(super) tally: Arc<Tally>,
    /// Whether TLS is in between.
    pub(super) tls: bool,
}

/// Why something did not come about.
pub(super) enum Trouble {
    /// The host, or the network before it.
    Theirs(HttpFailure),
    /// The controller.
    Ours(ProbeError),
}

impl Trouble {
    /// A failure before a byte of the answer came.
    pub(super) fn theirs(phase: HttpPhase, detail: impl Into<String>) -> Self {
        Self::Theirs(HttpFailure {
            phase,
            detail: detail.into(),
            bytes: 0,
        })
    }
}

/// The addresses of a name.
pub(super) async fn resolve(
    name: &str,
    port: u16,
    deadline: Instant,
) -> Result<Vec<SocketAddr>, Trouble> {
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let dns = |detail: String| Trouble::theirs(HttpPhase::Dns, detail);
    let found = timeout_at(deadline, lookup_host((name, port))).await;
    let found: Vec<_> = found
        .map_err(|_| dns(format!("looking up `{name}` timed out")))?
        .map_err(|e| match is_resolver_silent(&e) {
            true => Trouble::Ours(ProbeError::Resolver(e)),
            false => dns(e.to_string()),
        })?
        .collect();
    match found.is_empty() {
        true => Err(dns(format!("`{name}` has no address"))),
        false => Ok(found),
    }
}

/// Whether the controller's own resolver gave no answer (`EAI_AGAIN`), which says nothing of the name. The
/// standard library hands on getaddrinfo's words and not its number.
fn is_resolver_silent(e: &io::Error) -> bool {
    let words = e.to_string();
    words.contains("Temporary failure in name resolution") || words.contains("Try again")
}

/// Whether the controller itself has no way to an address: a UDP socket that is connected looks the route
/// up and sends nothing.
fn has_no_route(address: SocketAddr) -> bool {
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let looked = UdpSocket::bind(any).and_then(|socket| socket.connect(address));
    let errno = looked.err().and_then(|e| Errno::from_io_error(&e));
    matches!(
        errno,
        Some(Errno::NETUNREACH | Errno::NETDOWN | Errno::AFNOSUPPORT)
    )
}

/// Connects to the first address that answers, each with its share of the time that is left, and says
/// in `tried` which address the outcome is about.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    deadline: Instant,
    tried: &mut Option<SocketAddr>,
) -> Result<TcpStream, Trouble> {
    let mut misses = Vec::new();
    for (i, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let left = u32::try_from(addresses.len() - i).unwrap_or(u32::MAX);
        let until = now + deadline.saturating_duration_since(now) / left;
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                *tried = Some(*address);
                return Ok(stream);
            }
            Ok(Err(e)) if ours(&e) => return Err(Trouble::Ours(ProbeError::Resources(e))),
            Ok(Err(e)) => misses.push((*address, connect_phase(&e), e.to_string())),
            Err(_) => misses.push((
                *address,
                HttpPhase::ConnectTimeout,
                "no answer to the first packet".to_owned(),
            )),
        }
    }
    let is_local = |(address, phase, _): &(SocketAddr, HttpPhase, String)| {
        *phase == HttpPhase::Unreachable && has_no_route(*address)
    };
    match addresses.first() {
        Some(first) if misses.iter().all(is_local) => {
            Err(Trouble::Ours(ProbeError::NoRoute(first.ip())))
        }
        Some(_) | None => Err(missed(misses, tried)),
    }
}

/// The most telling of several failures: a refusal comes from a living host, silence says less, and
/// "no route" may only mean that the controller has no such network.
fn missed(misses: Vec<(SocketAddr, HttpPhase, String)>, tried: &mut Option<SocketAddr>) -> Trouble {
    let rank = |phase: HttpPhase| match phase {
        HttpPhase::Refused => 0,
        HttpPhase::Reset => 1,
        HttpPhase::ConnectTimeout => 2,
        HttpPhase::Unreachable
        | HttpPhase::Dns
        | HttpPhase::Tls
        | HttpPhase::NoData
        | HttpPhase::FirstByteTimeout
        | HttpPhase::Body
        | HttpPhase::BodyTooLong
        | HttpPhase::Protocol
        | HttpPhase::Redirect => 3,
    };
    let detail: Vec<_> = misses.iter().map(|(a, _, e)| format!("{a}: {e}")).collect();
    let told = misses.iter().min_by_key(|(_, phase, _)| rank(*phase));
    *tried = told.map(|(address, _, _)| *address);
    let phase = told.map_or(HttpPhase::Dns, |(_, phase, _)| *phase);
    Trouble::theirs(phase, detail.join("; "))
}

/// What a failed connect says: the errnos of connect(2) that the network can cause.
fn connect_phase(e: &io::Error) -> HttpPhase {
    match Errno::from_io_error(e) {
        Some(Errno::CONNREFUSED) => HttpPhase::Refused,
        Some(Errno::CONNRESET | Errno::CONNABORTED) => HttpPhase::Reset,
        Some(Errno::TIMEDOUT) => HttpPhase::ConnectTimeout,
        // Host, network, port or protocol unreachable, or prohibited on the way: many errnos.
        Some(_) | None => HttpPhase::Unreachable,
    }
}

/// Whether an error is a shortage of the controller and says nothing of the host.
fn ours(e: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(e),
        Some(
            Errno::MFILE
                | Errno::NFILE
                | Errno::NOBUFS
                | Errno::NOMEM
                | Errno::ADDRNOTAVAIL
                | Errno::ADDRINUSE
                | Errno::AGAIN
        )
    )
}

/// A wire without TLS.
pub(super) fn plain(stream: TcpStream) -> Wire {
    let stream = Tallied::new(stream);
    let tally = stream.tally();
    Wire {
        stream: Box::new(stream),
        tally,
        tls: false,
    }
}

/// Shakes hands.
pub(super) async fn handshake(
    stream: TcpStream,
    session: Ssl,
    deadline: Instant,
) -> Result<Wire, Trouble> {
    let stream = Tallied::new(stream);
    let tally = stream.tally();
    let mut stream = SslStream::new(session, stream)
        .map(Box::pin)
        .map_err(|e| Trouble::Ours(ProbeError::Tls(e)))?;
    match timeout_at(deadline, stream.as_mut().connect()).await {
        Ok(Ok(())) => Ok(Wire {
            stream: Box::new(stream),
            tally,
            tls: true,
        }),
        Ok(Err(e)) => Err(handshake_failed(&stream, &e, &tally)),
        Err(_) if tally.bytes() == 0 => Err(Trouble::theirs(
            HttpPhase::FirstByteTimeout,
            "no answer to the TLS greeting",
        )),
        Err(_) => Err(Trouble::theirs(
            HttpPhase::Tls,
            "the TLS handshake timed out",
        )),
    }
}

/// A server that closes or resets without a byte has not failed at TLS: it has not begun.
fn handshake_failed(
    stream: &Pin<Box<SslStream<Tallied>>>,
    e: &ssl::Error,
    tally: &Tally,
) -> Trouble {
    let reset = e
        .io_error()
        .is_some_and(|e| e.kind() == io::ErrorKind::ConnectionReset);
    let phase = match (reset, tally.bytes()) {
        (true, _) => HttpPhase::Reset,
        (false, 0) if tally.closed() => HttpPhase::NoData,
        (false, _) => HttpPhase::Tls,
    };
    let verdict = stream.ssl().verify_result();
    let detail = match verdict == openssl::x509::X509VerifyResult::OK {
        true => chain(e),
        false => format!("{}: {}", verdict.error_string(), chain(e)),
    };
    Trouble::theirs(phase, detail)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// A listener whose queue is full: it answers no first packet. The connections hold it so.
    async fn mute() -> (SocketAddr, Vec<TcpStream>, TcpListener) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut held = Vec::new();
        let wait = Duration::from_millis(300);
        while let Ok(stream) = timeout_at(Instant::now() + wait, TcpStream::connect(address)).await
        {
            held.push(stream.unwrap());
        }
        (address, held, listener)
    }

    async fn outcome(addresses: &[SocketAddr]) -> (Option<HttpPhase>, Option<SocketAddr>) {
        let mut tried = None;
        let deadline = Instant::now() + Duration::from_millis(600);
        match connect(addresses, deadline, &mut tried).await {
            Ok(_) => (None, tried),
            Err(Trouble::Theirs(failure)) => (Some(failure.phase), tried),
            Err(Trouble::Ours(e)) => panic!("{e}"),
        }
    }

    #[tokio::test]
    async fn a_mute_address_leaves_time_for_the_others_and_the_most_telling_failure_counts() {
        let (mute, _held, _listener) = mute().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let refused = closed.local_addr().unwrap();
        drop(closed);
        for (addresses, phase, tried) in [
            (vec![mute, good], None, good),
            (vec![refused, good], None, good),
            (vec![mute, refused], Some(HttpPhase::Refused), refused),
            (vec![refused, mute], Some(HttpPhase::Refused), refused),
            (vec![mute], Some(HttpPhase::ConnectTimeout), mute),
        ] {
            let got = outcome(&addresses).await;
            assert_eq!(got, (phase, Some(tried)), "{addresses:?}");
        }
    }

    #[test]
    fn shortages_of_the_controller_are_no_failures_of_the_host() {
        for (errno, is_ours) in [
            (Errno::MFILE, true),
            (Errno::ADDRNOTAVAIL, true),
            (Errno::NOBUFS, true),
            (Errno::CONNREFUSED, false),
            (Errno::HOSTUNREACH, false),
            (Errno::TIMEDOUT, false),
            (Errno::ACCESS, false),
        ] {
            assert_eq!(ours(&errno.into()), is_ours, "{errno}");
        }
    }

    #[test]
    fn a_silent_resolver_is_the_controllers_trouble() {
        for (words, silent) in [
            ("Temporary failure in name resolution", true),
            ("Name or service not known", false),
            ("No address associated with hostname", false),
        ] {
            let e = io::Error::other(format!("failed to lookup address information: {words}"));
            assert_eq!(is_resolver_silent(&e), silent, "{words}");
        }
    }

    #[test]
    fn the_way_to_the_own_machine_is_always_there() {
        assert!(!has_no_route("127.0.0.1:9".parse().unwrap()));
    }

    #[test]
    fn connect_errnos_have_their_phases() {
        for (errno, phase) in [
            (Errno::CONNREFUSED, HttpPhase::Refused),
            (Errno::CONNRESET, HttpPhase::Reset),
            (Errno::TIMEDOUT, HttpPhase::ConnectTimeout),
            (Errno::HOSTUNREACH, HttpPhase::Unreachable),
            (Errno::NETUNREACH, HttpPhase::Unreachable),
            (Errno::ACCESS, HttpPhase::Unreachable),
        ] {
            assert_eq!(connect_phase(&errno.into()), phase, "{errno}");
        }
    }
}
