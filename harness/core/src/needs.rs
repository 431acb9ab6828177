//! What suites need of a host, held against its facts.

use crate::{
    facts::{Facts, SelinuxFacts},
    package::Nevra,
    suite::{Suite, selinux::Mode},
};

/// Every need that the host does not meet, or cannot be seen to meet, in words.
#[must_use]
pub fn unmet(suites: &[Suite], facts: &Facts) -> Vec<String> {
    suites
        .iter()
        .flat_map(|suite| unmet_of(suite, facts))
        .collect()
}

/// Every need of one suite that the host does not meet, or cannot be seen to meet.
#[must_use]
pub fn unmet_of(suite: &Suite, facts: &Facts) -> Vec<String> {
    let mut found = Vec::new();
    for package in &suite.needs.packages {
        let missing = match facts.packages.get() {
            Err(why) => Some(format!("the packages could not be read ({why})")),
            Ok(all) if holds(all, package) => None,
            Ok(_) => Some("it is not installed".to_owned()),
        };
        found.extend(missing.map(|m| format!("suite {} needs package {package}: {m}", suite.name)));
    }
    if let Some(mode) = suite.needs.selinux {
        let other = match facts.selinux.get() {
            Err(why) => Some(format!("the mode could not be read ({why})")),
            Ok(is) if in_mode(is, mode) => None,
            Ok(is) => Some(format!("it is {}", is.mode.to_lowercase())),
        };
        let name = &suite.name;
        found.extend(other.map(|o| format!("suite {name} needs SELinux {}: {o}", mode.word())));
    }
    found
}

fn holds(packages: &[Nevra], name: &str) -> bool {
    packages.iter().any(|p| p.name == name)
}

fn in_mode(selinux: &SelinuxFacts, mode: Mode) -> bool {
    Mode::parse(&selinux.mode) == Some(mode)
}
