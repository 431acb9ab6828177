//! Joins the records of one event, so that each decision knows its program and its path.

use std::collections::HashMap;

use super::{
    denial::{self, Decision},
    fields::Fields,
    kind::RecordKind,
    record::Record,
};

/// The identity of an event within one boot: node, and what `audit(…)` holds.
type Key<'a> = (Option<&'a str>, &'a str);

/// What the other records of an event tell about its decisions.
#[derive(Debug, Default)]
struct Companions {
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
pub fn decisions(records: &[Record]) -> Vec<Decision> {
    decisions_at(records)
        .into_iter()
        .map(|(_, decision)| decision)
        .collect()
}

/// The same, each with the index of the record that it was read from.
pub(super) fn decisions_at(records: &[Record]) -> Vec<(usize, Decision)> {
    let events = companions(records);
    let found = records.iter().enumerate().flat_map(|(index, record)| {
        denial::decisions(record)
            .into_iter()
            .map(move |decision| (index, decision))
    });
    found
        .map(|(index, mut decision)| {
            if let Some(event) = key(&records[index]).and_then(|key| events.get(&key)) {
                complete(&mut decision, event);
            }
            (index, decision)
        })
        .collect()
}

/// The identity of a record's event.
fn key(record: &Record) -> Option<Key<'_>> {
    record.id.as_deref().map(|id| (record.node.as_deref(), id))
}

/// Collects what the events' other records say.
fn companions(records: &[Record]) -> HashMap<Key<'_>, Companions> {
    let mut events: HashMap<Key<'_>, Companions> = HashMap::new();
    for record in records {
        if let Some(key) = key(record) {
            note(events.entry(key).or_default(), record);
        }
    }
    events
}

/// Notes one record.
fn note(event: &mut Companions, record: &Record) {
    let style = record.framing.style();
    let string = |key: &str| Fields::scan(&record.body, style).string(key);
    match record.kind {
        RecordKind::Syscall => {
            event.comm = string("comm");
            event.exe = string("exe");
        }
        RecordKind::Cwd => event.cwd = string("cwd"),
        RecordKind::AvcPath => event.avc_paths.extend(string("path")),
        RecordKind::Path => {
            let inode = Fields::scan(&record.body, style).number("inode");
            event
                .paths
                .extend(string("name").map(|name| NamedPath { name, inode }));
        }
        RecordKind::Avc
        | RecordKind::UserAvc
        | RecordKind::SelinuxErr
        | RecordKind::UserSelinuxErr
        | RecordKind::MacPolicyLoad
        | RecordKind::MacStatus
        | RecordKind::MacConfigChange
        | RecordKind::User
        | RecordKind::ConfigChange
        | RecordKind::DaemonStart
        | RecordKind::DaemonEnd
        | RecordKind::Other(_)
        | RecordKind::Unrecognized => {}
    }
}

/// Fills in what the decision's own record lacks.
fn complete(decision: &mut Decision, event: &Companions) {
    decision.comm = decision.comm.take().or_else(|| event.comm.clone());
    decision.exe = decision.exe.take().or_else(|| event.exe.clone());
    decision.path = decision.path.take().or_else(|| path_of(decision, event));
}

/// The path of a decision's object: EL5's own record, else the `PATH` with its inode or name.
fn path_of(decision: &Decision, event: &Companions) -> Option<String> {
    if let [path] = event.avc_paths.as_slice() {
        return Some(path.clone());
    }
    let last = |name: &str| name.rsplit('/').next().map(str::to_owned);
    let by_inode = || {
        event
            .paths
            .iter()
            .find(|path| path.inode.is_some() && path.inode == decision.ino)
    };
    let by_name = || {
        event
            .paths
            .iter()
            .find(|p| decision.name.is_some() && last(&p.name) == decision.name)
    };
    let found = by_inode().or_else(by_name)?;
    match &event.cwd {
        Some(cwd) if !found.name.starts_with('/') => {
            Some(format!("{}/{}", cwd.trim_end_matches('/'), found.name))
        }
        Some(_) | None => Some(found.name.clone()),
    }
}
