//! Audit records: text of any framing in, typed records out, and never a line lost.

use serde::{Deserialize, Serialize};

use super::{
    fields::Style,
    head::{self, Head},
    kind::RecordKind,
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

/// One audit record, or one piece of text that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The host that the record names itself (`node=`, `host=`); most logs name none.
    pub node: Option<String>,
    /// The record's type.
    pub kind: RecordKind,
    /// The event's time and number, where they can be read.
    pub stamp: Option<Stamp>,
    /// The event's identity as written between the parentheses of `audit(…)`.
    pub id: Option<String>,
    /// The text after the stamp, without auditd's enrichment.
    pub body: String,
    /// auditd's names for the numbers (`UID="root"`), after the 0x1d byte.
    pub enrichment: Option<String>,
    /// How the record was framed.
    pub framing: Framing,
    /// The program that a syslog line around the record names; `kernel` for the kernel.
    pub speaker: Option<String>,
    /// The text that this record was read from, verbatim.
    pub raw: String,
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

impl Record {
    /// True when the text around the record says that a program other than the kernel wrote it.
    ///
    /// Any process can write such a line with `logger`, so it proves nothing.
    #[must_use]
    pub fn is_hearsay(&self) -> bool {
        self.speaker
            .as_deref()
            .is_some_and(|speaker| speaker != "kernel")
    }

    /// Keeps text that is no record.
    fn unrecognized(raw: &str) -> Self {
        Self {
            node: None,
            kind: RecordKind::Unrecognized,
            stamp: None,
            id: None,
            body: raw.trim().to_owned(),
            enrichment: None,
            framing: Framing::None,
            speaker: None,
            raw: raw.to_owned(),
        }
    }

    /// Builds the record whose head was found; its text ends at `end`.
    fn build(line: &str, head: Head, raw_start: usize, end: usize) -> Self {
        let text = line[head.body.min(end)..end].trim_end();
        let (body, enrichment) = match text.split_once('\u{1d}') {
            Some((body, enrichment)) => (body, Some(enrichment.to_owned())),
            None => (text, None),
        };
        Self {
            stamp: head.id.as_deref().and_then(Stamp::parse),
            node: head.node,
            kind: head.kind,
            id: head.id,
            body: body.to_owned(),
            enrichment,
            framing: head.framing,
            speaker: speaker(&line[raw_start..head.start]),
            raw: line[raw_start..end].to_owned(),
        }
    }
}

/// Reads every line of a text into records; blank lines alone are left out.
#[must_use]
pub fn parse(text: &str, grammar: Grammar) -> Vec<Record> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.flat_map(|line| parse_line(line, grammar)).collect()
}

/// Reads one line, which can hold several records when lines were glued together.
fn parse_line(line: &str, grammar: Grammar) -> Vec<Record> {
    let heads = heads(line, grammar);
    let Some(first) = heads.first() else {
        return vec![Record::unrecognized(line)];
    };
    let mut records = Vec::new();
    let mut start = 0;
    if grammar == Grammar::AuditLog && !line[..first.start].trim().is_empty() {
        records.push(Record::unrecognized(&line[..first.start]));
        start = first.start;
    }
    let ends: Vec<usize> = heads
        .iter()
        .skip(1)
        .map(|head| head.start)
        .chain([line.len()])
        .collect();
    for (head, end) in heads.into_iter().zip(ends) {
        records.push(Record::build(line, head, start, end));
        start = end;
    }
    records
}

/// Finds all records of one line.
fn heads(line: &str, grammar: Grammar) -> Vec<Head> {
    let mut heads: Vec<Head> = Vec::new();
    let mut from = 0;
    while let Some(head) = head::find(line, from) {
        let wanted = match grammar {
            Grammar::AuditLog => head.framing == Framing::AuditLog,
            Grammar::KernelLog | Grammar::Any => true,
        };
        if !wanted {
            from = head.body;
            continue;
        }
        let text = user_text(&line[from..head.start]).filter(|_| !heads.is_empty());
        match text.map(|start| skip_user_text(line, from + start, grammar)) {
            Some(Some(end)) => from = end,
            Some(None) => break,
            None => {
                from = head.body;
                heads.push(head);
            }
        }
    }
    if heads.is_empty() && grammar != Grammar::AuditLog {
        heads.extend(head::find_bare(line));
    }
    heads
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
fn speaker(before: &str) -> Option<String> {
    let before = before.trim_end_matches(|c: char| !c.is_whitespace());
    let mut plain = true;
    for word in before.split_whitespace() {
        if let Some(tag) = word.strip_suffix(':').filter(|tag| !tag.is_empty()) {
            let name = tag.split('[').next().unwrap_or(tag);
            let printk = name == "audit" && plain;
            return Some(if printk {
                "kernel".to_owned()
            } else {
                name.to_owned()
            });
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
