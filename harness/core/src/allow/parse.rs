//! The YAML of an allow-list → [`AllowEntry`]s.

use jiff::civil::Date;

use super::AllowEntry;
use crate::source::{
    Diagnostics, Problem, Sink,
    grammar::is_policy_name,
    load,
    node::{Node, Value},
    reader::{Field, Reader},
    scalar::is_day_1_1,
};

/// What is wanted where a type is named.
const TYPE: &str = "an SELinux type, as `httpd_t`, or the beginning of several, as `httpd_*`";

/// What is wanted where a class is named.
const CLASS: &str = "an object class, as `file`";

/// What is wanted where permissions are named.
const PERMISSION: &str = "a permission, as `getattr`";

/// What is wanted where a program is named.
const PROGRAM: &str = "a task's name or a program's file, as `httpd` or `/usr/sbin/httpd`";

/// What is wanted where a day is named.
const DAY: &str = "a day, as `2027-03-31`";

/// Reads an allow-list; `file` is the name that diagnostics give the text.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn parse(text: &str, file: &str) -> Result<Vec<AllowEntry>, Diagnostics> {
    let sink = Sink::new(file, text);
    let entries = load(&sink).and_then(|root| read(&sink, &root));
    sink.finish(entries)
}

fn read(sink: &Sink<'_>, root: &Node) -> Option<Vec<AllowEntry>> {
    let reader = Reader::new(sink, root, "an allow-list")?;
    let allow = reader.required("allow");
    reader.finish();
    let mut entries = Vec::new();
    for item in allow?.list() {
        let Some(entry) = read_entry(&item) else {
            continue;
        };
        if entries.iter().any(|e| is_about_the_same(e, &entry)) {
            let problem = Problem::new(item.span(), "this entry stands here twice");
            let help = "one entry has one reason, one ticket and one last day";
            sink.report(problem.help(help));
        }
        entries.push(entry);
    }
    Some(entries)
}

fn read_entry(item: &Field<'_>) -> Option<AllowEntry> {
    let reader = Reader::new(item.sink(), item.node, "an entry")?;
    let name = |key, what, good: fn(&str) -> bool| {
        let field = reader.required(key)?;
        field.parsed(what, |t| good(t).then(|| t.to_owned()))
    };
    let source = name("source", TYPE, is_pattern);
    let target = name("target", TYPE, is_pattern);
    let class = name("class", CLASS, is_policy_name);
    let permissions = reader.required("permissions");
    let permissions = permissions.and_then(|f| read_permissions(&f));
    let program = reader.or_default("program", None, |f| {
        f.parsed(PROGRAM, |t| is_program(t).then(|| Some(t.to_owned())))
    });
    let text = |key| Some(reader.required(key)?.text()?.to_owned());
    let (reason, ticket) = (text("reason"), text("ticket"));
    let expires = reader.required("expires").and_then(|f| read_day(&f));
    reader.finish();
    Some(AllowEntry {
        source: source?,
        target: target?,
        class: class?,
        permissions: permissions?,
        program: program?,
        reason: reason?,
        ticket: ticket?,
        expires: expires?,
    })
}

fn read_permissions(field: &Field<'_>) -> Option<Vec<String>> {
    if matches!(&field.node.value, Value::Seq(items) if items.is_empty()) {
        field.wrong("an entry without permissions fits nothing", PERMISSION);
        return None;
    }
    Some(field.texts(PERMISSION, is_policy_name))
}

fn read_day(field: &Field<'_>) -> Option<Date> {
    field.parsed(DAY, |t| is_day_1_1(t).then(|| t.parse().ok()).flatten())
}

/// A type, or its beginning and a `*`; a `*` alone would fit every type there is.
fn is_pattern(text: &str) -> bool {
    is_policy_name(text.strip_suffix('*').unwrap_or(text))
}

fn is_program(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// Whether two entries fit the same denials.
fn is_about_the_same(one: &AllowEntry, other: &AllowEntry) -> bool {
    let sorted = |e: &AllowEntry| {
        let mut permissions = e.permissions.clone();
        permissions.sort();
        permissions
    };
    let names = |e: &AllowEntry| {
        let own = [&e.source, &e.target, &e.class].map(String::clone);
        (own, e.program.clone(), sorted(e))
    };
    names(one) == names(other)
}
