//! The host's lock: two controllers never work on one host.

use std::{fs, process};

use patchgate_core::{event::What, ledger::HostLedger, time::show_duration};

use super::{
    link::{Link, Stop},
    resume::Found,
};
use crate::{
    clock,
    host::{
        Connector, Item, Reply,
        job::{JobId, JobState},
        lock::{self, LockState, Owner},
        mark,
        state_dir::StateDir,
        switch,
    },
    probe::Prober,
};

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Takes the lock, or records who holds it. A resumed run writes itself down as its owner, and compares
    /// the host with the record before anything is done on it.
    pub(super) async fn lock(&mut self) -> Result<(), Stop> {
        let dir = StateDir::default();
        let (resumed, dead) = (self.is_resumed(), self.run.break_lock.as_ref());
        let (owner, clear) = (
            self.owner(self.known_job()),
            self.run.clear_dirty.as_deref(),
        );
        let mut items = Vec::new();
        items.extend(resumed.then(|| lock::read_item(&owner.run, &dir)));
        items.extend(dead.map(|dead| lock::take_over_item(dead, &owner, &dir)));
        let mark = items.len();
        items.push(mark::read_item(&dir));
        items.push(mark::acquire_item(&owner, clear, &dir));
        items.extend(resumed.then(|| lock::update_item(&owner, &dir)));
        // What a dead controller left changed is undone before anything is looked at.
        items.push(switch::sweep_item(&owner.run, &dir));
        let replies = self.ask("taking the lock", items).await?;
        let [first, .., taken, swept] = &replies[..] else {
            return Err(self.not_locked("the host does not say"));
        };
        self.unless_dirty(&replies[mark], &replies[mark + 1])?;
        let found = Found::of(&told(first));
        self.took(taken, swept)?;
        self.compare(found).await
    }

    fn took(&self, taken: &Reply, swept: &Reply) -> Result<(), Stop> {
        match told(taken) {
            Ok(LockState::Acquired { .. }) => self.swept(swept),
            Ok(LockState::Held { owner, job }) => Err(self.locked(&owner, job.as_ref())),
            Ok(LockState::Failed { why }) | Err(why) => Err(self.not_locked(&why)),
            Ok(LockState::Free) => Err(self.not_locked("the host does not say")),
        }
    }

    /// The job that was handed to the host last: the transaction's, or that of its undo.
    fn known_job(&self) -> Option<JobId> {
        if let Some(undo) = self.known_of_host(|h| h.undo.job().map(ToOwned::to_owned)) {
            return JobId::new(undo).ok();
        }
        let begun = self.known(HostLedger::has_begun_transaction);
        let id = JobId::new(self.run.plan.run.as_str()).ok();
        id.filter(|_| begun == Some(true))
    }

    /// Records that nothing is done on the host. Of one on which a transaction was begun nobody knows what
    /// became of it.
    pub(super) fn shut_out(&self, why: String) -> Stop {
        let ended = match self.known_job() {
            Some(_) => self.finish(Some(why)),
            None => self.not_started(&why).and_then(|()| self.finish(None)),
        };
        match ended {
            Ok(()) => Stop::Recorded,
            Err(stop) => stop,
        }
    }

    fn not_locked(&self, why: &str) -> Stop {
        self.shut_out(format!("the host's lock cannot be taken: {why}"))
    }

    fn locked(&self, owner: &Owner, job: Option<&JobState>) -> Stop {
        self.record_stop(What::HostLocked {
            holder: holder(owner, job),
        })
    }

    /// Makes sure of the lock after a reboot, which it outlives where its directory is on a disk.
    pub(super) async fn hold_again(&mut self) -> Result<(), Stop> {
        let job = JobId::new(self.run.plan.run.as_str()).ok();
        let item = lock::acquire_item(&self.owner(job), &StateDir::default());
        let doing = "taking the lock again";
        let replies = self.ask(doing, vec![item]).await?;
        match told(&replies[0]) {
            Ok(LockState::Acquired { .. }) => Ok(()),
            Ok(LockState::Held { owner, job }) => Err(self.locked(&owner, job.as_ref())),
            Ok(LockState::Failed { why }) | Err(why) => Err(self.lost(doing, &why)),
            Ok(LockState::Free) => Err(self.lost(doing, "the host does not say")),
        }
    }

    /// Records who holds the host if another run took the lock meanwhile.
    pub(super) fn unless_held(&self, holder: Option<String>) -> Result<(), Stop> {
        match holder {
            Some(holder) => Err(self.record_stop(What::HostLocked { holder })),
            None => Ok(()),
        }
    }

    /// Gives the lock back, after the mark of a host that is left dirty is there; says what could not be done.
    pub(super) async fn unlock(&mut self, dirty: Option<&str>) -> Result<Vec<String>, Stop> {
        let dir = StateDir::default();
        let mark = dirty.map(|why| self.mark_of(why));
        // A disk that went back to its snapshot has no lock.
        let again = |_| lock::acquire_item(&self.owner(None), &dir);
        let mut items: Vec<Item> = mark.iter().map(again).collect();
        items.extend(mark.iter().map(|m| mark::put_item(m, &dir)));
        items.push(lock::release_item(self.run.plan.run.as_str(), &dir));
        let replies = self.ask("giving the lock back", items).await?;
        let [put @ .., released] = &replies[..] else {
            unreachable!("at least one item is sent");
        };
        let unmarked = self.marked(mark.zip(put.last()))?;
        let kept = match told(released) {
            Ok(LockState::Free) => None,
            Ok(LockState::Acquired { .. }) => Some("the host kept it".to_owned()),
            Ok(LockState::Held { owner, job }) => Some(holder(&owner, job.as_ref())),
            Ok(LockState::Failed { why }) | Err(why) => Some(why),
        };
        let kept = kept.map(|why| format!("the lock could not be given back: {why}"));
        Ok(unmarked.into_iter().chain(kept).collect())
    }

    /// This run, as the lock names it.
    pub(super) fn owner(&self, job: Option<JobId>) -> Owner {
        let read = |path: &str| {
            fs::read_to_string(path)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        Owner {
            run: self.run.plan.run.to_string(),
            controller: read("/proc/sys/kernel/hostname"),
            pid: process::id(),
            boot_id: read("/proc/sys/kernel/random/boot_id"),
            since: clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            job,
            silent: None,
        }
    }
}

