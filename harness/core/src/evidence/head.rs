//! Finds where audit records start inside a line of text, whatever framed them.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{kind::RecordKind, record::Framing};

/// Finds what every head holds.
static AUDIT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("audit"));

/// Finds what every decision begins with.
static AVC: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("avc:"));

/// The start of one audit record inside a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// Byte where the record's own text starts (at `node=`, `type=`, `audit(` …).
    pub(super) start: usize,
    /// Byte where the record's body starts.
    pub(super) body: usize,
    /// The record's type.
    pub(super) kind: RecordKind<'a>,
    /// What `node=` or the older `host=` says.
    pub(super) node: Option<&'a str>,
    /// The text between the parentheses of `audit(…)`.
    pub(super) id: Option<&'a str>,
    /// How the record is framed.
    pub(super) framing: Framing,
}

/// Finds the first record of a line that is believed.
pub(super) fn find<'a>(line: &'a str, believed: impl Fn(&Head<'a>) -> bool) -> Option<Head<'a>> {
    scan(line, 0, |head, _| believed(head))
}

/// Finds the first record that is believed behind another one, whose body begins at `from`.
///
/// White space stands in front of its head or inside of it. The kernel writes no bare or quoted
/// string that holds any, so that no file name can look like such a head.
pub(super) fn find_next<'a>(
    line: &'a str,
    from: usize,
    believed: impl Fn(&Head<'a>) -> bool,
) -> Option<Head<'a>> {
    let apart = |head: &Head<'a>, anchor: usize| {
        head.framing == Framing::Journal
            || line[head.start..anchor].contains(' ')
            || line[..head.start].ends_with(char::is_whitespace)
    };
    scan(line, from, |head, anchor| {
        apart(head, anchor) && believed(head)
    })
}

/// Finds the first head that is accepted; told too is where its `audit` stands.
fn scan<'a>(
    line: &'a str,
    mut from: usize,
    accept: impl Fn(&Head<'a>, usize) -> bool,
) -> Option<Head<'a>> {
    let mut at = from;
    while let Some(n) = line.as_bytes().get(at..).and_then(|rest| AUDIT.find(rest)) {
        let anchor = at + n;
        at = anchor + "audit".len();
        match head_at(line, anchor, from) {
            Some(head) if accept(&head, anchor) => return Some(head),
            // A head that counts does not reach over one that does not.
            Some(_) => from = at,
            None => {}
        }
    }
    None
}

/// Reads the head whose `audit` stands at `anchor`, and which begins at `from` or later.
fn head_at(line: &str, anchor: usize, from: usize) -> Option<Head<'_>> {
    match line.as_bytes().get(anchor + "audit".len()) {
        Some(b'(') => Some(stamped(line, anchor, from)),
        Some(b'[' | b':') => journal(line, anchor),
        Some(_) | None => None,
    }
}

/// Finds the first decision or notice that stands without any record around it.
pub(super) fn find_bare(line: &str) -> Option<Head<'_>> {
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

/// The word that says what an `avc:` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Denied,
    Granted,
    Received,
}

/// The words as records hold them.
const WORDS: &[(&str, Word)] = &[
    ("denied", Word::Denied),
    ("granted", Word::Granted),
    ("received", Word::Received),
];

/// Finds `avc:` followed by a verdict or a notice.
pub(super) fn find_decision(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(n) = AVC.find(text.as_bytes().get(at..)?) {
        if verdict(&text[at + n..]).is_some() {
            return Some(at + n);
        }
        at += n + 4;
    }
    None
}

/// Reads `avc:`, space, and a verdict or a notice; gives what follows too.
///
/// The space matters: the kernel writes no bare or quoted string that holds one, so that no file
/// name can look like a decision.
pub(super) fn verdict(text: &str) -> Option<(Word, &str)> {
    let rest = text.strip_prefix("avc:")?;
    let word = rest.trim_start();
    if word.len() == rest.len() {
        return None;
    }
    let found = |(name, kind): &(&str, Word)| Some((*kind, word.strip_prefix(name)?));
    WORDS.iter().find_map(found)
}

/// True when nothing but the end of this text speaks against a verdict.
pub(super) fn may_become_verdict(text: &str) -> bool {
    WORDS.iter().any(|(word, _)| word.starts_with(text))
}

/// Reads `[node=H ][type=T ][msg=]audit(ID)[ ]:` around an `audit(` that stands at `anchor`.
fn stamped(line: &str, anchor: usize, from: usize) -> Head<'_> {
    let open = anchor + "audit(".len();
    let (id, body) = match closing_bracket(line, open) {
        Some(n) => (Some(&line[open..open + n]), open + n + 1),
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
            node
        });
    let rest = &line[body..];
    let interpreted = rest.starts_with(" :") || id.is_some_and(|id| id.contains(' '));
    let framing = match (daemon, interpreted) {
        (true, true) => Framing::Interpreted,
        (true, false) => Framing::AuditLog,
        (false, _) => Framing::Kernel,
    };
    let body = body + (rest.len() - rest.trim_start_matches([' ', ':']).len());
    let kind = kind_by_body(kind.unwrap_or(RecordKind::Other("")), &line[body..]);
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

/// The kind of a record whose type is missing (EL5's kernel), damaged or of an unknown name.
///
/// Nobody but the kernel begins a body with these words; what users say stands in `msg='…'`, and
/// only root can say it.
fn kind_by_body<'a>(kind: RecordKind<'a>, body: &str) -> RecordKind<'a> {
    let RecordKind::Other(name) = kind else {
        return kind;
    };
    let begins = |words: &str| body.starts_with(words);
    if begins("avc:") {
        RecordKind::Avc
    } else if !name.is_empty() {
        kind
    } else if begins("security_") {
        RecordKind::SelinuxErr
    } else if begins("policy loaded") {
        RecordKind::MacPolicyLoad
    } else if begins("enforcing=") {
        RecordKind::MacStatus
    } else if begins("user pid=") && body.contains("msg='avc:") {
        RecordKind::UserAvc
    } else {
        kind
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
fn journal(line: &str, anchor: usize) -> Option<Head<'_>> {
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
