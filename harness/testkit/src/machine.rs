//! The state of a scripted host, and what its script does to it.

mod answer;
mod around;
mod audit;
mod certificate;
mod edge;
mod experiment;
mod reboot;
mod steps;
mod transaction;
mod undo;

use std::collections::BTreeMap;

use patchgate_core::{observation::HttpPhase, package::Nevra, state::State};

use self::{
    around::Around, audit::Audit, experiment::Switch, reboot::Boots, transaction::Job,
    undo::UndoCourse,
};
use crate::{
    ask::Choice,
    script::{Effect, HostScript, Moment},
    serve::Served,
    vectors::Policy,
};

/// What SELinux denies, and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The page itself, which has another file's label: clients get status 403.
    Page,
    /// Something that no client notices.
    Unnoticed,
    /// The connections of clients, which wait for a byte; a dontaudit rule may hide it.
    Accept,
    /// The service's own socket, when it starts; a dontaudit rule may hide it.
    Listen,
}

/// A pretend Enterprise Linux host.
#[derive(Debug)]
pub struct Machine {
    pub(crate) script: HostScript,
    packages: Vec<Nevra>,
    policy: Policy,
    vectors: bool,
    docroot: &'static str,
    enforcing: Option<bool>,
    boot: u32,
    audit: Audit,
    kernel_log: Result<Vec<String>, String>,
    units: BTreeMap<String, String>,
    stubborn: Vec<String>,
    denied: Option<Denied>,
    /// The address that httpd listens on.
    listens: &'static str,
    /// Whether httpd does not accept its configuration, at its next start.
    config_broken: bool,
    remote: Option<Served>,
    local: Option<Served>,
    rpm: bool,
    owner: Option<String>,
    foreign_job: &'static str,
    job: Option<Job>,
    /// The job that undoes the transaction.
    undo: Option<Job>,
    undoing: UndoCourse,
    /// The mark of a dirty host, as its file has it.
    mark: Option<String>,
    /// How many transactions were carried out.
    transactions: u32,
    /// How many undos were carried out, by the package manager or by a snapshot.
    undos: u32,
    /// What the last plan was asked to bring.
    chosen: Choice,
    /// What it was asked to leave out.
    excluded: Vec<String>,
    around: Around,
    boots: Boots,
    switch: Option<Switch>,
    /// Whether the web server's domain is permissive.
    permissive: bool,
}

impl Machine {
    /// Sets a host up.
    #[must_use]
    pub fn new(script: HostScript) -> Self {
        let packages = nevras(&script.installed);
        let mut machine = Self {
            packages,
            policy: Policy::GOOD,
            vectors: true,
            docroot: "httpd_sys_content_t",
            enforcing: Some(true),
            boot: 1,
            audit: Audit::default(),
            kernel_log: Ok(vec!["audit: initializing netlink subsys".to_owned()]),
            units: BTreeMap::from([("httpd".to_owned(), "active".to_owned())]),
            stubborn: Vec::new(),
            denied: None,
            listens: "0.0.0.0",
            config_broken: false,
            remote: None,
            local: None,
            rpm: true,
            owner: None,
            foreign_job: "none",
            job: None,
            undo: None,
            undoing: UndoCourse::default(),
            mark: None,
            transactions: 0,
            undos: 0,
            chosen: Choice::Updates,
            excluded: Vec::new(),
            around: Around::default(),
            boots: Boots::default(),
            switch: None,
            permissive: false,
            script,
        };
        machine.happen(Moment::Before);
        machine
    }

