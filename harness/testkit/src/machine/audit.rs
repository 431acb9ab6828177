//! The audit system of a scripted host: its log, its counters, its rules.

use patchgate_core::evidence::capture::DEFAULT_LOG;
use serde_json::{Value, json};

use super::Denied;
use crate::script::Effect;

const DEVICE: u64 = 64768;

/// auditd, the kernel's half of it, and the log.
#[derive(Debug)]
pub(super) struct Audit {
    pub(super) enabled: u8,
    pub(super) pid: u32,
    pub(super) lost: u32,
    pub(super) rules: &'static str,
    /// Whether there is an auditctl.
    pub(super) tools: bool,
    pub(super) readable: bool,
    markers_arrive: bool,
    inner_markers_arrive: bool,
    control: Provoked,
    log: String,
    /// The journal's entries, where the host has one that can be read.
    journal: Option<Vec<String>>,
    inode: u64,
    /// The rotated log, if it is still there.
    older: Option<(u64, String)>,
    serial: u64,
    /// Seconds since the boot; every record takes one.
    pub(super) uptime: u64,
    /// The clock at the boot, as it is set now.
    booted: u64,
}

/// What becomes of a denial that patchgate provokes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provoked {
    /// It is logged.
    Logged,
    /// It is refused and reaches no log.
    Swallowed,
    /// The policy hides it, so that it is not even tried.
    Hidden,
}

impl Default for Audit {
    fn default() -> Self {
        let mut audit = Self {
            enabled: 1,
            pid: 151,
            lost: 4,
            rules: "No rules",
            tools: true,
            readable: true,
            markers_arrive: true,
            inner_markers_arrive: true,
            control: Provoked::Logged,
            log: String::new(),
            journal: None,
            inode: 17_001,
            older: None,
            serial: 200,
            uptime: 200,
            booted: 1_361_500_000,
        };
        audit.record(
            "DAEMON_START",
            "op=start ver=3.0.9 format=enriched res=success",
        );
        audit
    }
}

impl Audit {
    /// Takes an effect that is about audit; all others are about something else.
    pub(super) fn take(&mut self, effect: &Effect) {
        match effect {
            Effect::AuditdDown => self.pid = 0,
            Effect::AuditdRestarted => self.pid += 500,
            Effect::AuditDisabled => self.enabled = 0,
            Effect::Lost(count) => self.lost += count,
            Effect::LostReset => self.lost = 0,
            Effect::AuditLine(line) => self.line(line),
            Effect::Rotated => self.rotate(),
            Effect::RotatedAway => {
                self.rotate();
                self.older = None;
            }
            Effect::Truncated => self.log.clear(),
            Effect::LogUnreadable => self.readable = false,
            Effect::NoAuditctl => self.tools = false,
            Effect::Excluded => self.rules = "-a always,exclude -F msgtype=AVC",
            Effect::MarkersLost => self.markers_arrive = false,
            Effect::InnerMarkersLost => self.inner_markers_arrive = false,
            Effect::ControlSwallowed => self.control = Provoked::Swallowed,
            Effect::ControlImpossible => self.control = Provoked::Hidden,
            Effect::ClockSet(by) => self.booted = self.booted.saturating_add_signed(*by),
            Effect::SerialsRestarted => self.serial = 1,
            Effect::Journal => self.journal = Some(Vec::new()),
            Effect::FebruaryPolicy
            | Effect::GoodPolicy
            | Effect::VectorsUnreadable
            | Effect::Docroot(_)
            | Effect::Loud(_)
            | Effect::Permissive
            | Effect::KernelLine(_)
            | Effect::NoDmesg
            | Effect::Rebooted
            | Effect::NoSelinux
            | Effect::Unit(..)
            | Effect::RestartFails(_)
            | Effect::Listens(_)
            | Effect::ConfigBroken
            | Effect::Remote(_)
            | Effect::Local(_)
            | Effect::DnfFails(..)
            | Effect::TransactionLost(_)
            | Effect::TransactionHangs
            | Effect::PlanFails(_)
            | Effect::PlansNothing
            | Effect::FilesDamaged
            | Effect::LockedBy(..)
            | Effect::NoRpm
            | Effect::Installs(_)
            | Effect::NoModuleStore
            | Effect::PolicyStays
            | Effect::UnitStays
            | Effect::SwitchLeft(..)
            | Effect::OomKill(_)
            | Effect::Reboot(_)
            | Effect::Undo(_)
            | Effect::Changed(_) => {}
        }
    }

