//! What `needs-restarting -r` says.

use serde::{Deserialize, Serialize};

use crate::reading::Reading;

/// The advice of `needs-restarting -r`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Advice {
    /// A reboot is needed.
    Needed {
        /// The packages that it names.
        packages: Vec<String>,
    },
    /// It is not.
    NotNeeded,
}

/// What the tool ends with where a reboot is needed: dnf 4, dnf 5 and yum-utils.
const NEEDED: [&str; 2] = [
    "Reboot is required to fully utilize these updates.",
    "Reboot is required to ensure that your system benefits from these updates.",
];

/// The same where it is not.
const NOT_NEEDED: [&str; 2] = [
    "Reboot should not be necessary.",
    "Reboot is probably not necessary.",
];

/// Reads its output and exit status.
///
/// Status 1 stands for "needed" and for any error of the tool's; so only its own words count, and only with
/// the status that goes with them.
#[must_use]
pub fn read_advice(exit: u8, output: &str) -> Reading<Advice> {
    let says = |words: &[&str]| output.lines().any(|l| words.contains(&l.trim()));
    match (exit, says(&NEEDED), says(&NOT_NEEDED)) {
        (1, true, false) => Reading::Known(Advice::Needed {
            packages: output.lines().filter_map(package).collect(),
        }),
        (0, false, true) => Reading::Known(Advice::NotNeeded),
        _ => Reading::missing(format!("exit status {exit}: {}", last(output))),
    }
}

/// Reads `  * glibc` (dnf) or `  kernel -> 3.10.0-1160.25.1.el7` (yum-utils).
fn package(line: &str) -> Option<String> {
    let line = line.trim_end();
    let dnf = line.strip_prefix("  * ");
    let yum = || line.strip_prefix("  ")?.split_once(" -> ").map(|(n, _)| n);
    let name = dnf.or_else(yum)?.split(' ').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// The last line that is not empty.
fn last(output: &str) -> &str {
    let mut lines = output.lines().rev().map(str::trim);
    lines.find(|l| !l.is_empty()).unwrap_or("it said nothing")
}
