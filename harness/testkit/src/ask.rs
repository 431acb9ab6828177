//! What an item asks of a host, recognised by its script: the engine's own texts, nothing else.

mod experiment;
mod mark;
mod packages;
mod reboot;
mod steps;

use patchgate_core::evidence::{access::Query, marker::MarkerEnd};
use patchgate_engine::script::{facts, packages as installed, window};

pub(crate) use self::{
    experiment::Step,
    mark::MarkAsk,
    packages::{Choice, FileStep},
    reboot::RebootAsk,
    steps::StepAsk,
};

/// What an item asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// One end of a window: the marker is sent, and audit tells its state.
    Edge(Edge),
    /// A marker inside a window.
    Mark(String),
    /// Another log than auditd's, from a position on.
    OtherLog(Option<usize>),
    /// Audit's state, without a window.
    Audit,
    /// The audit log from a position (device, inode, size), or why there is none.
    Slice(Result<(u64, u64, u64), String>),
    /// The lock, for a run.
    Lock(String, LockAct),
    /// Something about the mark of a dirty host.
    Marked(MarkAsk),
    /// The start of a job.
    Start(String),
    /// The state of a job and its output from an offset on.
    Poll(String, usize),
    /// What a transaction would bring: of what, and without what.
    Plan(Choice, Vec<String>),
    /// Which advisories there are; only those of security, or all.
    Advisories {
        /// Whether only those of security are asked for.
        security: bool,
    },
    /// What the repositories hold newer.
    Offered,
    /// A step of bringing files.
    Files(FileStep),
    /// The restart of a unit.
    Restart(String),
    /// The facts.
    Facts,
    /// The packages.
    Packages,
    /// Access vectors: what is known beforehand, and the domains with the paths that are looked at.
    Vectors(Vec<Query>, Vec<(String, String)>),
    /// The policy, and the labels of these paths.
    Policy(Vec<String>),
    /// The system, with these units and files of certificates.
    System(Vec<String>, Vec<String>),
    /// The state of a unit.
    Service(String),
    /// Mode and booleans.
    Selinux(Vec<String>),
    /// The control: the page, asked on the host itself.
    Local,
    /// Something about a reboot.
    Reboot(RebootAsk),
    /// A step of a diagnosis.
    Step(StepAsk),
    /// A step of an experiment.
    Experiment(Step),
    /// Something else: the command of a check.
    Command(String),
}

/// One end of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    /// Which one.
    pub(crate) end: MarkerEnd,
    /// The marker.
    pub(crate) marker: String,
    /// The name that the control gives itself.
    pub(crate) control: String,
    /// Whether other logs are marked too, at the begin only if the host sees a need.
    pub(crate) others: bool,
}

/// What is to become of the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LockAct {
    /// Only asked.
    Read,
    /// Taken if free and the host is not marked, with this owner file; the mark of this run goes before.
    AcquireClean(String, String),
    /// Told that its owner goes on.
    Beat,
    /// Taken if free, with this owner file.
    Acquire(String),
    /// Written anew if ours.
    Update(String),
    /// Given back if ours.
    Release,
    /// Taken from this run.
    TakeOver(String, String),
}

impl Ask {
    /// Recognises a script.
    pub(crate) fn of(script: &str) -> Self {
        if script == facts::item().script {
            return Self::Facts;
        }
        if script == installed::item().script {
            return Self::Packages;
        }
        if script == window::look_item().script {
            return Self::Audit;
        }
        if let Some(ask) = RebootAsk::of(script) {
            return Self::Reboot(ask);
        }
        if let Some(ask) = MarkAsk::of(script) {
            return Self::Marked(ask);
        }
        if let Some(step) = Step::of(script) {
            return Self::Experiment(step);
        }
        let known = [
            edge,
            mark,
            slice,
            other_log,
            lock,
            start,
            poll,
            packages::of,
            restart,
            vectors,
            policy,
            system,
            service,
            selinux,
            local,
            step,
        ];
        known
            .iter()
            .find_map(|read| read(script))
            .unwrap_or_else(|| Self::Command(script.to_owned()))
    }

