//! The text of one decision: `avc:  denied  { a b } for  key=value …`.

use super::{AvcVerdict, Decider, Decision};
use crate::evidence::{
    class::class_name,
    context::Context,
    fields::{Pairs, Style, Value},
    head,
    record::Record,
};

/// Where the text of one decision stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// What is kept of the record's text.
    pub(super) raw: &'a str,
    /// The decision's own text, from `avc:` on.
    pub(super) text: &'a str,
    /// The fields that stand around it in a user record.
    pub(super) outer: &'a str,
    /// Who decided.
    pub(super) decider: Decider,
    /// True when something behind the text shows that it is whole.
    pub(super) closed: bool,
}

/// Reads one decision; `None` for a notice.
pub(super) fn decision(record: &Record<'_>, place: Place<'_>) -> Option<Decision> {
    let (word, rest) = head::verdict(place.text)?;
    let verdict = match word {
        head::Word::Denied => AvcVerdict::Denied,
        head::Word::Granted => AvcVerdict::Granted,
        head::Word::Received => return None,
    };
    let mut decision = Decision::unknown(record, place.raw, verdict, place.decider);
    let (permissions, closed, rest) = permissions(rest);
    decision.permissions = permissions;
    let style = record.framing.style();
    let end = if place.closed {
        usize::MAX
    } else {
        rest.trim_end().len()
    };
    let named = Named::read(rest, style);
    fill(&mut decision, &named, style, end);
    decision.source_on_disk = named.srawcon.and_then(|v| raw_context(v, rest, style));
    decision.target_on_disk = named.trawcon.and_then(|v| raw_context(v, rest, style));
    if decision.pid.is_none() {
        decision.pid = number(Named::read(place.outer, style).pid);
    }
    decision.complete = closed
        && !decision.permissions.is_empty()
        && decision.source.is_some()
        && decision.target.is_some()
        && decision.class.is_some();
    Some(decision)
}

/// Keeps a record that stops before its verdict, which may have been a denial.
pub(super) fn cut_before_verdict(record: &Record<'_>, place: Place<'_>) -> Option<Decision> {
    let text = place.text.trim();
    let cut = match text.split_once("avc:") {
        Some((_, rest)) => head::may_become_verdict(rest.trim_start()),
        None => "avc:".starts_with(text),
    };
    cut.then(|| Decision::unknown(record, place.raw, AvcVerdict::Unknown, place.decider))
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
    let words = inner.split_ascii_whitespace();
    (words.map(str::to_owned).collect(), closed, rest)
}

/// The fields of a decision that are kept, each the last of its name.
#[derive(Clone, Debug, Default)]
struct Named<'a> {
    scontext: Option<Value<'a>>,
    tcontext: Option<Value<'a>>,
    tclass: Option<Value<'a>>,
    permissive: Option<Value<'a>>,
    comm: Option<Value<'a>>,
    exe: Option<Value<'a>>,
    path: Option<Value<'a>>,
    name: Option<Value<'a>>,
    dev: Option<Value<'a>>,
    ino: Option<Value<'a>>,
    pid: Option<Value<'a>>,
    spid: Option<Value<'a>>,
    dest: Option<Value<'a>>,
    src: Option<Value<'a>>,
    lport: Option<Value<'a>>,
    fport: Option<Value<'a>>,
    capability: Option<Value<'a>>,
    ioctlcmd: Option<Value<'a>>,
    srawcon: Option<Value<'a>>,
    trawcon: Option<Value<'a>>,
}

impl<'a> Named<'a> {
    /// Reads them.
    fn read(text: &'a str, style: Style) -> Self {
        let mut named = Self::default();
        for (key, value) in Pairs::new(text, style) {
            if let Some(place) = named.place(key) {
                *place = Some(value);
            }
        }
        named
    }

    /// Where the value of a key belongs.
    fn place(&mut self, key: &str) -> Option<&mut Option<Value<'a>>> {
        Some(match key {
            "scontext" => &mut self.scontext,
            "tcontext" => &mut self.tcontext,
            "tclass" => &mut self.tclass,
            "permissive" => &mut self.permissive,
            "comm" => &mut self.comm,
            "exe" => &mut self.exe,
            "path" => &mut self.path,
            "name" => &mut self.name,
            "dev" => &mut self.dev,
            "ino" => &mut self.ino,
            "pid" => &mut self.pid,
            "spid" => &mut self.spid,
            "dest" => &mut self.dest,
            "src" => &mut self.src,
            "lport" => &mut self.lport,
            "fport" => &mut self.fport,
            "capability" => &mut self.capability,
            "ioctlcmd" => &mut self.ioctlcmd,
            "srawcon" => &mut self.srawcon,
            "trawcon" => &mut self.trawcon,
            _ => return None,
        })
    }
}

/// Fills in what the fields say. A value that reaches `end` may have been cut.
fn fill(decision: &mut Decision, named: &Named<'_>, style: Style, end: usize) {
    let string = |value: Option<Value<'_>>| value.and_then(|value| value.string(style));
    let class = named.tclass.and_then(|v| class_name(v.text, v.end >= end));
    decision.class = class.map(str::to_owned);
    // Without a class the record was cut, and its last field may have been cut inside.
    let whole = |value: &Value<'_>| named.tclass.is_some() || value.end < end;
    let context = |value: Option<Value<'_>>| Context::parse(value.filter(whole)?.text);
    decision.source = context(named.scontext);
    decision.target = context(named.tcontext);
    decision.comm = string(named.comm);
    decision.exe = string(named.exe);
    decision.path = string(named.path);
    decision.name = string(named.name);
    decision.dev = string(named.dev);
    decision.ino = number(named.ino);
    decision.pid = number(named.pid).or_else(|| number(named.spid));
    decision.port = [named.dest, named.src, named.lport, named.fport]
        .into_iter()
        .find_map(number);
    decision.capability = number(named.capability);
    decision.ioctl = named.ioctlcmd.and_then(|value| hexadecimal(value.text));
    decision.permissive = named.permissive.and_then(|value| permissive(value.text));
}

fn number<T: std::str::FromStr>(value: Option<Value<'_>>) -> Option<T> {
    value.and_then(|value| value.number())
}

/// Reads `0x2a`, or `5451` of the kernels that print no `0x`.
fn hexadecimal(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

/// Reads the mode; console text may touch it (`permissive=0[  OK  ]`).
fn permissive(text: &str) -> Option<bool> {
    let digits = text.split(|c: char| !c.is_ascii_alphanumeric()).next();
    match digits {
        Some("0") => Some(false),
        Some("1") => Some(true),
        Some(_) | None => None,
    }
}

/// Reads a context that the policy does not know. Kernels 5.1 to 5.3 wrote it as it is, with its
/// spaces: then it goes on to the next field or to the end.
fn raw_context(value: Value<'_>, text: &str, style: Style) -> Option<String> {
    let found = value.string(style)?;
    if value.quoted || style == Style::Interpreted || found != value.text {
        return Some(found);
    }
    let all = &text[value.start..];
    let end = all.find(" trawcon=").unwrap_or(all.len());
    Some(all[..end].trim_end().to_owned())
}
