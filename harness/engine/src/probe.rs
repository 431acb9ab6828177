//! Probes: questions asked of a host from outside, and the control asked on the host itself.
//!
//! A probe says what it saw and never whether that is good: judging is `patchgate_core`'s. What the
//! host did wrong is an [`HttpSeen`]; what the controller could not do is a [`ProbeError`], so that
//! our trouble is never reported as the host's answer.

mod body;
mod http;
pub mod local;
mod redirect;
mod relay;
mod tally;
mod tls;
mod wire;

use std::{error::Error, io, net::IpAddr, time::Duration};

use patchgate_core::{
    observation::{HttpSeen, Observation},
    suite::http::Http,
};

pub use self::http::RemoteProber;

/// One HTTP request, ready to be made: every template is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The URL, `http` or `https`.
    pub url: String,
    /// The texts that are looked for in the body, as bytes, case and all.
    pub contains: Vec<String>,
    /// How many redirects are followed: only to the same host and port, or from `http` to `https` on
    /// the same host. With 0 a redirect is an answer like any other.
    pub redirects: u8,
    /// How much of a body is read at most, in bytes.
    pub body_limit: u64,
    /// Whether the server's certificate must be good: chain, dates and name.
    pub verify_tls: bool,
    /// How long the whole request may take, redirects included.
    pub deadline: Duration,
    /// The address that a name has, whatever the resolver says.
    pub pin: Option<Pin>,
}

/// A name and the address to which it is pinned.
///
/// An inventory that gives a host's address means that address: the resolver's opinion of the name
/// could lead the probe to another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The host name as it stands in the URL; letter case does not matter.
    pub name: String,
    /// Where connections to it go.
    pub address: IpAddr,
}

impl HttpRequest {
    /// Makes a request of a check whose templates are rendered.
    #[must_use]
    pub fn new(http: &Http, deadline: Duration, pin: Option<Pin>) -> Self {
        Self {
            url: http.url.clone(),
            contains: http.contains.clone(),
            redirects: http.redirects,
            body_limit: http.body_limit,
            verify_tls: http.verify_tls,
            deadline,
            pin,
        }
    }

    /// The address to which the pin sends this name.
    fn pinned(&self, name: &str) -> Option<IpAddr> {
        let pin = self.pin.as_ref()?;
        pin.name.eq_ignore_ascii_case(name).then_some(pin.address)
    }
}

/// Whatever can make HTTP requests: the network, or a script of a test.
pub trait Prober: Send + Sync {
    /// Makes one request and says what it saw, at the latest when the deadline has passed.
    ///
    /// # Errors
    /// Only for troubles of the controller itself; whatever the host or the network does is seen.
    fn http(
        &self,
        request: &HttpRequest,
    ) -> impl Future<Output = Result<HttpSeen, ProbeError>> + Send;
}

/// Why a probe could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The URL cannot be read, has no host, or is neither `http` nor `https`.
    #[error("cannot ask for `{url}`: {why}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The controller ran out of something: file descriptors, ports, memory.
    #[error("the controller cannot open a connection")]
    Resources(#[source] io::Error),
    /// The controller's resolver gave no answer.
    #[error("the controller's resolver does not answer")]
    Resolver(#[source] io::Error),
    /// The controller has no route to the host's address.
    #[error("the controller has no route to {0}")]
    NoRoute(IpAddr),
    /// OpenSSL could not be set up.
    #[error("the controller cannot set up TLS")]
    Tls(#[source] openssl::error::ErrorStack),
    /// The HTTP client could not be set up.
    #[error("the controller cannot set up its HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Turns what a probe gave into what the record holds.
#[must_use]
pub fn observation(probed: Result<HttpSeen, ProbeError>) -> Observation {
    match probed {
        Ok(seen) => Observation::Http(seen),
        Err(e) => Observation::Errored { why: chain(&e) },
    }
}

/// Joins an error and its sources, each once: a source that the text before it ends with is left out.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_trouble_is_errored_with_its_sources_and_never_an_answer() {
        let e = ProbeError::Resources(io::Error::from_raw_os_error(24));
        let Observation::Errored { why } = observation(Err(e)) else {
            panic!("not errored");
        };
        assert_eq!(
            why,
            "the controller cannot open a connection: Too many open files (os error 24)"
        );
    }
}
