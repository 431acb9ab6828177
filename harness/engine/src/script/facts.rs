//! Facts of a host: distribution, kernel, boot id, SELinux.

use std::time::Duration;

use patchgate_core::{
    facts::{Facts, OsRelease, SelinuxFacts},
    reading::Reading,
};

use super::{answer, value};
use crate::host::{Item, Reply};

/// Builtins only but for the policy's checksum. Files of selinuxfs have no line break at their end, so
/// `read` fails on them and still reads. `os:` lines are `/etc/os-release`, or
/// `/etc/redhat-release` on EL6; selinuxfs is below /selinux there.
const SCRIPT: &str = r#"
one() { v=; IFS= read -r v <"$2"; [ -n "$v" ] && printf '%s=%s\n' "$1" "$v"; } 2>/dev/null
for f in /etc/os-release /etc/redhat-release; do
  [ -r "$f" ] || continue
  while IFS= read -r v || [ -n "$v" ]; do printf 'os:%s\n' "$v"; done <"$f"
  break
done
one kernel /proc/sys/kernel/osrelease
one boot_id /proc/sys/kernel/random/boot_id
while read -r k v rest; do [ "$k" = Uid: ] && printf 'uid=%s\n' "$v"; done </proc/self/status
for fs in /sys/fs/selinux /selinux; do
  [ -r "$fs/enforce" ] || continue
  one enforce "$fs/enforce"
  one policyvers "$fs/policyvers"
  p=$(sha256sum "$fs/policy" 2>/dev/null) && printf 'policy_sha256=%s\n' "${p%% *}"
  break
done
[ -r /etc/selinux/config ] && while IFS= read -r v; do
  case $v in SELINUX=*|SELINUXTYPE=*) printf '%s\n' "$v";; esac
done </etc/selinux/config
exit 0
"#;

/// Asks for the facts.
#[must_use]
pub fn item() -> Item {
    Item::new(SCRIPT, Duration::from_secs(20))
}

/// Reads the answer; the packages are asked for apart.
#[must_use]
pub fn read(reply: &Reply, packages: Reading<Vec<patchgate_core::package::Nevra>>) -> Facts {
    let text = answer(reply);
    let field = |key: &str| match &text {
        Reading::Known(text) => match value(text, key) {
            Some(value) => Reading::Known(value.to_owned()),
            None => Reading::missing("the host does not say"),
        },
        Reading::Missing { why } => Reading::missing(why),
    };
    Facts {
        os: os(&text),
        kernel: field("kernel"),
        boot_id: field("boot_id"),
        uid: field("uid").and_parse(|v| v.parse().ok(), "not a number"),
        selinux: text.and_parse(|t| Some(selinux(t)), "not read"),
        packages,
    }
}

fn os(text: &Reading<String>) -> Reading<OsRelease> {
    text.clone().and_parse(
        |t| {
            let lines: Vec<_> = t.lines().filter_map(|l| l.strip_prefix("os:")).collect();
            OsRelease::parse(&lines.join("\n"))
        },
        "neither /etc/os-release nor /etc/redhat-release names a distribution",
    )
}

/// Without selinuxfs the mode is `Disabled`: that is what `getenforce` says there too.
fn selinux(text: &str) -> SelinuxFacts {
    let mode = match value(text, "enforce") {
        Some("1") => "Enforcing",
        Some("0") => "Permissive",
        Some(_) | None => "Disabled",
    };
    let owned = |key| value(text, key).map(ToOwned::to_owned);
    SelinuxFacts {
        mode: mode.to_owned(),
        config_mode: owned("SELINUX"),
        policy: owned("SELINUXTYPE"),
        policy_version: value(text, "policyvers").and_then(|v| v.trim().parse().ok()),
        policy_sha256: owned("policy_sha256"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Captured, Exit};

    fn reply(text: &str) -> Reply {
        let stdout = Captured {
            bytes: text.into(),
            dropped: 0,
        };
        Reply {
            stdout,
            ..Reply::silent(Exit::Code(0))
        }
    }

    #[test]
    fn an_enforcing_host_is_read() {
        let text = "os:NAME=\"CentOS Linux\"\nos:ID=\"centos\"\nos:VERSION_ID=\"9.3\"\n\
                    kernel=6.1.0-41-cloud-amd64\nboot_id=5c0e\nuid=0\nenforce=1\npolicyvers=33\n\
                    policy_sha256=ab12\nSELINUX=enforcing\nSELINUXTYPE=targeted\n";
        let facts = read(&reply(text), Reading::missing("not asked"));
        assert_eq!(facts.os.known().unwrap().id, "centos");
        assert_eq!(facts.uid.known(), Some(&0));
        let selinux = facts.selinux.known().unwrap();
        assert_eq!(selinux.mode, "Enforcing");
        assert_eq!(selinux.policy_version, Some(33));
    }

    #[test]
    fn what_is_not_said_is_missing_and_no_selinuxfs_is_disabled() {
        let facts = read(&reply("kernel=x\n"), Reading::missing("not asked"));
        assert_eq!(facts.boot_id.why(), Some("the host does not say"));
        assert!(facts.os.why().is_some());
        assert_eq!(facts.selinux.known().unwrap().mode, "Disabled");
    }

    #[test]
    fn a_reply_without_an_end_gives_no_facts() {
        let lost = Reply::silent(Exit::Lost {
            why: "connection closed".into(),
        });
        let facts = read(&lost, Reading::missing("not asked"));
        assert!(facts.selinux.why().unwrap().contains("lost"));
        assert!(facts.kernel.known().is_none());
    }
}
