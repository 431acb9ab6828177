use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use patchgate_core::{
    facts::SelinuxFacts,
    reading::Reading,
    snapshot::{policy::PolicySnapshot, system::SystemSnapshot},
};

use super::*;
use crate::host::{Captured, Exit};

const SHELLS: [&str; 2] = ["dash", "bash"];

/// A directory that stands for a host's root, and programs of its own.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Self {
        let root = Self(tempfile::tempdir().unwrap());
        fs::create_dir(root.path("bin")).unwrap();
        root
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn program(&self, name: &str, text: &str) -> &Self {
        self.file(&format!("bin/{name}"), &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(
            self.path(&format!("bin/{name}")),
            PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        self
    }

    /// Runs a script as an item is run, its absolute paths below this root.
    fn run(&self, shell: &str, script: &str) -> Reply {
        let root = self.path("");
        let root = root.to_str().unwrap().trim_end_matches('/');
        let script = script
            .replace(
                "/sys/fs/selinux /selinux",
                &format!("{root}/fs {root}/oldfs"),
            )
            .replace("/etc/selinux", &format!("{root}/etc/selinux"))
            .replace("/var/lib/selinux", &format!("{root}/var/lib/selinux"))
            .replace("/proc/", &format!("{root}/proc/"))
            .replace("/.autorelabel", &format!("{root}/.autorelabel"));
        let output = Command::new(shell)
            .args(["-c", &script])
            .env_clear()
            .env("PATH", format!("{root}/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell}");
        Reply {
            exit: Exit::Code(output.status.code().unwrap().try_into().unwrap()),
            stdout: Captured {
                bytes: output.stdout,
                dropped: 0,
            },
            stderr: Captured::default(),
            elapsed: Duration::ZERO,
        }
    }

    fn policy(&self, shell: &str, paths: &[&Path]) -> PolicySnapshot {
        let watched = Watched {
            paths: paths.iter().map(|p| p.display().to_string()).collect(),
            ..Watched::default()
        };
        let reply = self.run(shell, &watched.items()[0].script);
        let read = watched.read(&facts(), &reply, &Reply::silent(Exit::Code(0)));
        read.policy.known().unwrap().clone()
    }

    fn system(&self, shell: &str, watched: &Watched) -> SystemSnapshot {
        let reply = self.run(shell, &watched.items()[1].script);
        let read = watched.read(&facts(), &Reply::silent(Exit::Code(0)), &reply);
        read.system.known().unwrap().clone()
    }
}

fn facts() -> Facts {
    let not_asked = || Reading::missing("not asked for");
    Facts {
        os: Reading::missing("not asked for"),
        kernel: not_asked(),
        boot_id: not_asked(),
        uid: Reading::missing("not asked for"),
        selinux: Reading::Known(SelinuxFacts {
            mode: "Enforcing".into(),
            config_mode: None,
            policy: None,
            policy_version: None,
            policy_sha256: Some("ab".repeat(32)),
        }),
        packages: Reading::missing("not asked for"),
    }
}

/// A host of EL8 or later, whose SELinux enforces; `stat` and `matchpathcon` know every context.
fn enforcing() -> Root {
    let root = Root::new();
    root.file("fs/enforce", "1")
        .file("fs/policyvers", "33")
        .file("fs/booleans/httpd_can_network_connect", "1 1")
        .file("fs/booleans/httpd_enable_cgi", "0 1")
        .file(
            "etc/selinux/config",
            "# SELINUX=x\nSELINUX=enforcing \nSELINUXTYPE=targeted\n",
        )
        .file("etc/selinux/targeted/policy/policy.31", "old")
        .file("etc/selinux/targeted/policy/policy.33", "policy")
        .file(
            "etc/selinux/targeted/policy/policy.34",
            "too new for the kernel",
        )
        .file(
            "etc/selinux/targeted/contexts/files/file_contexts.subs",
            "/srv/www /var/www\n",
        )
        .file(
            "proc/cmdline",
            "BOOT_IMAGE=/vmlinuz root=/dev/vda * enforcing=0 audit=1 quiet\n",
        )
        .file("var/lib/selinux/targeted/active/modules/100/apache/cil", "")
        .file(
            "var/lib/selinux/targeted/active/modules/400/permissive_httpd_t/cil",
            "",
        )
        .file(
            "var/lib/selinux/targeted/active/modules/disabled/apache",
            "",
        )
        .file(
            "var/lib/selinux/targeted/active/ports.local",
            "# generated\n\nportcon tcp 9009 system_u:object_r:http_port_t:s0\n",
        );
    root.program(
        "stat",
        "shift 3; for f; do case $f in *wrong*) t=tmp_t;; *) t=etc_t;; esac; echo \"system_u:object_r:$t:s0 $f\"; done",
    )
    .program("matchpathcon", "for f; do printf '%s\\tsystem_u:object_r:etc_t:s0\\n' \"$f\"; done");
    root
}

#[test]
fn an_enforcing_host_is_read_without_a_gap() {
    let root = enforcing();
    for shell in SHELLS {
        let policy = root.policy(shell, &[]);
        assert_eq!(policy.mode.known().unwrap(), "Enforcing", "{shell}");
        assert_eq!(policy.config_mode.known().unwrap(), "enforcing");
        assert_eq!(
            *policy.kernel_arguments.known().unwrap(),
            ["enforcing=0", "audit=1"]
        );
        assert_eq!(policy.autorelabel.known(), Some(&false));
        assert_eq!(policy.loaded_sha256.known(), Some(&"ab".repeat(32)));
        // sha256 of `policy`.
        let sum = policy.disk_sha256.known().unwrap();
        assert!(sum.starts_with("823412d1"), "{sum}");
        let modules = policy.modules.known().unwrap();
        let told: Vec<_> = modules
            .iter()
            .map(|m| (m.name.as_str(), m.priority, m.enabled))
            .collect();
        assert_eq!(
            told,
            [("apache", 100, false), ("permissive_httpd_t", 400, true)]
        );
        assert!(policy.permissive.known().unwrap().contains("httpd_t"));
        let booleans = policy.booleans.known().unwrap();
        assert_eq!(booleans.values().collect::<Vec<_>>(), [&true, &false]);
        let local = policy.customizations.known().unwrap();
        assert_eq!(
            local["ports.local"],
            ["portcon tcp 9009 system_u:object_r:http_port_t:s0"]
        );
        assert_eq!(local["file_contexts.subs"], ["/srv/www /var/www"]);
        assert_eq!(policy.labels.known().unwrap(), &[]);
    }
}

#[test]
fn labels_are_of_true_paths_and_of_what_lies_directly_in_them() {
    let root = enforcing();
    root.file("www/index.html", "")
        .file("www/.htaccess", "")
        .file("www/it's wrong $(x).html", "")
        .file("www/two\nlines", "")
        .file("www/deeper/page", "")
        .file("lib/mod_a.so", "");
    symlink(root.path("lib"), root.path("modules")).unwrap();
    let paths = [
        root.path("www/"),
        root.path("modules"),
        root.path("not there"),
        root.path("www/index.html"),
    ];
    let paths: Vec<&Path> = paths.iter().map(std::path::PathBuf::as_path).collect();
    for shell in SHELLS {
        let policy = root.policy(shell, &paths);
        let base = root.path("");
        let told: Vec<_> = policy
            .labels
            .known()
            .unwrap()
            .iter()
            .map(|l| {
                (
                    l.path.strip_prefix(base.to_str().unwrap()).unwrap(),
                    l.is_wrong(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("lib/mod_a.so", false),
                ("modules", false),
                ("www", false),
                ("www/.htaccess", false),
                ("www/deeper", false),
                ("www/index.html", false),
                ("www/it's wrong $(x).html", true),
            ],
            "{shell}"
        );
    }
}

#[test]
fn directories_are_read_up_to_a_bound() {
    let root = enforcing();
    for n in 0..150 {
        root.file(&format!("a/{n}"), "").file(&format!("b/{n}"), "");
    }
    let paths = [root.path("a"), root.path("b")];
    for shell in SHELLS {
        let policy = root.policy(shell, &[&paths[0], &paths[1]]);
        assert_eq!(policy.labels.known().unwrap().len(), 202, "{shell}");
    }
}

#[test]
fn the_store_of_el6_is_found() {
    let root = Root::new();
    root.file("oldfs/enforce", "0")
        .file(
            "etc/selinux/config",
            "SELINUX=permissive\nSELINUXTYPE=targeted",
        )
        .file("etc/selinux/targeted/policy/policy.24", "policy")
        .file("etc/selinux/targeted/modules/active/modules/apache.pp", "")
        .file(
            "etc/selinux/targeted/modules/active/modules/zarafa.pp.disabled",
            "",
        )
        .file(
            "etc/selinux/targeted/modules/active/booleans.local",
            "httpd_can_network_connect=1\n",
        );
    for shell in SHELLS {
        let policy = root.policy(shell, &[]);
        assert_eq!(policy.mode.known().unwrap(), "Permissive", "{shell}");
        let modules = policy.modules.known().unwrap();
        let told: Vec<_> = modules
            .iter()
            .map(|m| (m.name.as_str(), m.enabled))
            .collect();
        assert_eq!(told, [("apache", true), ("zarafa", false)]);
        let local = policy.customizations.known().unwrap();
        assert_eq!(local["booleans.local"], ["httpd_can_network_connect=1"]);
        assert!(policy.kernel_arguments.why().is_some());
        assert!(policy.booleans.why().unwrap().contains("may not be read"));
    }
}

#[test]
fn a_host_without_selinux_says_so_for_every_field() {
    let root = Root::new();
    root.file("proc/cmdline", "quiet");
    for shell in SHELLS {
        let policy = root.policy(shell, &[&root.path("bin")]);
        assert_eq!(policy.mode.known().unwrap(), "Disabled", "{shell}");
        assert_eq!(policy.labels.why(), Some("there is no selinuxfs"));
        assert_eq!(policy.booleans.why(), Some("there is no selinuxfs"));
        let config = policy.config_mode.why().unwrap();
        assert!(config.ends_with("/etc/selinux/config") && config.starts_with("there is no"));
        for why in [
            policy.modules.why(),
            policy.customizations.why(),
            policy.disk_sha256.why(),
        ] {
            assert!(why.unwrap().ends_with("names no policy"), "{why:?}");
        }
    }
}

#[test]
fn without_matchpathcon_nobody_knows_what_the_policy_wants() {
    let root = enforcing();
    root.file("www/wrong", "");
    fs::remove_file(root.path("bin/matchpathcon")).unwrap();
    root.program(
        "matchpathcon",
        "echo 'cannot open file contexts' >&2; exit 1",
    );
    let policy = root.policy("dash", &[&root.path("www")]);
    let labels = policy.labels.known().unwrap();
    assert_eq!(labels.len(), 2);
    assert!(labels.iter().all(|l| l.should.is_none()));
}

/// A host with every tool, each of which answers as on EL9.
fn tools() -> Root {
    let root = Root::new();
    root.program("date", "echo 1361502245")
        .program("ss", "echo 'State Recv-Q'; echo 'LISTEN 0 511 *:80 *:* users:((\"httpd\",pid=1,fd=4))'")
        .program("nft", "[ \"$*\" = '-s list ruleset' ] && printf 'table inet t {\\n\\tchain c {\\n\\t\\ttcp dport 80 drop\\n\\t}\\n}\\n'")
        .program("ip", "case $* in *-6*) exit 1;; *) echo 'default via 192.0.2.1 dev eth0';; esac")
        .program("dmesg", "echo '[ 0.0] Linux version 5.14'; echo '[ 9.0] Out of memory: Killed process 9 (httpd) total-vm:1kB'; echo '[ 9.1] other'")
        .program("df", "case $* in *-i*) echo 'h'; echo '/dev/vda 100 40 60 40% /';; *) echo 'df: /x: Stale' >&2; echo '/dev/vda 100 100 0 100% /'; exit 1;; esac")
        .program("systemctl", "case $1 in list-units) echo '● kdump.service loaded failed failed Crash';; show) shift; first=; for u; do case $u in -*|Id|ActiveState|SubState|Result) continue;; esac; [ -z \"$first\" ] || echo; first=1; printf 'Id=%s\\nActiveState=failed\\nSubState=failed\\nResult=timeout\\n' \"$u\"; done;; esac")
        .file("proc/vmstat", "nr_free_pages 1\noom_kill 1\n")
        .file("proc/mounts", "/dev/vda / xfs ro 0 0\n")
        .file("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n")
        .file("proc/sys/vm/overcommit_memory", "2\n");
    root
}

const CERTIFICATE: &str = include_str!("../../../../core/tests/captured/snapshot/localhost.crt");

#[test]
fn every_tool_is_read() {
    let root = tools();
    root.file(
        "good.crt",
        &format!("-----BEGIN PRIVATE KEY-----\nAAAA\n{CERTIFICATE}{CERTIFICATE}"),
    );
    let watched = Watched {
        units: vec!["httpd".into()],
        certificates: [root.path("good.crt"), root.path("not there")]
            .map(|p| p.display().to_string())
            .to_vec(),
        ..Watched::default()
    };
    for shell in SHELLS {
        let system = root.system(shell, &watched);
        let json = serde_json::to_string(&system).unwrap();
        assert!(!json.contains("missing"), "{shell}: {json}");
        assert_eq!(system.clock.known(), Some(&1_361_502_245));
        assert_eq!(system.listeners.known().unwrap()[0].port, 80);
        assert_eq!(
            *system.firewall.known().unwrap(),
            ["inet t c: tcp dport 80 drop"]
        );
        assert_eq!(
            *system.routes.known().unwrap(),
            ["default via 192.0.2.1 dev eth0"]
        );
        assert_eq!(system.oom_kills.known().unwrap()[0].victim, "httpd");
        let disk = &system.disks.known().unwrap()[0];
        assert_eq!(
            (disk.used_percent, disk.inodes_percent, disk.read_only),
            (100, Some(40), true)
        );
        let sysctls = system.sysctls.known().unwrap();
        assert_eq!(sysctls["net.ipv4.ip_local_port_range"], "32768 60999");
        assert_eq!(sysctls["vm.overcommit_memory"], "2");
        let units: Vec<_> = system.units.known().unwrap().keys().collect();
        assert_eq!(units, ["httpd", "kdump"]);
        let certificates = system.certificates.known().unwrap();
        assert_eq!(
            (certificates.len(), certificates[0].subject.as_str()),
            (1, "CN = localhost")
        );
        // A private key never leaves the host.
        let reply = root.run(shell, &watched.items()[1].script);
        assert!(!reply.stdout.text().contains("PRIVATE KEY"));
    }
}

#[test]
fn each_tool_that_fails_is_missing_alone() {
    let root = tools();
    root.file("bad.crt", "");
    let fails = "echo 'Operation not permitted' >&2; exit 1";
    for tool in ["ss", "nft", "dmesg", "systemctl", "date", "ip"] {
        root.program(tool, fails);
    }
    root.program("df", "exit 3");
    let watched = Watched {
        certificates: vec![root.path("bad.crt").display().to_string()],
        ..Watched::default()
    };
    for shell in SHELLS {
        let system = root.system(shell, &watched);
        let no = Some("Operation not permitted");
        assert_eq!(system.listeners.why(), no, "{shell}");
        assert_eq!(system.firewall.why(), Some("nft: Operation not permitted"));
        assert_eq!(system.units.why(), no);
        assert_eq!(system.routes.why(), no);
        assert_eq!(system.oom_kills.why(), no);
        assert_eq!(system.clock.why(), no);
        assert_eq!(system.disks.why(), Some("exit status 3"));
        let why = system.certificates.why().unwrap();
        assert!(
            why.ends_with("bad.crt: there is no certificate in it"),
            "{why}"
        );
        assert!(system.sysctls.known().is_some());
    }
}

#[test]
fn no_deaths_are_told_only_where_there_were_none() {
    let root = tools();
    let watched = Watched::default();
    let cases = [
        ("Linux version 5.14", "oom_kill 0", Ok(0)),
        ("Linux version 2.6.32", "pgfree 1", Ok(0)),
        ("cut", "oom_kill 0", Ok(0)),
        (
            "cut",
            "pgfree 1",
            Err("the kernel's log no longer goes back to the boot"),
        ),
        (
            "cut",
            "oom_kill 2",
            Err("the kernel counts 2 since boot, and its log no longer names them"),
        ),
    ];
    for (log, counts, expected) in cases {
        root.program("dmesg", &format!("echo '{log}'"))
            .file("proc/vmstat", &format!("{counts}\n"));
        let system = root.system("dash", &watched);
        let found = system.oom_kills.get().map(Vec::len);
        assert_eq!(found, expected, "{log}, {counts}");
    }
}

/// EL6: no systemd, no nft, the old tables.
#[test]
fn a_host_before_systemd_and_nft_is_read() {
    let root = tools();
    for tool in ["systemctl", "nft"] {
        fs::remove_file(root.path(&format!("bin/{tool}"))).unwrap();
    }
    root.program(
        "service",
        "case $1 in httpd) exit 3;; crond) exit 0;; *) exit 4;; esac",
    )
    .program(
        "iptables-save",
        "printf '*filter\\n:INPUT ACCEPT [0:0]\\n-A INPUT -j DROP\\n'",
    )
    .program("ip6tables-save", "printf '*filter\\n:INPUT DROP [0:0]\\n'")
    .file("proc/net/ip_tables_names", "filter\n");
    // What this machine has must not answer for the host.
    let has = "has() { command -v";
    let script = Watched {
        units: ["httpd", "crond", "odd"].map(str::to_owned).to_vec(),
        ..Watched::default()
    };
    for shell in SHELLS {
        let text = script.items()[1].script.replace(
            has,
            "has() { case $1 in nft|systemctl|*-legacy-save) return 1;; esac; command -v",
        );
        let reply = root.run(shell, &text);
        let read = script.read(&facts(), &Reply::silent(Exit::Code(0)), &reply);
        let system = read.system.known().unwrap();
        let units = system.units.known().unwrap();
        let told: Vec<_> = units
            .iter()
            .map(|(n, u)| (n.as_str(), u.active.as_str()))
            .collect();
        assert_eq!(
            told,
            [("crond", "active"), ("httpd", "inactive")],
            "{shell}"
        );
        assert_eq!(
            *system.firewall.known().unwrap(),
            ["ip filter INPUT: -j DROP", "ip6 filter INPUT: policy DROP"]
        );
    }
}

#[test]
fn an_answer_that_was_cut_off_is_read_as_far_as_it_goes() {
    let root = tools();
    let watched = Watched::default();
    let whole = root.run("dash", &watched.items()[1].script);
    let bytes = &whole.stdout.bytes;
    for exit in [Exit::DeadlineExceeded, Exit::Code(0)] {
        for cut in 0..bytes.len() {
            let reply = Reply {
                exit: exit.clone(),
                stdout: Captured {
                    bytes: bytes[..cut].to_vec(),
                    dropped: 1,
                },
                ..Reply::silent(Exit::Code(0))
            };
            let read = watched.read(&facts(), &reply, &reply);
            let system = read.system.known().unwrap();
            // Disks come last: they are never there when anything before was lost.
            if system.disks.known().is_some() {
                assert!(system.listeners.known().is_some() && system.firewall.known().is_some());
            }
            for why in [system.disks.why(), system.firewall.why()]
                .into_iter()
                .flatten()
            {
                assert!(
                    why == "ran into its deadline" || why == "the answer was too long",
                    "{why}"
                );
            }
        }
    }
    let lost = Reply::silent(Exit::Lost { why: "x".into() });
    let read = watched.read(&facts(), &lost, &lost);
    assert_eq!(read.policy.why(), Some("its end was lost: x"));
}

#[test]
fn what_a_tool_prints_cannot_pass_for_another_answer() {
    let root = tools();
    root.program(
        "ss",
        "printf '%s\\n' '@nft 0 3' 'xyz' 'firewall=ok' 'enforce=1' 'clock!forged' 'LISTEN 0 1 *:1 *:*'",
    );
    let system = root.system("bash", &Watched::default());
    assert_eq!(system.listeners.known().unwrap()[0].port, 1);
    assert_eq!(
        *system.firewall.known().unwrap(),
        ["inet t c: tcp dport 80 drop"]
    );
    assert_eq!(system.clock.known(), Some(&1_361_502_245));
}

#[test]
fn a_tool_that_says_too_much_is_missing() {
    let root = tools();
    root.program("nft", "yes 'tcp dport 80 drop' | head -c 300000");
    for shell in SHELLS {
        let system = root.system(shell, &Watched::default());
        let why = system.firewall.why().unwrap();
        assert_eq!(why, "nft: it says more than 262144 bytes", "{shell}");
        assert!(system.disks.known().is_some());
    }
}
