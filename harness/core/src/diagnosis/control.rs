//! The control of a request: the same, asked on the host itself.

use super::failure::{answered, last};
use crate::{
    ledger::StateLedger,
    observation::Observation,
    plan::id_of,
    suite::{Check, CheckKind, Suite, Vantage},
};

/// What a request asks a service for, whoever asks.
#[derive(PartialEq, Eq)]
pub(super) struct Asked<'a> {
    scheme: &'a str,
    port: &'a str,
    path: &'a str,
}

impl<'a> Asked<'a> {
    /// Takes a URL of a suite apart; `{{ host }}` may stand in it.
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let after_host = authority.rsplit(']').next().unwrap_or(authority);
        let port = after_host.rsplit_once(':').map_or("", |(_, port)| port);
        let port = match (scheme, port) {
            ("http", "80") | ("https", "443") => "",
            (_, port) => port,
        };
        let path = if path.is_empty() { "/" } else { path };
        Some(Self { scheme, port, path })
    }
}

/// What a check asks for as a remote client; none of all others.
pub(super) fn remote(check: &Check) -> Option<Asked<'_>> {
    request(check).filter(|_| check.vantage == Vantage::Controller)
}

fn request(check: &Check) -> Option<Asked<'_>> {
    match &check.kind {
        CheckKind::Http(http) => Asked::of(&http.url),
        CheckKind::Command(_)
        | CheckKind::Service(_)
        | CheckKind::Selinux(_)
        | CheckKind::Denials(_) => None,
    }
}

/// Whether a check asks on the host itself for what another one asks for from outside.
fn is_control_of(control: &Check, check: &Check) -> bool {
    let on_host = control.vantage == Vantage::Localhost;
    on_host && request(control).is_some_and(|asked| remote(check) == Some(asked))
}

/// Whether the request of a check was asked on the host itself too in the same state, by a check of the
/// same suite; and whether it was answered.
pub(super) fn own_control(
    known: Option<&StateLedger>,
    suite: &Suite,
    check: &Check,
) -> Option<bool> {
    let known = known?;
    suite
        .checks
        .iter()
        .filter(|other| is_control_of(other, check))
        .find_map(|other| match last(known, &id_of(suite, &other.name))? {
            saw @ Observation::Http(_) => Some(answered(saw).is_some()),
            Observation::Command(_)
            | Observation::Service(_)
            | Observation::Selinux(_)
            | Observation::Window
            | Observation::Errored { .. } => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_same_whoever_asks() {
        let same = |a: &str, b: &str| Asked::of(a).unwrap() == Asked::of(b).unwrap();
        for (remote, local, is) in [
            ("http://{{ host }}/", "http://localhost/", true),
            ("http://{{ host }}", "http://localhost/", true),
            ("http://{{ host }}:80/", "http://127.0.0.1/", true),
            (
                "http://[2001:db8::1]:8080/a?b",
                "http://[::1]:8080/a?b",
                true,
            ),
            ("https://web.example.com:443/", "https://localhost/", true),
            ("https://{{ host }}/", "http://localhost/", false),
            ("http://{{ host }}:8080/", "http://localhost/", false),
            ("http://{{ host }}/status", "http://localhost/", false),
            ("http://[2001:db8::80]/", "http://localhost:80/", true),
        ] {
            assert_eq!(same(remote, local), is, "{remote} {local}");
        }
    }
}
