//! Joins the records of one event, so that each decision knows its program and its path.

use std::collections::HashMap;

use super::{
    denial::{self, Decision},
    fields::{Pairs, Style, Value},
    kind::RecordKind,
    record::Record,
};

/// What was known of a decision's event when its records were joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventEnd {
    /// The event's last record was seen (`PROCTITLE`, or `EOE` of EL5 and EL6).
    Seen,
    /// The record names no event (journald's form, broken stamps): nothing can be joined.
    Alone,
    /// The text was over first; a denial outside of a system call has no last record at all.
    TextOver,
    /// It was let go to bound what is held: what it lacks may stand further down.
    Early,
}

/// One decision, joined with the records of its event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The decision.
    pub decision: Decision,
    /// The number of its record in the text, from 0; text that is no record counts too.
    pub record: usize,
    /// True when the text around it says that a program wrote it, so that it proves nothing
    /// ([`Record::is_hearsay`]).
    pub hearsay: bool,
    /// How far its event was known.
    pub event: EventEnd,
}

/// The identity of an event within one boot: node, and what `audit(…)` holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Key<'a> {
    pub(super) node: Option<&'a str>,
    pub(super) id: &'a str,
}

impl<'a> Key<'a> {
    /// The identity of a record's event, if it has one.
    pub(super) fn of(record: &Record<'a>) -> Option<Self> {
        let key = Self {
            node: record.node,
            id: record.id?,
        };
        key.is_numbered().then_some(key)
    }

    /// False for what has no serial (`audit()`, `audit(17)`) and so names no event.
    pub(super) fn is_numbered(self) -> bool {
        let digits = self.id.bytes().rev().take_while(u8::is_ascii_digit);
        let digits = digits.count();
        digits > 0 && self.id.as_bytes()[..self.id.len() - digits].ends_with(b":")
    }

    /// Some number that is the same for the same identity.
    pub(super) fn digest(self) -> u64 {
        let node = self.node.unwrap_or_default().as_bytes().chunks(8);
        let words = node.chain(self.id.as_bytes().chunks(8));
        words.fold(0, |sum: u64, word| {
            let mut bytes = [0; 8];
            bytes[..word.len()].copy_from_slice(word);
            (sum.rotate_left(5) ^ u64::from_le_bytes(bytes)).wrapping_mul(0x517c_c1b7_2722_0a95)
        })
    }
}

/// The records that tell something about the decisions of their event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CompanionKind {
    Syscall,
    Path,
    Cwd,
    AvcPath,
}

impl CompanionKind {
    /// The kind of companion that a type of record is.
    pub(super) fn of(kind: RecordKind<'_>) -> Option<Self> {
        match kind {
            RecordKind::Syscall => Some(Self::Syscall),
            RecordKind::Path => Some(Self::Path),
            RecordKind::Cwd => Some(Self::Cwd),
            RecordKind::AvcPath => Some(Self::AvcPath),
            RecordKind::Avc
            | RecordKind::UserAvc
            | RecordKind::SelinuxErr
            | RecordKind::UserSelinuxErr
            | RecordKind::MacPolicyLoad
            | RecordKind::MacStatus
            | RecordKind::MacConfigChange
            | RecordKind::User
            | RecordKind::ConfigChange
            | RecordKind::EndOfEvent
            | RecordKind::Proctitle
            | RecordKind::DaemonStart
            | RecordKind::DaemonEnd
            | RecordKind::Other(_)
            | RecordKind::Unrecognized => None,
        }
    }
}

/// What the other records of an event tell about its decisions.
#[derive(Debug, Default)]
pub(super) struct Companions {
    comm: Option<String>,
    exe: Option<String>,
    cwd: Option<String>,
    avc_paths: Vec<String>,
    paths: Vec<NamedPath>,
}

/// One `PATH` record.
#[derive(Debug)]
struct NamedPath {
    name: String,
    inode: Option<u64>,
}

