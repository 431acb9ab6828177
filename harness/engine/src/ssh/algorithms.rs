//! Which algorithms are offered, and in which order.
//!
//! SHA-1 is compiled into libssh2 (see `.cargo/config.toml`), because EL5 and EL6 have nothing
//! newer, and is left out of every offer unless the target asks for it. Always left out: CBC,
//! RC4, MD5, DSA, and host certificates, which nothing here could verify.

use std::collections::BTreeSet;

use ssh2::{MethodType, Session};

/// What to offer for each kind of method, as comma-separated lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offer {
    lists: Vec<(Kind, String)>,
    signatures: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Kex,
    HostKey,
    Cipher,
    Mac,
}

const KINDS: [Kind; 4] = [Kind::Kex, Kind::HostKey, Kind::Cipher, Kind::Mac];

impl Kind {
    /// Both directions of a connection.
    fn method_types(self) -> &'static [MethodType] {
        match self {
            Self::Kex => &[MethodType::Kex],
            Self::HostKey => &[MethodType::HostKey],
            Self::Cipher => &[MethodType::CryptCs, MethodType::CryptSc],
            Self::Mac => &[MethodType::MacCs, MethodType::MacSc],
        }
    }
}

impl Offer {
    /// Chooses from what the library supports. `known` are the key types on file for this host,
    /// which come first, so that the host shows the key that can be verified.
    pub(super) fn new(
        session: &Session,
        legacy: bool,
        known: &BTreeSet<String>,
    ) -> Result<Self, ssh2::Error> {
        let mut lists = Vec::new();
        for kind in KINDS {
            let supported = session.supported_algs(kind.method_types()[0])?;
            lists.push((kind, choose(kind, &supported, legacy, known).join(",")));
        }
        let signatures = match legacy {
            true => "rsa-sha2-512,rsa-sha2-256,ssh-rsa",
            false => "rsa-sha2-512,rsa-sha2-256",
        };
        Ok(Self { lists, signatures })
    }

    /// Sets the preferences; to be called before the handshake.
    pub(super) fn apply(&self, session: &Session) -> Result<(), ssh2::Error> {
        for (kind, list) in &self.lists {
            for method_type in kind.method_types() {
                session.method_pref(*method_type, list)?;
            }
        }
        session.method_pref(MethodType::SignAlgo, self.signatures)
    }
}

fn choose<'a>(
    kind: Kind,
    supported: &[&'a str],
    legacy: bool,
    known: &BTreeSet<String>,
) -> Vec<&'a str> {
    let mut chosen: Vec<&str> = supported
        .iter()
        .copied()
        .filter(|name| !is_never(kind, name) && (legacy || !is_sha1(kind, name)))
        .collect();
    // Stable: within each group the library's own order stays; SHA-1 goes last.
    chosen.sort_by_key(|name| {
        let unknown = kind == Kind::HostKey && !known.contains(key_type(name));
        (unknown, is_sha1(kind, name))
    });
    chosen
}

/// The key type that a host key algorithm shows: one RSA key signs under three names.
fn key_type(algorithm: &str) -> &str {
    match algorithm {
        "rsa-sha2-256" | "rsa-sha2-512" => "ssh-rsa",
        other => other,
    }
}

fn is_sha1(kind: Kind, name: &str) -> bool {
    match kind {
        Kind::Kex | Kind::Mac => name.contains("sha1"),
        Kind::HostKey => name == "ssh-rsa",
        Kind::Cipher => false,
    }
}

fn is_never(kind: Kind, name: &str) -> bool {
    match kind {
        // The library adds these two markers itself to whatever list it is given.
        Kind::Kex => name == "ext-info-c" || name.starts_with("kex-strict-"),
        Kind::HostKey => name.contains("-cert-v0") || name == "ssh-dss",
        Kind::Cipher => name.contains("cbc") || name.contains("arcfour") || name == "none",
        Kind::Mac => name.contains("md5") || name.contains("ripemd") || name == "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(legacy: bool, known: &[&str], kind: Kind) -> String {
        let session = Session::new().unwrap();
        let known = known.iter().map(|name| (*name).to_owned()).collect();
        let offer = Offer::new(&session, legacy, &known).unwrap();
        offer.apply(&session).unwrap();
        offer.lists.into_iter().find(|(k, _)| *k == kind).unwrap().1
    }

    fn has(list: &str, name: &str) -> bool {
        list.split(',').any(|part| part == name)
    }

    #[test]
    fn sha1_is_compiled_in() {
        let session = Session::new().unwrap();
        assert!(
            session
                .supported_algs(MethodType::HostKey)
                .unwrap()
                .contains(&"ssh-rsa")
        );
        assert!(
            session
                .supported_algs(MethodType::MacCs)
                .unwrap()
                .contains(&"hmac-sha1")
        );
        let kex = session.supported_algs(MethodType::Kex).unwrap();
        assert!(kex.contains(&"diffie-hellman-group14-sha1"), "{kex:?}");
    }

    #[test]
    fn sha1_is_not_offered_unless_asked_for() {
        assert!(!has(&list(false, &["ssh-rsa"], Kind::HostKey), "ssh-rsa"));
        assert!(!list(false, &[], Kind::Kex).contains("sha1"));
        assert!(!list(false, &[], Kind::Mac).contains("sha1"));
        let legacy = list(true, &[], Kind::HostKey);
        assert!(legacy.ends_with(",ssh-rsa"), "{legacy}");
        assert!(list(true, &[], Kind::Kex).contains("diffie-hellman-group14-sha1"));
        assert!(list(true, &[], Kind::Mac).contains("hmac-sha1"));
    }

    #[test]
    fn broken_and_unverifiable_methods_are_never_offered() {
        for legacy in [false, true] {
            assert!(!list(legacy, &[], Kind::Cipher).contains("cbc"));
            assert!(!list(legacy, &[], Kind::Cipher).contains("arcfour"));
            assert!(!list(legacy, &[], Kind::Mac).contains("md5"));
            assert!(!list(legacy, &[], Kind::HostKey).contains("cert"));
            assert!(!list(legacy, &[], Kind::HostKey).contains("dss"));
        }
    }

    #[test]
    fn known_key_types_come_first() {
        let ordered = list(false, &["ssh-rsa"], Kind::HostKey);
        assert!(ordered.starts_with("rsa-sha2-"), "{ordered}");
        assert!(
            has(&ordered, "ssh-ed25519"),
            "the rest stays, to tell a wrong type by name"
        );
        let ordered = list(false, &["ecdsa-sha2-nistp256"], Kind::HostKey);
        assert!(ordered.starts_with("ecdsa-sha2-nistp256,"), "{ordered}");
    }
}
