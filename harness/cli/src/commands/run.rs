//! `patchgate run` and `patchgate check`: the record is begun, the engine runs, the record is judged.

pub(super) mod keys;
mod limits;
pub(super) mod live;
pub(super) mod targets;

use std::{
    env,
    path::{Path, PathBuf},
    sync::Arc,
};

use patchgate_core::{
    event::What, exit, id::RunId, inventory::Inventory, judge, plan::Plan, soak::Soak, wave::Waves,
};
use patchgate_engine::{
    clock,
    probe::RemoteProber,
    record::{self, Journal, PLAN, RunDir, TARGETS, hex},
    reset::LocalResetter,
    runner::{self, Known, Run},
    ssh::SshConnector,
};
use tokio::sync::oneshot;

use super::judge::{code, told, write_reports};
use crate::{
    Ended,
    args::{CheckArgs, Probes, Recording, RunArgs, When},
    error::CliError,
    files::{self, Loaded},
    out, signals,
};

/// How the run is told.
#[derive(Clone, Copy)]
pub(crate) struct Told {
    pub(crate) color: When,
    pub(crate) quiet: bool,
}

/// What a run may do beyond looking.
#[derive(Default)]
struct Permissions {
    overrides: Overrides,
    /// Whether experiments may be made on lab hosts.
    experiments: bool,
    /// The waves that hosts are patched in.
    waves: Option<Waves>,
    /// What is probed beside the patch.
    soak: Option<Soak>,
}

/// What earlier runs left on hosts, and somebody says does not count any more.
#[derive(Default)]
pub(super) struct Overrides {
    /// The holder of a lock that may be broken.
    break_lock: Option<String>,
    /// The run whose marks of dirty hosts may be taken away.
    clear_dirty: Option<String>,
}

/// The main job.
pub(crate) fn run(args: &RunArgs, told: Told) -> Ended {
    let loaded = files::load(&args.hosts, &args.checks, Some(&args.patch))?;
    permit(&loaded.inventory, args.rollout)?;
    let waves = files::waves(&loaded, &args.waves)?;
    let may = Permissions {
        overrides: Overrides {
            break_lock: args.break_lock.clone(),
            clear_dirty: args.clear_dirty.clone(),
        },
        experiments: !args.no_experiments,
        waves,
        soak: soak(&loaded, &args.probes)?,
    };
    start(loaded, &args.recording, may, told)
}

/// What is probed beside the patch; a gate that limits outages needs it.
fn soak(loaded: &Loaded, args: &Probes) -> Result<Option<Soak>, CliError> {
    let soak = match args.no_probes {
        true => None,
        false => Soak::of(&loaded.suites, args.probe_every),
    };
    let Some(limit) = loaded.policy.outage else {
        return Ok(soak);
    };
    match soak {
        None => {
            let message = "the gate limits outages, and nothing is asked between the checks";
            let hint = "leave `--no-probes` out, and have a suite with a remote `http` check";
            Err(CliError::usage(message).hint(hint))
        }
        Some(soak) if soak.every >= limit.longer_than => {
            let message = "probes are not made often enough for the gate's limit of outages";
            let hint = "give `--probe-every` a time that is several times shorter";
            Err(CliError::usage(message).hint(hint))
        }
        soak @ Some(_) => Ok(soak),
    }
}

/// Suites only.
pub(crate) fn check(args: &CheckArgs, told: Told) -> Ended {
    let loaded = files::load(&args.hosts, &args.checks, None)?;
    start(loaded, &args.recording, Permissions::default(), told)
}

/// No host is changed that is not a lab host, unless a person says so for this run.
fn permit(inventory: &Inventory, rollout: bool) -> Result<(), CliError> {
    let others: Vec<_> = inventory
        .hosts
        .iter()
        .filter(|h| !h.lab)
        .map(|h| h.name.to_string())
        .collect();
    if rollout || others.is_empty() {
        return Ok(());
    }
    let message = format!(
        "not marked as lab hosts, so not to be patched: {}",
        others.join(", ")
    );
    Err(CliError::usage(message).hint(
        "say `patchgate_lab: true` in the inventory for machines that may be broken, or `--rollout` \
         on the command line to patch others",
    ))
}

fn start(loaded: Loaded, recording: &Recording, may: Permissions, told: Told) -> Ended {
    let Loaded {
        inventory,
        suites,
        patch,
        policy,
    } = loaded;
    let new = Upcoming::new()?;
    let plan = Plan {
        experiments: may.experiments,
        waves: may.waves,
        soak: may.soak,
        ..Plan::lay(new.id.clone(), &inventory, suites, patch, policy)
    };
    if plan.cells.is_empty() {
        out::error("nothing to run: no host or no check is left");
        return Ok(exit::NOTHING_RAN);
    }
    let ran = new.carry_out(plan, &inventory, recording, may.overrides, told)?;
    finish(&ran, told)
}

