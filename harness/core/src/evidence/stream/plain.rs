//! The common line of auditd's log, told apart by a glance.
//!
//! Nearly all of a large log are records that hold no decision. They are recognised here by bytes
//! alone; whatever looks in any way unusual is left to the full reader, so that this can make
//! reading faster and never different.

use super::open::Whose;
use crate::evidence::{
    event::{CompanionKind, Key},
    kind::RecordKind,
};

/// A line that is exactly one record, which auditd wrote, without a decision in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain<'a> {
    /// Nothing depends on it.
    Ordinary,
    /// It tells about the decisions of its event, in this text.
    Companion(Whose<'a>, CompanionKind, &'a str),
    /// It is the last of its event.
    End(Whose<'a>),
}

/// Reads `[node=H ]type=T msg=audit(S.MS:SERIAL): BODY`.
///
/// `newest` is the identity of the event that was opened last, which most records belong to.
pub(super) fn read<'a>(line: &'a str, newest: Key<'_>) -> Option<Plain<'a>> {
    let (node, rest) = match line.strip_prefix("type=") {
        Some(rest) => (None, rest),
        None => node(line)?,
    };
    let (name, rest) = rest.split_at(memchr::memchr(b' ', rest.as_bytes())?);
    let kind = kind(name)?;
    let stamped = rest.strip_prefix(" msg=audit(")?;
    let (whose, body) = match again(stamped, newest.id).filter(|_| node == newest.node) {
        Some(body) => (Some(Whose::Newest), body),
        None => {
            let (id, body) = stamp(stamped)?;
            let key = Some(Key { node, id }).filter(|key| key.is_numbered());
            (key.map(Whose::Of), body)
        }
    };
    let body = body.strip_prefix(' ')?;
    if body.starts_with([' ', ':']) || body.starts_with("avc:") || holds_head(body) {
        return None;
    }
    Some(match (whose, CompanionKind::of(kind)) {
        (Some(whose), Some(kind)) => Plain::Companion(whose, kind, body),
        (Some(whose), None) if kind.ends_event() => Plain::End(whose),
        (Some(_), None) | (None, _) => Plain::Ordinary,
    })
}

/// Reads the node that a line may begin with, up to the name of its type.
fn node(line: &str) -> Option<(Option<&str>, &str)> {
    let named = line
        .strip_prefix("node=")
        .or_else(|| line.strip_prefix("host="))?;
    let (node, rest) = word(named, is_host)?;
    Some((Some(node), rest.strip_prefix(" type=")?))
}

/// Reads the name of a type whose records are neither decisions nor notable.
fn kind(name: &str) -> Option<RecordKind<'_>> {
    let kind = RecordKind::parse(name);
    let known = !matches!(kind, RecordKind::Other(_));
    let named = known || !name.is_empty() && name.bytes().all(is_name);
    (named && !kind.may_decide() && !kind.is_notable()).then_some(kind)
}

/// Reads `ID):` with the identity that was seen before, which needs no second look.
fn again<'a>(text: &'a str, known: &str) -> Option<&'a str> {
    let body = text.strip_prefix(known)?.strip_prefix("):")?;
    (!known.is_empty()).then_some(body)
}

/// Reads `ID):`.
fn stamp(text: &str) -> Option<(&str, &str)> {
    let (id, rest) = word(text, is_stamp)?;
    (id.len() < 64).then_some((id, rest.strip_prefix("):")?))
}

/// True when another record may start inside of this one.
fn holds_head(body: &str) -> bool {
    let body = body.as_bytes();
    memchr::memchr_iter(b'(', body).any(|at| body[..at].ends_with(b"audit"))
}

/// Splits off the bytes that fit, all of them ASCII; `None` when there are none.
fn word(text: &str, fits: fn(u8) -> bool) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| !fits(byte))?;
    (end > 0).then(|| text.split_at(end))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_[]".contains(&byte)
}

fn is_stamp(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'.' || byte == b':'
}

fn is_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-_".contains(&byte)
}
