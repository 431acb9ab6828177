//! dnf and the jobs that carry its transactions.

mod table;

use patchgate_core::{package::Nevra, patchset::excludes};
use patchgate_engine::host::Reply;

use super::{
    Machine,
    answer::{ended, printed},
    nevras,
    undo::UndoJob,
};
use crate::{
    ask::{Choice, FileStep},
    script::{Effect, Moment},
};

/// A job on the host.
#[derive(Debug)]
pub(super) struct Job {
    id: String,
    polls: u32,
    end: Option<End>,
    output: String,
}

impl Job {
    pub(super) fn new(id: &str, output: &str) -> Self {
        Self {
            id: id.to_owned(),
            polls: 0,
            end: None,
            output: output.to_owned(),
        }
    }

    fn told(&self, offset: usize) -> String {
        let state = match &self.end {
            None => "running".to_owned(),
            Some(End::Exited(code)) => format!("finished {code}"),
            Some(End::Lost) => "lost".to_owned(),
        };
        let rest = self.output.get(offset..).unwrap_or_default();
        format!("pgjob {} {offset} {state}\n{rest}", self.output.len())
    }
}

#[derive(Debug)]
enum End {
    Exited(u8),
    Lost,
}

impl Machine {
    /// A plan: exit status, standard output, standard error.
    pub(super) fn plan(&mut self, choice: &Choice, exclude: &[String]) -> (u8, String, String) {
        (self.chosen, self.excluded) = (choice.clone(), exclude.to_vec());
        let (code, out, err) = self.planned();
        let manager = self.script.manager.word();
        (code, format!("pm={manager}\n{out}"), err)
    }

    fn planned(&self) -> (u8, String, String) {
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
        let silent = |e: &(Moment, Effect)| e.1 == Effect::PlansNothing;
        let manager = self.script.manager;
        if coming.is_empty() || self.script.effects.iter().any(silent) {
            return (
                0,
                table::NOTHING[manager as usize].to_owned(),
                String::new(),
            );
        }
        let (out, err) = table::of(manager, &coming);
        (1, out, err.to_owned())
    }

    /// The packages of a list that are not there yet and were chosen.
    fn coming(&self, lines: &[&str]) -> Vec<Nevra> {
        let mut all = nevras(lines);
        all.retain(|p| !self.packages.contains(p) && self.is_chosen(p));
        all
    }

    fn is_chosen(&self, package: &Nevra) -> bool {
        if self.excluded.iter().any(|glob| excludes(glob, package)) {
            return false;
        }
        let name = package.to_string();
        let about = |wanted: &dyn Fn(&str) -> bool| {
            let advisories = self.script.advisories.iter();
            advisories.filter(|a| wanted(a.0)).any(|a| a.1 == name)
        };
        match &self.chosen {
            Choice::Updates => true,
            Choice::Security => about(&is_security),
            Choice::Advisories(ids) => about(&|id| ids.iter().any(|i| i == id)),
            Choice::Named(names) => {
                let file = format!("/{name}.rpm");
                names.iter().any(|n| *n == name || n.ends_with(&file))
            }
        }
    }

    /// The list of advisories: all, or those of security and then whether there is any.
    pub(super) fn listed(&self, security: bool) -> String {
        let line = |(id, package): &(&str, &str)| format!("{id} Important/Sec. {package}\n");
        let of = |wanted: &dyn Fn(&str) -> bool| -> String {
            let all = self.script.advisories.iter();
            all.filter(|a| wanted(a.0)).map(line).collect()
        };
        if security {
            format!("{}@any\n{}", of(&is_security), of(&|_| true))
        } else {
            of(&|_| true)
        }
    }

    /// What the repositories hold newer: nothing is excluded or filtered on scripted hosts.
    pub(super) fn offered(&self) -> String {
        let line = |p: &Nevra| {
            let (name, arch) = (&p.name, &p.arch);
            format!("{name}.{arch} {}-{} updates\n", p.version, p.release)
        };
        let mut newer = nevras(&self.script.updates);
        newer.retain(|p| !self.packages.contains(p));
        let lines: String = newer.iter().map(line).collect();
        format!("@visible\n{lines}@unmasked\n{lines}@unfiltered\n{lines}")
    }

