//! The table of lab hosts, and how host arguments name them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::error::LabError;

/// The first three bytes of every lab address.
const NETWORK: &str = "10.77.0";
/// Last bytes for hosts beyond the table; 1 is the bridge and 100 the client.
const FREE_OCTETS: std::ops::RangeInclusive<u8> = 13..=99;

/// Which image a host runs, which is also its role in the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// Looks like RHEL.
    Upstream,
    /// Looks like a rebuild of RHEL.
    Rebuild,
}

impl Flavour {
    /// Every flavour, in the order of the inventory.
    pub const ALL: [Self; 2] = [Self::Upstream, Self::Rebuild];

    /// The name in file names, inventories and arguments.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Rebuild => "rebuild",
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Flavour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL
            .into_iter()
            .find(|flavour| flavour.as_str() == text);
        found.ok_or_else(|| format!("there is no flavour `{text}`, only upstream and rebuild"))
    }
}

/// One lab host: what it is called, what it runs and where it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostSpec {
    /// Its name.
    pub name: String,
    /// Its image.
    pub flavour: Flavour,
    /// Last byte of its address, of its MAC address, and the number in its tap's name.
    pub octet: u8,
}

impl HostSpec {
    /// Its address inside the lab.
    pub fn address(&self) -> String {
        format!("{NETWORK}.{}", self.octet)
    }
}

/// The hosts that `lab up` starts when none is named.
pub fn table() -> Vec<HostSpec> {
    let rows = [
        ("lab-upstream", Flavour::Upstream, 12),
        ("lab-rebuild", Flavour::Rebuild, 11),
    ];
    let spec = |(name, flavour, octet): (&str, _, _)| HostSpec {
        name: name.to_owned(),
        flavour,
        octet,
    };
    rows.into_iter().map(spec).collect()
}

/// Resolves host arguments (`NAME` or `NAME=FLAVOUR`); the whole table when there are none.
///
/// `running` are the hosts of now: their names keep their meaning and their addresses are taken.
pub(super) fn resolve(args: &[String], running: &[HostSpec]) -> Result<Vec<HostSpec>, LabError> {
    if args.is_empty() {
        return Ok(table());
    }
    let mut known = table();
    known.retain(|spec| running.iter().all(|other| other.name != spec.name));
    known.extend_from_slice(running);
    let mut chosen: Vec<HostSpec> = Vec::new();
    for arg in args {
        let spec = resolve_one(arg, &mut known).map_err(|problem| LabError::BadHost {
            text: arg.clone(),
            problem,
        })?;
        if !chosen.contains(&spec) {
            chosen.push(spec);
        }
    }
    Ok(chosen)
}

fn resolve_one(arg: &str, known: &mut Vec<HostSpec>) -> Result<HostSpec, String> {
    let (name, flavour) = match arg.split_once('=') {
        Some((name, flavour)) => (name, Some(flavour.parse::<Flavour>()?)),
        None => (arg, None),
    };
    match (known.iter().find(|spec| spec.name == name), flavour) {
        (Some(spec), Some(flavour)) if spec.flavour != flavour => {
            Err(format!("`{name}` has the flavour {}", spec.flavour))
        }
        (Some(spec), _) => Ok(spec.clone()),
        (None, Some(flavour)) => add(name, flavour, known),
        (None, None) => Err(format!("the known ones are {}", names(known))),
    }
}

fn add(name: &str, flavour: Flavour, known: &mut Vec<HostSpec>) -> Result<HostSpec, String> {
    if !is_host_name(name) {
        return Err(
            "a name has letters, digits and dashes, begins with a letter, and is at most \
                    40 characters long"
                .to_owned(),
        );
    }
    let octet = FREE_OCTETS
        .into_iter()
        .find(|octet| known.iter().all(|spec| spec.octet != *octet))
        .ok_or("every address of the lab is taken")?;
    let spec = HostSpec {
        name: name.to_owned(),
        flavour,
        octet,
    };
    known.push(spec.clone());
    Ok(spec)
}

fn is_host_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn names(specs: &[HostSpec]) -> String {
    specs
        .iter()
        .map(|spec| spec.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn told(text: &str, running: &[HostSpec]) -> String {
        match resolve(&args(text), running) {
            Ok(specs) => {
                let row =
                    |spec: &HostSpec| format!("{}={}@{}", spec.name, spec.flavour, spec.octet);
                specs.iter().map(row).collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn host_arguments_resolve_as_documented() {
        let extra = HostSpec {
            name: "web".into(),
            flavour: Flavour::Rebuild,
            octet: 13,
        };
        let running = [table().remove(1), extra];
        let cases: [(&str, &[HostSpec], &str); 8] = [
            ("", &[], "lab-upstream=upstream@12 lab-rebuild=rebuild@11"),
            ("lab-rebuild", &[], "lab-rebuild=rebuild@11"),
            (
                "lab-rebuild lab-rebuild=rebuild",
                &[],
                "lab-rebuild=rebuild@11",
            ),
            ("a=rebuild b=upstream", &[], "a=rebuild@13 b=upstream@14"),
            ("web c=upstream", &running, "web=rebuild@13 c=upstream@14"),
            (
                "web",
                &[],
                "`web` is not a lab host: the known ones are lab-upstream, lab-rebuild",
            ),
            (
                "lab-rebuild=upstream",
                &[],
                "`lab-rebuild=upstream` is not a lab host: `lab-rebuild` has the flavour rebuild",
            ),
            (
                "a=fedora",
                &[],
                "`a=fedora` is not a lab host: there is no flavour `fedora`, only upstream and rebuild",
            ),
        ];
        for (text, running, want) in cases {
            assert_eq!(told(text, running), want, "{text}");
        }
    }

    #[test]
    fn names_that_could_leave_their_directory_are_refused() {
        for name in ["../x", "A", "-a", "a b", "", "a/b", &"a".repeat(41)] {
            assert!(!is_host_name(name), "{name}");
        }
    }

    #[test]
    fn every_address_can_be_used_once() {
        let many: Vec<String> = (0..88).map(|n| format!("h{n}=rebuild")).collect();
        let error = resolve(&many, &[]).unwrap_err().to_string();
        assert!(
            error.contains("`h87=rebuild`") && error.contains("every address"),
            "{error}"
        );
    }

    #[test]
    fn the_table_has_no_name_or_address_twice() {
        for (index, a) in table().iter().enumerate() {
            for b in &table()[index + 1..] {
                assert!(a.name != b.name && a.octet != b.octet);
            }
        }
    }
}
