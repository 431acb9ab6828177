//! The YAML of a suite → [`Suite`].

use std::{ops::RangeInclusive, time::Duration};

use super::{
    Check, CheckKind, Needs, RestsOn, Suite, Vantage,
    command::Command,
    denials::Denials,
    http::Http,
    selinux::{Selinux, read_mode},
    service::Service,
    vectors,
};
use crate::{
    id::{CheckName, SuiteName},
    source::{
        Diagnostics, Problem, Sink, closest,
        grammar::{DOMAIN, PACKAGE, is_package, is_policy_name},
        list_of, load,
        node::{Node, Value},
        quote,
        reader::{Field, Reader, not_built},
    },
};

/// How long one attempt of a check may take where the check does not say.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// How long a check may wish to wait.
const DEADLINES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(600);

/// A kind of check that is built: its key, its map's name for messages, and what reads that map.
struct Built {
    key: &'static str,
    what: &'static str,
    read: fn(&Reader<'_>, Vantage) -> Option<CheckKind>,
}

/// The kinds of check that are built.
const BUILT: [Built; 5] = [
    Built {
        key: "http",
        what: "`http`",
        read: |reader, vantage| Http::read(reader, vantage).map(CheckKind::Http),
    },
    Built {
        key: "command",
        what: "`command`",
        read: |reader, _| Command::read(reader).map(CheckKind::Command),
    },
    Built {
        key: "service",
        what: "`service`",
        read: |reader, _| Service::read(reader).map(CheckKind::Service),
    },
    Built {
        key: "selinux",
        what: "`selinux`",
        read: |reader, _| Selinux::read(reader).map(CheckKind::Selinux),
    },
    Built {
        key: "denials",
        what: "`denials`",
        read: |reader, _| Some(CheckKind::Denials(Denials::read(reader))),
    },
];

/// The kinds of check that the format knows and a later version builds.
const PLANNED_KINDS: [&str; 17] = [
    "tls",
    "tcp",
    "package",
    "file",
    "port",
    "user",
    "mount",
    "sysctl",
    "audit",
    "journal",
    "kernel-log",
    "time-sync",
    "memory",
    "sysstat",
    "converge",
    "identity",
    "script",
];

/// Reads a suite; `file` is the name that diagnostics give the text.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn parse(text: &str, file: &str) -> Result<Suite, Diagnostics> {
    let sink = Sink::new(file, text);
    let suite = load(&sink).and_then(|root| read_suite(&sink, &root));
    sink.finish(suite)
}

fn read_suite(sink: &Sink<'_>, root: &Node) -> Option<Suite> {
    let reader = Reader::new(sink, root, "a suite")?;
    let name = reader.required("suite").and_then(|f| read_name(&f));
    let title = reader.optional("title").and_then(|f| f.text());
    let needs = reader.optional("needs").map(|f| read_needs(&f));
    let domains = reader.optional("domains").map(|f| read_domains(&f));
    let domains = domains.unwrap_or_default();
    let vectors = reader.optional("vectors");
    let vectors = vectors.map(|f| vectors::read(&f, &domains));
    let rests_on = reader.optional("rests_on").map(|f| read_rests_on(&f));
    let checks = reader.required("checks").map(|f| read_checks(&f));
    reader.not_built(&["fixtures"]);
    reader.finish();
    let name = name?;
    Some(Suite {
        title: title.unwrap_or(name.as_str()).to_owned(),
        needs: needs.unwrap_or_default(),
        domains,
        vectors: vectors.unwrap_or_default(),
        rests_on: rests_on.unwrap_or_default(),
        checks: checks?,
        name,
    })
}

fn read_name(field: &Field<'_>) -> Option<SuiteName> {
    field.tried("the name of the suite", SuiteName::new)
}

fn read_needs(field: &Field<'_>) -> Needs {
    let Some(reader) = field.map("`needs`") else {
        return Needs::default();
    };
    let packages = reader.optional("packages");
    let selinux = reader.optional("selinux");
    reader.finish();
    Needs {
        packages: packages.map_or_else(Vec::new, |f| f.texts(PACKAGE, is_package)),
        selinux: selinux.and_then(|f| read_mode(&f)),
    }
}

fn read_rests_on(field: &Field<'_>) -> RestsOn {
    let Some(reader) = field.map("`rests_on`") else {
        return RestsOn::default();
    };
    let list = |key, what, good: fn(&str) -> bool| {
        let field = reader.optional(key);
        field.map_or_else(Vec::new, |f| f.texts(what, good))
    };
    let rests_on = RestsOn {
        units: list("units", UNIT, is_unit),
        paths: list("paths", PATH, is_path),
        certificates: list("certificates", PATH, is_path),
        error_logs: list("error_logs", PATH, is_path),
        config_tests: list("config_tests", "a command line", |t| !t.trim().is_empty()),
    };
    reader.finish();
    rests_on
}