    pub(super) fn rebooted(&mut self) {
        self.pid += 1;
        self.lost = 0;
    }

    /// auditd ends, and begins again in another boot.
    pub(super) fn booted(&mut self) {
        self.record(
            "DAEMON_END",
            "op=terminate auid=0 uid=0 ses=4294967295 pid=1 res=success",
        );
        (self.pid, self.lost, self.serial, self.uptime) = (163, 0, 1, 20);
        self.booted += 900;
        for (kind, body) in [
            (
                "DAEMON_START",
                "op=start ver=3.0.9 format=enriched res=success",
            ),
            (
                "MAC_STATUS",
                "enforcing=1 old_enforcing=0 auid=4294967295 res=1",
            ),
            (
                "MAC_POLICY_LOAD",
                "auid=4294967295 ses=4294967295 lsm=selinux res=1",
            ),
            (
                "CONFIG_CHANGE",
                "op=set audit_enabled=1 old=1 auid=4294967295 res=1",
            ),
        ] {
            self.record(kind, body);
        }
    }

    fn rotate(&mut self) {
        let full = std::mem::take(&mut self.log);
        self.older = Some((self.inode, full));
        self.inode += 1;
    }

    /// Adds a record of the kernel's, unless nobody is there to write it down.
    pub(super) fn record(&mut self, kind: &str, body: &str) {
        self.serial += 1;
        self.uptime += 1;
        let (sec, serial) = (self.booted + self.uptime, self.serial);
        self.line(&format!(
            "type={kind} msg=audit({sec}.250:{serial}): {body}"
        ));
        if self.enabled != 0 {
            self.entry(&json!({
                "_TRANSPORT": "audit",
                "_AUDIT_TYPE_NAME": kind,
                "_AUDIT_ID": serial.to_string(),
                "_SOURCE_REALTIME_TIMESTAMP": format!("{sec}250000"),
                "MESSAGE": format!("{kind} {body}"),
            }));
        }
    }

    fn line(&mut self, line: &str) {
        if self.pid != 0 && self.enabled != 0 {
            self.log.push_str(line);
            self.log.push('\n');
        }
    }

    fn entry(&mut self, entry: &Value) {
        if let Some(journal) = &mut self.journal {
            journal.push(entry.to_string());
        }
    }

    /// `logger -t patchgate`.
    pub(super) fn logger(&mut self, text: &str) {
        self.entry(&json!({
            "_TRANSPORT": "syslog", "SYSLOG_IDENTIFIER": "patchgate", "MESSAGE": text,
        }));
    }

    /// Where the journal ends, if there is one.
    pub(super) fn cursor(&self) -> Option<usize> {
        self.journal.as_ref().map(Vec::len)
    }

    /// The journal from a position on.
    pub(super) fn journal(&self, cursor: Option<usize>) -> Option<String> {
        let entries = self.journal.as_ref()?.iter().skip(cursor.unwrap_or(0));
        Some(entries.map(|entry| format!("{entry}\n")).collect())
    }

    /// Whether auditd's log may not do, so that others are noted.
    pub(super) fn in_doubt(&self) -> bool {
        self.pid == 0 || !self.tools || !self.readable
    }

    /// A marker inside a window.
    pub(super) fn inner_marker(&mut self, text: &str) -> Result<(), String> {
        if !self.tools {
            return Err("sh: 1: exec: auditctl: not found\n".to_owned());
        }
        if self.inner_markers_arrive {
            self.marker(text);
        }
        Ok(())
    }

    /// What the control prints.
    pub(super) fn control(&mut self, name: &str) -> String {
        const FROM: &str = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023";
        const TO: &str = "system_u:system_r:init_t:s0";
        let pid = 9000 + self.serial;
        match self.control {
            Provoked::Hidden => {
                return "control=impossible a dontaudit rule hides dyntransition\n".to_owned();
            }
            Provoked::Swallowed => {}
            Provoked::Logged => self.avc(&format!(
                "avc:  denied  {{ dyntransition }} for  pid={pid} comm=\"{name}\" scontext={FROM} \
                 tcontext={TO} tclass=process permissive=0"
            )),
        }
        format!(
            "control=refused {pid} dyntransition {name}\ncontrol.from={FROM}\ncontrol.to={TO}\n"
        )
    }

    /// A denial of the kernel's, unless a rule keeps it out.
    fn avc(&mut self, body: &str) {
        if self.rules == "No rules" {
            self.record("AVC", body);
        }
    }

