//! Ansible's INI inventories: a dialect of its own, read line by line as Ansible reads it.

mod literal;

use std::collections::BTreeMap;

use super::{
    raw::UNGROUPED,
    vars::Vars,
    words::{self, Word},
    written::Reading,
};
use crate::{
    id::GroupName,
    source::{
        Problem, Span,
        node::{Entry, Node, Scalar, Value},
        quote,
        reader::Reader,
    },
};

/// Reads an INI text.
pub(super) fn read(reading: &mut Reading<'_>) {
    let text = reading.sink.source().text();
    if let Some(span) = plugin(text) {
        return reading.refuse_plugin(span);
    }
    let mut ini = Ini {
        group: GroupName::new(UNGROUPED).ok(),
        kind: Kind::Hosts,
        pending: BTreeMap::new(),
        reading,
    };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        let at = start + line.len() - trimmed.len();
        ini.line(trimmed.trim_end(), at);
        start += line.len();
    }
    ini.finish();
}

/// The word `plugin:` where a text begins with it: YAML in a file whose extension does not say so.
fn plugin(text: &str) -> Option<Span> {
    const WORD: &str = "plugin:";
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(WORD) {
            let end = start + WORD.len() - 1;
            return Some(Span { start, end });
        }
        if !matches!(line.trim(), "" | "---") && !line.starts_with('#') {
            return None;
        }
        start += line.len();
    }
    None
}

/// What the lines of a section are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Hosts,
    Children,
    Vars,
}

/// A group that is spoken of before it is there.
struct Pending {
    span: Span,
    /// The group that it is to be a child of; none where only its variables are given.
    parent: Option<GroupName>,
}

struct Ini<'i, 'r> {
    reading: &'i mut Reading<'r>,
    /// The group of the section; none where its name was refused.
    group: Option<GroupName>,
    kind: Kind,
    pending: BTreeMap<GroupName, Pending>,
}

