//! Processes that the kernel killed for lack of memory, from its log.

use crate::snapshot::system::OomKill;

/// Finds the victims in a kernel log, oldest first.
///
/// Who invoked the killer is not who died; before EL8 not even the process that a line `Kill process`
/// names needs to be the one that dies. What died is in `Killed process`, and from EL8 on, should
/// the log have been cut there, in `oom-kill:…,task=`.
#[must_use]
pub fn kills(text: &str) -> Vec<OomKill> {
    let mut found: Vec<OomKill> = Vec::new();
    for line in text.lines() {
        let Some((victim, pid)) = killed(line).or_else(|| chosen(line)) else {
            continue;
        };
        let kill = OomKill {
            victim: victim.to_owned(),
            pid,
            line: line.to_owned(),
        };
        match found.last_mut() {
            // The same death in two lines: the later one says more.
            Some(last) if last.pid == pid && last.line.contains("oom-kill:") => *last = kill,
            Some(_) | None => found.push(kill),
        }
    }
    found
}

/// `Killed process 1234 (httpd) total-vm:…`, `Killed process 1234, UID 48, (httpd) total-vm:…`,
/// `Killed process 1234 (httpd)`; a name may hold spaces and parentheses.
fn killed(line: &str) -> Option<(&str, u32)> {
    let (_, rest) = line.split_once("Killed process ")?;
    let (pid, rest) = number(rest)?;
    let (_, rest) = rest.split_once('(')?;
    let end = rest.rfind(") total-vm").or_else(|| rest.rfind(')'))?;
    Some((&rest[..end], pid))
}

/// `oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),…,task=httpd,pid=1234,uid=48`.
fn chosen(line: &str) -> Option<(&str, u32)> {
    let (_, rest) = line.split_once("oom-kill:")?;
    let (before, after) = rest.rsplit_once(",pid=")?;
    let (_, name) = before.rsplit_once(",task=")?;
    Some((name, number(after)?.0))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}
