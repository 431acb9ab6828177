//! The lab: SELinux-enforcing virtual machines on this machine, with a remote client of their own.
//!
//! Guests run on taps in one network namespace, the client lives in another, and neither has a
//! route out. What the lab does to a host stays in the lab; what it writes is below
//! [`LabDirs`]. It never judges a guest's answers.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;

mod accel;
mod boot;
mod command;
mod dirs;
mod down;
mod error;
mod golden;
mod guest;
mod holder;
mod hosts;
mod images;
mod inventory;
mod lock;
mod net;
mod process;
mod progress;
mod qmp;
mod rig;
mod ssh;
mod start;
mod state;
mod tools;
mod wait;

pub use self::{
    accel::Accelerator,
    dirs::LabDirs,
    error::LabError,
    hosts::{Flavour, HostSpec, table},
    progress::{Progress, Report},
    state::HostState,
};
use self::{
    net::{Net, Place},
    rig::{Rig, in_parallel},
    ssh::Login,
    state::HostRecord,
};

/// The lab of one cache directory.
#[derive(Clone, Debug)]
pub struct Lab {
    dirs: LabDirs,
    net: Net,
}

/// One line of `lab status`.
#[derive(Clone, Debug, Serialize)]
pub struct HostStatus {
    /// The host's name.
    pub host: String,
    /// What it runs.
    pub flavour: Flavour,
    /// Its address in the lab.
    pub address: String,
    /// What it is doing.
    pub state: HostState,
    /// Its machine's process id, if that runs.
    pub pid: Option<u32>,
    /// How it runs, if it was started.
    pub accelerator: Option<Accelerator>,
    /// When its present machine was started.
    pub since: Option<Timestamp>,
    /// Its console log, if there is one.
    pub console: Option<PathBuf>,
}

impl Lab {
    /// Opens the lab that the environment names: PATCHGATE_CACHE, XDG_CACHE_HOME or HOME for its
    /// files, PATCHGATE_LAB_NAME for its network namespaces.
    pub fn from_env() -> Result<Self, LabError> {
        let dirs = LabDirs::from_env()?;
        let net = Net::from_env(dirs.run());
        Ok(Self { dirs, net })
    }

    /// Opens the lab in these directories; `name` begins the names of its network namespaces.
    pub fn new(dirs: LabDirs, name: &str) -> Self {
        let net = Net::new(name, dirs.run());
        Self { dirs, net }
    }

    /// The directories.
    pub fn dirs(&self) -> &LabDirs {
        &self.dirs
    }

    /// Starts hosts (`NAME` or `NAME=FLAVOUR`; the whole table if none is named) and gives the
    /// path of the inventory of all hosts that are up.
    ///
    /// `build` runs `ci/lab/build` first where it is found. Every host is tried; the first
    /// failure is the error.
    pub fn up(
        &self,
        hosts: &[String],
        build: bool,
        report: Report<'_>,
    ) -> Result<PathBuf, LabError> {
        let _lock = self.lock(report)?;
        let running: Vec<_> = self
            .records()
            .into_iter()
            .map(|record| record.spec)
            .collect();
        let specs = hosts::resolve(hosts, &running)?;
        let rig = Rig::prepare(&self.dirs, &self.net, &specs, build, report)?;
        let started = in_parallel(&specs, |spec| self.start(&rig, spec));
        inventory::write(&self.dirs, &self.ready())?;
        started.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(self.dirs.inventory())
    }

    /// Returns hosts to their clean state; gives each with the time that it took.
    ///
    /// `hosts` empty means all that were started.
    pub fn reset(
        &self,
        hosts: &[String],
        report: Report<'_>,
    ) -> Result<Vec<(String, Duration)>, LabError> {
        let _lock = self.lock(report)?;
        let specs = self.started(hosts)?;
        if specs.is_empty() {
            return Err(LabError::LabDown);
        }
        let rig = Rig::prepare(&self.dirs, &self.net, &specs, false, report)?;
        let done = in_parallel(&specs, |spec| {
            start::start(&rig, spec).map(|elapsed| (spec.name.clone(), elapsed))
        });
        inventory::write(&self.dirs, &self.ready())?;
        done.into_iter().collect()
    }

    /// Takes everything down; logs and saved states stay. Works after a crash as well.
    pub fn down(&self, report: Report<'_>) -> Result<(), LabError> {
        let _lock = self.lock(report)?;
        down::down(&self.dirs, &self.net, report)
    }