/// What is wanted where a unit is named.
const UNIT: &str = "the name of a unit, such as `httpd`";

/// What is wanted where a path is named.
const PATH: &str = "an absolute path, such as `/var/www/html`";

fn is_unit(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._:-\\".contains(c);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.chars().any(char::is_control)
}

/// Reads a list of SELinux types.
pub(super) fn read_domains(field: &Field<'_>) -> Vec<String> {
    field.texts(DOMAIN, is_policy_name)
}

fn read_checks(field: &Field<'_>) -> Vec<Check> {
    let items = field.list();
    let mut seen: Vec<CheckName> = Vec::new();
    let checks: Vec<Check> = items
        .iter()
        .filter_map(|item| read_check(item, &mut seen))
        .collect();
    if let Value::Seq(items) = &field.node.value
        && items.is_empty()
    {
        field.wrong(
            "a suite without checks checks nothing",
            "at least one check",
        );
    }
    checks
}

fn read_check(item: &Field<'_>, seen: &mut Vec<CheckName>) -> Option<Check> {
    let reader = Reader::new(item.sink(), item.node, "a check")?;
    let name = reader.required("id").and_then(|f| read_id(&f, seen));
    let title = reader.optional("title").and_then(|f| f.text());
    let asked_from = reader.optional("vantage");
    let kind = read_kind(&reader, asked_from.as_ref());
    reader.not_built(&PLANNED_KINDS);
    reader.finish();
    let (name, (kind, vantage, deadline)) = (name?, kind?);
    Some(Check {
        title: title.unwrap_or(name.as_str()).to_owned(),
        name,
        vantage,
        deadline,
        kind,
    })
}

fn read_id(field: &Field<'_>, seen: &mut Vec<CheckName>) -> Option<CheckName> {
    let name = field.tried("the name of the check", CheckName::new)?;
    if seen.contains(&name) {
        let message = format!("the check {} is there twice", quote(name.as_str()));
        let problem = Problem::new(field.span(), message);
        field
            .sink()
            .report(problem.help("give each check of a suite its own id"));
        return None;
    }
    seen.push(name.clone());
    Some(name)
}

type Kind = (CheckKind, Vantage, Duration);

/// Reads the one key that says what is checked.
fn read_kind(reader: &Reader<'_>, asked_from: Option<&Field<'_>>) -> Option<Kind> {
    let mut found: Vec<(Field<'_>, &Built)> = BUILT
        .iter()
        .filter_map(|built| Some((reader.optional(built.key)?, built)))
        .collect();
    found.sort_by_key(|(field, _)| field.key_span);
    for (second, _) in found.iter().skip(1) {
        let message = format!("a check is one thing: `{}` is a second", second.name);
        let problem = Problem::new(second.key_span, message);
        reader.sink().report(problem.help("make two checks of it"));
    }
    let Some((first, built)) = found.first() else {
        report_no_kind(reader);
        return None;
    };
    let vantage = read_vantage(built.key, asked_from);
    let inside = first.map(built.what)?;
    let kind = (built.read)(&inside, vantage);
    let deadline = inside.or_default("within", DEFAULT_DEADLINE, |f| f.duration(DEADLINES));
    inside.finish();
    Some((kind?, vantage, deadline?))
}

/// Says that a check has no kind, unless one of its keys is meant as one and reported for itself.
fn report_no_kind(reader: &Reader<'_>) {
    let kinds = BUILT.map(|built| built.key);
    let all: Vec<&str> = kinds.into_iter().chain(PLANNED_KINDS).collect();
    let meant = |f: &Field<'_>| closest(f.name, &all).is_some();
    if !reader.unasked().iter().any(meant) {
        let problem = Problem::new(reader.span(), "this check does not say what it checks");
        reader.sink().report(problem.expected(list_of(&kinds)));
    }
}

fn read_vantage(kind: &str, field: Option<&Field<'_>>) -> Vantage {
    let Some(field) = field else {
        return if kind == "http" {
            Vantage::Controller
        } else {
            Vantage::Localhost
        };
    };
    if kind != "http" {
        let message = format!("a `{kind}` check has no vantage");
        let problem = Problem::new(field.key_span, message);
        let help = "it is always asked on the host; only `http` can be asked from elsewhere";
        field.sink().report(problem.help(help));
        return Vantage::Localhost;
    }
    // Where the word is wrong, the one that raises no second mistake.
    read_word(field).unwrap_or(Vantage::Localhost)
}

fn read_word(field: &Field<'_>) -> Option<Vantage> {
    let words = [Vantage::Controller, Vantage::Localhost].map(|v| (v.word(), v));
    let text = &field.scalar("`controller` or `localhost`")?.text;
    if text.starts_with("peer:") {
        field.sink().report(not_built(field.span(), text));
        return None;
    }
    field.one_of(&words)
}
