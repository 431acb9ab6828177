//! `patchgate resume`: another controller goes on with a run, from its directory alone.

use std::sync::Arc;

use patchgate_core::{event::What, ledger::Ledger, plan::Plan, resume};
use patchgate_engine::{
    probe::RemoteProber,
    record::{Held, Journal, Record},
    reset::LocalResetter,
    runner::{self, Known, Run},
    ssh::SshConnector,
};

use super::{
    judge::{existing, not_ours},
    run::{Ran, Told, drive, finish, keys, live::Live, nonce, targets},
};
use crate::{Ended, args::ResumeArgs, error::CliError, out};

/// The version that goes on.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Goes on with a run; one that had come to its end is judged again.
pub(crate) fn resume(args: &ResumeArgs, told: Told) -> Ended {
    let dir = existing(&args.run)?;
    let held = Held::take(dir.clone()).map_err(not_ours)?;
    let (plan, over) = permitted(held.record())?;
    let live = Arc::new(Live::new(&plan, dir.clone(), told));
    live.past(&held.record().events);
    if over {
        out::note("the run had come to its end: nothing is left to do");
    } else {
        let targets = targets::read(&held.targets().map_err(not_ours)?)?;
        keys::still_readable(&targets)?;
        let nonce = nonce()?;
        let (journal, known) = take_up(held, &live)?;
        let run = Run {
            connector: SshConnector::new(),
            prober: RemoteProber::new(),
            journal,
            plan,
            targets,
            nonce,
            jobs: args.jobs,
            break_lock: args.break_lock.clone(),
            clear_dirty: None,
            resetter: Box::new(LocalResetter),
            known,
            switch_after: runner::SWITCH_AFTER,
        };
        drive(run, &live)?;
    }
    finish(&Ran { dir, live }, told)
}

/// The plan, and whether the run had come to its end.
fn permitted(record: &Record) -> Result<(Plan, bool), CliError> {
    let ledger = Ledger::fold(&record.events);
    match resume::refusal(&record.plan, &ledger, VERSION) {
        Some(why) => Err(CliError::usage(format!("the run cannot be resumed: {why}"))),
        None => Ok((record.plan.clone(), ledger.finished)),
    }
}

/// Goes on with the record, and says so in it.
fn take_up(held: Held, live: &Arc<Live>) -> Result<(Journal, Known), CliError> {
    let (journal, record, cut) = held.go_on(live.watcher())?;
    let version = VERSION.to_owned();
    let resumed = journal.write(None, None, What::RunResumed { version, cut })?;
    journal.sync()?;
    let events = record.events.iter().chain([&resumed]);
    Ok((journal, Known::of(events)))
}