/// Reads the decisions of all records, in their order, and completes each from its event.
///
/// A record without an identity (journald's form) is joined with nothing.
#[must_use]
pub fn decisions(records: &[Record<'_>]) -> Vec<Decision> {
    decisions_at(records)
        .into_iter()
        .map(|(_, decision)| decision)
        .collect()
}

/// The same, each with the index of the record that it was read from.
pub(super) fn decisions_at(records: &[Record<'_>]) -> Vec<(usize, Decision)> {
    let events = companions(records);
    let mut found = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let told = Key::of(record).and_then(|key| events.get(&key));
        denial::each(record, &mut |mut decision| {
            if let Some(told) = told {
                told.complete(&mut decision);
            }
            found.push((index, decision));
        });
    }
    found
}

/// Collects what the events' other records say.
fn companions<'a>(records: &[Record<'a>]) -> HashMap<Key<'a>, Companions> {
    let mut events: HashMap<Key<'_>, Companions> = HashMap::new();
    for record in records {
        if let Some((key, kind)) = Key::of(record).zip(CompanionKind::of(record.kind)) {
            let told = events.entry(key).or_default();
            told.note(kind, record.framing.style(), record.body);
        }
    }
    events
}

impl Companions {
    /// Notes one record; enrichment may follow its body.
    pub(super) fn note(&mut self, kind: CompanionKind, style: Style, body: &str) {
        let end = memchr::memchr(0x1d, body.as_bytes()).unwrap_or(body.len());
        let body = &body[..end];
        let string = |value: Option<Value<'_>>| value?.string(style);
        match kind {
            CompanionKind::Syscall => {
                let [comm, exe] = last(body, style, ["comm", "exe"]);
                (self.comm, self.exe) = (string(comm), string(exe));
            }
            CompanionKind::Cwd => {
                let [cwd] = last(body, style, ["cwd"]);
                self.cwd = string(cwd);
            }
            CompanionKind::AvcPath => {
                let [path] = last(body, style, ["path"]);
                self.avc_paths.extend(string(path));
            }
            CompanionKind::Path => {
                let [name, inode] = last(body, style, ["name", "inode"]);
                let inode = inode.and_then(|inode| inode.number());
                let name = string(name);
                self.paths
                    .extend(name.map(|name| NamedPath { name, inode }));
            }
        }
    }

    /// Fills in what the decision's own record lacks.
    pub(super) fn complete(&self, decision: &mut Decision) {
        decision.comm = decision.comm.take().or_else(|| self.comm.clone());
        decision.exe = decision.exe.take().or_else(|| self.exe.clone());
        decision.path = decision.path.take().or_else(|| self.path_of(decision));
    }

    /// The path of a decision's object: EL5's own record, else the `PATH` with its inode or name.
    fn path_of(&self, decision: &Decision) -> Option<String> {
        if let [path] = self.avc_paths.as_slice() {
            return Some(path.clone());
        }
        let last = |name: &str| name.rsplit('/').next().map(str::to_owned);
        let by_inode = |path: &&NamedPath| path.inode.is_some() && path.inode == decision.ino;
        let by_name =
            |path: &&NamedPath| decision.name.is_some() && last(&path.name) == decision.name;
        let mut paths = self.paths.iter();
        let found = paths
            .clone()
            .find(by_inode)
            .or_else(|| paths.find(by_name))?;
        match &self.cwd {
            Some(cwd) if !found.name.starts_with('/') => {
                Some(format!("{}/{}", cwd.trim_end_matches('/'), found.name))
            }
            Some(_) | None => Some(found.name.clone()),
        }
    }
}

/// The last values of these keys.
fn last<'a, const N: usize>(
    body: &'a str,
    style: Style,
    keys: [&str; N],
) -> [Option<Value<'a>>; N] {
    let mut found = [None; N];
    for (key, value) in Pairs::new(body, style) {
        if let Some(place) = keys.iter().position(|wanted| *wanted == key) {
            found[place] = Some(value);
        }
    }
    found
}
