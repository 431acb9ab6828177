//! Decisions of the access vector cache: what was denied or granted, to whom, on what.

mod avc;
mod transition;

use avc::Place;
use serde::{Deserialize, Serialize};

use super::{
    context::Context,
    head,
    kind::RecordKind,
    record::{Record, Stamp},
};

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AvcVerdict {
    /// Access was refused, or would have been (see [`Decision::permissive`]).
    Denied,
    /// Access was given, and policy wanted that recorded (`auditallow`): not a denial.
    Granted,
    /// The record was cut before its verdict; it counts as a denial, for it may be one.
    Unknown,
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decider {
    /// The kernel.
    Kernel,
    /// A userspace object manager such as dbus or systemd.
    Userspace,
    /// The kernel, on a transition that bounds forbid: `SELINUX_ERR` and no AVC.
    Bounds,
    /// The kernel, on a new label that a `validatetrans` rule forbids: `SELINUX_ERR` and no AVC.
    Relabel,
}

/// One decision of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was decided.
    pub verdict: AvcVerdict,
    /// Who decided.
    pub decider: Decider,
    /// The permissions, as written between the braces.
    pub permissions: Vec<String>,
    /// The context of the process that asked.
    pub source: Option<Context>,
    /// The context of what it asked for.
    pub target: Option<Context>,
    /// The object class, for example `tcp_socket`.
    pub class: Option<String>,
    /// The name of the task, at most 15 bytes in the kernel.
    pub comm: Option<String>,
    /// The program file, from the event's `SYSCALL` or the user record.
    pub exe: Option<String>,
    /// The full path of the object; an abstract socket's starts with a NUL.
    pub path: Option<String>,
    /// The last part of the object's path.
    pub name: Option<String>,
    /// The device that holds the object.
    pub dev: Option<String>,
    /// The object's inode number on that device.
    pub ino: Option<u64>,
    /// The process that asked.
    pub pid: Option<u32>,
    /// The port that was bound, listened on or connected to.
    pub port: Option<u16>,
    /// The capability number of the `capability` classes.
    pub capability: Option<u32>,
    /// The command of a denied `ioctl`.
    #[serde(default)]
    pub ioctl: Option<u16>,
    /// `srawcon=`: the process's context as it is stored, where the policy does not know it.
    #[serde(default)]
    pub source_on_disk: Option<String>,
    /// `trawcon=`: the same of the object; `tcontext` is `unlabeled_t` then.
    #[serde(default)]
    pub target_on_disk: Option<String>,
    /// True when the access went on all the same; `None` where the kernel did not say (EL5, EL6).
    pub permissive: Option<bool>,
    /// The host that the record names itself.
    pub node: Option<String>,
    /// The event's time and number.
    pub stamp: Option<Stamp>,
    /// False when the record was cut: a missing part is unknown, not absent.
    pub complete: bool,
    /// The text of the record, verbatim.
    pub raw: String,
}

impl Decision {
    /// True for everything that is not proven to be a grant.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        match self.verdict {
            AvcVerdict::Denied | AvcVerdict::Unknown => true,
            AvcVerdict::Granted => false,
        }
    }

    /// A decision of which only the record is known.
    fn unknown(record: &Record<'_>, raw: &str, verdict: AvcVerdict, decider: Decider) -> Self {
        Self {
            verdict,
            decider,
            permissions: Vec::new(),
            source: None,
            target: None,
            class: None,
            comm: None,
            exe: None,
            path: None,
            name: None,
            dev: None,
            ino: None,
            pid: None,
            port: None,
            capability: None,
            ioctl: None,
            source_on_disk: None,
            target_on_disk: None,
            permissive: None,
            node: record.node.map(str::to_owned),
            stamp: record.stamp,
            complete: false,
            raw: raw.to_owned(),
        }
    }
}

/// Reads the decisions of one record; notices, AppArmor and user text give none.
#[must_use]
pub fn decisions(record: &Record<'_>) -> Vec<Decision> {
    let mut found = Vec::new();
    each(record, &mut |decision| found.push(decision));
    found
}

/// Gives each decision of one record away.
pub(super) fn each(record: &Record<'_>, out: &mut impl FnMut(Decision)) {
    match record.kind {
        RecordKind::Avc => kernel_decisions(record, out),
        RecordKind::UserAvc => user_decision(record).into_iter().for_each(out),
        RecordKind::SelinuxErr => transition::decision(record).into_iter().for_each(out),
        RecordKind::UserSelinuxErr
        | RecordKind::AvcPath
        | RecordKind::MacPolicyLoad
        | RecordKind::MacStatus
        | RecordKind::MacConfigChange
        | RecordKind::User
        | RecordKind::Syscall
        | RecordKind::Path
        | RecordKind::Cwd
        | RecordKind::ConfigChange
        | RecordKind::EndOfEvent
        | RecordKind::Proctitle
        | RecordKind::DaemonStart
        | RecordKind::DaemonEnd
        | RecordKind::Other(_)
        | RecordKind::Unrecognized => {}
    }
}

/// Reads every decision of a kernel record; glued text can hold several.
fn kernel_decisions(record: &Record<'_>, out: &mut impl FnMut(Decision)) {
    let place = |raw, text| Place {
        raw,
        text,
        outer: "",
        decider: Decider::Kernel,
        closed: false,
    };
    let body = record.body;
    let Some(first) = head::find_decision(body, 0) else {
        let cut = avc::cut_before_verdict(record, place(record.raw, body));
        return cut.into_iter().for_each(out);
    };
    let mut start = first;
    while let Some(next) = head::find_decision(body, start + 4) {
        // Each of several keeps its own part of the text: copies of all would grow without bound.
        let piece = &body[start..next];
        avc::decision(record, place(piece, piece))
            .into_iter()
            .for_each(&mut *out);
        start = next;
    }
    let piece = &body[start..];
    let raw = if start == first { record.raw } else { piece };
    avc::decision(record, place(raw, piece))
        .into_iter()
        .for_each(out);
}

/// Reads the one decision of a user record; later text is the client's own and not believed.
fn user_decision(record: &Record<'_>) -> Option<Decision> {
    let (outer, rest) = record.body.split_once("msg='").unwrap_or(("", record.body));
    let quote = rest.rfind('\'');
    let inner = &rest[..quote.unwrap_or(rest.len())];
    let place = |text| Place {
        raw: record.raw,
        text,
        outer,
        decider: Decider::Userspace,
        closed: quote.is_some(),
    };
    match head::find_decision(inner, 0) {
        Some(start) => avc::decision(record, place(&inner[start..])),
        None => avc::cut_before_verdict(record, place(inner)),
    }
}

#[cfg(test)]
mod tests;
