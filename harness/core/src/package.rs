//! Packages: NEVRA, rpm's version order, and the difference between two package sets.

pub mod header;
mod spec;

use std::{cmp::Ordering, collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

pub use self::spec::{NEVRA, NevraSpec};

/// A package's name, epoch, version, release and architecture.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Nevra {
    /// The name.
    pub name: String,
    /// The epoch; rpm's `(none)` is 0.
    pub epoch: u32,
    /// The version.
    pub version: String,
    /// The release.
    pub release: String,
    /// The architecture.
    pub arch: String,
}

/// The `--queryformat` of `rpm -qa` that [`Nevra::parse_query`] reads.
pub const QUERY_FORMAT: &str = r"%{NAME} %{EPOCH} %{VERSION} %{RELEASE} %{ARCH}\n";

impl Nevra {
    /// Reads one line of `rpm -qa --queryformat` with [`QUERY_FORMAT`]:
    /// `httpd (none) 2.4.71 3.el9 x86_64`.
    #[must_use]
    pub fn parse_query(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let mut next = || fields.next().filter(|f| !f.is_empty());
        let (name, epoch, version, release, arch) = (next()?, next()?, next()?, next()?, next()?);
        let epoch = if epoch == "(none)" {
            0
        } else {
            epoch.parse().ok()?
        };
        next().is_none().then(|| Self {
            name: name.to_owned(),
            epoch,
            version: version.to_owned(),
            release: release.to_owned(),
            arch: arch.to_owned(),
        })
    }

    /// Compares epoch, version and release as rpm does; name and architecture do not count.
    #[must_use]
    pub fn compare_evr(&self, other: &Self) -> Ordering {
        rpm_version::rpm_evr_compare(&self.evr(), &other.evr())
    }

    /// `epoch:version-release`.
    fn evr(&self) -> String {
        format!("{}:{}-{}", self.epoch, self.version, self.release)
    }

    /// Name and architecture: what a package set may hold several versions of.
    fn key(&self) -> (String, String) {
        (self.name.clone(), self.arch.clone())
    }
}

impl fmt::Display for Nevra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            epoch,
            version,
            release,
            arch,
        } = self;
        match epoch {
            0 => write!(f, "{name}-{version}-{release}.{arch}"),
            _ => write!(f, "{name}-{epoch}:{version}-{release}.{arch}"),
        }
    }
}

/// How one package changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageChange {
    /// It was not there before.
    Installed(Nevra),
    /// It is gone.
    Removed(Nevra),
    /// A newer one took its place.
    Upgraded {
        /// The one before.
        from: Nevra,
        /// The one after.
        to: Nevra,
    },
    /// An older one took its place.
    Downgraded {
        /// The one before.
        from: Nevra,
        /// The one after.
        to: Nevra,
    },
}

impl PackageChange {
    /// The package that is there afterwards, if one is.
    #[must_use]
    pub fn after(&self) -> Option<&Nevra> {
        match self {
            Self::Installed(to) | Self::Upgraded { to, .. } | Self::Downgraded { to, .. } => {
                Some(to)
            }
            Self::Removed(_) => None,
        }
    }

    /// The package's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Installed(p) | Self::Removed(p) => &p.name,
            Self::Upgraded { to, .. } | Self::Downgraded { to, .. } => &to.name,
        }
    }
}

impl fmt::Display for PackageChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed(p) => write!(f, "installed {p}"),
            Self::Removed(p) => write!(f, "removed {p}"),
            Self::Upgraded { from, to } => {
                write!(f, "{to} (was {}-{})", from.version, from.release)
            }
            Self::Downgraded { from, to } => {
                write!(
                    f,
                    "{to} (downgraded from {}-{})",
                    from.version, from.release
                )
            }
        }
    }
}