    /// A step of bringing files.
    pub(super) fn files(&self, step: FileStep) -> Reply {
        let damaged = |e: &(Moment, Effect)| e.1 == Effect::FilesDamaged;
        match step {
            FileStep::Join if self.script.effects.iter().any(damaged) => {
                let said = "it did not arrive whole, or could not be stored\n";
                ended((1, String::new(), said.to_owned()), 5)
            }
            FileStep::Begin | FileStep::Piece | FileStep::Join | FileStep::End => {
                printed(String::new())
            }
        }
    }

    /// Starts a job, or finds it started.
    pub(super) fn start(&mut self, id: &str) -> String {
        if id.ends_with(".undo") {
            return self.start_undo(id);
        }
        if self.job.as_ref().is_none_or(|job| job.id != id) {
            self.job = Some(Job::new(id, "Dependencies resolved.\n"));
        }
        "pgjob 0 0 running\n".to_owned()
    }

    /// What has become of a job. The first question finds it running, the second ended.
    pub(super) fn poll(&mut self, id: &str, offset: usize) -> String {
        if id.ends_with(".undo") {
            return self.poll_undo(id, offset);
        }
        let Some(job) = self.job.as_mut().filter(|j| j.id == id) else {
            return format!("pgjob 0 {offset} unknown\n");
        };
        job.polls += 1;
        if job.polls > 1 && job.end.is_none() && !self.hangs() {
            self.transact();
        }
        let job = self.job.as_ref().expect("it was there above");
        job.told(offset)
    }

    /// What has become of the job that a lock's owner names.
    pub(super) fn job_word(&self) -> &'static str {
        let undoes = self.owner.as_ref().is_some_and(|o| o.contains(".undo\n"));
        let named = if undoes { &self.undo } else { &self.job };
        match named.as_ref().map(|j| &j.end) {
            None => self.foreign_job,
            Some(None) => "running",
            Some(Some(End::Exited(0))) => "finished 0",
            Some(Some(End::Exited(_))) => "finished 1",
            Some(Some(End::Lost)) => "lost",
        }
    }

    fn start_undo(&mut self, id: &str) -> String {
        let job = Job::new(id, "Undoing transaction 7\n");
        self.undo.get_or_insert(job);
        "pgjob 0 0 running\n".to_owned()
    }

    /// As with the transaction: the second question finds it ended.
    fn poll_undo(&mut self, id: &str, offset: usize) -> String {
        let Some(job) = self.undo.as_mut().filter(|j| j.id == id) else {
            return format!("pgjob 0 {offset} unknown\n");
        };
        job.polls += 1;
        let (due, how) = (job.polls > 1 && job.end.is_none(), self.undoing.job);
        if due && let Some((end, said)) = self.undo_ends(how) {
            let job = self.undo.as_mut().expect("it was there above");
            job.output.push_str(said);
            job.end = Some(end);
        }
        self.undo.as_ref().expect("it was there above").told(offset)
    }

    fn undo_ends(&mut self, how: UndoJob) -> Option<(End, &'static str)> {
        self.undos += u32::from(how != UndoJob::Hangs);
        match how {
            UndoJob::Well => {
                self.roll_back();
                Some((End::Exited(0), "Complete!\n"))
            }
            UndoJob::Fails(code) => {
                let said = "Error: No package httpd-2.4.57-5.el9.x86_64 available.\n";
                Some((End::Exited(code), said))
            }
            UndoJob::Lost => Some((End::Lost, "")),
            UndoJob::Hangs => None,
        }
    }

    fn hangs(&self) -> bool {
        let hangs = |e: &(Moment, Effect)| e.1 == Effect::TransactionHangs;
        self.script.effects.iter().any(hangs)
    }

    /// The transaction happens.
    fn transact(&mut self) {
        self.transactions += 1;
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
        self.save_before();
        self.install(coming.into_iter().take(count));
        self.happen(Moment::Transaction);
        let job = self.job.as_mut().expect("only a job transacts");
        job.output.push_str(said);
        job.end = Some(end);
    }

    pub(super) fn install(&mut self, coming: impl Iterator<Item = Nevra>) {
        for package in coming {
            // Kernels are installed beside each other.
            let kernel = package.name.starts_with("kernel");
            self.packages.retain(|p| kernel || p.name != package.name);
            self.boots.installed(&package.name);
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

fn is_security(id: &str) -> bool {
    id.get(2..).is_some_and(|rest| rest.starts_with("SA-"))
}
