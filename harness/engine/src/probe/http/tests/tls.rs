//! TLS: good and bad certificates, and servers that fail before, in and after the handshake.

use std::{pin::Pin as StdPin, sync::Arc};

use openssl::{
    asn1::Asn1Time,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{PKey, Private},
    ssl::{Ssl, SslAcceptor, SslMethod},
    x509::{X509, X509NameBuilder, extension::SubjectAlternativeName},
};
use tokio_openssl::SslStream;

use super::*;

type Key = PKey<Private>;

fn key() -> Key {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A self-signed certificate for an address, or a name; `from` and `to` are Unix times.
fn certificate(key: &Key, name: &str, (from, to): (i64, i64)) -> X509 {
    let mut subject = X509NameBuilder::new().unwrap();
    subject
        .append_entry_by_text("CN", "patchgate test")
        .unwrap();
    let subject = subject.build();
    let mut x509 = X509::builder().unwrap();
    x509.set_version(2).unwrap();
    x509.set_subject_name(&subject).unwrap();
    x509.set_issuer_name(&subject).unwrap();
    x509.set_pubkey(key).unwrap();
    x509.set_not_before(&Asn1Time::from_unix(from).unwrap())
        .unwrap();
    x509.set_not_after(&Asn1Time::from_unix(to).unwrap())
        .unwrap();
    let mut san = SubjectAlternativeName::new();
    match name.parse::<std::net::IpAddr>() {
        Ok(_) => san.ip(name),
        Err(_) => san.dns(name),
    };
    let san = san.build(&x509.x509v3_context(None, None)).unwrap();
    x509.append_extension(san).unwrap();
    x509.sign(key, MessageDigest::sha256()).unwrap();
    x509.build()
}

const ALWAYS: (i64, i64) = (0, 4_000_000_000);
const LONG_AGO: (i64, i64) = (0, 1_000_000_000);

type Shaken = StdPin<Box<SslStream<TcpStream>>>;

/// A TLS server with this certificate, and what it does after the handshake.
async fn serve<F, Fut>(key: &Key, cert: &X509, treat: F) -> Server
where
    F: Fn(Shaken) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_private_key(key).unwrap();
    acceptor.set_certificate(cert).unwrap();
    let context = acceptor.build().into_context();
    let treat = Arc::new(treat);
    Server::start(move |stream| {
        let ssl = Ssl::new(&context).unwrap();
        let treat = Arc::clone(&treat);
        async move {
            let mut stream = Box::pin(SslStream::new(ssl, stream).unwrap());
            if stream.as_mut().accept().await.is_ok() {
                treat(stream).await;
            }
        }
    })
    .await
}

async fn polite(mut stream: Shaken) {
    read_request(&mut stream).await;
    stream
        .write_all(b"HTTP/1.0 200 OK\r\n\r\nabc")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    drain(stream.get_mut()).await;
}

/// A server with a self-signed certificate for this name, which answers 200 and `abc`.
pub(in crate::probe) async fn self_signed(name: &str) -> Server {
    let key = key();
    serve(&key, &certificate(&key, name, ALWAYS), polite).await
}

fn https(server: &Server) -> String {
    server.url("/").replace("http:", "https:")
}

fn unverified(url: &str, deadline: Duration) -> HttpRequest {
    HttpRequest {
        verify_tls: false,
        ..request(url, deadline)
    }
}

#[tokio::test]
async fn a_bad_certificate_fails_with_its_reason_and_only_when_it_matters() {
    let key = key();
    for span in [ALWAYS, LONG_AGO] {
        let cert = certificate(&key, "127.0.0.1", span);
        let server = serve(&key, &cert, polite).await;
        let failure = fail(&request(&https(&server), LONG)).await;
        assert_eq!(failure.phase, HttpPhase::Tls);
        assert!(failure.detail.contains("self-signed"), "{failure:?}");
        let answer = answer(&unverified(&https(&server), LONG)).await;
        assert_eq!((answer.status, answer.bytes), (200, 3));
    }
}

/// Where a certificate's own authority is trusted, name and dates still decide. The trust comes in by
/// the environment, so the prober runs in a child process.
#[tokio::test]
async fn a_trusted_certificate_must_fit_the_name_and_the_date() {
    let dir = tempfile::tempdir().unwrap();
    for (name, span, want) in [
        ("127.0.0.1", ALWAYS, "answered 200"),
        ("127.0.0.2", ALWAYS, "IP address mismatch"),
        ("web1.example", ALWAYS, "IP address mismatch"),
        ("127.0.0.1", LONG_AGO, "certificate has expired"),
        ("127.0.0.1", (3_900_000_000, 4_000_000_000), "not yet valid"),
    ] {
        let key = key();
        let cert = certificate(&key, name, span);
        let trusted = dir.path().join("trusted.pem");
        std::fs::write(&trusted, cert.to_pem().unwrap()).unwrap();
        let server = serve(&key, &cert, polite).await;
        let told = env::see_with(
            &https(&server),
            &[("SSL_CERT_FILE", trusted.to_str().unwrap())],
        )
        .await;
        assert!(told.contains(want), "{name}: {told}");
    }
}