    /// A word for the log of what a host heard.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Edge(edge) => match edge.end {
                MarkerEnd::Begin => "open",
                MarkerEnd::End => "close",
            },
            Self::Mark(_) => "segment",
            Self::OtherLog(_) => "other-log",
            Self::Audit => "audit",
            Self::Slice(_) => "slice",
            Self::Lock(_, LockAct::Read) => "lock-read",
            Self::Lock(_, LockAct::Beat) => "lock-beat",
            Self::Lock(_, LockAct::Acquire(_) | LockAct::AcquireClean(..)) => "lock-acquire",
            Self::Lock(_, LockAct::Update(_)) => "lock-update",
            Self::Lock(_, LockAct::Release) => "lock-release",
            Self::Lock(_, LockAct::TakeOver(..)) => "lock-take-over",
            Self::Marked(ask) => ask.word(),
            Self::Start(_) => "job-start",
            Self::Poll(..) => "job-poll",
            Self::Plan(..) => "plan",
            Self::Advisories { .. } => "advisories",
            Self::Offered => "offered",
            Self::Files(step) => step.word(),
            Self::Restart(_) => "restart",
            Self::Facts => "facts",
            Self::Packages => "packages",
            Self::Vectors(..) => "vectors",
            Self::Policy(_) => "policy",
            Self::System(..) => "system",
            Self::Service(_) => "service",
            Self::Selinux(_) => "selinux",
            Self::Local => "local",
            Self::Reboot(ask) => ask.word(),
            Self::Step(step) => step.word(),
            Self::Experiment(step) => step.word(),
            Self::Command(_) => "command",
        }
    }
}

/// The text after `from` up to `to`, both exclusive.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let rest = text.split_once(from)?.1;
    rest.split_once(to).map(|(found, _)| found)
}

fn edge(script: &str) -> Option<Ask> {
    let marker = between(script, "mark='", "'")?;
    let control = between(script, "printf %s '", "' >/proc/self/comm")?;
    let end = if marker.ends_with(" begin") {
        MarkerEnd::Begin
    } else {
        MarkerEnd::End
    };
    Some(Ask::Edge(Edge {
        end,
        marker: marker.to_owned(),
        control: control.to_owned(),
        others: script.contains("say entry logger "),
    }))
}

fn mark(script: &str) -> Option<Ask> {
    let text = script.strip_prefix("exec auditctl -m '")?;
    Some(Ask::Mark(text.trim_end_matches('\'').to_owned()))
}

fn slice(script: &str) -> Option<Ask> {
    if let Some(why) = script.strip_prefix("printf 'slice none %s\\n' ") {
        return Some(Ask::Slice(Err(why.trim_matches('\'').to_owned())));
    }
    if !script.contains("slice audit-log whole") {
        return None;
    }
    let (device, inode) = between(script, " was='", "'")?.split_once(' ')?;
    let size = between(script, " size=", " ")?;
    Some(Ask::Slice(Ok((
        device.parse().ok()?,
        inode.parse().ok()?,
        size.parse().ok()?,
    ))))
}

fn other_log(script: &str) -> Option<Ask> {
    let cursor = between(script, "--after-cursor=", "'").and_then(|n| n.parse().ok());
    script
        .contains("slice journal whole")
        .then_some(Ask::OtherLog(cursor))
}

