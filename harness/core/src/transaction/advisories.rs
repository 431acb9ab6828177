//! Lists of advisories, as `updateinfo list` (yum, dnf 4) and `advisory list` (dnf5) print them.

use super::AdvisoryHere;
use crate::{package::NevraSpec, patchset::Advisory};

/// One line of a list: an advisory and a package of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The advisory's id, as the host's repositories have it.
    pub id: String,
    /// The package.
    pub package: NevraSpec,
}

/// Reads the lines of a list that name an advisory and a package.
///
/// `i RHSA-2013:0263 Important/Sec. httpd-2.4.57-5.el9.x86_64` (dnf 4 and yum; `i` marks what is in),
/// `ALSA-2013:0263 security Important httpd-2.4.57-5.el9.x86_64 2013-02-22 00:00:00` (dnf5). Every other
/// line (what plugins say, heads of columns) names none and is left out.
#[must_use]
pub fn listed(text: &str) -> Vec<Listed> {
    text.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Listed> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    let id = match first {
        "i" | "I" => words.next()?,
        other => other,
    };
    let is_id = id.contains('-') && id.starts_with(|c: char| c.is_ascii_uppercase());
    let package = words.find_map(NevraSpec::parse)?;
    is_id.then(|| Listed {
        id: id.to_owned(),
        package,
    })
}

/// Which of the listed ids stand for each advisory that is asked for.
#[must_use]
pub fn mapped(asked: &[Advisory], list: &[Listed]) -> Vec<AdvisoryHere> {
    let here = |advisory: &Advisory| {
        let ids = list.iter().filter(|l| stands_for(&l.id, advisory));
        let mut ids: Vec<_> = ids.map(|l| l.id.clone()).collect();
        ids.sort();
        ids.dedup();
        AdvisoryHere {
            asked: advisory.clone(),
            here: ids,
        }
    };
    asked.iter().map(here).collect()
}

/// Whether a listed id stands for an advisory.
pub(super) fn stands_for(id: &str, advisory: &Advisory) -> bool {
    Advisory::parse(id).is_some_and(|a| a.is_same_as(advisory))
}