/// The difference between two package sets, by name.
///
/// Packages of which several versions are installed side by side (kernels) show as installed and
/// removed, never as upgraded.
#[must_use]
pub fn difference(before: &[Nevra], after: &[Nevra]) -> Vec<PackageChange> {
    let (old, new) = (by_key(before), by_key(after));
    let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let gone = only(old.get(key), new.get(key));
        let come = only(new.get(key), old.get(key));
        match (gone.as_slice(), come.as_slice()) {
            ([from], [to]) => changes.push(replaced((*from).clone(), (*to).clone())),
            (gone, come) => {
                changes.extend(gone.iter().map(|p| PackageChange::Removed((*p).clone())));
                changes.extend(come.iter().map(|p| PackageChange::Installed((*p).clone())));
            }
        }
    }
    changes
}

type ByKey<'a> = BTreeMap<(String, String), Vec<&'a Nevra>>;

fn by_key(set: &[Nevra]) -> ByKey<'_> {
    let mut map = ByKey::new();
    for package in set {
        map.entry(package.key()).or_default().push(package);
    }
    map
}

fn only<'a>(these: Option<&Vec<&'a Nevra>>, those: Option<&Vec<&'a Nevra>>) -> Vec<&'a Nevra> {
    let known = |p: &&'a Nevra| those.is_some_and(|t| t.contains(p));
    these
        .into_iter()
        .flatten()
        .filter(|p| !known(p))
        .copied()
        .collect()
}

fn replaced(from: Nevra, to: Nevra) -> PackageChange {
    match to.compare_evr(&from) {
        Ordering::Less => PackageChange::Downgraded { from, to },
        Ordering::Equal | Ordering::Greater => PackageChange::Upgraded { from, to },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(line: &str) -> Nevra {
        Nevra::parse_query(line).unwrap()
    }

    #[test]
    fn a_query_line_is_read_and_shown() {
        let httpd = p("httpd (none) 2.4.71 3.el9 x86_64");
        assert_eq!(httpd.to_string(), "httpd-2.4.71-3.el9.x86_64");
        assert_eq!(
            p("openssl 1 3.0.7 24.el9 x86_64").to_string(),
            "openssl-1:3.0.7-24.el9.x86_64"
        );
        for bad in [
            "",
            "httpd",
            "error: rpmdb open failed",
            "a b c d e f",
            "a x 1 2 noarch",
        ] {
            assert_eq!(Nevra::parse_query(bad), None, "{bad}");
        }
    }

    #[test]
    fn versions_compare_as_rpm_does() {
        let old = p("selinux-policy (none) 3.7.19 155.el6_3.14 noarch");
        let new = p("selinux-policy (none) 3.7.19 195.el6_4.3 noarch");
        assert_eq!(old.compare_evr(&new), Ordering::Less);
        let epoch = p("selinux-policy 1 1.0 1 noarch");
        assert_eq!(epoch.compare_evr(&new), Ordering::Greater);
    }

    #[test]
    fn a_difference_names_each_change_once() {
        let before = [
            p("httpd (none) 2.4.71 3.el9 x86_64"),
            p("kernel (none) 5.14.0 362.8.1.el9 x86_64"),
            p("old (none) 1 1 noarch"),
            p("tzdata (none) 2023c 1.el9 noarch"),
        ];
        let after = [
            p("httpd (none) 2.4.71 4.el9 x86_64"),
            p("kernel (none) 5.14.0 362.13.1.el9_3 x86_64"),
            p("kernel (none) 5.14.0 362.8.1.el9 x86_64"),
            p("new (none) 1 1 noarch"),
            p("tzdata (none) 2023b 1.el9 noarch"),
        ];
        let shown: Vec<_> = difference(&before, &after)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            shown,
            [
                "httpd-2.4.71-4.el9.x86_64 (was 2.4.71-3.el9)",
                "installed kernel-5.14.0-362.13.1.el9_3.x86_64",
                "installed new-1-1.noarch",
                "removed old-1-1.noarch",
                "tzdata-2023b-1.el9.noarch (downgraded from 2023c-1.el9)",
            ]
        );
        assert_eq!(difference(&before, &before), []);
    }
}