    /// `auditctl -m`.
    pub(super) fn marker(&mut self, text: &str) {
        if self.markers_arrive {
            let body = format!(
                "pid=685 uid=0 auid=0 ses=11 subj=unconfined_u:unconfined_r:auditctl_t:s0-s0:c0.c1023 \
                 msg='text={text} exe=\"/usr/sbin/auditctl\" hostname=? addr=? terminal=? res=success'"
            );
            self.record("USER", &body);
        }
    }

    pub(super) fn policy_loaded(&mut self, seqno: u32) {
        self.record("MAC_POLICY_LOAD", "auid=0 ses=11 lsm=selinux res=1");
        let body = format!(
            "pid=220 uid=81 auid=4294967295 ses=4294967295 subj=system_u:system_r:system_dbusd_t:s0 \
             msg='avc:  op=load_policy lsm=selinux seqno={seqno} res=1 exe=\"/usr/bin/dbus-daemon\" \
             sauid=81 hostname=? addr=? terminal=?'"
        );
        self.record("USER_MAC_POLICY_LOAD", &body);
    }

    pub(super) fn unit(&mut self, kind: &str, unit: &str, res: &str) {
        let body = format!(
            "pid=1 uid=0 auid=4294967295 ses=4294967295 subj=system_u:system_r:init_t:s0 \
             msg='unit={unit} comm=\"systemd\" exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? \
             terminal=? res={res}'"
        );
        self.record(kind, &body);
    }

    /// A refusal, or, while the domain is permissive, what would have been one.
    pub(super) fn denial(&mut self, denied: Denied, permissive: bool) {
        let permissive = u8::from(permissive);
        let body = match denied {
            Denied::Page => of_file("/var/www/html/index.html", permissive),
            Denied::Unnoticed => of_file("/var/www/html/.htaccess", permissive),
            Denied::Accept => of_socket("accept", permissive),
            Denied::Listen => of_socket("listen", permissive),
        };
        self.avc(&body);
    }

    /// `stat -c '%d %i %s %n'` of the log.
    pub(super) fn position(&self) -> Result<String, String> {
        if self.readable {
            Ok(format!(
                "{DEVICE} {} {} {DEFAULT_LOG}",
                self.inode,
                self.log.len()
            ))
        } else {
            Err("stat: cannot statx '/var/log/audit/audit.log': Permission denied".to_owned())
        }
    }

    /// Whether a text stands in the log.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.log.contains(text)
    }

    /// What the slice script prints.
    pub(super) fn slice(&self, (_, inode, size): (u64, u64, u64)) -> String {
        if let Err(why) = self.position() {
            return format!("slice none {why}\n");
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if inode == self.inode {
            return match self.log.get(size..) {
                Some(rest) => format!("slice audit-log whole\n{rest}"),
                None => format!("slice audit-log truncated\n{}", self.log),
            };
        }
        match &self.older {
            Some((older, text)) if *older == inode => {
                let rest = text.get(size..).unwrap_or_default();
                format!("slice audit-log rotated\n{rest}{}", self.log)
            }
            Some((_, text)) => format!("slice audit-log gone\n{text}{}", self.log),
            None => format!("slice audit-log gone\n{}", self.log),
        }
    }

    /// `auditctl -s`.
    pub(super) fn status(&self) -> String {
        let Self {
            enabled, pid, lost, ..
        } = self;
        format!(
            "enabled {enabled}\nfailure 1\npid {pid}\nrate_limit 0\nbacklog_limit 8192\nlost {lost}\n\
             backlog 0\nbacklog_wait_time 60000\nbacklog_wait_time_actual 0\n\
             loginuid_immutable 0 unlocked"
        )
    }
}

fn of_file(path: &str, permissive: u8) -> String {
    format!(
        "avc:  denied  {{ getattr }} for  pid=283 comm=\"httpd\" path=\"{path}\" dev=\"vda\" ino=17035 \
         scontext=system_u:system_r:httpd_t:s0 tcontext=unconfined_u:object_r:shadow_t:s0 \
         tclass=file permissive={permissive}"
    )
}

fn of_socket(permission: &str, permissive: u8) -> String {
    format!(
        "avc:  denied  {{ {permission} }} for  pid=515 comm=\"httpd\" lport=80 \
         scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:system_r:httpd_t:s0 \
         tclass=tcp_socket permissive={permissive}"
    )
}
