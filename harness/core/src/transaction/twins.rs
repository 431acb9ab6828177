//! Where the transactions of a rebuild and of its upstream twin differ.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Row;

/// One difference between two transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TwinDifference {
    /// The package's name and architecture.
    pub package: String,
    /// Version and release that come here; none where it does not come.
    pub here: Option<String>,
    /// Version and release that come to the twin.
    pub twin: Option<String>,
}

/// The packages that come to one of two hosts alone, or in another version. A vendor's tag at the end of a
/// release (`.alma.1`, `.rocky.0.2`, `.centos`) is no other version.
#[must_use]
pub fn differences(here: &[Row], twin: &[Row]) -> Vec<TwinDifference> {
    let (here, twin) = (by_name(here), by_name(twin));
    let names: std::collections::BTreeSet<_> = here.keys().chain(twin.keys()).collect();
    let difference = |name: &&(String, String)| {
        let (ours, theirs) = (here.get(*name), twin.get(*name));
        let same = ours.map(|v| untagged(v)) == theirs.map(|v| untagged(v));
        (!same).then(|| TwinDifference {
            package: format!("{}.{}", name.0, name.1),
            here: ours.cloned(),
            twin: theirs.cloned(),
        })
    };
    names.iter().filter_map(difference).collect()
}

fn by_name(rows: &[Row]) -> BTreeMap<(String, String), String> {
    let rows = rows.iter().filter(|r| r.action.brings());
    let entry = |r: &Row| {
        let spec = &r.package;
        ((spec.name().to_owned(), spec.arch().to_owned()), spec.evr())
    };
    rows.map(entry).collect()
}

/// Version and release without the tag of a vendor, which is the last thing in a release.
fn untagged(evr: &str) -> &str {
    let tags = [".alma", ".rocky", ".centos", ".0.1.el"];
    let ends = tags.iter().filter_map(|tag| evr.find(tag));
    ends.min().map_or(evr, |end| &evr[..end])
}