/// Tells the host that this run, which holds its lock, goes on, and asks whether it still does.
pub(super) fn beat(run: &str) -> Item {
    lock::beat_item(run, &StateDir::default())
}

/// Asks whether another run works on the host; changes nothing on a host that was never locked.
pub(super) fn question(run: &str) -> Item {
    let dir = StateDir::default();
    let ask = lock::read_item(run, &dir);
    let owner = dir.word("lock/owner");
    let script = format!(
        "[ -e {owner} ] || {{ echo 'pglock free none'; exit 0; }}\n{}",
        ask.script
    );
    Item { script, ..ask }
}

/// Who holds the host, if another run does. A lock that cannot be read is nobody's: a run that only
/// looks is not in its way.
pub(super) fn held(reply: &Reply) -> Option<String> {
    match told(reply) {
        Ok(LockState::Held { owner, job }) => Some(holder(&owner, job.as_ref())),
        Ok(LockState::Free | LockState::Acquired { .. } | LockState::Failed { .. }) | Err(_) => {
            None
        }
    }
}

fn told(reply: &Reply) -> Result<LockState, String> {
    lock::parse(reply).map_err(|e| e.to_string())
}

/// Who holds the lock, what became of its transaction, and what to do.
fn holder(owner: &Owner, job: Option<&JobState>) -> String {
    let Owner {
        run,
        controller,
        pid,
        since,
        silent,
        ..
    } = owner;
    let silent = silent.map_or_else(String::new, |silent| {
        format!(", last heard of {} ago", show_duration(silent))
    });
    let fate = match job {
        None => "it has begun no transaction",
        Some(JobState::Unknown | JobState::Accepted) => "its transaction has not begun",
        Some(JobState::Running) => "its transaction is running",
        Some(JobState::Finished { exit: 0 }) => "its transaction has ended well",
        Some(JobState::Finished { .. }) => "its transaction has failed",
        Some(JobState::Lost) => {
            "its transaction ended without a result: the packages may be half in"
        }
        Some(JobState::Rejected { .. }) => "its transaction was never taken",
    };
    format!(
        "run {run} holds it since {since} (controller {controller}, pid {pid}){silent}; {fate}; if that \
         controller is gone, say `--break-lock {run}`"
    )
}
