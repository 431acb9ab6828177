//! Audit records: text of any framing in, typed records out, and never a line lost.

use serde::{Deserialize, Serialize};

use super::{
    fields::Style,
    head::{self, Head},
    kind::RecordKind,
    limits::Limits,
    lines::{self, Part, Piece},
};

/// The text whose rules apply when records are told from other lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grammar {
    /// auditd's own log: every line is a record, and a user's text never starts one.
    AuditLog,
    /// A kernel ring, syslog file or journal, where records stand among other lines.
    KernelLog,
    /// Text of unknown origin, as people paste it: everything above, `ausearch` and `grep` too.
    Any,
}

/// How one record was framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Framing {
    /// `type=T msg=audit(S.MS:SERIAL): …`, as auditd writes it.
    AuditLog,
    /// The same as `ausearch -i` prints it: date in words of a locale, values decoded.
    Interpreted,
    /// `type=1400 audit(S.MS:SERIAL): …` or, on EL5, `audit(S.MS:SERIAL): …`.
    Kernel,
    /// `audit[PID]: AVC …`, journald's own form, which has no event number.
    Journal,
    /// A decision without a record around it.
    Bare,
    /// No record.
    None,
}

/// When an event happened, and its number since boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// Seconds since the epoch; near 0 on a host without a clock.
    pub sec: u64,
    /// What stood after the dot: milliseconds, but EL5 can print more than 999 of them.
    pub ms: u64,
    /// The event's serial number; starts again at every boot.
    pub serial: u64,
}

impl Stamp {
    /// Reads `SEC.MS:SERIAL`; `None` for the broken forms `()`, `(N)` and for dates.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (time, serial) = text.split_once(':')?;
        let (sec, ms) = time.split_once('.')?;
        Some(Self {
            sec: sec.parse().ok()?,
            ms: ms.parse().ok()?,
            serial: serial.parse().ok()?,
        })
    }

    /// True when time and number both lie between those of two other events.
    pub(super) fn is_between(self, begin: Self, end: Self) -> bool {
        let time = |stamp: Self| (stamp.sec, stamp.ms);
        time(begin) <= time(self)
            && time(self) <= time(end)
            && begin.serial < self.serial
            && self.serial < end.serial
    }

    /// The time in milliseconds since the epoch; `None` where the milliseconds are none (EL5).
    pub(super) fn epoch_ms(self) -> Option<u64> {
        let whole = self.sec.checked_mul(1000)?;
        (self.ms < 1000).then(|| whole.saturating_add(self.ms))
    }
}

/// One audit record, or one piece of text that is none; it borrows from the text that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The host that the record names itself (`node=`, `host=`); most logs name none.
    pub node: Option<&'a str>,
    /// The record's type.
    pub kind: RecordKind<'a>,
    /// The event's time and number, where they can be read.
    pub stamp: Option<Stamp>,
    /// The event's identity as written between the parentheses of `audit(…)`.
    pub id: Option<&'a str>,
    /// The text after the stamp, without auditd's enrichment.
    pub body: &'a str,
    /// auditd's names for the numbers (`UID="root"`), after the 0x1d byte.
    pub enrichment: Option<&'a str>,
    /// How the record was framed.
    pub framing: Framing,
    /// The program that a syslog line around the record names; `kernel` for the kernel.
    pub speaker: Option<&'a str>,
    /// The text that this record was read from, verbatim.
    pub raw: &'a str,
}

impl Framing {
    /// How values are written in records of this framing.
    pub(super) fn style(self) -> Style {
        match self {
            Self::Interpreted => Style::Interpreted,
            Self::AuditLog | Self::Kernel | Self::Journal | Self::Bare | Self::None => Style::Raw,
        }
    }
}

impl<'a> Record<'a> {
    /// True when the text around the record says that a program other than the kernel wrote it.
    ///
    /// Any process can write such a line with `logger`, so it proves nothing.
    #[must_use]
    pub fn is_hearsay(&self) -> bool {
        self.speaker.is_some_and(|speaker| speaker != "kernel")
    }

    /// Keeps text that is no record.
    fn unrecognized(raw: &'a str) -> Self {
        Self {
            node: None,
            kind: RecordKind::Unrecognized,
            stamp: None,
            id: None,
            body: raw.trim(),
            enrichment: None,
            framing: Framing::None,
            speaker: None,
            raw,
        }
    }

    /// Builds the record whose head was found; its text ends at `end`.
    fn build(line: &'a str, head: &Head<'a>, raw_start: usize, end: usize) -> Self {
        let text = line[head.body.min(end)..end].trim_end();
        let (body, enrichment) = match text.split_once('\u{1d}') {
            Some((body, enrichment)) => (body, Some(enrichment)),
            None => (text, None),
        };
        Self {
            stamp: head.id.and_then(Stamp::parse),
            node: head.node,
            kind: head.kind,
            id: head.id,
            body,
            enrichment,
            framing: head.framing,
            speaker: speaker(&line[raw_start..head.start]),
            raw: &line[raw_start..end],
        }
    }
}

