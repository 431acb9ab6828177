//! What a snapshot finds on a scripted host: policy store, labels, sockets, packet filter, disks.
//!
//! It tells of the host and changes nothing of what clients get: a scenario that cuts clients off says
//! so apart, by [`crate::script::Effect::Remote`].

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Machine, certificate};
use crate::script::Change;

/// Paths that a healthy web server has, and the type that the policy wants for each.
const LABELS: [(&str, &str); 9] = [
    ("/etc/httpd/conf", "httpd_config_t"),
    ("/etc/httpd/conf/httpd.conf", "httpd_config_t"),
    ("/etc/httpd/conf.d", "httpd_config_t"),
    ("/etc/httpd/conf.d/welcome.conf", "httpd_config_t"),
    ("/etc/httpd/modules", "httpd_modules_t"),
    ("/var/log/httpd", "httpd_log_t"),
    ("/var/log/httpd/error_log", "httpd_log_t"),
    ("/var/www/html", "httpd_sys_content_t"),
    ("/var/www/html/index.html", "httpd_sys_content_t"),
];

/// The end of the last day on which a healthy host's certificate is valid.
const VALID_UNTIL: &str = "Feb  5 03:04:05 2014 GMT";

/// The night of the incident, in seconds since the epoch.
const CLOCK: u64 = 1_361_502_245;

/// What is around the services of a host.
#[derive(Debug)]
pub(super) struct Around {
    pub(super) config_mode: &'static str,
    autorelabel: bool,
    arguments: Vec<&'static str>,
    modules: Vec<(&'static str, u32)>,
    booleans: BTreeMap<&'static str, bool>,
    local: Vec<(&'static str, &'static str)>,
    labels: BTreeMap<&'static str, &'static str>,
    listeners: Vec<(&'static str, u16, &'static str)>,
    rules: Vec<&'static str>,
    results: BTreeMap<&'static str, &'static str>,
    disks: BTreeMap<&'static str, u8>,
    valid_until: BTreeMap<&'static str, &'static str>,
    sysctls: BTreeMap<&'static str, &'static str>,
    routes: Vec<&'static str>,
}

impl Default for Around {
    fn default() -> Self {
        Self {
            config_mode: "enforcing",
            autorelabel: false,
            arguments: vec!["selinux=1"],
            modules: vec![("apache", 100), ("base", 100)],
            booleans: BTreeMap::from([
                ("httpd_can_network_connect", false),
                ("httpd_enable_cgi", true),
            ]),
            local: Vec::new(),
            labels: BTreeMap::from(LABELS),
            listeners: vec![
                ("0.0.0.0", 22, "sshd"),
                ("[::]", 22, "sshd"),
                ("*", 80, "httpd"),
            ],
            rules: vec![
                "type filter hook input priority 0; policy accept;",
                "ct state established,related accept",
                "tcp dport { 22, 80, 443 } accept",
            ],
            results: BTreeMap::new(),
            disks: BTreeMap::from([("/", 40), ("/var", 30)]),
            valid_until: BTreeMap::new(),
            sysctls: BTreeMap::from([
                ("fs.file-max", "380000"),
                ("net.core.somaxconn", "4096"),
                ("net.ipv4.ip_local_port_range", "32768\t60999"),
                ("vm.overcommit_memory", "0"),
            ]),
            routes: vec![
                "default via 192.0.2.254 dev eth0 proto static metric 100",
                "192.0.2.0/24 dev eth0 proto kernel scope link",
            ],
        }
    }
}

impl Around {
    /// Takes a change.
    pub(super) fn take(&mut self, change: Change) {
        match change {
            Change::ConfigMode(mode) => self.config_mode = mode,
            Change::Autorelabel => self.autorelabel = true,
            Change::KernelArgument(word) => self.arguments.push(word),
            Change::Module(name, priority) => self.modules.push((name, priority)),
            Change::ModuleGone(name) => self.modules.retain(|(n, _)| *n != name),
            Change::Boolean(name, on) => {
                self.booleans.insert(name, on);
            }
            Change::Customized(file, line) => self.local.push((file, line)),
            Change::NotCustomized(file) => self.local.retain(|(f, _)| *f != file),
            Change::Label(path, kind) => {
                self.labels.insert(path, kind);
            }
            Change::Listens(address, port, program) => {
                self.listeners.push((address, port, program));
            }
            Change::ListensNot(port) => self.listeners.retain(|(_, p, _)| *p != port),
            Change::FirewallRule(rule) => self.rules.push(rule),
            Change::UnitResult(unit, result) => {
                self.results.insert(unit, result);
            }
            Change::Disk(mount, used) => {
                self.disks.insert(mount, used);
            }
            Change::ValidUntil(path, date) => {
                self.valid_until.insert(path, date);
            }
            Change::Sysctl(name, value) => {
                self.sysctls.insert(name, value);
            }
            Change::Route(route) => self.routes.push(route),
        }
    }
}

impl Machine {
    /// The answer to the item of the policy, about these paths.
    pub(super) fn policy_told(&self, paths: &[String]) -> String {
        let around = &self.around;
        let mut text = String::new();
        if let Some(on) = self.enforcing {
            let _ = writeln!(text, "enforce={}", u8::from(on));
        }
        let _ = writeln!(text, "SELINUX={}", around.config_mode);
        for word in &around.arguments {
            let _ = writeln!(text, "argument:{word}");
        }
        let relabel = u8::from(around.autorelabel);
        let _ = writeln!(text, "arguments=ok\nautorelabel={relabel}");
        let file = format!(
            "{:064x}  /etc/selinux/targeted/policy/policy.33",
            0xd15c_0000_u32 + self.policy.seqno
        );
        text += &said("disk", &file);
        for (name, priority) in &around.modules {
            let _ = writeln!(text, "module:{priority}/{name}");
        }
        text += "module:disabled/*\nmodules=ok\n";
        text += &around.told_local();
        if self.enforcing.is_none() {
            for key in ["enforce", "booleans", "is"] {
                let _ = writeln!(text, "{key}!there is no selinuxfs");
            }
            return text;
        }
        for (name, on) in &around.booleans {
            let on = u8::from(*on);
            let _ = writeln!(text, "boolean:{name} {on} {on}");
        }
        text + "booleans=ok\n" + &around.told_labels(paths)
    }

