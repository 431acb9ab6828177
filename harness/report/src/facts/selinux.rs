//! SELinux and its policy, in lines.

use std::collections::{BTreeMap, BTreeSet};

use patchgate_core::{
    facts::SelinuxFacts,
    reading::Reading,
    snapshot::policy::{PathLabel, PolicyModule, PolicySnapshot},
};

use super::line::{Line, count, members};
use crate::console::Mood;

/// The priority of what the distribution brings.
const DISTRIBUTION: u32 = 100;

pub(super) fn lines(policy: &PolicySnapshot, facts: Option<&SelinuxFacts>) -> Vec<Line> {
    let mut lines = vec![mode(policy, facts)];
    lines.extend(boot(policy));
    lines.push(checksums(policy));
    lines.push(Line::of("modules", &policy.modules, modules));
    lines.push(permissive(&policy.permissive));
    lines.push(Line::of("booleans", &policy.booleans, |all| {
        let on = all.values().filter(|on| **on).count();
        format!("{}, {on} of them on", count(all.len(), "boolean"))
    }));
    lines.push(Line::of("local changes", &policy.customizations, local));
    lines.extend(labels(&policy.labels));
    lines
}

fn mode(policy: &PolicySnapshot, facts: Option<&SelinuxFacts>) -> Line {
    let mode = match &policy.mode {
        Reading::Known(mode) => mode,
        Reading::Missing { why } => return Line::unseen("SELinux", why),
    };
    let config = match &policy.config_mode {
        Reading::Known(config) => format!("configured {config}"),
        Reading::Missing { why } => format!("configuration not seen: {why}"),
    };
    let kind = facts.and_then(|f| f.policy.as_ref());
    let kind = kind.map(|k| format!(", policy {k}")).unwrap_or_default();
    let version = facts.and_then(|f| f.policy_version);
    let version = version
        .map(|v| format!(" of version {v}"))
        .unwrap_or_default();
    let line = Line::new("SELinux", &format!("{mode}, {config}{kind}{version}"));
    let enforcing =
        mode == "Enforcing" && policy.config_mode.known().is_some_and(|c| c == "enforcing");
    line.mood(if enforcing { Mood::Good } else { Mood::Unsure })
}

/// What the next boot will do, and what the last one was told.
fn boot(policy: &PolicySnapshot) -> Vec<Line> {
    let arguments = Line::of("kernel told", &policy.kernel_arguments, |words| {
        members(words)
    });
    let untold = policy.kernel_arguments.known().is_some_and(Vec::is_empty);
    let relabel = Line::of("/.autorelabel", &policy.autorelabel, |_| {
        "is there: the next boot relabels everything".to_owned()
    });
    let absent = policy.autorelabel == Reading::Known(false);
    let lines = [(arguments, untold), (relabel, absent)];
    let told = lines.into_iter().filter(|(_, nothing)| !nothing);
    told.map(|(line, _)| line).collect()
}

/// Enough digits to tell one policy from another.
const DIGITS: usize = 12;

fn checksums(policy: &PolicySnapshot) -> Line {
    let short = |reading: &Reading<String>| match reading {
        Reading::Known(sum) => format!("SHA-256 {}…", sum.get(..DIGITS).unwrap_or(sum)),
        Reading::Missing { why } => format!("not seen: {why}"),
    };
    let (loaded, disk) = (short(&policy.loaded_sha256), short(&policy.disk_sha256));
    Line::new("policy", &format!("loaded: {loaded}; on disk: {disk}"))
}

fn modules(all: &BTreeSet<PolicyModule>) -> String {
    let named = |m: &PolicyModule| match m.priority {
        0 => m.name.clone(),
        priority => format!("{} ({priority})", m.name),
    };
    let foreign = all
        .iter()
        .filter(|m| ![0, DISTRIBUTION].contains(&m.priority));
    let foreign: Vec<_> = foreign.map(named).collect();
    let off: Vec<_> = all.iter().filter(|m| !m.enabled).map(named).collect();
    let named = |what: &str, names: &[String]| match names.is_empty() {
        true => String::new(),
        false => format!("; {what}: {}", members(names)),
    };
    [
        count(all.len(), "module"),
        named("not of the distribution", &foreign),
        named("disabled", &off),
    ]
    .concat()
}

fn permissive(reading: &Reading<BTreeSet<String>>) -> Line {
    let told = |all: &BTreeSet<String>| members(&all.iter().cloned().collect::<Vec<_>>());
    let line = Line::of("permissive", reading, told);
    match reading {
        Reading::Known(all) if !all.is_empty() => line.mood(Mood::Bad),
        Reading::Known(_) | Reading::Missing { .. } => line,
    }
}

fn local(files: &BTreeMap<String, Vec<String>>) -> String {
    let told = |(file, lines): (&String, &Vec<String>)| format!("{file}: {}", members(lines));
    let all: Vec<_> = files.iter().map(told).collect();
    if all.is_empty() {
        "none".to_owned()
    } else {
        all.join("; ")
    }
}

/// A line for all, and one for each wrong label.
fn labels(reading: &Reading<Vec<PathLabel>>) -> Vec<Line> {
    let all = match reading {
        Reading::Known(all) => all,
        Reading::Missing { why } => return vec![Line::unseen("labels", why)],
    };
    let asked = all.iter().any(|l| l.should.is_some());
    let wrong: Vec<_> = all.iter().filter(|l| l.is_wrong()).collect();
    let paths = count(all.len(), "path");
    let text = match (asked, wrong.len()) {
        _ if all.is_empty() => "none of the suites' paths is there".to_owned(),
        (false, _) => format!("{paths}; what the policy wants for them could not be asked"),
        (true, 0) => format!("{paths}, all as the policy wants them"),
        (true, n) => format!("{paths}, {n} of them wrong"),
    };
    let one = |l: &&PathLabel| {
        let should = l.should.as_deref().unwrap_or_default();
        let text = format!("{}: {}, the policy wants {should}", l.path, l.is);
        Line::new("wrong label", &text).mood(Mood::Bad)
    };
    std::iter::once(Line::new("labels", &text))
        .chain(wrong.iter().take(10).map(one))
        .collect()
}
