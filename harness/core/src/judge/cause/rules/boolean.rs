//! A boolean has another value.

use super::{
    super::{
        access::{Access, may_deny},
        candidate::Clue,
        scene::{Failure, Scene},
    },
    of_denial, selinux,
};
use crate::{
    evidence::mac_change::MacChangeKind,
    outcome::SymptomKind,
    suggestion::Fix,
    text::shell_word,
    verdict::{CauseKind, DeniedAccess},
};

/// A boolean that was switched off since the checks passed.
pub(super) struct Flipped {
    name: String,
    events: Vec<u64>,
}

/// How much less a boolean weighs that no denial names.
const UNNAMED: u8 = 45;

/// Every boolean that allows something while it is on and is not any more, or that denies something while
/// it is on and is now: by the snapshots, else by the log.
fn all(scene: &Scene<'_>) -> Vec<Flipped> {
    let before = scene.policy_before();
    let before = before.and_then(|(seq, p)| Some((seq, p.booleans.known()?)));
    let now = scene.policy();
    let now = now.and_then(|(seq, p)| Some((seq, p.booleans.known()?)));
    let Some(((before_seq, before), (seq, now))) = before.zip(now) else {
        return logged(scene);
    };
    let flipped = now.iter().filter(|(name, value)| {
        before.get(*name).is_some_and(|was| was != *value) && denies(name, **value)
    });
    flipped
        .map(|(name, _)| Flipped {
            name: name.clone(),
            events: vec![before_seq, seq],
        })
        .collect()
}

fn logged(scene: &Scene<'_>) -> Vec<Flipped> {
    let Some((seq, window)) = scene.window().filter(|_| scene.is_new) else {
        return Vec::new();
    };
    let changes = window.mac_changes.iter().map(|c| &c.kind);
    changes
        .filter_map(|kind| match kind {
            MacChangeKind::Boolean {
                name,
                value: Some(value),
                was: Some(was),
            } if value != was && denies(name, *value) => Some(Flipped {
                name: name.clone(),
                events: vec![seq],
            }),
            MacChangeKind::Boolean { .. }
            | MacChangeKind::PolicyLoad
            | MacChangeKind::Mode { .. } => None,
        })
        .collect()
}

/// Whether a boolean with this value allows less than with the other.
fn denies(name: &str, value: bool) -> bool {
    let is_ban = name.starts_with("deny_") || name.starts_with("secure_mode");
    value == is_ban
}

/// The boolean that a denied access comes of.
pub(super) fn of(scene: &Scene<'_>, access: &Access) -> Option<Flipped> {
    let mut all = all(scene).into_iter();
    all.find(|f| governs(&f.name, &access.denial))
}

/// The same, where no other boolean may be the one.
pub(super) fn only(scene: &Scene<'_>, access: &Access) -> Option<Flipped> {
    let mut all = all(scene)
        .into_iter()
        .filter(|f| governs(&f.name, &access.denial));
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

/// Clues of booleans: those that a denial names, those of the domain that none names, and a check that
/// asks for the boolean itself.
pub(super) fn flipped(scene: &Scene<'_>) -> Vec<Clue> {
    let asked = |f: &&Failure<'_>| f.kind == Some(SymptomKind::SelinuxBoolean);
    let asked = scene.failures.iter().find(asked).map(|failure| {
        let reason = failure.result.outcome.reason().unwrap_or_default();
        Clue::new(
            CauseKind::SelinuxBoolean,
            format!("The check asks for it: {reason}."),
        )
        .supported(true)
        .about("?")
        .look("getsebool -a")
        .on(scene.events())
    });
    let denied = scene
        .accesses
        .iter()
        .filter_map(|a| Some((a, of(scene, a)?)));
    let mut clues: Vec<Clue> = asked.into_iter().collect();
    clues.extend(denied.map(|(access, flipped)| clue(scene, &flipped, access)));
    if clues.is_empty() && may_deny(scene) {
        let ours = all(scene)
            .into_iter()
            .filter(|f| is_of_suite(scene, &f.name));
        clues.extend(ours.map(|f| alone(scene, &f)));
    }
    clues
}

/// What a boolean with its denial says.
pub(super) fn clue(scene: &Scene<'_>, flipped: &Flipped, access: &Access) -> Clue {
    let tail = format!(", and SELinux denies {}.", selinux::object(access));
    of_denial(scene, access, base(flipped, &tail))
}

fn alone(scene: &Scene<'_>, flipped: &Flipped) -> Clue {
    let mut clue = base(flipped, "; no denial that it governs was seen.").on(scene.events());
    clue.weight -= UNNAMED;
    clue
}

fn base(flipped: &Flipped, tail: &str) -> Clue {
    let name = &flipped.name;
    let (now, was) = if denies(name, true) {
        ("on", "off")
    } else {
        ("off", "on")
    };
    let explanation = format!("The boolean {name} is {now} and was {was} at the baseline{tail}");
    let mut clue = Clue::new(CauseKind::SelinuxBoolean, explanation)
        .about(name.clone())
        .look(format!("semanage boolean -l | grep {}", shell_word(name)))
        .on(flipped.events.iter().copied());
    clue.fix = Some(Fix::Boolean {
        name: name.clone(),
        on: was == "on",
    });
    clue
}

fn is_of_suite(scene: &Scene<'_>, name: &str) -> bool {
    scene.suite.domains.iter().any(|d| topic(name, d).is_some())
}

/// What a boolean of a domain is about: `can_network_connect` of `httpd_can_network_connect`.
fn topic<'n>(name: &'n str, domain: &str) -> Option<&'n str> {
    let stem = domain.strip_suffix("_t").unwrap_or(domain);
    name.strip_prefix(stem)?.strip_prefix('_')
}