    /// The answer to the item of the system, about these units and files of certificates.
    pub(super) fn system_told(&self, units: &[String], certificates: &[String]) -> String {
        let around = &self.around;
        let mut text = said("clock", &CLOCK.to_string());
        text += &self.told_listeners();
        let rules: String = around.rules.iter().map(|r| format!("\t\t{r}\n")).collect();
        let nft = format!("table inet filter {{\n\tchain input {{\n{rules}\t}}\n}}");
        text += &most("nft", &nft);
        text += "firewall=ok\n";
        text += &said("routes", &around.routes.join("\n"));
        text += &said("routes6", "");
        text += &self.told_oom();
        let line = |(name, value): (&&str, &&str)| format!("{}:{value}", name.replace('.', "/"));
        let sysctls: Vec<_> = around.sysctls.iter().map(line).collect();
        text += &said("sysctls", &sysctls.join("\n"));
        text += &self.told_units(units);
        for (n, path) in certificates.iter().enumerate() {
            let until = around
                .valid_until
                .get(path.as_str())
                .unwrap_or(&VALID_UNTIL);
            let certificate = certificate::pem(self.script.name, until);
            text += &said(&format!("certificate{n}"), &certificate);
        }
        text + "certificates=ok\n" + &around.told_disks()
    }

    fn told_listeners(&self) -> String {
        let runs = |program: &str| {
            self.units
                .get(program)
                .is_none_or(|state| state == "active")
        };
        let mut text =
            "State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process".to_owned();
        for (address, port, program) in &self.around.listeners {
            if runs(program) {
                let _ = write!(
                    text,
                    "\nLISTEN 0      511    {address}:{port}    *:*    users:((\"{program}\",pid=283,fd=4))"
                );
            }
        }
        said("listeners", &text)
    }

    fn told_oom(&self) -> String {
        let lines = match &self.kernel_log {
            Ok(lines) => lines,
            Err(why) => return format!("oom!{why}\n"),
        };
        let speaks = |l: &&String| l.contains("Killed process") || l.contains("oom-kill:");
        let lines: Vec<_> = lines.iter().filter(speaks).cloned().collect();
        let kills = lines
            .iter()
            .filter(|l| l.contains("Killed process"))
            .count();
        said("oom", &lines.join("\n")) + &format!("boot=1\noom_kill={kills}\n")
    }

