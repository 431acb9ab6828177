//! Which redirects may be followed: a host under test must not send the probe elsewhere.

use reqwest::Url;

/// What a redirect asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    /// The answer is no redirect.
    No,
    /// It leads here, and may be followed.
    To(Url),
    /// It may not be followed, and why.
    Refused(String),
}

/// Reads the redirect in an answer to a request for `from`.
///
/// Only the same scheme, host and port may be led to, or `https` from `http` on the same host.
pub(super) fn read(from: &Url, status: u16, location: Option<&str>) -> Redirect {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Redirect::No;
    }
    let Some(location) = location else {
        return Redirect::Refused(format!("status {status} without a `Location`"));
    };
    match from.join(location) {
        Ok(to) if allowed(from, &to) => Redirect::To(to),
        Ok(to) => Redirect::Refused(format!("leads to another server: `{to}`")),
        Err(e) => Redirect::Refused(format!("`Location: {location}` cannot be read: {e}")),
    }
}

fn allowed(from: &Url, to: &Url) -> bool {
    let upgrade = from.scheme() == "http" && to.scheme() == "https";
    let same =
        from.scheme() == to.scheme() && from.port_or_known_default() == to.port_or_known_default();
    from.host_str() == to.host_str() && (same || upgrade)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(from: &str, location: &str) -> Option<String> {
        match read(&from.parse().unwrap(), 302, Some(location)) {
            Redirect::To(url) => Some(url.into()),
            Redirect::No | Redirect::Refused(_) => None,
        }
    }

    #[test]
    fn only_the_same_server_or_its_https_is_followed() {
        let from = "http://web1/a/b";
        for (location, to) in [
            ("c", Some("http://web1/a/c")),
            ("/c", Some("http://web1/c")),
            ("http://web1:80/c", Some("http://web1/c")),
            ("//WEB1/c", Some("http://web1/c")),
            ("https://web1/c", Some("https://web1/c")),
            ("https://web1:8443/c", Some("https://web1:8443/c")),
            ("http://web1:8080/c", None),
            ("http://web2/c", None),
            ("https://web2/c", None),
            ("//web2/c", None),
            ("http://web1@web2/c", None),
            ("ftp://web1/c", None),
            ("file:///etc/passwd", None),
            ("http://[", None),
        ] {
            assert_eq!(led(from, location).as_deref(), to, "{location}");
        }
        assert_eq!(led("https://web1/", "http://web1/"), None, "downgrade");
    }

    #[test]
    fn other_answers_are_no_redirects() {
        let from = "http://web1/".parse().unwrap();
        for status in [200, 201, 300, 304, 305, 306, 404] {
            assert_eq!(read(&from, status, Some("/x")), Redirect::No, "{status}");
        }
        assert!(matches!(read(&from, 301, None), Redirect::Refused(_)));
    }
}
