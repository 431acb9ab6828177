use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    package::Nevra,
    reading::Reading,
    snapshot::{
        policy::{PathLabel, PolicyModule, PolicySnapshot},
        system::{Certificate, Disk, Listener, OomKill, SystemSnapshot, UnitState},
    },
};

fn known<T>(value: T) -> Reading<T> {
    Reading::Known(value)
}

fn listener(address: &str, port: u16, program: &str) -> Listener {
    Listener {
        address: address.into(),
        port,
        program: Some(program.into()),
    }
}

fn unit(active: &str, sub: &str, result: &str) -> UnitState {
    UnitState {
        active: active.into(),
        sub: Some(sub.into()),
        result: Some(result.into()),
    }
}

fn disk(mount: &str, used_percent: u8) -> Disk {
    Disk {
        mount: mount.into(),
        used_percent,
        inodes_percent: Some(10),
        read_only: false,
    }
}

fn label(path: &str, is: &str, should: &str) -> PathLabel {
    let context = |kind: &str| format!("system_u:object_r:{kind}:s0");
    PathLabel {
        path: path.into(),
        is: context(is),
        should: Some(context(should)),
    }
}

fn module(name: &str, priority: u32) -> PolicyModule {
    PolicyModule {
        name: name.into(),
        priority,
        enabled: true,
    }
}

const PAGE: &str = "/var/www/html/index.html";
const CRT: &str = "/etc/pki/tls/certs/localhost.crt";
const NIGHT: u64 = 1_361_502_245;

fn policy() -> PolicySnapshot {
    PolicySnapshot {
        mode: known("Enforcing".into()),
        config_mode: known("enforcing".into()),
        kernel_arguments: known(vec!["selinux=1".into()]),
        autorelabel: known(false),
        loaded_sha256: known("aa".into()),
        disk_sha256: known("bb".into()),
        modules: known(BTreeSet::from([
            module("apache", 100),
            module("pgtest", 400),
        ])),
        booleans: known(BTreeMap::from([("httpd_can_network_connect".into(), true)])),
        permissive: known(BTreeSet::new()),
        customizations: known(BTreeMap::from([(
            "ports.local".into(),
            vec!["portcon tcp 9009 system_u:object_r:http_port_t:s0".into()],
        )])),
        labels: known(vec![
            label(
                "/var/www/html",
                "httpd_sys_content_t",
                "httpd_sys_content_t",
            ),
            label(PAGE, "httpd_sys_content_t", "httpd_sys_content_t"),
        ]),
    }
}

fn system() -> SystemSnapshot {
    SystemSnapshot {
        listeners: known(vec![
            listener("0.0.0.0", 22, "sshd"),
            listener("0.0.0.0", 80, "httpd"),
            listener("0.0.0.0", 40_123, "rpc.statd"),
        ]),
        firewall: known(vec![
            "inet filter input: ct state established accept".into(),
            "inet filter input: tcp dport 80 accept".into(),
        ]),
        units: known(BTreeMap::from([(
            "httpd".into(),
            unit("active", "running", "success"),
        )])),
        disks: known(vec![disk("/", 40), disk("/var", 95)]),
        oom_kills: known(Vec::new()),
        sysctls: known(BTreeMap::from([
            ("fs.file-max".into(), "380000".into()),
            ("net.ipv4.ip_forward".into(), "0".into()),
        ])),
        routes: known(vec!["default via 192.0.2.254 dev eth0".into()]),
        certificates: known(vec![Certificate {
            path: CRT.into(),
            not_before: 1_360_000_000,
            not_after: 1_391_569_445,
            subject: "CN = web1".into(),
        }]),
        clock: known(NIGHT),
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        policy: known(policy()),
        system: known(system()),
    }
}

fn of_policy(policy: PolicySnapshot) -> Snapshot {
    Snapshot {
        policy: known(policy),
        ..snapshot()
    }
}

fn of_system(system: SystemSnapshot) -> Snapshot {
    Snapshot {
        system: known(system),
        ..snapshot()
    }
}

fn side(snapshot: &Snapshot) -> Side<'_> {
    Side {
        facts: None,
        snapshot,
    }
}

fn facts(kernel: &str, boot: &str, packages: &[&str]) -> Facts {
    let package = |line: &&str| Nevra::parse_query(line).unwrap();
    Facts {
        os: Reading::missing("not asked for"),
        kernel: known(kernel.into()),
        boot_id: known(boot.into()),
        uid: known(0),
        selinux: Reading::missing("not asked for"),
        packages: known(packages.iter().map(package).collect()),
    }
}

