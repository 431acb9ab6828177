//! Decisions of the access vector cache: what was denied or granted, to whom, on what.

use serde::{Deserialize, Serialize};

use super::{
    context::Context,
    fields::{Fields, Style},
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
    /// The kernel, on a bounded transition: `SELINUX_ERR` with `seresult=denied`, and no AVC.
    Bounds,
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
    fn unknown(record: &Record, raw: &str, verdict: AvcVerdict, decider: Decider) -> Self {
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
            permissive: None,
            node: record.node.clone(),
            stamp: record.stamp,
            complete: false,
            raw: raw.to_owned(),
        }
    }
}

/// Reads the decisions of one record; notices, AppArmor and user text give none.
#[must_use]
pub fn decisions(record: &Record) -> Vec<Decision> {
    match record.kind {
        RecordKind::Avc => kernel_decisions(record),
        RecordKind::UserAvc => user_decisions(record),
        RecordKind::SelinuxErr => bounded_transition(record).into_iter().collect(),
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
        | RecordKind::DaemonStart
        | RecordKind::DaemonEnd
        | RecordKind::Other(_)
        | RecordKind::Unrecognized => Vec::new(),
    }
}

/// Reads every decision of a kernel record; glued text can hold several.
fn kernel_decisions(record: &Record) -> Vec<Decision> {
    let body = record.body.as_str();
    let starts: Vec<usize> = std::iter::successors(head::find_decision(body, 0), |at| {
        head::find_decision(body, at + 4)
    })
    .collect();
    if starts.is_empty() {
        return cut_before_verdict(record, body, Decider::Kernel)
            .into_iter()
            .collect();
    }
    // Each of several keeps its own part of the text: copies of all would grow without bound.
    let raw = |piece| {
        if starts.len() > 1 {
            piece
        } else {
            record.raw.as_str()
        }
    };
    let ends = starts.iter().skip(1).copied().chain([body.len()]);
    let pieces = starts
        .iter()
        .zip(ends)
        .map(|(start, end)| &body[*start..end]);
    pieces
        .filter_map(|piece| decision(record, raw(piece), piece, "", Decider::Kernel))
        .collect()
}

/// Reads the one decision of a user record; later text is the client's own and not believed.
fn user_decisions(record: &Record) -> Vec<Decision> {
    let body = record.body.as_str();
    let (outer, inner) = match body.split_once("msg='") {
        Some((outer, rest)) => (outer, rest.rfind('\'').map_or(rest, |end| &rest[..end])),
        None => ("", body),
    };
    let found = match head::find_decision(inner, 0) {
        Some(start) => decision(
            record,
            &record.raw,
            &inner[start..],
            outer,
            Decider::Userspace,
        ),
        None => cut_before_verdict(record, inner, Decider::Userspace),
    };
    found.into_iter().collect()
}

/// Reads `avc: denied { a b } for key=value …`; `None` for a notice.
fn decision(
    record: &Record,
    raw: &str,
    text: &str,
    outer: &str,
    decider: Decider,
) -> Option<Decision> {
    let rest = text.strip_prefix("avc:")?.trim_start();
    let (verdict, rest) = match (rest.strip_prefix("denied"), rest.strip_prefix("granted")) {
        (Some(rest), _) => (AvcVerdict::Denied, rest),
        (None, Some(rest)) => (AvcVerdict::Granted, rest),
        (None, None) => return None,
    };
    let mut decision = Decision::unknown(record, raw, verdict, decider);
    let (permissions, closed, rest) = permissions(rest);
    decision.permissions = permissions;
    let style = record.framing.style();
    fill(
        &mut decision,
        &Fields::scan(rest, style),
        &Fields::scan(outer, style),
    );
    decision.complete = closed
        && !decision.permissions.is_empty()
        && decision.source.is_some()
        && decision.target.is_some()
        && decision.class.is_some();
    Some(decision)
}

/// Reads `{ a b }`; says whether the brace was closed, and what follows.
fn permissions(text: &str) -> (Vec<String>, bool, &str) {
    let Some(open) = text.trim_start().strip_prefix('{') else {
        return (Vec::new(), false, text);
    };
    let (inner, closed, rest) = match open.split_once('}') {
        Some((inner, rest)) => (inner, true, rest),
        None => (open, false, ""),
    };
    (
        inner.split_whitespace().map(str::to_owned).collect(),
        closed,
        rest,
    )
}

/// Fills in what the fields say; the outer fields of a user record stand behind the inner ones.
fn fill(decision: &mut Decision, fields: &Fields<'_>, outer: &Fields<'_>) {
    let class = fields.last("tclass");
    decision.class = class
        .map(|value| value.text.to_owned())
        .filter(|text| !text.is_empty());
    // Without a class the record was cut, and its last field may have been cut inside.
    let whole = |value: &&super::fields::Value<'_>| class.is_some() || !fields.is_final(value);
    let context = |key: &str| {
        fields
            .last(key)
            .filter(whole)
            .and_then(|value| Context::parse(value.text))
    };
    decision.source = context("scontext");
    decision.target = context("tcontext");
    decision.comm = fields.string("comm");
    decision.exe = fields.string("exe");
    decision.path = fields.string("path");
    decision.name = fields.string("name");
    decision.dev = fields.string("dev");
    decision.ino = fields.number("ino");
    decision.pid = fields.number("pid").or_else(|| fields.number("spid"));
    decision.pid = decision.pid.or_else(|| outer.number("pid"));
    decision.port = ["dest", "src", "lport", "fport"]
        .iter()
        .find_map(|key| fields.number(key));
    decision.capability = fields.number("capability");
    decision.permissive = fields
        .last("permissive")
        .and_then(|value| match value.text {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        });
}

/// Keeps a record that stops before its verdict, which may have been a denial.
fn cut_before_verdict(record: &Record, body: &str, decider: Decider) -> Option<Decision> {
    let text = body.trim();
    let cut = match text.split_once("avc:") {
        Some((_, rest)) => {
            let rest = rest.trim_start();
            ["denied", "granted", "received"]
                .iter()
                .any(|word| word.starts_with(rest))
        }
        None => "avc:".starts_with(text),
    };
    cut.then(|| Decision::unknown(record, &record.raw, AvcVerdict::Unknown, decider))
}

/// Reads `op=security_bounded_transition seresult=denied oldcontext=C newcontext=C`.
fn bounded_transition(record: &Record) -> Option<Decision> {
    let fields = Fields::scan(&record.body, Style::Raw);
    let is = |key: &str, text: &str| fields.last(key).is_some_and(|value| value.text == text);
    if !(is("op", "security_bounded_transition") && is("seresult", "denied")) {
        return None;
    }
    let context = |key: &str| {
        fields
            .last(key)
            .and_then(|value| Context::parse(value.text))
    };
    let mut decision = Decision::unknown(record, &record.raw, AvcVerdict::Denied, Decider::Bounds);
    decision.source = context("oldcontext");
    decision.target = context("newcontext");
    decision.class = Some("process".to_owned());
    decision.complete = decision.source.is_some() && decision.target.is_some();
    Some(decision)
}

#[cfg(test)]
mod tests;
