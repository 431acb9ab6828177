//! What ties a package to a cause.

use std::collections::BTreeMap;

use crate::{
    diagnosis::Found,
    id::{HostName, SuiteName},
    judge::{View, cause},
    package::PackageChange,
    suite::Suite,
    verdict::{Cause, CauseKind},
};

/// One reason, and how much it weighs.
pub(super) struct Tie {
    /// The weight.
    pub(super) weight: u32,
    /// The reason.
    pub(super) why: String,
}

impl Tie {
    /// Nothing else changed.
    pub(super) fn of_the_only_one() -> Self {
        tie(2, "is all that the transaction changed")
    }
}

/// Everything that packages are held against.
pub(super) struct Ties<'a> {
    suite: Option<&'a Suite>,
    cause: &'a Cause,
    /// Whether the kernel's own answers show what the cause says, and not the log alone.
    measured: bool,
    /// The package of each file that has to do with the failure.
    owners: BTreeMap<&'a str, &'a str>,
    /// The commands that check a configuration and failed, each with its output.
    complaints: Vec<(&'a str, &'a str)>,
}

impl<'a> Ties<'a> {
    pub(super) fn new(
        view: &'a View<'_>,
        host: &HostName,
        suite: &SuiteName,
        cause: &'a Cause,
    ) -> Self {
        let denial = cause.denial.as_ref();
        let mut ties = Self {
            suite: view.plan.suites.iter().find(|s| s.name == *suite),
            cause,
            measured: denial.is_some_and(|d| cause::is_measured(view, host, d)),
            owners: BTreeMap::new(),
            complaints: Vec::new(),
        };
        let states = view.plan.judged_states().iter();
        let steps = states
            .filter_map(|s| view.ledger.state(host, *s))
            .flat_map(|s| &s.diagnosis)
            .filter(|s| s.value.about.iter().any(|c| c.suite == *suite));
        for step in steps {
            ties.take(&step.value.found);
        }
        ties
    }

    fn take(&mut self, found: &'a Found) {
        if let Found::Owners { owners } = found {
            let all = owners
                .iter()
                .map(|(path, nevra)| (path.as_str(), nevra.as_str()));
            self.owners.extend(all);
        } else if let Found::ConfigTest {
            command,
            exit: Some(1..),
            output,
        } = found
        {
            self.complaints.push((command, output));
        }
    }

    /// The reasons why a package may have brought the finding; none when nothing ties it to the cause.
    pub(super) fn of(&self, change: &PackageChange) -> Vec<Tie> {
        let name = change.name();
        let ties = [
            self.policy(name),
            self.owner(change),
            self.named(name),
            concerned(self.cause.kind, name),
            self.needed(name),
        ];
        let mut ties: Vec<Tie> = ties.into_iter().flatten().collect();
        if ties.is_empty() && self.cause.kind == CauseKind::Unknown {
            ties.push(tie(1, "changed in this transaction"));
        }
        ties
    }

    fn policy(&self, name: &str) -> Option<Tie> {
        if !self.cause.kind.is_selinux() {
            return None;
        }
        if name.starts_with("selinux-policy-") {
            return Some(match self.measured {
                true => tie(30, "carries the policy whose access vectors changed"),
                false => tie(28, "carries the SELinux policy"),
            });
        }
        let belongs = name == "selinux-policy" || name.ends_with("-selinux");
        belongs.then(|| tie(20, "belongs to the SELinux policy that changed"))
    }

    /// The files of the package that have to do with the failure; one that the cause or a complaint names
    /// weighs more.
    fn owner(&self, change: &PackageChange) -> Option<Tie> {
        let nevra = change.after()?.to_string();
        let ours = self.owners.iter().filter(|(_, owner)| **owner == nevra);
        let mut paths: Vec<&str> = ours.map(|(path, _)| *path).collect();
        paths.sort_by_key(|p| !self.is_named(p));
        let path = *paths.first()?;
        let what = self.kind_of(path);
        Some(match self.is_named(path) {
            true => tie(
                45,
                &format!("owns the {what} {path}, which the failure names"),
            ),
            false => tie(15, &format!("owns the {what} {path}")),
        })
    }

    fn is_named(&self, path: &str) -> bool {
        let file = path.rsplit('/').next().unwrap_or(path);
        let in_complaint =
            |(_, output): &(&str, &str)| output.contains(path) || holds(output, file);
        holds(&self.cause.explanation, path) || self.complaints.iter().any(in_complaint)
    }