fn lock(script: &str) -> Option<Ask> {
    // The text between the two loads is what is done.
    let frame = script.split_once("*) _pg_state ")?.1;
    let action = between(frame, "\nload\n", "\nload\nif ")?;
    let owner = || Some(between(action, "put '", "'")?.to_owned());
    let act = if action == ":" {
        LockAct::Read
    } else if action.contains("mark=absent") {
        LockAct::AcquireClean(owner()?, between(action, " C='", "'")?.to_owned())
    } else if action.contains("touch \"$L/beat\"") {
        LockAct::Beat
    } else if action.starts_with("[ -n \"$run\" ] ||") {
        LockAct::Acquire(owner()?)
    } else if action.contains("rm -f \"$O\"") {
        LockAct::Release
    } else if action.starts_with("[ \"$run\" != \"$me\" ] ||") {
        LockAct::Update(owner()?)
    } else {
        LockAct::TakeOver(between(action, "\"$run\" = '", "'")?.to_owned(), owner()?)
    };
    let me = between(script, "\nme='", "'")?;
    Some(Ask::Lock(me.to_owned(), act))
}

fn start(script: &str) -> Option<Ask> {
    let id = between(script, "\nJ=$D/", "\n")?;
    script
        .contains("mv -T \"$T\" \"$J\"")
        .then(|| Ask::Start(id.to_owned()))
}

fn poll(script: &str) -> Option<Ask> {
    let offset = between(script, "echo \"pgjob $Z ", " $S\"")?;
    let dir = between(script, "\nJ='", "'").or_else(|| between(script, "J='", "'"))?;
    let id = dir.rsplit('/').next()?;
    Some(Ask::Poll(id.to_owned(), offset.parse().ok()?))
}

fn restart(script: &str) -> Option<Ask> {
    let unit = between(script, "then systemctl restart '", "'")?;
    Some(Ask::Restart(unit.to_owned()))
}

fn vectors(script: &str) -> Option<Ask> {
    if !script.contains("echo vectors begin ") {
        return None;
    }
    let mut queries = Vec::new();
    for line in between(script, "\nall='", "'")?.lines() {
        let mut words = line.split(' ');
        let (class, source) = (words.next()?, words.next()?);
        for target in words {
            let target = match target.contains(':') {
                true => target.to_owned(),
                false => format!("system_u:object_r:{target}:s0"),
            };
            queries.push(Query::new(source, &target, class).ok()?);
        }
    }
    let rests = between(script, "\nrests='", "'\n")?.lines();
    let rests = rests.filter_map(|l| l.strip_prefix("//rest ")?.split_once(' '));
    let rests = rests.map(|(domain, path)| (domain.to_owned(), path.to_owned()));
    Some(Ask::Vectors(queries, rests.collect()))
}

fn policy(script: &str) -> Option<Ask> {
    let paths = between(script, "\n  for p in ", "; do\n")?;
    script
        .contains("say should matchpathcon ")
        .then(|| Ask::Policy(quoted(paths)))
}

fn system(script: &str) -> Option<Ask> {
    let units = between(script, "\nset -- ", "\nif has systemctl;")?;
    let files = script
        .lines()
        .filter(|l| l.contains("] && say certificate"));
    let file = |line: &str| Some(line.rsplit_once(" '")?.1.trim_matches('\'').to_owned());
    Some(Ask::System(quoted(units), files.filter_map(file).collect()))
}

/// Words in single quotes; the scenarios have none with a quote in it.
fn quoted(words: &str) -> Vec<String> {
    let words = words.split("' '").map(|w| w.trim().trim_matches('\''));
    words
        .filter(|w| !w.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

fn service(script: &str) -> Option<Ask> {
    let unit = between(script, "unit='", "'\n")?;
    script
        .contains("systemctl show -p ActiveState")
        .then(|| Ask::Service(unit.to_owned()))
}

fn selinux(script: &str) -> Option<Ask> {
    let names = between(script, "for b in ", "; do one ")?;
    let names = names.split_whitespace().map(|n| n.trim_matches('\''));
    Some(Ask::Selinux(names.map(ToOwned::to_owned).collect()))
}

fn step(script: &str) -> Option<Ask> {
    StepAsk::of(script).map(Ask::Step)
}

fn local(script: &str) -> Option<Ask> {
    script.contains("pg_pack()").then_some(Ask::Local)
}
