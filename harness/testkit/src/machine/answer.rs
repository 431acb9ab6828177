//! What a scripted host answers to each item.

use std::{fmt::Write as _, time::Duration};

use patchgate_core::package::Nevra;
use patchgate_engine::host::{Captured, Exit, Item, Reply, job::LONG_POLL};

use super::{Denied, Machine};
use crate::{
    ask::{Ask, LockAct},
    vectors::{self, Used},
};

/// How long an item takes that does nothing special.
const QUICK: Duration = Duration::from_millis(5);

impl Machine {
    /// Carries an item out.
    pub(crate) fn answer(&mut self, ask: &Ask, item: &Item) -> Reply {
        match ask {
            Ask::Edge(edge) => printed(self.edge(edge)),
            Ask::Mark(text) => match self.audit.inner_marker(text) {
                Ok(()) => slow(printed(String::new()), QUICK),
                Err(why) => ended((127, String::new(), why), 5),
            },
            Ask::OtherLog(cursor) => self.other_log(*cursor),
            Ask::Audit => printed(self.audit_looked_at()),
            Ask::Slice(Ok(from)) => printed(self.audit.slice(*from)),
            Ask::Slice(Err(why)) => printed(format!("slice none {why}\n")),
            Ask::Lock(me, act) => printed(self.lock(me, act)),
            Ask::Marked(ask) => printed(self.about_mark(ask)),
            Ask::Start(id) => printed(self.start(id)),
            Ask::Poll(id, offset) => slow(printed(self.poll(id, *offset)), LONG_POLL),
            Ask::Plan(choice, exclude) => ended(self.plan(choice, exclude), 1500),
            Ask::Advisories { security } => ended((0, self.listed(*security), String::new()), 1500),
            Ask::Offered => ended((0, self.offered(), String::new()), 1500),
            Ask::Files(step) => self.files(*step),
            Ask::Restart(unit) => ended(self.restart(unit), 900),
            Ask::Facts => printed(self.facts()),
            Ask::Packages => self.list(),
            Ask::Vectors(..) if !self.vectors || self.enforcing.is_none() => {
                ended((1, String::new(), "there is no selinuxfs\n".to_owned()), 5)
            }
            Ask::Vectors(known, rests) => {
                let used = self.used(rests);
                printed(vectors::answer(self.policy, known, &used))
            }
            Ask::Policy(paths) => printed(self.policy_told(paths)),
            Ask::System(units, certificates) => printed(self.system_told(units, certificates)),
            Ask::Service(unit) => printed(self.unit(unit)),
            Ask::Selinux(_) => printed(match self.enforcing {
                Some(on) => format!("enforce={}\n", u8::from(on)),
                None => "enforce=none\n".to_owned(),
            }),
            Ask::Local => printed(self.serve_local().printed()),
            Ask::Reboot(ask) => self.about_reboot(ask),
            Ask::Step(step) => self.step(step),
            Ask::Experiment(step) => self.experiment_step(step),
            Ask::Command(run) => self.command(run, item),
        }
    }

    fn other_log(&self, cursor: Option<usize>) -> Reply {
        match self.audit.journal(cursor) {
            Some(lines) => printed(format!("slice journal whole\n{lines}")),
            None => {
                let why = "there is no journalctl\ndmesg: read kernel buffer failed\n";
                ended((0, "slice none\n".to_owned(), why.to_owned()), 5)
            }
        }
    }

    fn command(&self, run: &str, item: &Item) -> Reply {
        let known = self.script.commands.iter().find(|c| c.0 == run);
        let (_, exit, out, err) = known.expect("the world refuses what no script names");
        let mut reply = ended((*exit, (*out).to_owned(), (*err).to_owned()), 5);
        for stream in [&mut reply.stdout, &mut reply.stderr] {
            stream.dropped = stream.bytes.len().saturating_sub(item.cap) as u64;
            stream.bytes.truncate(item.cap);
        }
        reply
    }

    /// Whether the script of a check's command has an answer.
    pub(crate) fn knows(&self, run: &str) -> bool {
        self.script.commands.iter().any(|c| c.0 == run)
    }

    fn lock(&mut self, me: &str, act: &LockAct) -> String {
        let holder = self
            .owner
            .as_deref()
            .and_then(run_of)
            .map(ToOwned::to_owned);
        let mine = holder.as_deref() == Some(me);
        match act {
            LockAct::AcquireClean(owner, clear) => {
                return self.lock_if_clean(me, owner, clear);
            }
            LockAct::Acquire(owner) if holder.is_none() => self.owner = Some(owner.clone() + "\n"),
            LockAct::Update(owner) if mine => self.owner = Some(owner.clone() + "\n"),
            LockAct::Release if mine => self.owner = None,
            LockAct::TakeOver(dead, owner)
                if holder.as_ref() == Some(dead) && self.job_word() != "running" =>
            {
                self.owner = Some(owner.clone() + "\n");
            }
            LockAct::Read
            | LockAct::Beat
            | LockAct::Acquire(_)
            | LockAct::Update(_)
            | LockAct::Release
            | LockAct::TakeOver(..) => {}
        }
        self.lock_told(me)
    }

