//! What a host is at one state: distribution, kernel, boot, SELinux, packages.

use serde::{Deserialize, Serialize};

use crate::{package::Nevra, reading::Reading};

/// The facts of one host at one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// `/etc/os-release`, or `/etc/redhat-release` where there is none (EL6).
    pub os: Reading<OsRelease>,
    /// `uname -r`.
    pub kernel: Reading<String>,
    /// `/proc/sys/kernel/random/boot_id`: another one means another boot.
    pub boot_id: Reading<String>,
    /// The numeric user that commands run as.
    pub uid: Reading<u32>,
    /// SELinux's settings.
    pub selinux: Reading<SelinuxFacts>,
    /// Every installed package.
    pub packages: Reading<Vec<Nevra>>,
}

/// The distribution of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OsRelease {
    /// `ID`: `rhel`, `centos`, `almalinux`, `rocky` …
    pub id: String,
    /// `VERSION_ID`, as text: 6.10 is not 6.1.
    pub version: String,
    /// `PRETTY_NAME`.
    pub pretty: String,
}

impl OsRelease {
    /// Reads `/etc/os-release` (`ID="centos"` lines), or the single line of `/etc/redhat-release`
    /// (`CentOS release 6.4 (Final)`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if !text.contains('=') {
            return Self::parse_release_line(text.trim());
        }
        let value = |key: &str| {
            let line = text
                .lines()
                .find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
            line.map(|v| v.trim().trim_matches(['"', '\'']).to_owned())
        };
        Some(Self {
            id: value("ID")?,
            version: value("VERSION_ID").unwrap_or_default(),
            pretty: value("PRETTY_NAME").unwrap_or_default(),
        })
    }

    fn parse_release_line(line: &str) -> Option<Self> {
        let version = line
            .split(' ')
            .find(|w| w.starts_with(|c: char| c.is_ascii_digit()))?;
        let id = match line {
            l if l.starts_with("Red Hat Enterprise") => "rhel".to_owned(),
            l => l.split(' ').next()?.to_lowercase(),
        };
        Some(Self {
            id,
            version: version.to_owned(),
            pretty: line.to_owned(),
        })
    }
}

/// SELinux's settings on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelinuxFacts {
    /// The mode in force, as `getenforce` words it: `Enforcing`, `Permissive`, `Disabled`.
    pub mode: String,
    /// `SELINUX=` of `/etc/selinux/config`: what the next boot will have.
    pub config_mode: Option<String>,
    /// `SELINUXTYPE=`.
    pub policy: Option<String>,
    /// `/sys/fs/selinux/policyvers`.
    pub policy_version: Option<u32>,
    /// SHA-256 of the loaded policy, `/sys/fs/selinux/policy`.
    pub policy_sha256: Option<String>,
}

/// Reads the output of `rpm -qa` in [`crate::package::QUERY_FORMAT`]: packages, and the lines that
/// are none (`error: rpmdb…`, `warning: …`).
#[must_use]
pub fn parse_packages(text: &str) -> (Vec<Nevra>, Vec<String>) {
    let mut odd = Vec::new();
    let mut packages = Vec::new();
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        match Nevra::parse_query(line) {
            Some(package) if package.name == "gpg-pubkey" => {}
            Some(package) => packages.push(package),
            None => odd.push(line.to_owned()),
        }
    }
    packages.sort();
    (packages, odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generation_names_its_distribution() {
        for (text, id, version) in [
            (
                "NAME=\"AlmaLinux\"\nID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"8.10\"\n",
                "almalinux",
                "8.10",
            ),
            ("ID=rhel\nVERSION_ID='9.3'\n", "rhel", "9.3"),
            ("CentOS release 6.10 (Final)\n", "centos", "6.10"),
            (
                "Red Hat Enterprise Linux Server release 6.4 (Santiago)\n",
                "rhel",
                "6.4",
            ),
        ] {
            let os = OsRelease::parse(text).unwrap();
            assert_eq!((os.id.as_str(), os.version.as_str()), (id, version));
        }
        assert_eq!(OsRelease::parse(""), None);
        assert_eq!(OsRelease::parse("VERSION_ID=9\n"), None);
    }

    #[test]
    fn what_is_no_package_is_kept_apart() {
        let text = "error: rpmdb: BDB0113 Thread died\nhttpd (none) 2.2.15 26.el6.centos x86_64\n\
                    gpg-pubkey (none) c105b9de 4e0fd3a3 (none)\n";
        let (packages, odd) = parse_packages(text);
        assert_eq!(packages.len(), 1);
        assert_eq!(odd, ["error: rpmdb: BDB0113 Thread died"]);
    }
}
