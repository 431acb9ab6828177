//! A package as people and tools name it: its epoch may be left out.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

use super::Nevra;

/// `name-[epoch:]version-release.arch`. Without an epoch, any will do: lists of packages often leave it
/// out, and to read that as 0 would miss openssl (1), bind (32) and others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NevraSpec {
    name: String,
    epoch: Option<u32>,
    version: String,
    release: String,
    arch: String,
}

/// What [`NevraSpec::parse`] takes.
pub const NEVRA: &str =
    "a package with version, release and architecture, as `openssl-libs-1:3.0.7-25.el9_3.x86_64`";

impl NevraSpec {
    /// Reads `httpd-2.4.57-5.el9.x86_64`, `openssl-libs-1:3.0.7-25.el9_3.x86_64`. Nothing that a shell or a
    /// package manager could read otherwise is taken.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, arch) = text.rsplit_once('.')?;
        let (rest, release) = rest.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        let (epoch, version) = match version.split_once(':') {
            Some((epoch, version)) => (Some(number(epoch)?), version),
            None => (None, version),
        };
        let word = |text: &str, more: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
            !text.is_empty() && text.chars().all(fits)
        };
        let starts = |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let is_good = text.len() <= 255
            && word(name, "._+-")
            && starts(name)
            && word(version, "._+~^")
            && word(release, "._+~^")
            && word(arch, "_");
        is_good.then(|| Self {
            name: name.to_owned(),
            epoch,
            version: version.to_owned(),
            release: release.to_owned(),
            arch: arch.to_owned(),
        })
    }

    /// Whether this very package is meant.
    #[must_use]
    pub fn is(&self, package: &Nevra) -> bool {
        self.is_of(package)
            && self.epoch.is_none_or(|e| e == package.epoch)
            && (&self.version, &self.release) == (&package.version, &package.release)
    }

    /// Whether a package of the same name and architecture is at least as new. Without an epoch the
    /// package's own is taken.
    #[must_use]
    pub fn is_reached_by(&self, package: &Nevra) -> bool {
        let wanted = Nevra {
            name: self.name.clone(),
            epoch: self.epoch.unwrap_or(package.epoch),
            version: self.version.clone(),
            release: self.release.clone(),
            arch: self.arch.clone(),
        };
        self.is_of(package) && package.compare_evr(&wanted) != Ordering::Less
    }

    /// Whether name and architecture are the same.
    #[must_use]
    pub fn is_of(&self, package: &Nevra) -> bool {
        (&self.name, &self.arch) == (&package.name, &package.arch)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The architecture.
    #[must_use]
    pub fn arch(&self) -> &str {
        &self.arch
    }

    /// `[epoch:]version-release`.
    #[must_use]
    pub fn evr(&self) -> String {
        let epoch = self.epoch.map(|e| format!("{e}:")).unwrap_or_default();
        format!("{epoch}{}-{}", self.version, self.release)
    }
}

/// Plain digits, as an epoch has them.
fn number(text: &str) -> Option<u32> {
    let digits = text.chars().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl From<&Nevra> for NevraSpec {
    fn from(package: &Nevra) -> Self {
        Self {
            name: package.name.clone(),
            epoch: Some(package.epoch),
            version: package.version.clone(),
            release: package.release.clone(),
            arch: package.arch.clone(),
        }
    }
}

impl fmt::Display for NevraSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.epoch {
            Some(0) | None => format!("{}-{}", self.version, self.release),
            Some(_) => self.evr(),
        };
        write!(f, "{}-{shown}.{}", self.name, self.arch)
    }
}

impl From<NevraSpec> for String {
    fn from(spec: NevraSpec) -> Self {
        format!("{}-{}.{}", spec.name, spec.evr(), spec.arch)
    }
}

impl TryFrom<String> for NevraSpec {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no package"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> NevraSpec {
        NevraSpec::parse(text).unwrap()
    }

    fn p(line: &str) -> Nevra {
        Nevra::parse_query(line).unwrap()
    }

    #[test]
    fn names_with_dashes_and_dots_are_read_from_the_end() {
        for (text, name, evr, arch) in [
            (
                "httpd-2.4.57-5.el9.x86_64",
                "httpd",
                "2.4.57-5.el9",
                "x86_64",
            ),
            (
                "openssl-libs-1:3.0.7-25.el9_3.x86_64",
                "openssl-libs",
                "1:3.0.7-25.el9_3",
                "x86_64",
            ),
            (
                "java-1.8.0-openjdk-1:1.8.0.392.b08-3.el9.x86_64",
                "java-1.8.0-openjdk",
                "1:1.8.0.392.b08-3.el9",
                "x86_64",
            ),
            (
                "libstdc++-11.4.1-2.1.el9.i686",
                "libstdc++",
                "11.4.1-2.1.el9",
                "i686",
            ),
            (
                "selinux-policy-3.7.19-195.el6_4.3.noarch",
                "selinux-policy",
                "3.7.19-195.el6_4.3",
                "noarch",
            ),
        ] {
            let read = spec(text);
            assert_eq!(
                (read.name(), read.evr().as_str(), read.arch()),
                (name, evr, arch)
            );
            assert_eq!(read.to_string(), text);
            assert_eq!(String::from(read), text);
        }
    }

    #[test]
    fn what_is_no_whole_package_is_refused() {
        for bad in [
            "",
            "httpd",
            "httpd-2.4.57",
            "httpd-2.4.57-5",
            "-httpd-2.4.57-5.el9.x86_64",
            "httpd-x:2.4.57-5.el9.x86_64",
            "httpd-:2.4.57-5.el9.x86_64",
            "httpd-2.4.57-5.el9.x86_64;id",
            "httpd*-2.4.57-5.el9.x86_64",
            "http d-2.4.57-5.el9.x86_64",
            "/tmp/httpd-2.4.57-5.el9.x86_64",
        ] {
            assert_eq!(NevraSpec::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn without_an_epoch_any_will_do() {
        let openssl = p("openssl-libs 1 3.0.7 25.el9_3 x86_64");
        let older = p("openssl-libs 1 3.0.7 24.el9 x86_64");
        for (text, is) in [
            ("openssl-libs-3.0.7-25.el9_3.x86_64", true),
            ("openssl-libs-1:3.0.7-25.el9_3.x86_64", true),
            ("openssl-libs-0:3.0.7-25.el9_3.x86_64", false),
        ] {
            assert_eq!(spec(text).is(&openssl), is, "{text}");
            assert!(spec(text).is_reached_by(&openssl), "{text}");
        }
        let wanted = spec("openssl-libs-3.0.7-25.el9_3.x86_64");
        assert!(!wanted.is_reached_by(&older) && !wanted.is(&older));
        assert!(!wanted.is_reached_by(&p("openssl-libs 1 3.0.7 25.el9_3 i686")));
    }
}
