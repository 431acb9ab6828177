//! Two hosts' facts, or one host's at two times, side by side.

use std::collections::{BTreeMap, BTreeSet};

use super::{Area, compare::Compare};
use crate::{
    facts::{Facts, OsRelease},
    package::Nevra,
};

/// Distributions and packages of two hosts differ by what they are; that is another comparison.
pub(super) fn compare(compare: &mut Compare<'_>, first: &Facts, second: &Facts) {
    if !compare.over_time() {
        return;
    }
    let area = Area::Host;
    if let Some((a, b)) = compare.both_of(area, "distribution", &first.os, &second.os)
        && a != b
    {
        compare.say(area, &format!("distribution: {} → {}", name(a), name(b)));
    }
    if let Some((a, b)) = compare.both_of(area, "kernel", &first.kernel, &second.kernel)
        && a != b
    {
        compare.say(area, &format!("kernel: {a} → {b}"));
    }
    if let Some((a, b)) = compare.both_of(area, "boot", &first.boot_id, &second.boot_id)
        && a != b
    {
        compare.say(area, "the host was booted in between");
    }
    if let Some((a, b)) = compare.both(Area::Packages, &first.packages, &second.packages) {
        packages(compare, a, b);
    }
}

fn name(os: &OsRelease) -> &str {
    if os.pretty.is_empty() {
        &os.id
    } else {
        &os.pretty
    }
}

/// Several versions of a package may be there at once, as those of the kernel are.
fn packages(compare: &mut Compare<'_>, first: &[Nevra], second: &[Nevra]) {
    let (a, b) = (by_name(first), by_name(second));
    let what = |name: &str| format!("package {name}");
    let show = |versions: &BTreeSet<String>| {
        let all: Vec<_> = versions.iter().map(String::as_str).collect();
        all.join(", ")
    };
    compare.values(Area::Packages, (&a, &b), what, show);
}

/// The versions of each package, by `name.arch`.
fn by_name(packages: &[Nevra]) -> BTreeMap<String, BTreeSet<String>> {
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let Nevra {
            name,
            epoch,
            version,
            release,
            arch,
        } = package;
        let epoch = match epoch {
            0 => String::new(),
            epoch => format!("{epoch}:"),
        };
        let versions = named.entry(format!("{name}.{arch}")).or_default();
        versions.insert(format!("{epoch}{version}-{release}"));
    }
    named
}
