//! Files of known host keys, read once and matched as OpenSSH does.
//!
//! ssh2's own check is not used: it takes `@revoked` keys for good ones, knows no wildcards or
//! negations, stops at the first malformed line, and takes a key of another type for a changed one.
//! Format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". `@cert-authority` is not supported, and said so.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use openssl::{base64, sha::sha256};

use crate::host::{ConnectError, HostKeyProblem, KnownKey};

mod pattern;

use pattern::Pattern;

/// The key types that a line may hold; others are warned about.
const KEY_TYPES: [&str; 8] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "ssh-dss",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// The lines of all files, in order.
#[derive(Clone, Debug, Default)]
pub struct KnownHosts {
    entries: Vec<Entry>,
    warnings: Vec<Warning>,
}

/// A line that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.why)
    }
}

#[derive(Clone, Debug)]
struct Entry {
    marker: Marker,
    hosts: Pattern,
    kind: String,
    blob: Vec<u8>,
    place: (PathBuf, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    None,
    Revoked,
    CertAuthority,
}

impl KnownHosts {
    /// Reads the files; one that does not exist counts as empty.
    ///
    /// # Errors
    /// When a file exists and cannot be read.
    pub fn load(paths: &[PathBuf]) -> Result<Self, ConnectError> {
        let mut all = Self::default();
        for path in paths {
            match fs::read(path) {
                Ok(bytes) => all.add(path, &bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => {
                    return Err(ConnectError::KnownHosts {
                        path: path.clone(),
                        source,
                    });
                }
            }
        }
        Ok(all)
    }

    /// Adds the lines of one file's text; a bad line is a warning and stops nothing.
    pub fn add(&mut self, path: &Path, bytes: &[u8]) {
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let place = (path.to_owned(), index + 1);
            match parse(line, place) {
                Ok(Some(entry)) => {
                    if entry.marker == Marker::CertAuthority {
                        self.warn(path, index + 1, "@cert-authority is not supported");
                    }
                    self.entries.push(entry);
                }
                Ok(None) => {}
                Err(why) => self.warn(path, index + 1, why),
            }
        }
    }

    fn warn(&mut self, path: &Path, line: usize, why: &'static str) {
        self.warnings.push(Warning {
            path: path.to_owned(),
            line,
            why,
        });
    }

    /// Returns the lines that are not used.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn matching(&self, name: &str, marker: Marker) -> impl Iterator<Item = &Entry> {
        let name = name.to_owned();
        self.entries
            .iter()
            .filter(move |e| e.marker == marker && e.hosts.matches(&name))
    }

    /// Returns the key types known for a host, to be asked for first.
    #[must_use]
    pub fn kinds(&self, name: &str) -> BTreeSet<String> {
        self.matching(name, Marker::None)
            .map(|entry| entry.kind.clone())
            .collect()
    }

    /// Returns the numbers of the lines that speak of a host, whatever they say.
    #[must_use]
    pub fn lines_about(&self, name: &str) -> Vec<usize> {
        self.entries
            .iter()
            .filter(|e| e.hosts.matches(name))
            .map(|e| e.place.1)
            .collect()
    }

    /// Judges the key that a host presented.
    ///
    /// `name` is what [`crate::host::Target::known_hosts_name`] returns. `blob` is the public key as
    /// it goes over the wire.
    ///
    /// # Errors
    /// Unless the files hold this very key for this host and nothing revokes it.
    pub fn check(&self, name: &str, blob: &[u8]) -> Result<KnownKey, HostKeyProblem> {
        let got = describe(blob);
        let name = name.to_owned();
        if self
            .matching(&name, Marker::Revoked)
            .any(|entry| entry.blob == blob)
        {
            return Err(HostKeyProblem::Revoked { name, got });
        }
        let known: Vec<&Entry> = self.matching(&name, Marker::None).collect();
        if known.iter().any(|entry| entry.blob == blob) {
            return Ok(got);
        }
        let of = |pick: &dyn Fn(&Entry) -> bool| -> Vec<KnownKey> {
            known
                .iter()
                .filter(|e| pick(e))
                .map(|e| describe(&e.blob))
                .collect()
        };
        let expected = of(&|entry| entry.kind == got.kind);
        if !expected.is_empty() {
            return Err(HostKeyProblem::Changed {
                name,
                expected,
                got,
            });
        }
        let known = of(&|_| true);
        if !known.is_empty() {
            return Err(HostKeyProblem::OtherType { name, got, known });
        }
        let note = self.authority_note(&name);
        Err(HostKeyProblem::Unknown { name, got, note })
    }

    fn authority_note(&self, name: &str) -> String {
        self.matching(name, Marker::CertAuthority)
            .next()
            .map_or_else(String::new, |entry| {
                let (path, line) = &entry.place;
                format!(
                    "; the @cert-authority at {}:{line} is not supported",
                    path.display()
                )
            })
    }
}

/// Returns the type and the fingerprint of a public key in wire form.
#[must_use]
pub fn describe(blob: &[u8]) -> KnownKey {
    let digest = base64::encode_block(&sha256(blob));
    KnownKey {
        kind: wire_kind(blob).unwrap_or("unknown").to_owned(),
        fingerprint: format!("SHA256:{}", digest.trim_end_matches('=')),
    }
}

/// Reads the first string of a key in wire form: its type (RFC 4253, 6.6).
fn wire_kind(blob: &[u8]) -> Option<&str> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    std::str::from_utf8(rest.get(..length)?).ok()
}

/// Reads one line: `[@marker] hosts type base64 [comment]`.
fn parse(line: &[u8], place: (PathBuf, usize)) -> Result<Option<Entry>, &'static str> {
    let line = std::str::from_utf8(line)
        .map_err(|_| "line is not UTF-8")?
        .trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    let mut first = words.next().ok_or("line is empty")?;
    let marker = match first.strip_prefix('@') {
        None => Marker::None,
        Some("revoked") => Marker::Revoked,
        Some("cert-authority") => Marker::CertAuthority,
        Some(_) => return Err("marker is not known"),
    };
    if marker != Marker::None {
        first = words.next().ok_or("host names are missing")?;
    }
    let hosts = Pattern::parse(first)?;
    let kind = words.next().ok_or("key type is missing")?;
    if !KEY_TYPES.contains(&kind) {
        return Err("key type is not known");
    }
    let text = words.next().ok_or("key is missing")?;
    let blob = base64::decode_block(text).map_err(|_| "key is not base64")?;
    if wire_kind(&blob) != Some(kind) {
        return Err("key is not of the type that the line says");
    }
    Ok(Some(Entry {
        marker,
        hosts,
        kind: kind.to_owned(),
        blob,
        place,
    }))
}

#[cfg(test)]
mod tests;