    fn kind_of(&self, path: &str) -> &'static str {
        let certificates = self.suite.map_or(&[][..], |s| &s.rests_on.certificates);
        if certificates.iter().any(|c| c == path) {
            "certificate"
        } else if path.contains("/systemd/") {
            "unit"
        } else if path.ends_with(".so") {
            "module"
        } else if path.starts_with("/etc/") {
            "configuration"
        } else if path.contains("/bin/") || path.contains("/sbin/") {
            "program"
        } else {
            "file"
        }
    }

    /// The package's own name in a complaint, other than as the program that complains.
    fn named(&self, name: &str) -> Option<Tie> {
        let program = |command: &str| {
            let first = command.split_whitespace().next().unwrap_or_default();
            first.rsplit('/').next() == Some(name)
        };
        let mut naming = self.complaints.iter();
        let (command, _) = naming.find(|(command, output)| {
            !program(command) && holds(&cause::complaint(output), name)
        })?;
        Some(tie(
            25,
            &format!("is named in what `{command}` complains of"),
        ))
    }

    fn needed(&self, name: &str) -> Option<Tie> {
        let needed = self.suite?.needs.packages.iter().any(|n| n == name);
        needed.then(|| tie(10, "is what the suite checks"))
    }
}

fn tie(weight: u32, why: &str) -> Tie {
    let why = why.to_owned();
    Tie { weight, why }
}

/// Whether a text holds a word, which ends where no name goes on.
fn holds(text: &str, word: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || "_-/.".contains(c);
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let rest = &text[at + word.len()..];
        let ends = rest.trim_start_matches('.').chars().next();
        !before.is_some_and(|c| inside(c) && c != '/') && !ends.is_some_and(inside)
    })
}

/// Packages whose business a kind of cause is.
fn concerned(kind: CauseKind, name: &str) -> Option<Tie> {
    let (names, why) = match kind {
        CauseKind::Firewall => (
            "firewalld nftables iptables iptables-services iptables-nft",
            "brings packet filter rules",
        ),
        CauseKind::TlsCertificate => (
            "ca-certificates mod_ssl openssl openssl-libs crypto-policies",
            "has to do with certificates",
        ),
        CauseKind::Dns => (
            "glibc NetworkManager systemd-resolved bind-utils nss",
            "has to do with name resolution",
        ),
        CauseKind::Network => (
            "NetworkManager iproute initscripts kernel kernel-core",
            "has to do with the network",
        ),
        CauseKind::KernelOrSysctl => (
            "kernel kernel-core systemd tuned initscripts",
            "brings the kernel or its settings",
        ),
        CauseKind::SelinuxBoolean | CauseKind::SelinuxPort | CauseKind::SelinuxLabel => (
            "policycoreutils libsemanage libselinux",
            "has to do with labels, booleans and ports",
        ),
        CauseKind::SelinuxDenial
        | CauseKind::SelinuxSilentDenial
        | CauseKind::SelinuxMode
        | CauseKind::NotListening
        | CauseKind::BoundToLoopback
        | CauseKind::ServiceDown
        | CauseKind::ServiceCrash
        | CauseKind::Config
        | CauseKind::Permissions
        | CauseKind::ResourceOom
        | CauseKind::ResourceDisk
        | CauseKind::Unknown => return None,
    };
    names.split(' ').any(|n| n == name).then(|| tie(15, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_ends_where_no_name_goes_on() {
        for (text, word, wanted) in [
            (
                "Cannot load modules/mod_foo.so into server",
                "mod_foo.so",
                true,
            ),
            (
                "Cannot load modules/mod_foo.so.1 into server",
                "mod_foo.so",
                false,
            ),
            (
                "on line 3 of /etc/httpd/conf.d/a.conf: Invalid",
                "/etc/httpd/conf.d/a.conf",
                true,
            ),
            (
                "see /etc/httpd/conf.d/a.conf.",
                "/etc/httpd/conf.d/a.conf",
                true,
            ),
            ("mod_ssl2 is missing", "mod_ssl", false),
            ("xmod_ssl", "mod_ssl", false),
        ] {
            assert_eq!(holds(text, word), wanted, "{text}");
        }
    }
}