#[test]
fn facts_are_told_of_one_host_alone() {
    let snapshot = snapshot();
    let before = facts(
        "5.14.0-1",
        "a",
        &[
            "kernel (none) 5.14.0 1.el9 x86_64",
            "httpd (none) 2.4.57 5.el9 x86_64",
            "openssl-libs 1 3.0.7 1.el9 x86_64",
            "gone (none) 1 1 noarch",
        ],
    );
    let after = facts(
        "5.14.0-2",
        "b",
        &[
            "kernel (none) 5.14.0 1.el9 x86_64",
            "kernel (none) 5.14.0 2.el9 x86_64",
            "httpd (none) 2.4.57 8.el9 x86_64",
            "openssl-libs 1 3.0.7 1.el9 x86_64",
        ],
    );
    let with = |facts| Side {
        facts: Some(facts),
        snapshot: &snapshot,
    };
    let found = compare(Pair::Times, with(&before), with(&after));
    let told: Vec<_> = found.differences.iter().map(|d| d.what.as_str()).collect();
    assert_eq!(
        told,
        [
            "kernel: 5.14.0-1 → 5.14.0-2",
            "the host was booted in between",
            "package gone.noarch is gone",
            "package httpd.x86_64: 2.4.57-5.el9 → 2.4.57-8.el9",
            "package kernel.x86_64: 5.14.0-1.el9 → 5.14.0-1.el9, 5.14.0-2.el9",
        ]
    );
    assert_eq!(found.unseen[0].what, "distribution: not asked for");
    let hosts = compare(Pair::Hosts("a", "b"), with(&before), with(&after));
    assert_eq!(hosts, Compared::default());
}

fn told(after: &Snapshot) -> Vec<String> {
    let all = differences(&snapshot(), after);
    all.into_iter().map(|d| d.what).collect()
}

/// Every difference of the policy, in its words.
#[test]
fn changes_of_the_policy_are_told() {
    let policies = |change: &dyn Fn(&mut PolicySnapshot)| {
        let mut policy = policy();
        change(&mut policy);
        told(&of_policy(policy))
    };
    assert_eq!(
        policies(&|p| p.mode = known("Permissive".into())),
        ["SELinux mode: Enforcing → Permissive"]
    );
    assert_eq!(
        policies(&|p| p.config_mode = known("permissive".into())),
        ["SELINUX= of /etc/selinux/config: enforcing → permissive"]
    );
    assert_eq!(
        policies(&|p| p.kernel_arguments = known(vec!["enforcing=0".into()])),
        [
            "kernel argument selinux=1 is gone",
            "kernel argument enforcing=0 is new"
        ]
    );
    assert_eq!(
        policies(&|p| p.autorelabel = known(true)),
        ["/.autorelabel (the next boot relabels everything) is new"]
    );
    assert_eq!(
        policies(&|p| p.loaded_sha256 = known("cc".into())),
        ["loaded policy changed"]
    );
    assert_eq!(
        policies(&|p| p.disk_sha256 = known("cc".into())),
        ["policy on disk changed"]
    );
    let off = PolicyModule {
        enabled: false,
        ..module("apache", 100)
    };
    assert_eq!(
        policies(&|p| p.modules = known(BTreeSet::from([off.clone(), module("x", 0)]))),
        [
            "module apache (priority 100): enabled → disabled",
            "module pgtest (priority 400) is gone",
            "module x is new"
        ]
    );
    let off = BTreeMap::from([("httpd_can_network_connect".to_owned(), false)]);
    assert_eq!(
        policies(&|p| p.booleans = known(off.clone())),
        ["boolean httpd_can_network_connect: on → off"]
    );
    assert_eq!(
        policies(&|p| p.permissive = known(BTreeSet::from(["httpd_t".into()]))),
        ["permissive domain httpd_t is new"]
    );
    assert_eq!(
        policies(&|p| p.customizations = known(BTreeMap::new())),
        ["local policy change in ports.local: - portcon tcp 9009 system_u:object_r:http_port_t:s0"]
    );
}

#[test]
fn labels_are_told_by_their_types() {
    let labels = |labels: Vec<PathLabel>| {
        let labels = known(labels);
        told(&of_policy(PolicySnapshot { labels, ..policy() }))
    };
    let page = "httpd_sys_content_t";
    assert_eq!(
        labels(vec![label(PAGE, "user_home_t", page)]),
        [format!(
            "label of {PAGE}: httpd_sys_content_t → user_home_t (the policy wants httpd_sys_content_t)"
        )]
    );
    assert_eq!(
        labels(vec![label(PAGE, page, "public_content_t")]),
        [format!(
            "label of {PAGE}: {page}; the policy wanted {page} and now wants public_content_t"
        )]
    );
    assert_eq!(
        labels(vec![
            label("/var/www/html/x", "tmp_t", page),
            label("/var/www/html/y", page, page)
        ]),
        ["label of /var/www/html/x, which is new: tmp_t (the policy wants httpd_sys_content_t)"]
    );
    // Who made it does not count, its level does.
    let by = |context: &str| PathLabel {
        is: context.into(),
        ..label(PAGE, page, page)
    };
    assert_eq!(
        labels(vec![by("unconfined_u:object_r:httpd_sys_content_t:s0")]),
        [""; 0]
    );
    let level = "system_u:object_r:httpd_sys_content_t:s0:c1,c2";
    let was = "system_u:object_r:httpd_sys_content_t:s0";
    assert_eq!(
        labels(vec![by(level)]),
        [format!("label of {PAGE}: {was} → {level}")]
    );
}