#[tokio::test]
async fn a_failure_before_the_handshake_is_not_called_tls() {
    let silent = Server::start(async |mut stream| drain(&mut stream).await).await;
    let closed = Server::start(async |mut stream| {
        stream.shutdown().await.unwrap();
        drain(&mut stream).await;
    })
    .await;
    let resets = Server::start(async |stream| {
        stream.peek(&mut [0]).await.unwrap();
        reset(stream);
    })
    .await;
    for (server, phase, deadline) in [
        (silent, HttpPhase::FirstByteTimeout, SHORT),
        (closed, HttpPhase::NoData, LONG),
        (resets, HttpPhase::Reset, LONG),
    ] {
        let failure = fail(&unverified(&https(&server), deadline)).await;
        assert_eq!(failure.phase, phase, "{failure:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_stalls_is_tls() {
    // The first bytes of a server greeting that never goes on.
    let stalled = Server::start(async |mut stream| {
        stream.write_all(b"\x16\x03\x03\x00\x7a\x02").await.unwrap();
        drain(&mut stream).await;
    })
    .await;
    let failure = fail(&unverified(&https(&stalled), SHORT)).await;
    assert_eq!(failure.phase, HttpPhase::Tls, "{failure:?}");
}

#[tokio::test]
async fn plain_text_in_place_of_a_greeting_is_tls() {
    let server = Server::start(async |mut stream| {
        stream.peek(&mut [0]).await.unwrap();
        let said = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        stream.write_all(said).await.unwrap();
        drain(&mut stream).await;
    })
    .await;
    let failure = fail(&unverified(&https(&server), LONG)).await;
    assert_eq!(failure.phase, HttpPhase::Tls);
    assert!(
        failure.detail.contains("wrong version number"),
        "{failure:?}"
    );
}

/// Session tickets come after the handshake and are no byte of an answer.
#[tokio::test]
async fn after_the_handshake_the_phases_are_those_of_plain_http() {
    let key = key();
    let cert = certificate(&key, "127.0.0.1", ALWAYS);
    let silent = serve(&key, &cert, async |mut s| drain(&mut s).await).await;
    let ends_tls = serve(&key, &cert, async |mut s| {
        read_request(&mut s).await;
        s.shutdown().await.unwrap();
        drain(s.get_mut()).await;
    })
    .await;
    let ends_tcp = serve(&key, &cert, async |mut s| {
        read_request(&mut s).await;
        s.get_mut().shutdown().await.unwrap();
        drain(s.get_mut()).await;
    })
    .await;
    let resets = serve(&key, &cert, async |mut s| {
        read_request(&mut s).await;
        s.get_ref().set_zero_linger().unwrap();
    })
    .await;
    let cuts = serve(&key, &cert, async |mut s| {
        read_request(&mut s).await;
        s.write_all(b"HTTP/1.0 200 OK\r\n\r\nabc").await.unwrap();
        s.get_mut().shutdown().await.unwrap();
        drain(s.get_mut()).await;
    })
    .await;
    for (server, phase, bytes, deadline) in [
        (silent, HttpPhase::FirstByteTimeout, 0, SHORT),
        (ends_tls, HttpPhase::NoData, 0, LONG),
        (ends_tcp, HttpPhase::NoData, 0, LONG),
        (resets, HttpPhase::Reset, 0, LONG),
        (cuts, HttpPhase::Body, 22, LONG),
    ] {
        let failure = fail(&unverified(&https(&server), deadline)).await;
        assert_eq!(
            (failure.phase, failure.bytes),
            (phase, bytes),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn plain_http_to_a_tls_port_is_no_answer() {
    let key = key();
    let cert = certificate(&key, "127.0.0.1", ALWAYS);
    let server = serve(&key, &cert, polite).await;
    let failure = fail(&request(&server.url("/"), LONG)).await;
    assert!(
        matches!(
            failure.phase,
            HttpPhase::Protocol | HttpPhase::NoData | HttpPhase::Reset
        ),
        "{failure:?}"
    );
}