impl Ini<'_, '_> {
    /// Reads one line without the spaces around it, which begins at a byte of the text.
    fn line(&mut self, line: &str, at: usize) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            return;
        }
        if line.starts_with('[') {
            match section(line) {
                Some(found) => return self.section(&found, at),
                // Without a closing bracket it is a host whose name begins with a range.
                None if line.ends_with(']') => {
                    let problem =
                        Problem::new(whole(line, at), format!("{} is no section", quote(line)));
                    let expected =
                        "`[group]`, `[group:vars]` or `[group:children]`, without spaces";
                    return self.reading.sink.report(problem.expected(expected));
                }
                None => {}
            }
        }
        let Some(group) = self.group.clone() else {
            return;
        };
        match self.kind {
            Kind::Hosts => self.host(line, at, &group),
            Kind::Vars => self.variable(line, at, &group),
            Kind::Children => self.child(line, at, &group),
        }
    }

    fn section(&mut self, found: &Section<'_>, at: usize) {
        let span = Span {
            start: at + 1,
            end: at + 1 + found.group.len(),
        };
        let kind = match found.kind {
            None | Some("hosts") => Kind::Hosts,
            Some("children") => Kind::Children,
            Some("vars") => Kind::Vars,
            Some(other) => {
                let message = format!("a section cannot be of the kind {}", quote(other));
                let problem = Problem::new(span, message).expected("`vars`, `children` or `hosts`");
                self.reading.sink.report(problem);
                self.group = None;
                return;
            }
        };
        self.kind = kind;
        let known = GroupName::new(found.group).is_ok_and(|g| self.reading.raw.knows(&g));
        self.group = self.reading.group(found.group, span);
        let Some(group) = &self.group else { return };
        if kind != Kind::Vars {
            self.pending.remove(group);
        } else if !known {
            let parent = None;
            self.pending.insert(group.clone(), Pending { span, parent });
        }
    }

    fn host(&mut self, line: &str, at: usize, group: &GroupName) {
        let words = match words::split(line, at) {
            Ok(words) => words,
            Err(why) => {
                let problem = Problem::new(whole(line, at), why.to_string());
                return self.reading.sink.report(problem);
            }
        };
        let Some((host, rest)) = words.split_first() else {
            return;
        };
        let vars = self.host_vars(line, at, rest);
        self.reading.hosts(&host.text, host.span, group, &vars);
    }

    /// The `key=value` behind a host.
    fn host_vars(&self, line: &str, at: usize, words: &[Word]) -> Vars {
        let mut entries = Vec::new();
        for word in words {
            let Some((key, value)) = word.text.split_once('=') else {
                let message = format!("{} is not `key=value`", quote(&word.text));
                let problem = Problem::new(word.span, message);
                let help = "a value with spaces stands in quotes; a comment begins with `#`";
                self.reading.sink.report(problem.help(help));
                continue;
            };
            // Where quotes stand in front of the value, its exact place is not known.
            let raw = &line[word.span.start - at..word.span.end - at];
            let straight = raw.starts_with(key) && raw[key.len()..].starts_with('=');
            let split = if straight { key.len() } else { 0 };
            let key_span = Span {
                start: word.span.start,
                end: word.span.start + split,
            };
            let value_span = Span {
                start: word.span.start + split + usize::from(straight),
                end: word.span.end,
            };
            entries.push(entry(key, key_span, literal::read(value, value_span)));
        }
        self.vars(entries)
    }

    fn variable(&mut self, line: &str, at: usize, group: &GroupName) {
        let Some((key, value)) = line.split_once('=') else {
            let message = format!("{} is not `key=value`", quote(line));
            let problem = Problem::new(whole(line, at), message);
            return self.reading.sink.report(problem);
        };
        let start = at + line.len() - value.trim_start().len();
        let span = Span {
            start,
            end: start + value.trim().len(),
        };
        let key = key.trim();
        let key_span = Span {
            start: at,
            end: at + key.len(),
        };
        let vars = self.vars(vec![entry(
            key,
            key_span,
            literal::read(value.trim(), span),
        )]);
        self.reading.raw.add_group_vars(group, vars);
    }

    fn vars(&self, entries: Vec<Entry>) -> Vars {
        if entries.is_empty() {
            return Vars::default();
        }
        let node = Node {
            span: entries[0].key_span,
            value: Value::Map(entries),
        };
        let reader = Reader::new(self.reading.sink, &node, "variables");
        reader.map_or_else(Vars::default, |r| Vars::read(&r, &self.reading.whence))
    }

    fn child(&mut self, line: &str, at: usize, parent: &GroupName) {
        let name = line.split('#').next().unwrap_or(line).trim_end();
        let span = whole(name, at);
        if name.is_empty() || name.contains([':', ']']) || name.contains(char::is_whitespace) {
            let message = format!("{} is not the name of a group", quote(line));
            let problem = Problem::new(span, message);
            let help = "under `:children` each line holds one group and nothing else";
            return self.reading.sink.report(problem.help(help));
        }
        let known = GroupName::new(name).is_ok_and(|g| self.reading.raw.knows(&g));
        let Some(child) = self.reading.group(name, span) else {
            return;
        };
        self.reading.child(parent, &child, span);
        if !known {
            let parent = Some(parent.clone());
            self.pending.insert(child, Pending { span, parent });
        }
    }

    /// Reports groups that were spoken of and never came.
    fn finish(self) {
        for (group, Pending { span, parent }) in self.pending {
            let message = match parent {
                Some(parent) => format!("`{group}` is a child of `{parent}` and is no group"),
                None => format!("`{group}` has variables and is no group"),
            };
            let help = format!("add the section `[{group}]`; Ansible wants it too");
            let problem = Problem::new(span, message).help(help);
            self.reading.sink.report(problem);
        }
    }
}

fn whole(line: &str, at: usize) -> Span {
    Span {
        start: at,
        end: at + line.len(),
    }
}

fn entry(key: &str, key_span: Span, value: Node) -> Entry {
    Entry {
        key: Scalar {
            text: key.to_owned(),
            plain: false,
        },
        key_span,
        value,
    }
}

/// The head of a section, taken apart.
struct Section<'l> {
    group: &'l str,
    kind: Option<&'l str>,
}

/// Reads `[group]` or `[group:kind]`, maybe with a comment behind it.
fn section(line: &str) -> Option<Section<'_>> {
    let (inside, after) = line.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    let (group, kind) = match inside.split_once(':') {
        Some((group, kind)) => (group, Some(kind)),
        None => (inside, None),
    };
    let is_word = |k: &str| !k.is_empty() && k.chars().all(|c| c.is_alphanumeric() || c == '_');
    let good =
        !group.is_empty() && !group.contains(char::is_whitespace) && kind.is_none_or(is_word);
    (good && (after.is_empty() || after.starts_with('#'))).then_some(Section { group, kind })
}

#[cfg(test)]
mod tests;
