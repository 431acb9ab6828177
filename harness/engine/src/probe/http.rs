//! HTTP as a remote client: the wire is patchgate's own, what is said over it is reqwest's.
//!
//! One connection a request, none kept: a kept one would hide that new ones fail. No proxy, no
//! retries, no decompression, no redirect but those asked for. There is one deadline, and the phase in
//! which it strikes is the phase that failed: shorter ones for the connection or the first byte would
//! call a slow server a dead one.
//!
//! A server that closes while bytes of our request lie unread in its kernel makes that kernel send a
//! reset instead of an orderly close. So one and the same fault, accepting and closing at once, can be
//! seen as `no-data` or as `reset` with no bytes, as the timing falls. Both are told as they came.

use std::{error::Error, io, net::SocketAddr};

use patchgate_core::observation::{HttpAnswer, HttpEnd, HttpFailure, HttpPhase, HttpSeen};
use reqwest::{
    Client, Response, Url,
    header::{HOST, HeaderName, LOCATION, SERVER, TRANSFER_ENCODING},
};
use tokio::time::{Instant, timeout_at};

use super::{
    HttpRequest, ProbeError, Prober,
    body::{Body, BodyFacts},
    chain,
    redirect::{self, Redirect},
    relay::{End, Log, Relay},
    tls::Tls,
    wire::{self, Trouble, Wire},
};

/// What the probe calls itself.
pub(super) const USER_AGENT: &str = concat!("patchgate/", env!("CARGO_PKG_VERSION"));

/// Asks over the network, from this machine.
#[derive(Default)]
pub struct RemoteProber {
    tls: Tls,
}

impl RemoteProber {
    /// Makes a prober; TLS is set up at the first `https` request.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes hops until an answer is not to be followed; `peer` is the last address tried.
    async fn answer(
        &self,
        request: &HttpRequest,
        deadline: Instant,
        peer: &mut Option<SocketAddr>,
    ) -> Result<HttpAnswer, Trouble> {
        let mut url = parse_url(&request.url).map_err(Trouble::Ours)?;
        let mut followed = 0;
        loop {
            let hop = Hop {
                url: &url,
                request,
                deadline,
            };
            let wire = hop.open(&self.tls, peer).await?;
            let answer = hop.exchange(wire).await?;
            match follow(request, &url, followed, &answer)? {
                Some(next) => url = next,
                None => return Ok(answer),
            }
            followed += 1;
        }
    }
}

impl Prober for RemoteProber {
    async fn http(&self, request: &HttpRequest) -> Result<HttpSeen, ProbeError> {
        let started = Instant::now();
        let deadline = started + request.deadline;
        let mut peer = None;
        let end = match self.answer(request, deadline, &mut peer).await {
            Ok(answer) => HttpEnd::Answered(answer),
            Err(Trouble::Theirs(failure)) => HttpEnd::Failed(failure),
            Err(Trouble::Ours(e)) => return Err(e),
        };
        Ok(HttpSeen {
            peer: peer.map(|p| p.to_string()),
            elapsed: started.elapsed(),
            end,
        })
    }
}

/// Reads a URL that the probe can ask for.
pub(super) fn parse_url(text: &str) -> Result<Url, ProbeError> {
    let wrong = |why| ProbeError::Url {
        url: text.to_owned(),
        why,
    };
    let url: Url = text.parse().map_err(|_| wrong("it is not a URL"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(wrong("it is neither `http` nor `https`")),
    }
}

/// The name or address in a URL, without the brackets of IPv6.
pub(super) fn host(url: &Url) -> &str {
    let host = url.host_str().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']')
}

/// The `Host` header of a request for a URL.
pub(super) fn host_header(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Where to go next, after `followed` redirects; none when the answer is the one to keep.
pub(super) fn follow(
    request: &HttpRequest,
    url: &Url,
    followed: u8,
    answer: &HttpAnswer,
) -> Result<Option<Url>, Trouble> {
    if request.redirects == 0 {
        return Ok(None);
    }
    let why = match redirect::read(url, answer.status, answer.location.as_deref()) {
        Redirect::No => return Ok(None),
        Redirect::To(next) if followed < request.redirects => return Ok(Some(next)),
        Redirect::To(next) => format!("more than {} redirects, next `{next}`", request.redirects),
        Redirect::Refused(why) => why,
    };
    Err(Trouble::theirs(HttpPhase::Redirect, why))
}

/// One request of the chain that redirects make.
struct Hop<'a> {
    url: &'a Url,
    request: &'a HttpRequest,
    deadline: Instant,
}

