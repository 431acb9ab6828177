//! dnf and the jobs that carry its transactions.

use patchgate_core::package::Nevra;

use super::{Machine, nevras};
use crate::script::{Effect, Moment};

/// A job on the host.
#[derive(Debug)]
pub(super) struct Job {
    id: String,
    polls: u32,
    end: Option<End>,
    output: String,
}

#[derive(Debug)]
enum End {
    Exited(u8),
    Lost,
}

impl Machine {
    /// `dnf --assumeno`: exit status, standard output, standard error.
    pub(super) fn plan(&self) -> (u8, String, String) {
        let fails = self.script.effects.iter().find_map(|(_, effect)| {
            if let Effect::PlanFails(why) = effect {
                Some(*why)
            } else {
                None
            }
        });
        if let Some(why) = fails {
            return (1, String::new(), why.to_owned());
        }
        let coming = self.coming(&self.script.updates);
        if coming.is_empty() {
            let out = "Dependencies resolved.\nNothing to do.\nComplete!\n";
            return (0, out.to_owned(), String::new());
        }
        let rows: String = coming.iter().map(row).collect();
        let out = format!(
            "Dependencies resolved.\n{line}\n Package Arch Version Repository Size\n{line}\n\
             Upgrading:\n{rows}\nTransaction Summary\n{line}\nUpgrade  {n} Packages\n",
            line = "=".repeat(80),
            n = coming.len()
        );
        (1, out, "Operation aborted.\n".to_owned())
    }

    /// The packages of a list that are not there yet.
    fn coming(&self, lines: &[&str]) -> Vec<Nevra> {
        let mut all = nevras(lines);
        all.retain(|p| !self.packages.contains(p));
        all
    }

    /// Starts a job, or finds it started.
    pub(super) fn start(&mut self, id: &str) -> String {
        if self.job.is_none() {
            self.job = Some(Job {
                id: id.to_owned(),
                polls: 0,
                end: None,
                output: "Dependencies resolved.\n".to_owned(),
            });
        }
        "pgjob 0 0 running\n".to_owned()
    }

    /// What has become of a job. The first question finds it running, the second ended.
    pub(super) fn poll(&mut self, id: &str, offset: usize) -> String {
        let Some(job) = self.job.as_mut().filter(|j| j.id == id) else {
            return format!("pgjob 0 {offset} unknown\n");
        };
        job.polls += 1;
        if job.polls > 1 && job.end.is_none() && !self.hangs() {
            self.transact();
        }
        let job = self.job.as_ref().expect("it was there above");
        let state = match &job.end {
            None => "running".to_owned(),
            Some(End::Exited(code)) => format!("finished {code}"),
            Some(End::Lost) => "lost".to_owned(),
        };
        let rest = job.output.get(offset..).unwrap_or_default();
        format!("pgjob {} {offset} {state}\n{rest}", job.output.len())
    }

    /// What has become of the job that a lock's owner names.
    pub(super) fn job_word(&self) -> &'static str {
        match self.job.as_ref().map(|j| &j.end) {
            None => self.foreign_job,
            Some(None) => "running",
            Some(Some(End::Exited(0))) => "finished 0",
            Some(Some(End::Exited(_))) => "finished 1",
            Some(Some(End::Lost)) => "lost",
        }
    }

    fn hangs(&self) -> bool {
        let hangs = |e: &(Moment, Effect)| e.1 == Effect::TransactionHangs;
        self.script.effects.iter().any(hangs)
    }

    /// The transaction happens.
    fn transact(&mut self) {
        let brings = self.script.brings_instead.clone();
        let coming = self.coming(&brings.unwrap_or_else(|| self.script.updates.clone()));
        let broken = self.script.effects.iter().find_map(|(_, effect)| {
            if let Effect::DnfFails(code, n) = effect {
                Some((End::Exited(*code), *n))
            } else if let Effect::TransactionLost(n) = effect {
                Some((End::Lost, *n))
            } else {
                None
            }
        });
        let (end, said, count) = match broken {
            Some((end, n)) => (end, "Error: Transaction failed\n", n),
            None => (
                End::Exited(0),
                "Complete!\npatchgate-transaction=7\n",
                coming.len(),
            ),
        };
        self.install(coming.into_iter().take(count));
        self.happen(Moment::Transaction);
        let job = self.job.as_mut().expect("only a job transacts");
        job.output.push_str(said);
        job.end = Some(end);
    }

    fn install(&mut self, coming: impl Iterator<Item = Nevra>) {
        for package in coming {
            self.packages.retain(|p| p.name != package.name);
            let body = format!(
                "pid=659 uid=0 auid=0 ses=11 subj=unconfined_u:unconfined_r:unconfined_t:s0 \
                 msg='op=update sw=\"{package}\" sw_type=rpm key_enforce=0 gpg_res=1 root_dir=\"/\" \
                 comm=\"dnf\" exe=\"/usr/bin/python3.9\" hostname=? addr=? terminal=? res=success'"
            );
            self.audit.record("SOFTWARE_UPDATE", &body);
            self.packages.push(package);
        }
    }
}

/// A row of dnf's table.
fn row(package: &Nevra) -> String {
    let Nevra {
        name,
        epoch,
        version,
        release,
        arch,
    } = package;
    let epoch = match epoch {
        0 => String::new(),
        epoch => format!("{epoch}:"),
    };
    format!(" {name} {arch} {epoch}{version}-{release} updates 10 k\n")
}
