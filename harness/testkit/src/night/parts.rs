//! What things look like: healthy ones, and ways in which they fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use patchgate_core::{
    diagnosis::{Found, UnitFound},
    facts::{Facts, OsRelease, SelinuxFacts},
    observation::{
        CommandEnd, CommandSeen, HttpAnswer, HttpEnd, HttpFailure, HttpPhase, HttpSeen,
        Observation, SelinuxSeen, ServiceSeen,
    },
    package::Nevra,
    reading::Reading,
    snapshot::{
        Snapshot,
        policy::{PathLabel, PolicyModule, PolicySnapshot},
        system::{Certificate, Disk, Listener, SystemSnapshot, UnitState},
    },
};

/// The context of httpd's processes.
pub const HTTPD_CONTEXT: &str = "system_u:system_r:httpd_t:s0";

/// The package that the night's transaction brings.
pub const POLICY: &str = "selinux-policy-targeted-3.14.3-155.el9_3.14.noarch";

/// The host's clock.
pub const CLOCK: u64 = 1_361_500_000;

/// A request that got no answer.
#[must_use]
pub fn failed(phase: HttpPhase) -> Observation {
    failed_saying(phase, "as the test wants it")
}

/// A request that got no answer, with the client's words.
#[must_use]
pub fn failed_saying(phase: HttpPhase, detail: &str) -> Observation {
    http(HttpEnd::Failed(HttpFailure {
        phase,
        detail: detail.to_owned(),
        bytes: 0,
    }))
}

/// An answer with a status.
#[must_use]
pub fn status(status: u16) -> Observation {
    http(HttpEnd::Answered(HttpAnswer {
        status,
        server: Some("Apache".to_owned()),
        location: None,
        bytes: 2,
        sha256: None,
        contained: Vec::new(),
    }))
}

fn http(end: HttpEnd) -> Observation {
    Observation::Http(HttpSeen {
        peer: Some("192.0.2.2:80".to_owned()),
        elapsed: Duration::from_millis(10),
        end,
    })
}

/// A command that ended.
#[must_use]
pub fn command(exit: u8, stderr: &str) -> Observation {
    Observation::Command(CommandSeen {
        end: CommandEnd::Exited(exit),
        stdout: String::new(),
        stderr: stderr.to_owned(),
        dropped: 0,
        elapsed: Duration::from_millis(5),
    })
}

/// httpd as a `service` check sees it.
#[must_use]
pub fn unit(active: &str, result: &str) -> Observation {
    let runs = active == "active";
    Observation::Service(ServiceSeen {
        active: active.to_owned(),
        sub: None,
        enabled: Some("enabled".to_owned()),
        result: Some(result.to_owned()),
        main_pid: runs.then_some(283),
        context: runs.then(|| HTTPD_CONTEXT.to_owned()),
    })
}

/// SELinux as a `selinux` check sees it.
#[must_use]
pub fn selinux(mode: &str) -> Observation {
    Observation::Selinux(SelinuxSeen {
        mode: mode.to_owned(),
        booleans: BTreeMap::new(),
    })
}

/// httpd as a step of the diagnosis sees it.
#[must_use]
pub fn unit_step(active: &str, result: &str, main_exit: Option<&str>) -> Found {
    Found::Unit(UnitFound {
        unit: "httpd".to_owned(),
        active: active.to_owned(),
        sub: None,
        result: Some(result.to_owned()),
        main_exit: main_exit.map(ToOwned::to_owned),
        restarts: Some(0),
        fragment: Some("/usr/lib/systemd/system/httpd.service".to_owned()),
        context: (active == "active").then(|| HTTPD_CONTEXT.to_owned()),
    })
}

/// Listening sockets, as a step of the diagnosis sees them.
#[must_use]
pub fn listeners(all: &[(&str, u16)]) -> Found {
    let listeners = all.iter().map(|(address, port)| listener(address, *port));
    Found::Listeners {
        listeners: listeners.collect(),
    }
}

/// One listening socket of httpd.
#[must_use]
pub fn listener(address: &str, port: u16) -> Listener {
    Listener {
        address: address.to_owned(),
        port,
        program: Some("httpd".to_owned()),
    }
}

/// The end of the error log.
#[must_use]
pub fn error_log(lines: &[&str]) -> Found {
    Found::ErrorLog {
        path: "/var/log/httpd/error_log".to_owned(),
        lines: lines.iter().map(|l| (*l).to_owned()).collect(),
    }
}

/// `httpd -t`.
#[must_use]
pub fn config_test(exit: u8, output: &str) -> Found {
    Found::ConfigTest {
        command: "httpd -t".to_owned(),
        exit: Some(exit),
        output: output.to_owned(),
    }
}

/// A path with this type, where the policy wants another one.
#[must_use]
pub fn label(path: &str, is: &str, should: &str) -> PathLabel {
    let context = |type_: &str| format!("system_u:object_r:{type_}:s0");
    PathLabel {
        path: path.to_owned(),
        is: context(is),
        should: Some(context(should)),
    }
}

/// A denial of httpd's as the kernel logs it; `what` is what stands between the permissions and the
/// contexts: `path="/x" dev="vda" ino=7`.
#[must_use]
pub fn avc(perms: &str, what: &str, target: &str, class: &str, permissive: bool) -> String {
    let permissive = u8::from(permissive);
    let target = match target {
        "httpd_t" => HTTPD_CONTEXT.to_owned(),
        type_ => format!("system_u:object_r:{type_}:s0"),
    };
    format!(
        "AVC avc:  denied  {{ {perms} }} for  pid=283 comm=\"httpd\" {what} scontext={HTTPD_CONTEXT} \
         tcontext={target} tclass={class} permissive={permissive}"
    )
}

