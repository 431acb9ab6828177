//! The planned checks as JUnit suites: one for each suite and host, none of them empty.

use std::{borrow::Cow, collections::BTreeMap};

use junit_report::{OffsetDateTime, TestSuite, TestSuiteBuilder};
use patchgate_core::{
    id::{HostName, SuiteName},
    judge::{CellResult, Judgement},
    plan::Plan,
};

use super::{
    case,
    names::{self, HostParts},
    safe,
};
use crate::{cells, story};

/// Name and value of each property of a suite.
pub(super) type Properties = Vec<(String, String)>;

/// A suite, and the properties that `junit-report` cannot write.
pub(super) struct Suite {
    pub(super) suite: TestSuite,
    pub(super) properties: Properties,
}

/// An empty suite of a name and a host. Its timestamp is a placeholder: the real one is put in when
/// the document is polished, because `junit-report` writes fractions and a zone.
pub(super) fn empty(name: &str, hostname: &str) -> TestSuite {
    let mut suite = TestSuiteBuilder::new(name)
        .set_timestamp(OffsetDateTime::UNIX_EPOCH)
        .build();
    suite.package = names::PREFIX.to_owned();
    suite.hostname = hostname.to_owned();
    suite
}

/// One suite for each suite and host, in the plan's order.
pub(super) fn of_checks(plan: &Plan, judgement: &Judgement) -> Vec<Suite> {
    let parts = HostParts::of(plan);
    let results = cells::results(plan, judgement);
    let max = safe::room(plan.cells.len());
    let suite = |((host, name), results): (Pair<'_>, Vec<&CellResult>)| {
        let class = parts.class(name, host);
        let full_name = format!("{name}@{host}");
        let mut suite = empty(&full_name, host.as_str());
        suite.add_testcases(
            results
                .into_iter()
                .map(|r| case::of(plan, judgement, r, &class)),
        );
        suite.set_system_out(&safe::body(&said(judgement, host), max));
        suite.set_system_err(&safe::body(&unseen(judgement, host), max));
        Suite {
            suite,
            properties: vec![(
                format!("{full_name}.title"),
                safe::attribute(title(plan, name)),
            )],
        }
    };
    groups(&results).into_iter().map(suite).collect()
}

type Pair<'a> = (&'a HostName, &'a SuiteName);

/// The results of each host and suite, in the order in which the plan first names them.
fn groups<'a>(results: &'a [Cow<'_, CellResult>]) -> Vec<(Pair<'a>, Vec<&'a CellResult>)> {
    let mut places = BTreeMap::new();
    let mut groups: Vec<(Pair<'_>, Vec<&CellResult>)> = Vec::new();
    for result in results {
        let pair = (&result.cell.host, &result.cell.check.suite);
        let place = *places.entry(pair).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.push(result),
            None => groups.push((pair, vec![result])),
        }
    }
    groups
}

/// The suite's own line for people. With the suite's name it makes the one property of each suite:
/// some schemas refuse a suite without properties.
fn title<'a>(plan: &'a Plan, name: &SuiteName) -> &'a str {
    let suite = plan.suites.iter().find(|s| s.name == *name);
    suite.map_or("", |s| s.title.as_str())
}

/// What the transaction changed on the host, and what can be said of denials.
fn said(judgement: &Judgement, host: &HostName) -> String {
    let Some(host) = judgement.verdict.hosts.iter().find(|h| h.host == *host) else {
        return String::new();
    };
    let denials = story::of_denials(host).into_iter().flat_map(|said| {
        let statement = format!("denials, {}: {}", said.states, said.statement);
        let seen = said.seen.into_iter().map(|s| format!("  {s}"));
        std::iter::once(statement).chain(seen)
    });
    let packages = host.packages.iter().map(|p| format!("package {p}"));
    denials.chain(packages).collect::<Vec<_>>().join("\n")
}

/// What could not be seen on the host.
fn unseen(judgement: &Judgement, host: &HostName) -> String {
    let missing = judgement.verdict.undecided.iter();
    let here = missing.filter(|u| u.host.as_ref() == Some(host));
    here.map(story::of_undecided).collect::<Vec<_>>().join("\n")
}
