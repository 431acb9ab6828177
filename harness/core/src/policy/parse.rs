//! The YAML of a gate → [`Policy`].

use std::{collections::BTreeMap, time::Duration};

use super::{Forbidden, OutageLimit, Policy, Required, RequiredCoverage};
use crate::{
    id::{SuiteName, check_name},
    source::{
        Diagnostics, Problem, Sink, list_of, load,
        node::Node,
        quote,
        reader::{Field, Reader, did_you_mean},
    },
};

/// The longest outage that a limit can let pass: a day.
const LONGEST_OUTAGE: Duration = Duration::from_secs(24 * 3600);

/// Reads a gate; `file` is the name that diagnostics give the text, `known` the suites that there are.
///
/// Where the file does not say, coverage must be complete and every kind of change is forbidden.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn parse(text: &str, file: &str, known: &[SuiteName]) -> Result<Policy, Diagnostics> {
    let sink = Sink::new(file, text);
    let policy = load(&sink).and_then(|root| read(&sink, &root, known));
    sink.finish(policy)
}

fn read(sink: &Sink<'_>, root: &Node, known: &[SuiteName]) -> Option<Policy> {
    let reader = Reader::new(sink, root, "a gate")?;
    let name = reader.required("gate").and_then(|f| read_name(&f));
    let require = reader.required("require");
    reader.not_built(&["budget", "waivers"]);
    reader.finish();
    let policy = require.and_then(|f| read_require(&f, known))?;
    Some(Policy {
        name: name?,
        ..policy
    })
}

fn read_name(field: &Field<'_>) -> Option<String> {
    field.tried("the name of the gate", |text| {
        check_name(text).map(|()| text.to_owned())
    })
}

fn read_require(field: &Field<'_>, known: &[SuiteName]) -> Option<Policy> {
    let reader = field.map("`require`")?;
    let suites = reader.required("suites").map(|f| read_suites(&f, known));
    let coverage = reader.or_default("coverage", RequiredCoverage::Complete, read_coverage);
    let no = reader.optional("no");
    let outage = reader.optional("outage");
    let outage = outage.map_or(Some(None), |f| read_outage(&f).map(Some));
    reader.finish();
    // Where the word is wrong, the one that raises no second mistake.
    let seen = coverage.unwrap_or(RequiredCoverage::Complete);
    let forbid = no.map_or_else(|| default_forbidden(seen), |f| read_no(&f, seen));
    Some(Policy {
        name: String::new(),
        suites: suites?,
        coverage: coverage?,
        forbid,
        outage: outage?,
    })
}

fn read_outage(field: &Field<'_>) -> Option<OutageLimit> {
    let reader = field.map("`outage`")?;
    let longer_than = reader.required("longer_than");
    let longer_than = longer_than.and_then(|f| f.duration(Duration::ZERO..=LONGEST_OUTAGE));
    reader.finish();
    Some(OutageLimit {
        longer_than: longer_than?,
    })
}

fn read_coverage(field: &Field<'_>) -> Option<RequiredCoverage> {
    field.one_of(&[
        ("complete", RequiredCoverage::Complete),
        ("not-collected", RequiredCoverage::NotCollected),
    ])
}

fn read_suites(field: &Field<'_>, known: &[SuiteName]) -> BTreeMap<SuiteName, Required> {
    let Some(reader) = field.map("`suites`") else {
        return BTreeMap::new();
    };
    let entries = reader.unasked();
    if entries.is_empty() {
        field.wrong(
            "a gate that requires no suite is always open",
            "at least one suite",
        );
    }
    let read = |entry: &Field<'_>| {
        let name = read_suite(entry, known);
        let required = entry.one_of(&[("all", Required::All)]);
        Some((name?, required?))
    };
    entries.iter().filter_map(read).collect()
}

fn read_suite(entry: &Field<'_>, known: &[SuiteName]) -> Option<SuiteName> {
    let found = known.iter().find(|name| name.as_str() == entry.name);
    if found.is_none() {
        let names: Vec<&str> = known.iter().map(SuiteName::as_str).collect();
        let message = format!("there is no suite {}", quote(entry.name));
        let problem = Problem::new(entry.key_span, message).expected(list_of(&names));
        let help = did_you_mean(entry.name, &names);
        entry.sink().report(problem.maybe_help(help));
    }
    found.cloned()
}

/// What is forbidden where the file does not say: all that can be seen.
fn default_forbidden(coverage: RequiredCoverage) -> Vec<Forbidden> {
    let seen = |f: &Forbidden| can_be_seen(*f, coverage);
    Forbidden::ALL.into_iter().filter(seen).collect()
}

/// Denials are seen in windows only.
fn can_be_seen(forbidden: Forbidden, coverage: RequiredCoverage) -> bool {
    match coverage {
        RequiredCoverage::Complete => true,
        RequiredCoverage::NotCollected => forbidden != Forbidden::NewDenial,
    }
}

fn read_no(field: &Field<'_>, coverage: RequiredCoverage) -> Vec<Forbidden> {
    let words = Forbidden::ALL.map(|f| (f.word(), f));
    let mut found = Vec::new();
    for item in field.list() {
        let Some(forbidden) = item.one_of(&words) else {
            continue;
        };
        let word = forbidden.word();
        if !can_be_seen(forbidden, coverage) {
            let message = format!("`{word}` cannot be seen without windows");
            let problem = Problem::new(item.span(), message);
            let help = "take it out, or ask for `coverage: complete`";
            item.sink().report(problem.help(help));
        } else if found.contains(&forbidden) {
            let message = format!("`{word}` stands in `no` twice");
            item.sink().report(Problem::new(item.span(), message));
        } else {
            found.push(forbidden);
        }
    }
    found
}