    pub(super) fn lock_told(&self, me: &str) -> String {
        let job = self.job_word();
        match &self.owner {
            None => "pglock free none\n".to_owned(),
            Some(owner) if run_of(owner) == Some(me) => format!("pglock acquired {job}\n"),
            Some(owner) => format!("pglock held {job}\n{owner}"),
        }
    }

    pub(super) fn restart(&mut self, unit: &str) -> (u8, String, String) {
        if self.stubborn.iter().any(|u| u == unit) {
            let said = format!("Job for {unit}.service canceled.\n");
            return (1, String::new(), said);
        }
        self.audit.unit("SERVICE_STOP", unit, "success");
        if !self.policy.may_listen() && self.policy.logs_listen() {
            self.audit.denial(Denied::Listen, self.permissive);
        }
        let may_listen = self.enforced().is_none_or(|p| p.may_listen());
        let comes_up = may_listen && !self.config_broken;
        let (state, res) = match comes_up {
            true => ("active", "success"),
            false => ("failed", "failed"),
        };
        self.audit.unit("SERVICE_START", unit, res);
        self.units.insert(unit.to_owned(), state.to_owned());
        if comes_up {
            return (0, String::new(), String::new());
        }
        let said = format!(
            "Job for {unit}.service failed because the control process exited with error code.\n"
        );
        (1, String::new(), said)
    }

    fn unit(&self, unit: &str) -> String {
        let state = self.units.get(unit).map_or("inactive", String::as_str);
        let pid = if state == "active" { 283 } else { 0 };
        let mut text = format!(
            "{}\nUnitFileState=enabled\nMainPID={pid}\n",
            self.told_unit(unit)
        );
        if pid != 0 {
            text += "Context=system_u:system_r:httpd_t:s0\n";
        }
        text
    }

    /// What the script finds: what httpd has open while it runs, and the paths that the suites rest on.
    fn used(&self, rests: &[(String, String)]) -> Vec<Used> {
        let runs = self.units.get("httpd").is_some_and(|s| s == "active");
        let open = [
            ("/usr/sbin/httpd", "httpd_program_t", "file"),
            ("/dev/null", "null_device_t", "chr_file"),
        ];
        let used = |domain: &str, (path, type_, class): (&str, &'static str, &'static str)| Used {
            domain: domain.to_owned(),
            path: path.to_owned(),
            type_,
            class,
        };
        let open = open.iter().filter(|_| runs).map(|o| used("httpd_t", *o));
        let labelled = rests.iter().filter(|(_, p)| p == "/var/www/html");
        let labelled = labelled.map(|(d, p)| used(d, (p, self.docroot, "dir")));
        open.chain(labelled).collect()
    }

    fn facts(&self) -> String {
        let [id, version, pretty] = self.script.os;
        let mut text = format!(
            "os:ID=\"{id}\"\nos:VERSION_ID=\"{version}\"\nos:PRETTY_NAME=\"{pretty}\"\n\
             kernel={}\nboot_id={}\nuid=0\n",
            self.kernel(),
            self.boot_id()
        );
        if let Some(on) = self.enforcing {
            let _ = writeln!(
                text,
                "enforce={}\npolicyvers=33\npolicy_sha256={:064x}",
                u8::from(on),
                self.policy.seqno
            );
        }
        let mode = self.around.config_mode;
        text + &format!("SELINUX={mode}\nSELINUXTYPE=targeted\n")
    }

    pub(super) fn boot_id(&self) -> String {
        format!("a6dcd5f0-95ce-4306-8705-{:012}", self.boot)
    }

    fn list(&self) -> Reply {
        if !self.rpm {
            return ended((127, String::new(), "there is no rpm\n".to_owned()), 5);
        }
        printed(self.packages.iter().map(line).collect())
    }
}

/// A line of `rpm -qa`.
pub(super) fn line(package: &Nevra) -> String {
    let Nevra {
        name,
        epoch,
        version,
        release,
        arch,
    } = package;
    let epoch = match epoch {
        0 => "(none)".to_owned(),
        epoch => epoch.to_string(),
    };
    format!("{name} {epoch} {version} {release} {arch}\n")
}

/// The run that an owner file names.
pub(super) fn run_of(owner: &str) -> Option<&str> {
    owner.lines().find_map(|l| l.strip_prefix("run="))
}

pub(super) fn printed(text: String) -> Reply {
    ended((0, text, String::new()), 0)
}

pub(super) fn ended((exit, out, err): (u8, String, String), millis: u64) -> Reply {
    let stream = |text: String| Captured {
        bytes: text.into_bytes(),
        dropped: 0,
    };
    Reply {
        exit: Exit::Code(exit),
        stdout: stream(out),
        stderr: stream(err),
        elapsed: QUICK + Duration::from_millis(millis),
    }
}

fn slow(reply: Reply, elapsed: Duration) -> Reply {
    Reply { elapsed, ..reply }
}
