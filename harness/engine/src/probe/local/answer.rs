//! What came back from the host: base64, the raw answer in it, and the tool's last words.

use std::time::Duration;

use patchgate_core::observation::{HttpAnswer, HttpEnd, HttpPhase};

use super::{LocalError, LocalProbe, MARK, failed};
use crate::probe::body::Body;

/// What a tool told.
pub(super) struct Told {
    pub(super) end: HttpEnd,
    pub(super) elapsed: Duration,
}

/// Undoes base64.
pub(super) fn unpack(packed: &str) -> Result<Vec<u8>, LocalError> {
    let joined: String = packed.split_ascii_whitespace().collect();
    openssl::base64::decode_block(&joined).map_err(|_| LocalError::Output("it is not base64"))
}

/// What stands behind an answer.
pub(super) struct LastWords {
    /// The tool's exit status.
    pub(super) rc: u8,
    /// What it said on standard error, as far as the script keeps it.
    pub(super) said: String,
}

/// Splits the answer from the last words; none when it was cut off before them.
pub(super) fn last_words(raw: &[u8]) -> Option<(&[u8], LastWords)> {
    let (answer, words) = split_last(raw, MARK)?;
    let words = String::from_utf8_lossy(words);
    let (rc, said) = words.split_once('\n')?;
    let words = LastWords {
        rc: rc.strip_prefix("rc=")?.parse().ok()?,
        said: said.trim().to_owned(),
    };
    Some((answer, words))
}

/// Splits at the last mark: a body may hold one.
pub(super) fn split_last<'a>(raw: &'a [u8], mark: &str) -> Option<(&'a [u8], &'a [u8])> {
    let mark = mark.as_bytes();
    let at = raw.windows(mark.len()).rposition(|w| w == mark)?;
    Some((&raw[..at], &raw[at + mark.len()..]))
}

/// Reads an answer that was longer than what is let through, so that the last words are lost.
pub(super) fn cut(probe: &LocalProbe, raw: &[u8]) -> Result<Told, LocalError> {
    let bytes = raw.len() as u64;
    if bytes < probe.cap() {
        return Err(LocalError::Output("it ends before the tool's last words"));
    }
    let end = match split_head(raw) {
        Some(_) => probe.too_long(bytes)?,
        None => failed(HttpPhase::Protocol, "the head does not end", bytes),
    };
    let elapsed = Duration::ZERO;
    Ok(Told { end, elapsed })
}

/// A value of `key=value` words.
pub(super) fn word<'a>(words: &'a str, key: &str) -> Option<&'a str> {
    let mut words = words.split_ascii_whitespace();
    words.find_map(|w| w.strip_prefix(key)?.strip_prefix('='))
}

/// The head of an answer.
pub(super) struct Head {
    status: u16,
    fields: Vec<(String, String)>,
}

impl Head {
    /// The first field of this name, in lower case.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut all = self.fields.iter();
        all.find_map(|(n, v)| (n == name).then_some(v.as_str()))
    }
}

/// Reads a head and gives what follows it; interim answers (1xx) are passed over.
pub(super) fn split_head(mut raw: &[u8]) -> Option<(Head, &[u8])> {
    loop {
        let end = raw.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = read_head(&String::from_utf8_lossy(&raw[..end]))?;
        raw = &raw[end + 4..];
        if !(100..200).contains(&head.status) {
            return Some((head, raw));
        }
    }
}

fn read_head(text: &str) -> Option<Head> {
    let mut lines = text.split("\r\n");
    let mut first = lines.next()?.split(' ');
    first.next()?.strip_prefix("HTTP/")?;
    let status = first.next()?.parse().ok()?;
    let fields = lines
        .filter_map(|l| l.split_once(':'))
        .map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()))
        .collect();
    Some(Head { status, fields })
}

/// Judges nothing, only reads: a head and a whole body become an answer.
pub(super) fn whole(probe: &LocalProbe, raw: &[u8]) -> Result<HttpEnd, LocalError> {
    let Some((head, body)) = split_head(raw) else {
        let detail = "what came has no HTTP head";
        return Ok(failed(HttpPhase::Protocol, detail, raw.len() as u64));
    };
    if body.len() as u64 >= probe.cap() {
        return probe.too_long(raw.len() as u64);
    }
    let mut facts = Body::new(&probe.request.contains);
    facts.push(body);
    let facts = facts.finish();
    Ok(HttpEnd::Answered(HttpAnswer {
        status: head.status,
        server: head.field("server").map(str::to_owned),
        location: head.field("location").map(str::to_owned),
        bytes: facts.len,
        sha256: Some(facts.sha256),
        contained: facts.contained,
    }))
}
