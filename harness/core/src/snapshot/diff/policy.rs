//! Two policies, side by side.

use std::collections::{BTreeMap, BTreeSet};

use super::{Area, compare::Compare};
use crate::snapshot::policy::{PathLabel, PolicyModule, PolicySnapshot};

pub(super) fn compare(compare: &mut Compare<'_>, first: &PolicySnapshot, second: &PolicySnapshot) {
    settings(compare, first, second);
    if compare.over_time() {
        checksums(compare, first, second);
    }
    if let Some((a, b)) = compare.both(Area::Modules, &first.modules, &second.modules) {
        modules(compare, &by_name(a), &by_name(b));
    }
    if let Some((a, b)) = compare.both(Area::Booleans, &first.booleans, &second.booleans) {
        let what = |name: &str| format!("boolean {name}");
        compare.values(Area::Booleans, (a, b), what, |on| on_off(*on));
    }
    permissive(compare, first, second);
    let local = (&first.customizations, &second.customizations);
    if let Some((a, b)) = compare.both(Area::Customizations, local.0, local.1) {
        customizations(compare, a, b);
    }
    if let Some((a, b)) = compare.both(Area::Labels, &first.labels, &second.labels) {
        labels(compare, a, b);
    }
}

fn settings(compare: &mut Compare<'_>, first: &PolicySnapshot, second: &PolicySnapshot) {
    let area = Area::SelinuxMode;
    for (what, a, b) in [
        ("SELinux mode", &first.mode, &second.mode),
        (
            "SELINUX= of /etc/selinux/config",
            &first.config_mode,
            &second.config_mode,
        ),
    ] {
        match compare.both_of(area, what, a, b) {
            Some((a, b)) if a != b => compare.say(area, &format!("{what}: {a} → {b}")),
            Some(_) | None => {}
        }
    }
    let arguments = (&first.kernel_arguments, &second.kernel_arguments);
    if let Some((a, b)) = compare.both_of(area, "kernel arguments", arguments.0, arguments.1) {
        for word in a.iter().filter(|w| !b.contains(w)) {
            compare.gone(area, &format!("kernel argument {word}"));
        }
        for word in b.iter().filter(|w| !a.contains(w)) {
            compare.new_one(area, &format!("kernel argument {word}"));
        }
    }
    match compare.both_of(
        area,
        "/.autorelabel",
        &first.autorelabel,
        &second.autorelabel,
    ) {
        Some((true, false)) => compare.gone(area, "/.autorelabel"),
        Some((false, true)) => {
            compare.new_one(area, "/.autorelabel (the next boot relabels everything)");
        }
        Some((true, true) | (false, false)) | None => {}
    }
}

fn checksums(compare: &mut Compare<'_>, first: &PolicySnapshot, second: &PolicySnapshot) {
    let area = Area::LoadedPolicy;
    for (what, a, b) in [
        ("loaded policy", &first.loaded_sha256, &second.loaded_sha256),
        ("policy on disk", &first.disk_sha256, &second.disk_sha256),
    ] {
        match compare.both_of(area, what, a, b) {
            Some((a, b)) if a != b => compare.say(area, &format!("{what} changed")),
            Some(_) | None => {}
        }
    }
}

/// Whether it is on, by `NAME (priority N)`; the store of EL6 knows no priorities.
fn by_name(modules: &BTreeSet<PolicyModule>) -> BTreeMap<String, bool> {
    let named = |m: &PolicyModule| match m.priority {
        0 => (m.name.clone(), m.enabled),
        priority => (format!("{} (priority {priority})", m.name), m.enabled),
    };
    modules.iter().map(named).collect()
}

fn modules(
    compare: &mut Compare<'_>,
    first: &BTreeMap<String, bool>,
    second: &BTreeMap<String, bool>,
) {
    let area = Area::Modules;
    for (name, was) in first {
        match second.get(name) {
            None => compare.gone(area, &format!("module {name}")),
            Some(is) if is != was => {
                let word = |on: bool| if on { "enabled" } else { "disabled" };
                let (was, is) = (word(*was), word(*is));
                compare.say(area, &format!("module {name}: {was} → {is}"));
            }
            Some(_) => {}
        }
    }
    for (name, on) in second.iter().filter(|(name, _)| !first.contains_key(*name)) {
        let off = if *on { "" } else { ", disabled," };
        compare.new_one(area, &format!("module {name}{off}"));
    }
}

fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

fn permissive(compare: &mut Compare<'_>, first: &PolicySnapshot, second: &PolicySnapshot) {
    let area = Area::PermissiveDomains;
    if let Some((a, b)) = compare.both(area, &first.permissive, &second.permissive) {
        for domain in a.difference(b) {
            compare.gone(area, &format!("permissive domain {domain}"));
        }
        for domain in b.difference(a) {
            compare.new_one(area, &format!("permissive domain {domain}"));
        }
    }
}

type Local = BTreeMap<String, Vec<String>>;

fn customizations(compare: &mut Compare<'_>, first: &Local, second: &Local) {
    let files: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    for file in files {
        let lines = |side: &Local| side.get(file).cloned().unwrap_or_default();
        let what = format!("local policy change in {file}");
        compare.lines(Area::Customizations, &what, &lines(first), &lines(second));
    }
}

/// Files come and go; what is told is another label of one that stayed, another wish of the policy for
/// it, and a newcomer with a wrong one.
fn labels(compare: &mut Compare<'_>, first: &[PathLabel], second: &[PathLabel]) {
    let before: BTreeMap<&str, &PathLabel> = first.iter().map(|l| (l.path.as_str(), l)).collect();
    for now in second {
        let path = &now.path;
        let what = match before.get(path.as_str()) {
            Some(then) if differ(&then.is, &now.is) => {
                let (was, is) = told(&then.is, &now.is);
                Some(format!("label of {path}: {was} → {is}{}", wanted(now)))
            }
            Some(then) => wishes(then, now),
            None if now.is_wrong() && compare.over_time() => {
                let is = kind(&now.is);
                Some(format!(
                    "label of {path}, which is new: {is}{}",
                    wanted(now)
                ))
            }
            None => None,
        };
        if let Some(what) = what {
            compare.say(Area::Labels, &what);
        }
    }
}

/// The label is the same, and the policy wants another one than it wanted.
fn wishes(then: &PathLabel, now: &PathLabel) -> Option<String> {
    let (was, is) = (then.should.as_deref()?, now.should.as_deref()?);
    differ(was, is).then(|| {
        let (was, is) = told(was, is);
        format!(
            "label of {}: {}; the policy wanted {was} and now wants {is}",
            now.path,
            kind(&now.is)
        )
    })
}

fn wanted(label: &PathLabel) -> String {
    match &label.should {
        Some(should) if label.is_wrong() => format!(" (the policy wants {})", kind(should)),
        Some(_) | None => String::new(),
    }
}

/// The type of a context, `user:role:type:level`.
fn kind(context: &str) -> &str {
    context.split(':').nth(2).unwrap_or(context)
}

/// Type and level; who made a file is nobody's concern.
fn differ(one: &str, other: &str) -> bool {
    let counts = |context: &str| {
        let mut parts = context.splitn(4, ':').skip(2);
        (
            parts.next().map(ToOwned::to_owned),
            parts.next().map(ToOwned::to_owned),
        )
    };
    counts(one) != counts(other)
}

/// Two contexts by their types, or whole when the types are the same.
fn told<'a>(one: &'a str, other: &'a str) -> (&'a str, &'a str) {
    if kind(one) == kind(other) {
        (one, other)
    } else {
        (kind(one), kind(other))
    }
}
