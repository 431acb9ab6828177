//! URLs of `http` checks: what one may look like before its host is filled in.

use crate::{
    source::address::{AddressError, check_address, is_loopback},
    template::{self, TemplateError},
};

/// The one name that a URL may hold.
pub(super) const HOST: &str = "host";

/// Why a text is not the URL of a check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UrlError {
    #[error("it begins with neither `http://` nor `https://`")]
    Scheme,
    #[error("it holds a character that must be written as `%XX`")]
    Character,
    #[error("a login and a password have no place in it")]
    Login,
    #[error("its port is no number from 1 to 65535")]
    Port,
    #[error("its host is none: {0}")]
    Host(AddressError),
    #[error("{0}")]
    Template(TemplateError),
}

/// Whom a URL asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The host under test, or another one by its name.
    Remote,
    /// Whoever asks.
    Loopback,
}

/// Takes a URL apart as far as a suite must know it.
pub(super) fn check(url: &str) -> Result<Target, UrlError> {
    let names = template::names(url).map_err(UrlError::Template)?;
    if let Some(name) = names.into_iter().find(|name| *name != HOST) {
        let name = name.to_owned();
        return Err(UrlError::Template(TemplateError::Unknown { name }));
    }
    // A name that no host has stands in for the one to come.
    let url = template::render(url, &[(HOST, "host.invalid")]).map_err(UrlError::Template)?;
    let lower = url.to_ascii_lowercase();
    let scheme = ["http://", "https://"]
        .into_iter()
        .find(|s| lower.starts_with(s));
    let rest = &url[scheme.ok_or(UrlError::Scheme)?.len()..];
    if !url
        .chars()
        .all(|c| c.is_ascii_graphic() && !"\\\"<>^`{|}".contains(c))
    {
        return Err(UrlError::Character);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    authority(&rest[..end])
}

/// The port of a URL that was checked: its own, or that of its scheme.
pub(super) fn port(url: &str) -> Option<u16> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let tail = authority.rsplit([']', '}']).next().unwrap_or_default();
    match tail.rsplit_once(':').map(|(_, port)| port) {
        Some(port) if !port.is_empty() => port.parse().ok(),
        Some(_) | None if scheme.eq_ignore_ascii_case("https") => Some(443),
        Some(_) | None => Some(80),
    }
}

fn authority(authority: &str) -> Result<Target, UrlError> {
    if authority.contains('@') {
        return Err(UrlError::Login);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest
            .split_once(']')
            .ok_or(UrlError::Host(AddressError::Form))?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    check_address(host).map_err(UrlError::Host)?;
    let good = |p: &str| !p.starts_with('+') && p.parse::<u16>().is_ok_and(|p| p > 0);
    if !port.is_empty() && !port.strip_prefix(':').is_some_and(good) {
        return Err(UrlError::Port);
    }
    Ok(if is_loopback(host) {
        Target::Loopback
    } else {
        Target::Remote
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_the_url_s_own_or_its_scheme_s() {
        for (url, wanted) in [
            ("http://{{ host }}/", Some(80)),
            ("HTTPS://{{ host }}", Some(443)),
            ("http://{{ host }}:8081/a:1", Some(8081)),
            ("http://[::1]:8080?x", Some(8080)),
            ("http://[::1]/", Some(80)),
            ("http://localhost:/", Some(80)),
            ("nonsense", None),
        ] {
            assert_eq!(port(url), wanted, "{url}");
        }
    }

    #[test]
    fn urls_ask_the_host_or_whoever_asks() {
        for (url, wanted) in [
            ("http://{{ host }}/", Target::Remote),
            ("https://{{ host }}:8443/a?b=c#d", Target::Remote),
            ("http://www.example.com", Target::Remote),
            ("HTTP://[2001:db8::1]:80/", Target::Remote),
            ("http://localhost/", Target::Loopback),
            ("http://127.0.0.2:8080/", Target::Loopback),
            ("http://[::1]/", Target::Loopback),
            ("http://www.localhost", Target::Loopback),
        ] {
            assert_eq!(check(url), Ok(wanted), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_the_reason() {
        for (url, why) in [
            ("", "it begins with neither `http://` nor `https://`"),
            (
                "ftp://h/",
                "it begins with neither `http://` nor `https://`",
            ),
            (
                "{{ host }}/",
                "it begins with neither `http://` nor `https://`",
            ),
            (
                "http://h/a b",
                "it holds a character that must be written as `%XX`",
            ),
            (
                "http://h/é",
                "it holds a character that must be written as `%XX`",
            ),
            (
                "http://u:p@h/",
                "a login and a password have no place in it",
            ),
            ("http://h:0/", "its port is no number from 1 to 65535"),
            ("http://h:/", "its port is no number from 1 to 65535"),
            ("http://h:99999/", "its port is no number from 1 to 65535"),
            ("http://[::1]x/", "its port is no number from 1 to 65535"),
            (
                "http://[::1/",
                "its host is none: host names are made of letters, digits, `-`, `_` and single dots",
            ),
            (
                "http:///x",
                "its host is none: an address has 1 to 253 characters",
            ),
            (
                "http://2130706433/",
                "its host is none: it looks like an IPv4 address without being one",
            ),
            (
                "http://127.1/",
                "its host is none: it looks like an IPv4 address without being one",
            ),
            ("http://{{ hots }}/", "there is no `{{ hots }}` here"),
            ("http://{{ host/", "`{{` is not closed by `}}`"),
        ] {
            assert_eq!(check(url).unwrap_err().to_string(), why, "{url}");
        }
    }
}
