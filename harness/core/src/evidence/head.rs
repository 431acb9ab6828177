//! Finds where audit records start inside a line of text, whatever framed them.

use super::{kind::RecordKind, record::Framing};

/// The start of one audit record inside a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Byte where the record's own text starts (at `node=`, `type=`, `audit(` …).
    pub(super) start: usize,
    /// Byte where the record's body starts.
    pub(super) body: usize,
    /// The record's type.
    pub(super) kind: RecordKind,
    /// What `node=` or the older `host=` says.
    pub(super) node: Option<String>,
    /// The text between the parentheses of `audit(…)`.
    pub(super) id: Option<String>,
    /// How the record is framed.
    pub(super) framing: Framing,
}

/// Finds the first record that starts at or after `from`.
pub(super) fn find(line: &str, from: usize) -> Option<Head> {
    let mut at = from;
    while let Some(n) = line.get(at..).and_then(|rest| rest.find("audit")) {
        let anchor = at + n;
        let after = &line[anchor + "audit".len()..];
        let head = match after.as_bytes().first() {
            Some(b'(') => Some(stamped(line, anchor, from)),
            Some(b'[' | b':') => journal(line, anchor),
            Some(_) | None => None,
        };
        if head.is_some() {
            return head;
        }
        at = anchor + "audit".len();
    }
    None
}

/// Finds the first decision or notice that stands without any record around it.
pub(super) fn find_bare(line: &str) -> Option<Head> {
    let body = find_decision(line, 0)?;
    let user = line[..body].trim_end().ends_with("USER_AVC") || line[..body].contains("msg='");
    let kind = if user {
        RecordKind::UserAvc
    } else {
        RecordKind::Avc
    };
    Some(Head {
        start: body,
        body,
        kind,
        node: None,
        id: None,
        framing: Framing::Bare,
    })
}

/// Finds `avc:` followed by a verdict or a notice.
pub(super) fn find_decision(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(n) = text.get(at..).and_then(|rest| rest.find("avc:")) {
        let start = at + n;
        let word = text[start + 4..].trim_start();
        if ["denied", "granted", "received"]
            .iter()
            .any(|verdict| word.starts_with(verdict))
        {
            return Some(start);
        }
        at = start + 4;
    }
    None
}

/// Reads `[node=H ][type=T ][msg=]audit(ID)[ ]:` around an `audit(` that stands at `anchor`.
fn stamped(line: &str, anchor: usize, from: usize) -> Head {
    let open = anchor + "audit(".len();
    let (id, body) = match closing_bracket(line, open) {
        Some(n) => (Some(line[open..open + n].to_owned()), open + n + 1),
        None => (None, open),
    };
    let before = &line[from..anchor];
    let daemon = before.ends_with("msg=");
    let before = before.strip_suffix("msg=").unwrap_or(before);
    let mut start = from + before.len();
    let kind = type_before(before).map(|(at, name)| {
        start = from + at;
        RecordKind::parse(name)
    });
    let node = daemon
        .then(|| node_before(&line[from..start]))
        .flatten()
        .map(|(at, node)| {
            start = from + at;
            node.to_owned()
        });
    let rest = &line[body..];
    let interpreted = rest.starts_with(" :") || id.as_deref().is_some_and(|id| id.contains(' '));
    let framing = match (daemon, interpreted) {
        (true, true) => Framing::Interpreted,
        (true, false) => Framing::AuditLog,
        (false, _) => Framing::Kernel,
    };
    let body = body + (rest.len() - rest.trim_start_matches([' ', ':']).len());
    let kind = kind.unwrap_or_else(|| kind_of_body(&line[body..]));
    Head {
        start,
        body,
        kind,
        node,
        id,
        framing,
    }
}

/// The length of a stamp: no stamp or date is longer than 64 bytes, and lines can be huge.
fn closing_bracket(line: &str, open: usize) -> Option<usize> {
    line.as_bytes()[open..]
        .iter()
        .take(64)
        .position(|byte| *byte == b')')
}

/// The kind of an EL5 kernel line, which has a stamp and no type.
fn kind_of_body(body: &str) -> RecordKind {
    if body.starts_with("avc:") {
        RecordKind::Avc
    } else {
        RecordKind::Other(String::new())
    }
}

/// Reads the `type=T` that ends this text; a record glued on before it may touch it.
fn type_before(before: &str) -> Option<(usize, &str)> {
    let text = before.trim_end();
    let at = text.rfind("type=")?;
    let name = &text[at + "type=".len()..];
    let fits = !name.is_empty() && !name.contains(char::is_whitespace);
    (fits && text.len() < before.len()).then_some((at, name))
}

/// Reads the `node=H` or `host=H` that ends this text.
fn node_before(before: &str) -> Option<(usize, &str)> {
    let text = before.trim_end();
    let start = text.trim_end_matches(|c: char| !c.is_whitespace()).len();
    let word = &text[start..];
    let node = word
        .strip_prefix("node=")
        .or_else(|| word.strip_prefix("host="))?;
    (!node.is_empty() && text.len() < before.len()).then_some((start, node))
}

/// Reads journald's `audit[PID]: TYPE body` or `audit: TYPE body`, which carry no stamp.
fn journal(line: &str, anchor: usize) -> Option<Head> {
    let after = &line[anchor + "audit".len()..];
    let rest = match after.strip_prefix('[') {
        Some(rest) => rest
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .strip_prefix("]: ")?,
        None => after.strip_prefix(": ")?,
    };
    let name = rest
        .split(' ')
        .next()
        .filter(|name| is_journal_type(name))?;
    let body = line.len() - rest.len() + name.len();
    let body = body + (line[body..].len() - line[body..].trim_start().len());
    let kind = RecordKind::parse(name);
    Some(Head {
        start: anchor,
        body,
        kind,
        node: None,
        id: None,
        framing: Framing::Journal,
    })
}

/// True for a type as journald writes it: `USER_AVC` or `<audit-1420>`.
fn is_journal_type(name: &str) -> bool {
    let upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (name.len() > 2
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(upper))
        || (name.starts_with("<audit-") && name.ends_with('>'))
}