impl Hop<'_> {
    /// Makes the connection.
    async fn open(&self, tls: &Tls, peer: &mut Option<SocketAddr>) -> Result<Wire, Trouble> {
        let name = host(self.url);
        let port = self.url.port_or_known_default().unwrap_or(80);
        let addresses = match self.request.pinned(name) {
            Some(ip) => vec![SocketAddr::new(ip, port)],
            None => wire::resolve(name, port, self.deadline).await?,
        };
        let stream = wire::connect(&addresses, self.deadline, peer).await?;
        if self.url.scheme() == "http" {
            return Ok(wire::plain(stream));
        }
        let session = tls
            .session(name, self.request.verify_tls)
            .map_err(|e| Trouble::Ours(ProbeError::Tls(e)))?;
        wire::handshake(stream, session, self.deadline).await
    }

    /// Asks, and reads the answer to its end.
    async fn exchange(&self, wire: Wire) -> Result<HttpAnswer, Trouble> {
        let relay = Relay::start(wire).map_err(|e| Trouble::Ours(ProbeError::Resources(e)))?;
        let client = client(&relay).map_err(|e| Trouble::Ours(ProbeError::Client(e)))?;
        let talk = async {
            let response = self.ask(&client, &relay.log).await?;
            self.read(response, &relay.log).await
        };
        match timeout_at(self.deadline, talk).await {
            Ok(done) => done,
            Err(_) => Err(too_late(&relay.log)),
        }
    }

    async fn ask(&self, client: &Client, log: &Log) -> Result<Response, Trouble> {
        let mut url = self.url.clone();
        // TLS is below already. The scheme of a URL with a host can always be changed so.
        let changed = url.set_scheme("http");
        debug_assert!(changed.is_ok(), "{url}");
        client
            .get(url)
            .header(HOST, host_header(self.url))
            .send()
            .await
            .map_err(|e| failed(e, log))
    }

    async fn read(&self, mut response: Response, log: &Log) -> Result<HttpAnswer, Trouble> {
        let limit = self.request.body_limit;
        let mut body = Body::new(&self.request.contains);
        if let Some(n) = response.content_length().filter(|n| *n > limit) {
            return Err(too_long(log, &format!("a body of {n} bytes is announced")));
        }
        while let Some(piece) = response.chunk().await.map_err(|e| failed(e, log))? {
            body.push(&piece);
            if body.len() > limit {
                return Err(too_long(
                    log,
                    &format!("the body goes on after {limit} bytes"),
                ));
            }
        }
        ended_in_order(&response, log)?;
        Ok(told(&response, body.finish()))
    }
}

/// A client that goes over this relay and does nothing unasked.
fn client(relay: &Relay) -> reqwest::Result<Client> {
    Client::builder()
        .no_proxy()
        .unix_socket(relay.socket.as_path())
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .user_agent(USER_AGENT)
        .build()
}

fn told(response: &Response, body: BodyFacts) -> HttpAnswer {
    HttpAnswer {
        status: response.status().as_u16(),
        server: header(response, &SERVER),
        location: header(response, &LOCATION),
        bytes: body.len,
        sha256: Some(body.sha256),
        contained: body.contained,
    }
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A body that only the end of the connection ends is whole only if that end was an orderly one.
fn ended_in_order(response: &Response, log: &Log) -> Result<(), Trouble> {
    let framed =
        response.content_length().is_some() || response.headers().contains_key(TRANSFER_ENCODING);
    let (phase, why) = match log.end() {
        None | Some(End::Closed) => return Ok(()),
        Some(_) if framed => return Ok(()),
        Some(End::Reset) => (HttpPhase::Reset, "reset".to_owned()),
        Some(End::Cut) => (HttpPhase::Body, "closed under TLS".to_owned()),
        Some(End::Tls(why) | End::Broken(why)) => (HttpPhase::Body, why),
    };
    Err(Trouble::Theirs(HttpFailure {
        phase,
        detail: format!("a body without a length was ended by the connection: {why}"),
        bytes: log.bytes(),
    }))
}

fn too_long(log: &Log, detail: &str) -> Trouble {
    Trouble::Theirs(HttpFailure {
        phase: HttpPhase::BodyTooLong,
        detail: detail.to_owned(),
        bytes: log.bytes(),
    })
}

/// What the deadline means once the connection stands.
fn too_late(log: &Log) -> Trouble {
    let (phase, detail) = match log.bytes() {
        0 => (
            HttpPhase::FirstByteTimeout,
            "connected, and no byte of an answer came in time",
        ),
        _ => (
            HttpPhase::Body,
            "the answer had begun and was not whole in time",
        ),
    };
    Trouble::Theirs(HttpFailure {
        phase,
        detail: detail.to_owned(),
        bytes: log.bytes(),
    })
}

/// What an error of reqwest means, given how the wire ended.
fn failed(e: reqwest::Error, log: &Log) -> Trouble {
    let e = e.without_url();
    let bytes = log.bytes();
    let detail = chain(&e);
    let (phase, detail) = match (log.end(), bytes) {
        _ if malformed(&e) => (HttpPhase::Protocol, detail),
        // The wire stands and carried nothing: it was not the server that failed.
        (None, 0) => return Trouble::Ours(ProbeError::Client(e)),
        (None, _) => (HttpPhase::Protocol, detail),
        (Some(End::Reset), _) => (HttpPhase::Reset, "reset by the server".to_owned()),
        (Some(End::Closed | End::Cut), 0) => (HttpPhase::NoData, detail),
        (Some(End::Closed | End::Cut), _) => (HttpPhase::Body, detail),
        (Some(End::Tls(why)), 0) => (HttpPhase::Tls, why),
        (Some(End::Broken(why)), 0) => (HttpPhase::Unreachable, why),
        (Some(End::Tls(why) | End::Broken(why)), _) => (HttpPhase::Body, why),
    };
    Trouble::Theirs(HttpFailure {
        phase,
        detail,
        bytes,
    })
}

/// Whether what came breaks the rules of HTTP: in the head (hyper's own error), or in the framing of a
/// chunked body (an I/O error of the decoder).
fn malformed(e: &reqwest::Error) -> bool {
    let mut next = e.source();
    while let Some(e) = next {
        if e.downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_parse)
        {
            return true;
        }
        if let Some(e) = e.downcast_ref::<io::Error>() {
            return matches!(
                e.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            );
        }
        next = e.source();
    }
    false
}

#[cfg(test)]
pub(in crate::probe) mod tests;