    /// Whether somebody holds the host's lock.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.owner.is_some()
    }

    /// Whether an experiment's switch stands.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.switch.is_some()
    }

    /// How many transactions were carried out.
    #[must_use]
    pub fn transactions(&self) -> u32 {
        self.transactions
    }

    /// How many undos were carried out, by the package manager or by a snapshot.
    #[must_use]
    pub fn undos(&self) -> u32 {
        self.undos
    }

    /// Whether a job was ever started.
    #[must_use]
    pub fn had_job(&self) -> bool {
        self.job.is_some()
    }

    fn happen(&mut self, moment: Moment) {
        let due: Vec<_> = self
            .script
            .effects
            .iter()
            .filter(|e| e.0 == moment)
            .collect();
        for (_, effect) in due.into_iter().cloned().collect::<Vec<_>>() {
            self.take(effect);
        }
    }

    fn opened(&mut self, marker: &str) {
        for state in State::ALL {
            if marker.contains(&format!(" w-{} ", state.word())) {
                self.happen(Moment::In(state));
            }
        }
    }

    pub(crate) fn take(&mut self, effect: Effect) {
        match effect {
            Effect::FebruaryPolicy => self.load(Policy::FEBRUARY),
            Effect::GoodPolicy => self.load(Policy {
                seqno: 9,
                ..Policy::GOOD
            }),
            Effect::VectorsUnreadable => self.vectors = false,
            Effect::Docroot(type_) => self.docroot = type_,
            Effect::Loud(denied) => self.denied = Some(denied),
            Effect::Permissive => self.enforcing = Some(false),
            Effect::NoSelinux => self.enforcing = None,
            Effect::NoDmesg => {
                self.kernel_log =
                    Err("dmesg: read kernel buffer failed: Operation not permitted".into());
            }
            Effect::KernelLine(line) => self.kernel_line(line),
            Effect::Rebooted => self.reboot(),
            Effect::Unit(unit, state) => drop(self.units.insert(unit.to_owned(), state.to_owned())),
            Effect::RestartFails(unit) => self.stubborn.push(unit.to_owned()),
            Effect::Listens(address) => self.listens = address,
            Effect::ConfigBroken => self.config_broken = true,
            Effect::Remote(served) => self.remote = Some(served),
            Effect::Local(served) => self.local = Some(served),
            Effect::LockedBy(run, job) => self.lock_for(run, job),
            Effect::NoRpm => self.rpm = false,
            Effect::Installs(package) => self.install(nevras(&[package]).into_iter()),
            Effect::OomKill(victim) => self.oom_kill(victim),
            Effect::Changed(change) => self.around.take(change),
            Effect::Reboot(rebooting) => self.boots.take(rebooting),
            Effect::Undo(undoing) => self.take_undoing(undoing),
            Effect::DnfFails(..)
            | Effect::TransactionLost(_)
            | Effect::TransactionHangs
            | Effect::PlanFails(_)
            | Effect::PlansNothing
            | Effect::FilesDamaged
            | Effect::NoModuleStore
            | Effect::PolicyStays
            | Effect::UnitStays
            | Effect::SwitchLeft(..) => {}
            Effect::AuditdDown
            | Effect::AuditdRestarted
            | Effect::AuditDisabled
            | Effect::Lost(_)
            | Effect::LostReset
            | Effect::AuditLine(_)
            | Effect::Rotated
            | Effect::RotatedAway
            | Effect::Truncated
            | Effect::LogUnreadable
            | Effect::NoAuditctl
            | Effect::Excluded
            | Effect::MarkersLost
            | Effect::InnerMarkersLost
            | Effect::ControlSwallowed
            | Effect::ControlImpossible
            | Effect::ClockSet(_)
            | Effect::SerialsRestarted
            | Effect::Journal => self.audit.take(&effect),
        }
    }

    fn load(&mut self, policy: Policy) {
        self.policy = policy;
        self.audit.policy_loaded(policy.seqno);
    }

    fn kernel_line(&mut self, line: &str) {
        if let Ok(lines) = &mut self.kernel_log {
            lines.push(line.to_owned());
        }
    }

    fn reboot(&mut self) {
        self.boot += 1;
        self.kernel_log = Ok(Vec::new());
        self.audit.rebooted();
    }

    fn lock_for(&mut self, run: &str, job: &'static str) {
        self.foreign_job = job;
        self.owner = Some(format!(
            "run={run}\ncontroller=other.example.com\npid=4711\nboot=b0\n\
             since=2013-02-22T02:00:00Z\njob={run}\n"
        ));
    }

    /// What SELinux in force does to the web server, when it enforces.
    fn enforced(&self) -> Option<Policy> {
        (self.enforcing == Some(true) && !self.permissive).then_some(self.policy)
    }

    fn serve(&mut self) -> Served {
        if self.units.get("httpd").is_none_or(|s| s != "active") {
            return Served::Failed(HttpPhase::Refused, 1);
        }
        if !self.policy.may_accept() && self.policy.logs_accept() {
            self.audit.denial(Denied::Accept, self.permissive);
        }
        if self.enforced().is_some_and(|p| !p.may_accept()) {
            return Served::Failed(HttpPhase::FirstByteTimeout, 5000);
        }
        if self.enforcing == Some(true)
            && let Some(denied) = self.denied
        {
            self.audit.denial(denied, self.permissive);
            if denied == Denied::Page && !self.permissive {
                return Served::Page(403);
            }
        }
        Served::Page(200)
    }

    /// What a client at the other end of the network gets.
    pub(crate) fn serve_remote(&mut self) -> Served {
        if self.listens.starts_with("127.") {
            return Served::Failed(HttpPhase::Refused, 1);
        }
        self.remote.unwrap_or_else(|| self.serve())
    }

    fn serve_local(&mut self) -> Served {
        self.local.unwrap_or_else(|| self.serve())
    }
}

fn nevras(lines: &[&str]) -> Vec<Nevra> {
    let parsed = lines
        .iter()
        .map(|l| Nevra::parse_query(l).expect("a scenario's packages are well written"));
    parsed.collect()
}
