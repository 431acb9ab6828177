//! Advisories: one erratum has an id of its own in every distribution.
//!
//! Red Hat's RHSA-2013:0263 is AlmaLinux's ALSA-2013:0263, Rocky's RLSA-2013:0263, CentOS's CESA-2013:0263
//! and Oracle's ELSA-2013-0263: the letters of the vendor differ, kind, year and number do not. A rebuild
//! issues it later or never, and then it has no such advisory.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An erratum, whoever issued it: kind, year and number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Advisory {
    vendor: Vendor,
    kind: Kind,
    year: u16,
    number: u32,
    /// The number as it is written: `0263`.
    digits: String,
}

/// Who issues advisories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Vendor {
    RedHat,
    AlmaLinux,
    Rocky,
    CentOs,
    Oracle,
}

/// What an advisory is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Security,
    BugFix,
    Enhancement,
}

/// The letters of each vendor, and what stands between year and number.
const VENDORS: [(Vendor, &str, char); 5] = [
    (Vendor::RedHat, "RH", ':'),
    (Vendor::AlmaLinux, "AL", ':'),
    (Vendor::Rocky, "RL", ':'),
    (Vendor::CentOs, "CE", ':'),
    (Vendor::Oracle, "EL", '-'),
];

const KINDS: [(Kind, &str); 3] = [
    (Kind::Security, "SA"),
    (Kind::BugFix, "BA"),
    (Kind::Enhancement, "EA"),
];

/// What [`Advisory::parse`] takes.
pub const ADVISORY: &str = "an advisory's id of Red Hat or a rebuild, as `RHSA-2013:0263`";

impl Advisory {
    /// Reads `RHSA-2013:0263`, `ALBA-2024:1234`, `ELEA-2019-1234`: the letters of a vendor and of a kind,
    /// the year, and the number after `:` or `-`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (letters, rest) = text.split_once('-')?;
        let (year, digits) = rest.split_once([':', '-'])?;
        let (vendor, kind) = letters.split_at_checked(2)?;
        let all = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let is_number = all(digits) && (4..=9).contains(&digits.len());
        (all(year) && year.len() == 4 && is_number).then_some(())?;
        Some(Self {
            vendor: VENDORS.iter().find(|v| v.1 == vendor)?.0,
            kind: KINDS.iter().find(|k| k.1 == kind)?.0,
            year: year.parse().ok()?,
            number: digits.parse().ok()?,
            digits: digits.to_owned(),
        })
    }

    /// Whether two ids stand for the same erratum: kind, year and number are the same.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        (self.kind, self.year, self.number) == (other.kind, other.year, other.number)
    }

    /// The erratum's id at every vendor, Red Hat's first.
    #[must_use]
    pub fn everywhere(&self) -> Vec<String> {
        VENDORS.iter().map(|v| self.written(v)).collect()
    }

    fn written(&self, (_, letters, before): &(Vendor, &str, char)) -> String {
        let kind = KINDS.iter().find(|k| k.0 == self.kind).map_or("", |k| k.1);
        format!("{letters}{kind}-{}{before}{}", self.year, self.digits)
    }
}

impl fmt::Display for Advisory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = VENDORS.iter().find(|v| v.0 == self.vendor);
        f.write_str(&own.map(|v| self.written(v)).unwrap_or_default())
    }
}

impl From<Advisory> for String {
    fn from(advisory: Advisory) -> Self {
        advisory.to_string()
    }
}

impl TryFrom<String> for Advisory {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no advisory"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a(text: &str) -> Advisory {
        Advisory::parse(text).unwrap()
    }

    #[test]
    fn one_erratum_has_a_name_at_every_vendor() {
        for (asked, wanted) in [
            (
                "RHSA-2013:0263",
                "RHSA-2013:0263 ALSA-2013:0263 RLSA-2013:0263 CESA-2013:0263 ELSA-2013-0263",
            ),
            (
                "ELBA-2024-12345",
                "RHBA-2024:12345 ALBA-2024:12345 RLBA-2024:12345 CEBA-2024:12345 ELBA-2024-12345",
            ),
        ] {
            assert_eq!(a(asked).everywhere().join(" "), wanted);
            assert_eq!(a(asked).to_string(), asked);
            for other in wanted.split(' ') {
                assert!(a(asked).is_same_as(&a(other)), "{asked} {other}");
            }
        }
        for other in ["RHBA-2013:0263", "RHSA-2014:0263", "RHSA-2013:0264"] {
            assert!(!a("CESA-2013:0263").is_same_as(&a(other)), "{other}");
        }
    }

    #[test]
    fn what_is_no_advisory_is_refused() {
        for bad in [
            "",
            "RHSA",
            "RHSA-2013",
            "RHSA-2013:",
            "RHSA-2013:263",
            "RHSA-13:0263",
            "RHSA-2013:0263-1",
            "rhsa-2013:0263",
            "RHXA-2013:0263",
            "FEDORA-2013-0263",
            "CVE-2013-0263",
            "RHSA-2013:0263; reboot",
            "RHSA-2013:1234567890",
            "Ré-2013:0263",
        ] {
            assert_eq!(Advisory::parse(bad), None, "{bad}");
        }
    }
}