pub(super) fn facts(updated: bool) -> Facts {
    let release = if updated { "155.el9_3.14" } else { "154.el9" };
    let packages = [
        "bash (none) 5.1.8 6.el9 x86_64".to_owned(),
        "httpd (none) 2.4.57 5.el9 x86_64".to_owned(),
        format!("selinux-policy (none) 3.14.3 {release} noarch"),
        format!("selinux-policy-targeted (none) 3.14.3 {release} noarch"),
    ];
    let packages = packages.iter().filter_map(|l| Nevra::parse_query(l));
    Facts {
        os: Reading::Known(OsRelease {
            id: "centos".to_owned(),
            version: "9.3".to_owned(),
            pretty: "CentOS Linux 9.3".to_owned(),
        }),
        kernel: Reading::Known("5.14.0-362.8.1.el9_3.x86_64".to_owned()),
        boot_id: Reading::Known("a6dcd5f0-95ce-4306-8705-000000000001".to_owned()),
        uid: Reading::Known(0),
        selinux: Reading::Known(SelinuxFacts {
            mode: "Enforcing".to_owned(),
            config_mode: Some("enforcing".to_owned()),
            policy: Some("targeted".to_owned()),
            policy_version: Some(33),
            policy_sha256: Some(if updated { "b" } else { "a" }.repeat(64)),
        }),
        packages: Reading::Known(packages.collect()),
    }
}

pub(super) fn snapshot() -> Snapshot {
    Snapshot {
        policy: Reading::Known(policy()),
        system: Reading::Known(system()),
    }
}

fn policy() -> PolicySnapshot {
    let module = PolicyModule {
        name: "apache".to_owned(),
        priority: 100,
        enabled: true,
    };
    let ports = vec!["portcon tcp 8081 system_u:object_r:http_port_t:s0".to_owned()];
    let content = "httpd_sys_content_t";
    PolicySnapshot {
        mode: Reading::Known("Enforcing".to_owned()),
        config_mode: Reading::Known("enforcing".to_owned()),
        kernel_arguments: Reading::Known(Vec::new()),
        autorelabel: Reading::Known(false),
        loaded_sha256: Reading::Known("a".repeat(64)),
        disk_sha256: Reading::Known("c".repeat(64)),
        modules: Reading::Known(BTreeSet::from([module])),
        booleans: Reading::Known(BTreeMap::from([
            ("httpd_can_network_connect".to_owned(), true),
            ("httpd_enable_cgi".to_owned(), true),
        ])),
        permissive: Reading::Known(BTreeSet::new()),
        customizations: Reading::Known(BTreeMap::from([("ports.local".to_owned(), ports)])),
        labels: Reading::Known(vec![
            label("/var/www/html", content, content),
            label("/var/www/html/index.html", content, content),
        ]),
    }
}

fn system() -> SystemSnapshot {
    let firewall = [
        "tcp dport 22 accept",
        "tcp dport { 80, 443, 8081 } accept",
        "drop",
    ];
    let active = UnitState {
        active: "active".to_owned(),
        sub: Some("running".to_owned()),
        result: Some("success".to_owned()),
    };
    SystemSnapshot {
        listeners: Reading::Known(vec![listener("0.0.0.0", 80), listener("0.0.0.0", 8081)]),
        firewall: Reading::Known(firewall.map(ToOwned::to_owned).to_vec()),
        units: Reading::Known(BTreeMap::from([("httpd".to_owned(), active)])),
        disks: Reading::Known(vec![disk("/", 41), disk("/var", 63)]),
        oom_kills: Reading::Known(Vec::new()),
        sysctls: Reading::Known(BTreeMap::from([
            ("net.ipv6.bindv6only".to_owned(), "0".to_owned()),
            ("net.core.somaxconn".to_owned(), "4096".to_owned()),
        ])),
        routes: Reading::Known(vec!["default via 192.0.2.254 dev eth0".to_owned()]),
        certificates: Reading::Known(vec![certificate(1_400_000_000)]),
        clock: Reading::Known(CLOCK),
    }
}

/// A file system, so full.
#[must_use]
pub fn disk(mount: &str, used_percent: u8) -> Disk {
    Disk {
        mount: mount.to_owned(),
        used_percent,
        inodes_percent: Some(12),
        read_only: false,
    }
}

/// The suite's certificate, valid up to this moment.
#[must_use]
pub fn certificate(not_after: i64) -> Certificate {
    Certificate {
        path: "/etc/pki/tls/certs/localhost.crt".to_owned(),
        not_before: 1_300_000_000,
        not_after,
        subject: "CN = centos-web".to_owned(),
    }
}

impl super::Seen {
    /// Changes the policy's snapshot.
    ///
    /// # Panics
    /// When there is none.
    pub fn policy(&mut self) -> &mut PolicySnapshot {
        let snapshot = self.snapshot.as_mut().expect("there is a snapshot");
        match &mut snapshot.policy {
            Reading::Known(policy) => policy,
            Reading::Missing { why } => panic!("{why}"),
        }
    }

    /// Changes the system's snapshot.
    ///
    /// # Panics
    /// When there is none.
    pub fn system(&mut self) -> &mut SystemSnapshot {
        let snapshot = self.snapshot.as_mut().expect("there is a snapshot");
        match &mut snapshot.system {
            Reading::Known(system) => system,
            Reading::Missing { why } => panic!("{why}"),
        }
    }
}
