//! A run: every host of the plan, side by side or in waves, each through its states.
//!
//! The runner records and decides nothing about good or bad. What it does decide is order: a host is
//! changed only after its lock is held, its baseline is in the record, and the record is durable.

mod diagnose;
mod experiment;
mod host;
mod known;
mod link;
mod lock;
mod look;
mod mark;
mod order;
mod patch;
mod reboot;
mod resume;
mod soak;
mod state;
mod sweep;
mod undo;
mod waves;

use std::{
    any::Any,
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

pub use known::Known;
use patchgate_core::{
    event::What,
    id::HostName,
    plan::{Plan, PlannedHost},
    policy::RequiredCoverage,
    state::State,
};
use tokio::{
    sync::{Semaphore, watch},
    task::{self, JoinSet},
};

pub use self::experiment::{SWITCH_AFTER, Wanted};
use crate::{
    host::{Connector, Target},
    probe::Prober,
    record::{Journal, RecordError},
    reset::Resetter,
};

/// How many hosts are worked on at once when nothing else is said.
pub const DEFAULT_JOBS: usize = 256;

/// What a run needs from outside: the network, the record, and how to reach each host.
pub struct Run<C, P> {
    /// Opens connections.
    pub connector: C,
    /// Asks as a remote client.
    pub prober: P,
    /// Where everything is recorded.
    pub journal: Journal,
    /// The manifest.
    pub plan: Plan,
    /// How to reach each host of the plan.
    pub targets: BTreeMap<HostName, Target>,
    /// A secret that makes markers unique; a resumed run has another one for the windows that it opens.
    pub nonce: String,
    /// How many hosts are worked on at once.
    pub jobs: usize,
    /// The holder of a lock that may be broken: the run id that its owner wrote.
    pub break_lock: Option<String>,
    /// The run whose mark of a dirty host may be taken away.
    pub clear_dirty: Option<String>,
    /// Brings hosts back to their snapshots.
    pub resetter: Box<dyn Resetter>,
    /// What is known of the hosts so far: nothing when the run begins, the record when it is resumed.
    pub known: Known,
    /// After how long a host that an experiment changed restores itself: [`SWITCH_AFTER`].
    pub switch_after: Duration,
}

/// Tells a run to stop: the signal's name, once there is one.
pub type StopSignal = watch::Receiver<Option<&'static str>>;

/// Runs the plan to its end, or until it is told to stop.
///
/// # Errors
/// When the record could not be written: nothing after that counts.
pub async fn run<C, P>(run: Run<C, P>, mut stop: StopSignal) -> Result<Journal, RecordError>
where
    C: Connector + 'static,
    C::Host: 'static,
    P: Prober + 'static,
{
    let run = Arc::new(run);
    waves::all(&run, &stop).await?;
    end(run, &mut stop)
}

/// Works on hosts, as many at once as may be, until all of them have ended.
async fn side_by_side<C, P>(
    run: &Arc<Run<C, P>>,
    planned: Vec<PlannedHost>,
    stop: &StopSignal,
) -> Result<(), RecordError>
where
    C: Connector + 'static,
    C::Host: 'static,
    P: Prober + 'static,
{
    let permits = Arc::new(Semaphore::new(run.jobs.max(1)));
    let mut tasks = JoinSet::new();
    let mut hosts = HashMap::new();
    for host in planned.into_iter().filter(|h| !run.known.is_over(&h.name)) {
        let (run, permits, stop) = (Arc::clone(run), Arc::clone(&permits), stop.clone());
        let name = host.name.clone();
        let task = tasks.spawn(async move {
            let _permit = permits.acquire_owned().await;
            if stop.borrow().is_some() {
                Ok(())
            } else {
                host::drive(&run, &host, stop).await
            }
        });
        hosts.insert(task.id(), name);
    }
    let mut outcome = Ok(());
    while let Some(ended) = tasks.join_next_with_id().await {
        outcome = outcome.and(settle(run, &hosts, ended));
    }
    outcome
}

/// Makes one experiment on one host of the plan, under its lock, and nothing else: it shows what an
/// experiment does to a host, and what becomes of the host when its controller dies.
///
/// # Errors
/// When the record could not be written.
pub async fn experiment<C, P>(
    run: Run<C, P>,
    mut stop: StopSignal,
    wanted: &Wanted,
) -> Result<Journal, RecordError>
where
    C: Connector,
    P: Prober,
{
    if let Some(host) = run.plan.host(&wanted.host) {
        experiment::alone(&run, host, stop.clone(), wanted).await?;
    }
    end(Arc::new(run), &mut stop)
}

/// Records the end of a run.
fn end<C, P>(run: Arc<Run<C, P>>, stop: &mut StopSignal) -> Result<Journal, RecordError> {
    let signal = *stop.borrow_and_update();
    let end = match signal {
        Some(signal) => What::RunInterrupted {
            signal: signal.to_owned(),
        },
        None => What::RunFinished {},
    };
    run.journal.write(None, None, end)?;
    run.journal.sync()?;
    Ok(Arc::into_inner(run)
        .expect("every task that shared the run has ended")
        .journal)
}

/// A panic in one host's task ends that host's part, and the record says so: the others go on.
fn settle<C, P>(
    run: &Run<C, P>,
    hosts: &HashMap<task::Id, HostName>,
    ended: Result<(task::Id, Result<(), RecordError>), task::JoinError>,
) -> Result<(), RecordError> {
    let error = match ended {
        Ok((_, outcome)) => return outcome,
        Err(error) => error,
    };
    let host = hosts.get(&error.id());
    let why = match error.try_into_panic() {
        Ok(panic) => said(panic.as_ref()),
        Err(error) => error.to_string(),
    };
    run.journal.write(host, None, What::BrokeDown { why })?;
    run.journal.sync()
}

/// The words of a panic.
fn said(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().map(ToString::to_string);
    words
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

impl<C, P> Run<C, P> {
    fn write(
        &self,
        host: &PlannedHost,
        state: Option<State>,
        what: What,
    ) -> Result<(), RecordError> {
        let event = self.journal.write(Some(&host.name), state, what)?;
        self.known.take(&event);
        Ok(())
    }

    /// Whether audit evidence is collected.
    fn collects(&self) -> bool {
        match self.plan.policy.coverage {
            RequiredCoverage::Complete => true,
            RequiredCoverage::NotCollected => false,
        }
    }

    /// How long a lost connection may take to come back.
    fn reconnect_within(&self) -> Duration {
        if self.plan.patch.is_some() {
            RECONNECT_PATCHED
        } else {
            RECONNECT_CHECKED
        }
    }

    /// Whether the package lists are needed: a patch is planned, a suite names packages, or the facts
    /// are all that is asked for.
    fn needs_packages(&self) -> bool {
        self.plan.patch.is_some()
            || self.plan.looks_only()
            || self
                .plan
                .suites
                .iter()
                .any(|s| !s.needs.packages.is_empty())
    }
}

/// How long a lost connection to a host may take to come back where a patch is on its way: the host
/// may be busy with it, and to leave it there is worse than to wait.
const RECONNECT_PATCHED: Duration = Duration::from_secs(60);

/// The same where nothing is changed on the host: only a person waits.
const RECONNECT_CHECKED: Duration = Duration::from_secs(15);
