//! The few fields of a certificate (RFC 5280, 4.1) that are told, from its DER.

use std::fmt::Write as _;

/// What is told of a certificate.
pub(super) struct Read {
    /// Seconds since the epoch.
    pub(super) not_before: i64,
    /// Seconds since the epoch.
    pub(super) not_after: i64,
    /// `C = US, CN = web1`.
    pub(super) subject: String,
}

const INTEGER: u8 = 0x02;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const BMP_STRING: u8 = 0x1e;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// The version's own tag, in the certificates that have one.
const VERSION: u8 = 0xa0;

/// Reads a certificate; none when it has another shape.
pub(super) fn read(bytes: &[u8]) -> Option<Read> {
    let certificate = Values(bytes).take(SEQUENCE)?;
    let mut signed = Values(Values(certificate).take(SEQUENCE)?);
    signed.take(VERSION);
    signed.take(INTEGER)?;
    let _algorithm = signed.take(SEQUENCE)?;
    let _issuer = signed.take(SEQUENCE)?;
    let mut validity = Values(signed.take(SEQUENCE)?);
    let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
    let subject = name(signed.take(SEQUENCE)?)?;
    Some(Read {
        not_before,
        not_after,
        subject,
    })
}

/// Values that stand one behind the other, each with its tag and its length before it.
struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    /// The next value, whatever it is.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, value))
    }

    /// The next value, if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.0.first() == Some(&tag) {
            self.next().map(|(_, value)| value)
        } else {
            None
        }
    }
}

/// A length: one byte, or how many bytes it takes and those.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    if digits.is_empty() || digits.len() > 4 {
        return None;
    }
    let number = digits
        .iter()
        .fold(0, |n, digit| n << 8 | usize::from(*digit));
    Some((number, rest))
}

/// `130205030405Z`, of the years 1950 to 2049, or `20130205030405Z`.
fn time(values: &mut Values<'_>) -> Option<i64> {
    let (tag, value) = values.next()?;
    let text = str::from_utf8(value).ok()?;
    let text = match (tag, text.as_bytes().first()?) {
        (UTC_TIME, b'5'..=b'9') => format!("19{text}"),
        (UTC_TIME, _) => format!("20{text}"),
        (GENERALIZED_TIME, _) => text.to_owned(),
        _ => return None,
    };
    let date = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    let epoch = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
    Some(date.duration_since(epoch).as_secs())
}

/// A name: sets of pairs of what it is and how it is called.
fn name(bytes: &[u8]) -> Option<String> {
    let mut parts = Vec::new();
    let mut sets = Values(bytes);
    while let Some(set) = sets.take(SET) {
        let mut pairs = Values(set);
        while let Some(pair) = pairs.take(SEQUENCE) {
            let mut pair = Values(pair);
            let kind = kind(pair.take(OID)?);
            let (tag, value) = pair.next()?;
            parts.push(format!("{kind} = {}", text(tag, value)));
        }
    }
    Some(parts.join(", "))
}

fn text(tag: u8, value: &[u8]) -> String {
    if tag == BMP_STRING {
        let units: Vec<u16> = value
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(value).into_owned()
    }
}

/// The short name of what stands in a name, as openssl has it; its number where that is not common.
fn kind(oid: &[u8]) -> String {
    let short = match oid {
        [0x55, 4, 3] => "CN",
        [0x55, 4, 6] => "C",
        [0x55, 4, 7] => "L",
        [0x55, 4, 8] => "ST",
        [0x55, 4, 10] => "O",
        [0x55, 4, 11] => "OU",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "emailAddress",
        other => return hex(other),
    };
    short.to_owned()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = "oid ".to_owned();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
