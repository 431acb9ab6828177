//! Hosts in waves: the next one begins only when all hosts of those before have ended, and only while
//! not too many of them are bad.

use std::sync::Arc;

use patchgate_core::{event::What, plan::PlannedHost, wave};

use super::{Run, StopSignal, side_by_side};
use crate::{
    host::Connector,
    probe::Prober,
    record::{self, RecordError},
};

/// Works on all hosts of the plan; side by side in a plan without waves, and where nothing is changed.
pub(super) async fn all<C, P>(run: &Arc<Run<C, P>>, stop: &StopSignal) -> Result<(), RecordError>
where
    C: Connector + 'static,
    C::Host: 'static,
    P: Prober + 'static,
{
    let waves = run.plan.waves.as_ref().filter(|_| !run.plan.preview);
    let Some(waves) = waves else {
        return side_by_side(run, run.plan.hosts.clone(), stop).await;
    };
    for (hosts, wave) in waves.hosts.iter().zip(1..) {
        let begun = run.known.has_begun(wave);
        if stop.borrow().is_some() || run.known.is_stopped() || !(begun || begin(run, wave)?) {
            return Ok(());
        }
        let ours = |h: &&PlannedHost| hosts.contains(&h.name);
        let hosts = run.plan.hosts.iter().filter(ours).cloned().collect();
        side_by_side(run, hosts, stop).await?;
    }
    Ok(())
}

/// Records that a wave begins, or why it may not: the whole record so far says, as it is on disk, so that
/// whoever reads it later comes to the same.
fn begin<C, P>(run: &Run<C, P>, wave: usize) -> Result<bool, RecordError> {
    run.journal.sync()?;
    let record = record::open(run.journal.dir())?;
    let why = wave::forbidden(&run.plan, &record.events, wave);
    let begins = why.is_none();
    let what = match why {
        None => What::WaveBegun { wave },
        Some(why) => What::WaveStopped { wave, why },
    };
    run.journal.write(None, None, what)?;
    run.journal.sync()?;
    Ok(begins)
}