/// A run that has not begun.
pub(super) struct Upcoming {
    pub(super) id: RunId,
    nonce: String,
}

/// A run that is over.
pub(super) struct Ran {
    pub(super) dir: RunDir,
    pub(super) live: Arc<live::Live>,
}

impl Upcoming {
    /// A run with an identity and a secret of its own.
    pub(super) fn new() -> Result<Self, CliError> {
        let nonce = nonce()?;
        let id = run_id(&nonce)?;
        Ok(Self { id, nonce })
    }

    /// Begins the record and carries the plan out.
    pub(super) fn carry_out(
        self,
        plan: Plan,
        inventory: &Inventory,
        recording: &Recording,
        overrides: Overrides,
        told: Told,
    ) -> Result<Ran, CliError> {
        keys::readable(inventory)?;
        let targets = targets::of(inventory)?;
        let dir = begin(&directory(recording, &self.id))?;
        let json = serde_json::to_vec_pretty(&plan).map_err(|e| CliError::Bug(e.to_string()))?;
        dir.write(PLAN, &json)?;
        let reached = targets::json(&targets)?;
        dir.write(TARGETS, &reached)?;
        let live = Arc::new(live::Live::new(&plan, dir.clone(), told));
        let journal = Journal::begin(dir.clone(), live.watcher())?;
        let started = What::RunStarted {
            run: self.id,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plan_sha256: record::digest(&json),
            targets_sha256: Some(record::digest(&reached)),
        };
        journal.write(None, None, started)?;
        journal.sync()?;
        let run = Run {
            connector: SshConnector::new(),
            prober: RemoteProber::new(),
            journal,
            plan,
            targets,
            nonce: self.nonce,
            jobs: recording.jobs,
            break_lock: overrides.break_lock,
            clear_dirty: overrides.clear_dirty,
            resetter: Box::new(LocalResetter),
            known: Known::default(),
            switch_after: runner::SWITCH_AFTER,
        };
        drive(run, &live)?;
        Ok(Ran { dir, live })
    }
}

/// Makes the record's directory. Nothing has been touched yet, so that a failure is one of usage.
fn begin(path: &Path) -> Result<RunDir, CliError> {
    RunDir::create(path).map_err(|error| {
        let usage = CliError::usage(crate::error::chain(&error));
        if path.exists() {
            usage.hint("each run has a directory of its own: name one that is not there yet")
        } else {
            usage.hint("name a directory that can be made with `--output`")
        }
    })
}

/// Runs on two worker threads: they carry a thousand connections.
pub(super) fn drive(
    run: Run<SshConnector, RemoteProber>,
    live: &Arc<live::Live>,
) -> Result<(), CliError> {
    limits::raise();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|e| CliError::usage(format!("cannot start: {e}")))?;
    let ended = runtime.block_on(async {
        let stop = signals::watch();
        let (over, told) = oneshot::channel();
        let ticking = tokio::spawn(Arc::clone(live).tick(told));
        let ended = runner::run(run, stop).await;
        // It may be writing reports at this moment; what is written after it is to stay.
        drop(over);
        drop(ticking.await);
        ended?;
        Ok(())
    });
    // A name lookup that was given up may go on for long in its thread; nobody waits for it.
    runtime.shutdown_background();
    ended
}

/// Judges the record as it is on disk, so that `judge` later sees the very same.
pub(super) fn finish(ran: &Ran, told_how: Told) -> Ended {
    let Ran { dir, live } = ran;
    let record = record::open(dir)?;
    let judgement = judge::judge(&record.plan, &record.events);
    write_reports(dir, &record, &judgement)?;
    live.finish(&judgement);
    // The verdict is in the record and in the exit code; that nobody could be told changes neither.
    if let Err(error) = out::answer(&told(&record.plan, &judgement, told_how.color)) {
        error.show();
    }
    if !told_how.quiet {
        out::note(&format!("the record is in {}", dir.path().display()));
    }
    Ok(code(&judgement))
}

fn directory(recording: &Recording, id: &RunId) -> PathBuf {
    recording
        .output
        .clone()
        .unwrap_or_else(|| Path::new("runs").join(id.as_str()))
}

/// The time of the run's begin and a few random digits, so that two runs never meet.
fn run_id(nonce: &str) -> Result<RunId, CliError> {
    let now = clock::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    RunId::new(&format!("{now}-{}", &nonce[..6])).map_err(|e| CliError::Bug(e.to_string()))
}

pub(super) fn nonce() -> Result<String, CliError> {
    let mut bytes = [0; 16];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
    match filled {
        Ok(n) if n == bytes.len() => Ok(hex(&bytes)),
        _ => Err(CliError::Bug(
            "the system gives no random numbers".to_owned(),
        )),
    }
}