/// What is told when this changed in the system.
fn systems(change: &dyn Fn(&mut SystemSnapshot)) -> Vec<String> {
    let mut system = system();
    change(&mut system);
    told(&of_system(system))
}

#[test]
fn changes_of_the_network_are_told() {
    assert_eq!(
        systems(&|s| s.listeners = known(vec![
            listener("0.0.0.0", 22, "sshd"),
            listener("127.0.0.1", 80, "httpd"),
            listener("0.0.0.0", 51_000, "rpc.statd")
        ])),
        ["listener on port 80 (httpd): 0.0.0.0 → 127.0.0.1"]
    );
    assert_eq!(
        systems(&|s| s.listeners = known(vec![
            listener("0.0.0.0", 22, "sshd"),
            listener("::", 443, "nginx")
        ])),
        [
            "listener 0.0.0.0:80 (httpd) is gone",
            "listener 0.0.0.0:40123 (rpc.statd) is gone",
            "listener [::]:443 (nginx) is new"
        ]
    );
    assert_eq!(
        systems(&|s| s.firewall = known(vec![
            "inet filter input: ct state established accept".into(),
            "inet filter input: tcp dport 80 drop".into()
        ])),
        [
            "firewall: - inet filter input: tcp dport 80 accept",
            "firewall: + inet filter input: tcp dport 80 drop"
        ]
    );
    assert_eq!(
        systems(&|s| {
            let mut rules = s.firewall.known().unwrap().clone();
            rules.reverse();
            s.firewall = known(rules);
        }),
        ["firewall: the same rules in another order"]
    );
}

#[test]
fn changes_of_disks_memory_and_kernel_are_told() {
    assert_eq!(
        systems(&|s| s.disks = known(vec![disk("/", 100), disk("/var", 96)])),
        ["/: 40 % → 100 % full"]
    );
    assert_eq!(
        systems(&|s| s.disks = known(vec![
            disk("/", 41),
            Disk {
                inodes_percent: Some(100),
                read_only: true,
                ..disk("/var", 100)
            }
        ])),
        [
            "/var: 95 % → 100 % full",
            "/var: 10 % → 100 % of its inodes used",
            "/var: read-write → read-only"
        ]
    );
    let kill = OomKill {
        victim: "httpd".into(),
        pid: 283,
        line: "Killed process 283 (httpd)".into(),
    };
    assert_eq!(
        systems(&|s| s.oom_kills = known(vec![kill.clone()])),
        ["the kernel killed httpd (pid 283) for lack of memory"]
    );
    assert_eq!(
        systems(
            &|s| s.sysctls = known(BTreeMap::from([("net.ipv4.ip_forward".into(), "1".into())]))
        ),
        [
            "sysctl fs.file-max is gone",
            "sysctl net.ipv4.ip_forward: 0 → 1"
        ]
    );
    assert_eq!(
        systems(&|s| s.routes = known(Vec::new())),
        ["route: - default via 192.0.2.254 dev eth0"]
    );
}

#[test]
fn units_are_told_with_their_result() {
    let units = |units: &[(&str, UnitState)]| {
        let units = units.iter().map(|(n, u)| ((*n).to_owned(), u.clone()));
        let units = known(units.collect());
        told(&of_system(SystemSnapshot { units, ..system() }))
    };
    assert_eq!(
        units(&[("httpd", unit("failed", "failed", "exit-code"))]),
        ["unit httpd: active → failed (exit-code)"]
    );
    assert_eq!(
        units(&[("httpd", unit("active", "exited", "success"))]),
        ["unit httpd: active (running → exited)"]
    );
    assert_eq!(
        units(&[("httpd", unit("active", "running", "oom-kill"))]),
        ["unit httpd: active, and failed meanwhile (oom-kill)"]
    );
    let well = unit("active", "running", "success");
    assert_eq!(
        units(&[
            ("httpd", well.clone()),
            ("kdump", unit("failed", "failed", "timeout")),
            ("crond", well)
        ]),
        ["failed unit kdump (timeout) is new"]
    );
}

