//! What the repositories hold newer, as `check-update` (yum, dnf 4) and `check-upgrade` (dnf5) print it.

use super::Row;
use crate::{package::NevraSpec, transaction::Action};

/// Reads rows ` name.arch version repository`, which the older two break after a long word. Behind the
/// first `Obsoleting` heading stand pairs of other meaning.
#[must_use]
pub fn offered(text: &str) -> Vec<Row> {
    let lines = text.lines().take_while(|l| !l.starts_with("Obsoleting"));
    let (mut rows, mut pending) = (Vec::new(), Vec::new());
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !line.starts_with(' ') {
            pending.clear();
        }
        pending.extend(words);
        if let [package, version, repository] = pending.as_slice() {
            rows.extend(row(package, version, repository));
            pending.clear();
        } else if pending.len() > 3 {
            pending.clear();
        }
    }
    rows
}

fn row(package: &str, version: &str, repository: &str) -> Option<Row> {
    let (name, arch) = package.rsplit_once('.')?;
    let version = version.strip_prefix("0:").unwrap_or(version);
    Some(Row {
        action: Action::Upgrade,
        package: NevraSpec::parse(&format!("{name}-{version}.{arch}"))?,
        repository: repository.to_owned(),
    })
}