    fn told_units(&self, units: &[String]) -> String {
        let failed = self.units.iter().filter(|(_, state)| *state == "failed");
        let failed: Vec<String> = failed.map(|(unit, _)| format!("{unit}.service")).collect();
        let listed: Vec<_> = failed
            .iter()
            .map(|unit| format!("{unit} loaded failed failed {unit}"))
            .collect();
        let shown: Vec<_> = units
            .iter()
            .chain(&failed)
            .map(|unit| self.told_unit(unit))
            .collect();
        let mut text = said("failed", &listed.join("\n"));
        if !shown.is_empty() {
            text += &said("units", &shown.join("\n\n"));
        }
        text
    }

    /// The properties of a unit that every question asks for.
    pub(super) fn told_unit(&self, unit: &str) -> String {
        let name = unit.strip_suffix(".service").unwrap_or(unit);
        let state = self.units.get(name).map_or("inactive", String::as_str);
        let (sub, result) = match state {
            "active" => ("running", "success"),
            "failed" => ("failed", "exit-code"),
            _ => ("dead", "success"),
        };
        let result = self.around.results.get(name).unwrap_or(&result);
        format!("Id={name}.service\nActiveState={state}\nSubState={sub}\nResult={result}")
    }

    /// The kernel's lines about a death for lack of memory, as EL9 has them.
    pub(super) fn oom_kill(&mut self, victim: &str) {
        for line in [
            format!(
                "{victim} invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0"
            ),
            format!(
                "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/system.slice/{victim}.service,task={victim},pid=283,uid=48"
            ),
            format!(
                "Out of memory: Killed process 283 ({victim}) total-vm:1042000kB, anon-rss:480000kB, file-rss:0kB, shmem-rss:0kB, UID:48 pgtables:1200kB oom_score_adj:0"
            ),
        ] {
            self.kernel_line(&line);
        }
    }
}

impl Around {
    fn told_local(&self) -> String {
        if self.local.is_empty() {
            return "local=none\n".to_owned();
        }
        let lines: Vec<_> = self.local.iter().map(|(f, l)| format!("{f}:{l}")).collect();
        most("local", &lines.join("\n"))
    }

    /// A path that is asked for, and what lies directly in it.
    fn told_labels(&self, paths: &[String]) -> String {
        let asked = |path: &str| {
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            paths.iter().any(|p| p == path || p == parent)
        };
        let there: Vec<_> = self.labels.iter().filter(|(path, _)| asked(path)).collect();
        if there.is_empty() {
            return "is=none\n".to_owned();
        }
        let context = |kind: &str| format!("system_u:object_r:{kind}:s0");
        let wanted = |path: &str| LABELS.iter().find(|(p, _)| *p == path);
        let is: Vec<_> = there
            .iter()
            .map(|(path, kind)| format!("{} {path}", context(kind)))
            .collect();
        let should: Vec<_> = there
            .iter()
            .map(|(path, _)| match wanted(path) {
                Some((_, kind)) => format!("{path}\t{}", context(kind)),
                None => format!("{path}\t<<none>>"),
            })
            .collect();
        said("is", &is.join("\n")) + &said("should", &should.join("\n"))
    }

    fn told_disks(&self) -> String {
        let mounts: Vec<_> = self
            .disks
            .keys()
            .map(|mount| format!("/dev/vda {mount} xfs rw,relatime 0 0"))
            .collect();
        let mut blocks = "Filesystem 1024-blocks Used Available Capacity Mounted on".to_owned();
        let mut inodes = "Filesystem Inodes IUsed IFree IUse% Mounted on".to_owned();
        for (mount, used) in &self.disks {
            let (used, free) = (u32::from(*used), 100 - u32::from(*used));
            let _ = write!(
                blocks,
                "\n/dev/vda 100000 {used}000 {free}000 {used}% {mount}"
            );
            let _ = write!(inodes, "\n/dev/vda 65536 6553 58983 10% {mount}");
        }
        said("mounts", &mounts.join("\n")) + &said("blocks", &blocks) + &said("inodes", &inodes)
    }
}

/// The shell's `say` of a tool that ended well.
fn said(key: &str, text: &str) -> String {
    format!("@{key} 0 {}\n{text}\n", text.len())
}

/// The shell's `most` of a tool that ended well.
fn most(key: &str, text: &str) -> String {
    let text = format!("{text}\n\n=0");
    format!("@{key} - {}\n{text}\n", text.len())
}