    /// Tells about every host of the table and every further one that was started.
    pub fn status(&self) -> Vec<HostStatus> {
        let records = self.records();
        let missing = hosts::table()
            .into_iter()
            .filter(|spec| records.iter().all(|record| record.spec.name != spec.name));
        let mut rows: Vec<_> = records.iter().map(|record| self.row(record)).collect();
        rows.extend(missing.map(|spec| self.empty_row(&spec)));
        rows.sort_by(|a, b| a.host.cmp(&b.host));
        rows
    }

    /// The command that runs `words` where the remote client is.
    pub fn exec_command(&self, words: &[OsString]) -> Result<Command, LabError> {
        let mut command = self.net.enter(Place::Client)?;
        command.args(words);
        Ok(command)
    }

    /// The command that runs `words` in a guest as root, or a shell there.
    pub fn ssh_command(&self, host: &str, words: &[String]) -> Result<Command, LabError> {
        let spec = self.started(&[host.to_owned()])?.remove(0);
        let (address, key) = (spec.address(), self.dirs.ssh_key());
        let known_hosts = self.dirs.host(host).join("known_hosts");
        let login = Login {
            net: &self.net,
            address: &address,
            key: &key,
            known_hosts: &known_hosts,
        };
        login.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn lock(&self, report: Report<'_>) -> Result<lock::Lock, LabError> {
        lock::take(&self.dirs.lock(), report)
    }

    fn records(&self) -> Vec<HostRecord> {
        state::load_all(&self.dirs)
    }

    fn ready(&self) -> Vec<HostRecord> {
        let up = |record: &HostRecord| record.state(&self.dirs).0 == HostState::Up;
        self.records().into_iter().filter(up).collect()
    }

    /// The named hosts, each of which must have been started; all started ones if none is named.
    fn started(&self, hosts: &[String]) -> Result<Vec<HostSpec>, LabError> {
        let records = self.records();
        if hosts.is_empty() {
            return Ok(records.into_iter().map(|record| record.spec).collect());
        }
        let find = |host: &String| {
            let record = records.iter().find(|record| record.spec.name == *host);
            record
                .map(|record| record.spec.clone())
                .ok_or_else(|| LabError::NotUp {
                    host: host.clone(),
                    up: records
                        .iter()
                        .map(|record| record.spec.name.clone())
                        .collect(),
                })
        };
        hosts.iter().map(find).collect()
    }

    fn start(&self, rig: &Rig<'_>, spec: &HostSpec) -> Result<(), LabError> {
        let host = spec.name.clone();
        let record = state::load(&self.dirs, &spec.name);
        if record.is_some_and(|record| record.state(&self.dirs).0 == HostState::Up) {
            (rig.report)(&Progress::HostWasUp { host });
            return Ok(());
        }
        start::start(rig, spec).map(drop).inspect_err(|error| {
            (rig.report)(&Progress::HostFailed {
                host,
                detail: error.to_string(),
            });
        })
    }

    fn row(&self, record: &HostRecord) -> HostStatus {
        let (state, process) = record.state(&self.dirs);
        HostStatus {
            state,
            pid: process.map(|process| process.pid),
            accelerator: Some(record.accelerator),
            since: Some(record.since),
            ..self.empty_row(&record.spec)
        }
    }

    fn empty_row(&self, spec: &HostSpec) -> HostStatus {
        let live = guest::console(&self.dirs.host(&spec.name));
        let kept = self.dirs.logs().join(format!("console-{}.log", spec.name));
        HostStatus {
            host: spec.name.clone(),
            flavour: spec.flavour,
            address: spec.address(),
            state: HostState::Down,
            pid: None,
            accelerator: None,
            since: None,
            console: [live, kept].into_iter().find(|path| path.exists()),
        }
    }
}

/// Makes a directory that holds nothing but an earlier console log.
fn clear_dir(dir: &Path) -> Result<(), LabError> {
    fs::create_dir_all(dir).map_err(LabError::io("create", dir))?;
    let console = guest::console(dir);
    let remove = |path: PathBuf| match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LabError::io("remove", path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    };
    let entries = fs::read_dir(dir).map_err(LabError::io("read", dir))?;
    let paths = entries.flatten().map(|entry| entry.path());
    paths.filter(|path| *path != console).try_for_each(remove)
}