#[test]
fn certificates_are_told_with_their_standing() {
    let certificates = |not_after: i64, clock: u64| {
        let mut system = system();
        let Reading::Known(all) = &mut system.certificates else {
            panic!()
        };
        all[0].not_after = not_after;
        system.clock = known(clock);
        told(&of_system(system))
    };
    assert_eq!(certificates(1_391_569_445, NIGHT + 3600), [""; 0]);
    assert_eq!(
        certificates(1_360_033_445, NIGHT),
        [format!(
            "certificate {CRT}: valid until 2014-02-05 → 2013-02-05 (expired)"
        )]
    );
    assert_eq!(
        certificates(1_391_569_445, 1_391_569_446),
        [format!("certificate {CRT}: valid → expired")]
    );
    assert_eq!(
        certificates(253_402_300_799, NIGHT),
        [format!(
            "certificate {CRT}: valid until 2014-02-05 → 9999-12-31"
        )]
    );
}

#[test]
fn what_is_missing_is_not_gone() {
    let mut system = system();
    system.listeners = Reading::missing("ss: not found");
    system.clock = Reading::missing("no date");
    let after = Snapshot {
        policy: Reading::missing("its end was lost"),
        system: known(system),
    };
    assert_eq!(
        told(&after),
        [
            "policy: not comparable: after: its end was lost",
            "listeners: not comparable: after: ss: not found",
            "clock: not comparable: after: no date"
        ]
    );
    let both = compare(Pair::Times, side(&after), side(&after));
    assert_eq!(both.differences, []);
    let unseen: Vec<_> = both.unseen.iter().map(|d| d.what.as_str()).collect();
    assert_eq!(
        unseen,
        [
            "policy: its end was lost",
            "listeners: ss: not found",
            "clock: no date"
        ]
    );
}

/// What is bound to differ between two hosts is not told of them.
#[test]
fn two_hosts_are_compared_by_what_they_have_in_common() {
    let mut other = snapshot();
    let (Reading::Known(policy), Reading::Known(system)) = (&mut other.policy, &mut other.system)
    else {
        panic!()
    };
    policy.loaded_sha256 = known("other".into());
    policy.disk_sha256 = known("other".into());
    system.routes = known(vec!["default via 198.51.100.1 dev ens3".into()]);
    system.disks = known(vec![disk("/", 71), disk("/var", 20)]);
    system.clock = known(1);
    let Reading::Known(certificates) = &mut system.certificates else {
        panic!()
    };
    certificates[0].subject = "CN = web2".into();
    certificates[0].not_before = 0;
    let Reading::Known(sysctls) = &mut system.sysctls else {
        panic!()
    };
    sysctls.insert("fs.file-max".into(), "7".into());
    let same = compare(
        Pair::Hosts("rhel", "centos"),
        side(&snapshot()),
        side(&other),
    );
    assert_eq!(same, Compared::default());

    let (Reading::Known(policy), Reading::Known(system)) = (&mut other.policy, &mut other.system)
    else {
        panic!()
    };
    policy.booleans = known(BTreeMap::from([(
        "httpd_can_network_connect".into(),
        false,
    )]));
    policy.modules = known(BTreeSet::from([module("apache", 100)]));
    let own = |address: &str| {
        vec![
            listener("0.0.0.0", 22, "sshd"),
            listener(address, 80, "httpd"),
        ]
    };
    system.listeners = known(own("198.51.100.2"));
    let found = compare(
        Pair::Hosts("rhel", "centos"),
        side(&snapshot()),
        side(&other),
    );
    let told: Vec<_> = found.differences.iter().map(|d| d.what.as_str()).collect();
    assert_eq!(
        told,
        [
            "module pgtest (priority 400) only on rhel",
            "boolean httpd_can_network_connect: on → off",
            "listener on port 80 (httpd): 0.0.0.0 → an address of its own",
            "listener 0.0.0.0:40123 (rpc.statd) only on rhel",
        ]
    );
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[a-c\u{1b}\n]{0,3}", 0..5)
}

proptest! {
    /// A snapshot does not differ from itself, every line is one line, and what one side has more the
    /// other has less.
    #[test]
    fn differences_are_lines_and_mirror_each_other(a in texts(), b in texts()) {
        let with = |rules: &[String]| {
            let mut system = system();
            system.firewall = known(rules.to_vec());
            system.routes = known(rules.to_vec());
            of_system(system)
        };
        let (one, other) = (with(&a), with(&b));
        prop_assert_eq!(differences(&one, &one), vec![]);
        let (there, back) = (differences(&one, &other), differences(&other, &one));
        prop_assert_eq!(there.len(), back.len());
        for d in &there {
            prop_assert!(!d.what.contains(['\n', '\u{1b}']), "{}", d.what);
        }
    }
}