/// Reads every line of a text into records; blank lines alone are left out.
#[must_use]
pub fn parse(text: &str, grammar: Grammar) -> Vec<Record<'_>> {
    parse_within(text, grammar, Limits::STANDARD)
}

/// The same with other bounds; of those only the longest line matters here.
#[must_use]
pub fn parse_within(text: &str, grammar: Grammar, limits: Limits) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    let mut reader = LineReader::new(grammar);
    for piece in lines::pieces(text, limits.sane().line) {
        reader.read(piece, &mut |record| records.push(record));
    }
    records
}

/// Reads lines in turn, and remembers what the beginning of a long one says about its rest.
#[derive(Debug)]
pub(super) struct LineReader {
    grammar: Grammar,
    in_user_text: bool,
}

impl LineReader {
    pub(super) fn new(grammar: Grammar) -> Self {
        Self {
            grammar,
            in_user_text: false,
        }
    }

    /// Reads one line or part of a line; a blank line gives nothing.
    pub(super) fn read<'a>(&mut self, piece: Piece<'a>, out: &mut impl FnMut(Record<'a>)) {
        let blank = match piece.part {
            Part::Whole => piece.text.trim().is_empty(),
            Part::First | Part::Rest => piece.text.is_empty(),
        };
        if blank {
            return;
        }
        if piece.part == Part::Rest && self.in_user_text {
            return out(Record::unrecognized(piece.text));
        }
        let last = read_line(piece.text, self.grammar, out);
        self.in_user_text = piece.part != Part::Whole && opens_user_text(last, self.grammar);
    }
}

/// Reads one line, which can hold several records when lines were glued together; gives the text
/// of the last.
fn read_line<'a>(line: &'a str, grammar: Grammar, out: &mut impl FnMut(Record<'a>)) -> &'a str {
    let Some(mut head) = first_head(line, grammar) else {
        out(Record::unrecognized(line));
        return line;
    };
    let mut start = 0;
    if grammar == Grammar::AuditLog && !line[..head.start].trim().is_empty() {
        out(Record::unrecognized(&line[..head.start]));
        start = head.start;
    }
    while let Some(next) = next_head(line, head.body, grammar) {
        out(Record::build(line, &head, start, next.start));
        start = next.start;
        head = next;
    }
    out(Record::build(line, &head, start, line.len()));
    &line[start..]
}

/// Finds the first record of a line.
fn first_head(line: &str, grammar: Grammar) -> Option<Head<'_>> {
    head::find(line, |head| believes(grammar, head)).or_else(|| match grammar {
        Grammar::AuditLog => None,
        Grammar::KernelLog | Grammar::Any => head::find_bare(line),
    })
}

/// Finds the record that follows the one whose body starts at `from`.
fn next_head(line: &str, mut from: usize, grammar: Grammar) -> Option<Head<'_>> {
    loop {
        let head = head::find_next(line, from, |head| believes(grammar, head))?;
        match user_text(&line[from..head.start]) {
            None => return Some(head),
            Some(start) => from = skip_user_text(line, from + start, grammar)?,
        }
    }
}

/// Whether a log of this grammar holds such heads.
fn believes(grammar: Grammar, head: &Head<'_>) -> bool {
    match grammar {
        Grammar::AuditLog => head.framing == Framing::AuditLog,
        Grammar::KernelLog | Grammar::Any => true,
    }
}

/// True when a record's text ends inside of what a user process said.
fn opens_user_text(text: &str, grammar: Grammar) -> bool {
    user_text(text).is_some_and(|start| skip_user_text(text, start, grammar).is_none())
}

/// Where the text of a user process starts, which must not start records of its own.
fn user_text(body: &str) -> Option<usize> {
    body.find("msg='").map(|n| n + "msg='".len())
}

/// The end of a user process's text; in trusted logs nothing after its start is believed.
fn skip_user_text(line: &str, start: usize, grammar: Grammar) -> Option<usize> {
    match grammar {
        Grammar::AuditLog | Grammar::KernelLog => None,
        Grammar::Any => line[start..].find('\'').map(|n| start + n + 1),
    }
}

/// The program that a syslog or journal line names before its text.
///
/// `kernel:` first means the kernel. A bare `audit:` means it only behind nothing but printk's
/// own time stamps, for a syslog line `host audit: …` is what `logger -t audit` writes. A word
/// that touches the record (`212:type=AVC`) comes from `grep -n`.
fn speaker(before: &str) -> Option<&str> {
    let before = before.trim_end_matches(|c: char| !c.is_whitespace());
    let mut plain = true;
    for word in before.split_whitespace() {
        if let Some(tag) = word.strip_suffix(':').filter(|tag| !tag.is_empty()) {
            let name = tag.split('[').next().unwrap_or(tag);
            let printk = name == "audit" && plain;
            return Some(if printk { "kernel" } else { name });
        }
        plain = plain && is_printk_stamp(word);
    }
    None
}

/// True for the pieces of `<5>[   12.345678][  T61]`.
fn is_printk_stamp(word: &str) -> bool {
    let inside = |c: char| c.is_ascii_digit() || "<>[].TC".contains(c);
    word.chars().all(inside)
}

#[cfg(test)]
mod tests;