/// Whether a boolean, by its name, is the one that allows or denies an access. The names are those of the
/// targeted policy; a boolean that is not understood governs nothing.
fn governs(name: &str, denial: &DeniedAccess) -> bool {
    let topic = match topic(name, &denial.source) {
        Some(topic) => topic,
        None if is_general(name) => name,
        None => return false,
    };
    let about = |words: &[&str]| words.iter().any(|w| topic.contains(w));
    let perm = |perms: &[&str]| denial.perms.iter().any(|p| perms.contains(&p.as_str()));
    let target = denial.target.as_str();
    match denial.class.as_str() {
        "tcp_socket" | "udp_socket" if perm(&["name_connect"]) => connects(topic, target),
        "tcp_socket" | "udp_socket" if perm(&["name_bind"]) => about(&["bind", "nis_enabled"]),
        "process" if perm(&["execmem", "execstack", "execheap"]) => {
            about(&["execmem", "execstack", "execheap"])
        }
        "process" if perm(&["setrlimit"]) => about(&["setrlimit"]),
        "process" if perm(&["transition"]) => about(&["cgi"]),
        "file" | "dir" | "lnk_file" => stores(topic, target),
        _ => false,
    }
}

/// Booleans of no domain that matter to many.
fn is_general(name: &str) -> bool {
    [
        "use_nfs_home_dirs",
        "use_samba_home_dirs",
        "use_fusefs_home_dirs",
        "nis_enabled",
    ]
    .contains(&name)
}

/// Whether a topic is the connection to this type of port.
fn connects(topic: &str, target: &str) -> bool {
    let narrow: [(&str, &[&str]); 7] = [
        (
            "_db",
            &[
                "mysqld_port_t",
                "postgresql_port_t",
                "mssql_port_t",
                "oracle_port_t",
                "mongod_port_t",
            ],
        ),
        ("ldap", &["ldap_port_t"]),
        ("ftp", &["ftp_port_t", "ephemeral_port_t"]),
        ("memcache", &["memcache_port_t"]),
        ("zabbix", &["zabbix_port_t"]),
        ("sendmail", &["smtp_port_t"]),
        (
            "relay",
            &[
                "http_port_t",
                "http_cache_port_t",
                "squid_port_t",
                "ftp_port_t",
                "gopher_port_t",
            ],
        ),
    ];
    if let Some((_, types)) = narrow.iter().find(|(word, _)| topic.contains(word)) {
        return types.contains(&target);
    }
    [
        "network_connect",
        "connect_any",
        "connect_all",
        "nis_enabled",
    ]
    .iter()
    .any(|w| topic.contains(w))
}

/// Whether a topic is the access to files of this type.
fn stores(topic: &str, target: &str) -> bool {
    let is_home = target.contains("user_home") || target == "home_root_t";
    let kinds: [(bool, &[&str]); 6] = [
        (is_home, &["homedirs", "home_dirs", "user_content"]),
        (target == "nfs_t", &["nfs"]),
        (target == "cifs_t", &["cifs", "samba"]),
        (target == "fusefs_t", &["fusefs"]),
        (target == "public_content_rw_t", &["anon_write"]),
        (target.ends_with("script_exec_t"), &["cgi"]),
    ];
    let mut ours = kinds.iter().filter(|(is, _)| *is);
    ours.any(|(_, words)| words.iter().any(|w| topic.contains(w)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOVERNED: &str = "\
        httpd_can_network_connect tcp_socket http_cache_port_t name_connect\n\
        httpd_can_network_connect_db tcp_socket mysqld_port_t name_connect\n\
        httpd_can_network_relay tcp_socket http_cache_port_t name_connect\n\
        httpd_can_sendmail tcp_socket smtp_port_t name_connect\n\
        httpd_enable_homedirs file user_home_t read\n\
        httpd_use_nfs dir nfs_t search\n\
        use_nfs_home_dirs file nfs_t read\n\
        httpd_anon_write file public_content_rw_t write\n\
        httpd_enable_cgi file httpd_sys_script_exec_t execute\n\
        httpd_execmem process httpd_t execmem\n";

    const OTHERS: &str = "\
        httpd_can_network_connect tcp_socket httpd_t accept\n\
        httpd_can_network_connect file user_home_t read\n\
        httpd_can_network_connect_db tcp_socket http_cache_port_t name_connect\n\
        httpd_can_sendmail tcp_socket unreserved_port_t name_connect\n\
        httpd_enable_homedirs file shadow_t read\n\
        httpd_enable_cgi tcp_socket http_port_t name_connect\n\
        ftpd_connect_all_unreserved tcp_socket unreserved_port_t name_connect\n\
        httpdx_can_network_connect tcp_socket http_port_t name_connect\n\
        httpd_use_nfs file cifs_t read\n";

    #[test]
    fn a_boolean_governs_what_its_name_says_and_nothing_else() {
        for (lines, wanted) in [(GOVERNED, true), (OTHERS, false)] {
            for line in lines.lines() {
                let words: Vec<_> = line.split(' ').map(ToOwned::to_owned).collect();
                let denial = DeniedAccess {
                    source: "httpd_t".into(),
                    target: words[2].clone(),
                    class: words[1].clone(),
                    perms: vec![words[3].clone()],
                    silenced: false,
                };
                assert_eq!(governs(&words[0], &denial), wanted, "{line}");
            }
        }
    }

    #[test]
    fn most_booleans_deny_while_they_are_off_and_bans_while_they_are_on() {
        assert!(denies("httpd_can_network_connect", false));
        assert!(!denies("httpd_can_network_connect", true));
        assert!(denies("deny_ptrace", true));
        assert!(!denies("deny_ptrace", false));
    }
}
