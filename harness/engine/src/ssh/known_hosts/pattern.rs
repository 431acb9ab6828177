//! The host field of a known_hosts line: a list of patterns, or one hashed name.

use openssl::{base64, hash::MessageDigest, memcmp, pkey::PKey, sign::Signer};
use patchgate_core::wildcard::glob;

/// What a host name is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// `a,b*,!c?`.
    List(Vec<Glob>),
    /// `|1|salt|hash`: HMAC-SHA1 of the name, keyed with the salt.
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// One member of a list, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    negated: bool,
    text: String,
}

impl Pattern {
    pub(super) fn parse(field: &str) -> Result<Self, &'static str> {
        if let Some(rest) = field.strip_prefix('|') {
            return Self::parse_hashed(rest);
        }
        Ok(Self::List(field.split(',').map(Glob::parse).collect()))
    }

    fn parse_hashed(rest: &str) -> Result<Self, &'static str> {
        let rest = rest
            .strip_prefix("1|")
            .ok_or("hash of the host name is of an unknown kind")?;
        let (salt, hash) = rest
            .split_once('|')
            .ok_or("hash of the host name is cut short")?;
        let decode = |text| base64::decode_block(text).map_err(|_| "host name hash is not base64");
        let (salt, hash) = (decode(salt)?, decode(hash)?);
        if salt.len() != 20 || hash.len() != 20 {
            return Err("hash of the host name has a wrong length");
        }
        Ok(Self::Hashed { salt, hash })
    }

    /// Compares with a name in lower case, `[host]:port` where the port is not 22.
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::List(globs) => {
                let hit = |negated| {
                    globs
                        .iter()
                        .any(|g| g.negated == negated && glob(&g.text, name))
                };
                hit(false) && !hit(true)
            }
            Self::Hashed { salt, hash } => {
                hmac_sha1(salt, name).is_some_and(|got| memcmp::eq(&got, hash))
            }
        }
    }
}

impl Glob {
    fn parse(text: &str) -> Self {
        let (negated, text) = match text.strip_prefix('!') {
            Some(text) => (true, text),
            None => (false, text),
        };
        Self {
            negated,
            text: text.to_ascii_lowercase(),
        }
    }
}

fn hmac_sha1(key: &[u8], text: &str) -> Option<Vec<u8>> {
    let key = PKey::hmac(key).ok()?;
    Signer::new(MessageDigest::sha1(), &key)
        .ok()?
        .sign_oneshot_to_vec(text.as_bytes())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negated_name_is_out_whatever_else_matches() {
        let pattern = Pattern::parse("*.example,!bad.example").unwrap();
        assert!(pattern.matches("good.example"));
        assert!(!pattern.matches("bad.example"));
        assert!(
            !Pattern::parse("!bad.example")
                .unwrap()
                .matches("good.example")
        );
    }
}
