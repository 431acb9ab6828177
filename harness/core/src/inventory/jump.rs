//! Jump hosts: the one machine through which a host is reached (`ProxyJump`).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::vars::is_login;
use crate::source::address::check_address;

/// The machine through which a host is reached, and how to log in to it.
///
/// Its key is checked as strictly as the host's own, against the same files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JumpHost {
    /// Where it is reached: a host name or an IP address.
    pub address: String,
    /// The SSH port.
    pub port: u16,
    /// The login.
    pub user: String,
    /// The private key; none: the agent's keys and the user's own are tried.
    pub key_file: Option<PathBuf>,
}

/// Why a text names no jump host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum JumpError {
    #[error("only one jump host is supported, not a chain of them")]
    Chain,
    #[error("`{0}` is not `[user@]host[:port]`")]
    Form(String),
}

/// What a place says about a jump host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Jump {
    /// That there is none (`ProxyJump=none`).
    None,
    Through(JumpSpec),
}

/// A jump host as it is written; what is left out comes from `~/.ssh/config` or is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct JumpSpec {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) key_file: Option<PathBuf>,
}

/// Reads the value of `ProxyJump`.
pub(super) fn read(text: &str) -> Result<Jump, JumpError> {
    if text == "none" {
        return Ok(Jump::None);
    }
    if text.contains(',') {
        return Err(JumpError::Chain);
    }
    let place = text.strip_prefix("ssh://").unwrap_or(text);
    spec(place.trim_end_matches('/'))
        .map(Jump::Through)
        .ok_or_else(|| JumpError::Form(text.to_owned()))
}

/// Reads `[user@]host[:port]`.
pub(super) fn spec(text: &str) -> Option<JumpSpec> {
    let (user, place) = match text.rsplit_once('@') {
        Some((user, place)) => (Some(user.to_owned()), place),
        None => (None, text),
    };
    let (host, port) = match place.strip_prefix('[').and_then(|p| p.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':')?)),
        None => match place.split_once(':') {
            // More colons than one: an IPv6 address without brackets.
            Some((_, rest)) if rest.contains(':') => (place, None),
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = port
        .map(|p| p.parse().ok().filter(|p| *p > 0))
        .map_or(Some(None), |p| p.map(Some))?;
    let good = check_address(host).is_ok() && user.as_deref().is_none_or(is_login);
    good.then(|| JumpSpec {
        host: host.to_owned(),
        port,
        user,
        key_file: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jump_hosts_are_read() {
        let shown = |text: &str| match read(text) {
            Ok(Jump::None) => "none".to_owned(),
            Ok(Jump::Through(s)) => format!("{:?} {} {:?}", s.user, s.host, s.port),
            Err(why) => why.to_string(),
        };
        for (text, wanted) in [
            ("none", "none"),
            ("gw", "None gw None"),
            ("me@gw.example:2222", "Some(\"me\") gw.example Some(2222)"),
            ("ssh://me@gw:22/", "Some(\"me\") gw Some(22)"),
            ("[2001:db8::1]:22", "None 2001:db8::1 Some(22)"),
            ("2001:db8::1", "None 2001:db8::1 None"),
            (
                "a,b",
                "only one jump host is supported, not a chain of them",
            ),
            ("gw:0", "`gw:0` is not `[user@]host[:port]`"),
            ("-x", "`-x` is not `[user@]host[:port]`"),
            ("", "`` is not `[user@]host[:port]`"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }
}
