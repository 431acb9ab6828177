//! A host goes back to its snapshot, and is awaited.

use std::time::Duration;

use patchgate_core::{
    evidence::window::Expectations,
    patchset::PatchSet,
    reading::Reading,
    state::State,
    undo::{Mark, MarkAct, SnapshotSource, UndoEnd, UndoHow},
};

use super::{BEGUN, STATE};
use crate::{
    clock::{Deadline, Stopwatch, pause},
    host::{Batch, Connector, mark, state_dir::StateDir},
    probe::Prober,
    reset::{ResetDone, ResetOrder},
    runner::link::{FIRST_PAUSE, Link, Stop, longer, until_stopped},
    script::reboot::{Sight, read_sight, sight_item},
};

/// In the window of a host that is back nothing may change.
const NOTHING: Expectations = Expectations {
    policy_load: false,
    mode_change: false,
    reboot: false,
};

/// What is known of a host before it goes back.
struct Before {
    boot_id: Reading<String>,
    machine_id: Reading<String>,
    /// Whether it carries this run's mark: a disk without it is an older one.
    marked: bool,
}

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Brings the host back to its snapshot, and looks at it.
    pub(super) async fn reset(
        &mut self,
        set: &PatchSet,
        snapshot: SnapshotSource,
    ) -> Result<UndoEnd, Stop> {
        self.go_on()?;
        let before = self.before_reset().await?;
        self.undo_begins(UndoHow::Reset {
            snapshot: snapshot.clone(),
            boot_id: before.boot_id.clone(),
            marked: before.marked,
        })?;
        let watch = Stopwatch::start();
        let within = Duration::from_secs(set.reboot_within_s);
        let ResetDone { end, output } = self.order_reset(snapshot, within).await?;
        self.save(STATE, "reset.log", &output)?;
        let end = match end {
            Ok(()) => self.await_snapshot(&before, within).await?,
            Err(why) => UndoEnd::Failed { why },
        };
        let text = String::from_utf8_lossy(&output);
        self.undo_ended(end.clone(), &text, watch.elapsed())?;
        if let UndoEnd::Reset { .. } = end {
            self.look_at_snapshot(before.marked).await?;
        }
        Ok(end)
    }

    /// Looks at a host that is back from its snapshot, unless that was done: its lock and its mark went with the
    /// disk.
    pub(super) async fn look_at_snapshot(&mut self, marked: bool) -> Result<(), Stop> {
        let told = |act| act == Some(MarkAct::Dropped);
        if marked && !told(self.known_of_host(|h| h.undo.last_act())) {
            self.mark_is(self.mark_of(""), MarkAct::Dropped)?;
        }
        if self.left(State::Undone).is_some() {
            return Ok(());
        }
        self.hold_again().await?;
        let stay = self.enter(State::Undone, NOTHING).await?;
        self.look(stay).await.map(|_| ())
    }

    /// Asks who the host is and marks it. One that is not to be had is reset all the same.
    async fn before_reset(&mut self) -> Result<Before, Stop> {
        let mark = self.mark_of(BEGUN);
        let items = vec![sight_item(), mark::put_item(&mark, &StateDir::default())];
        let batch = Batch::new("before the reset", items);
        let Ok(replies) = self.try_once(&batch).await? else {
            let signs = self.known_of_host(|h| h.reboot.signs.as_ref().map(|s| s.value.clone()));
            let unknown = || Reading::missing("the host could not be asked");
            return Ok(Before {
                boot_id: signs.as_ref().map_or_else(unknown, |s| s.boot_id.clone()),
                machine_id: signs.map_or_else(unknown, |s| s.machine_id),
                marked: false,
            });
        };
        let sight = read_sight(&replies[0]);
        let unmarked = self.marked(Some((mark, &replies[1])))?;
        Ok(Before {
            boot_id: sight.boot_id,
            machine_id: sight.machine_id,
            marked: unmarked.is_none(),
        })
    }

    /// Hangs up, for no connection outlives it, and has the snapshot brought back. A run that is stopped takes
    /// the command with it.
    async fn order_reset(
        &mut self,
        snapshot: SnapshotSource,
        within: Duration,
    ) -> Result<ResetDone, Stop> {
        self.hang_up();
        let order = ResetOrder {
            host: self.host.name.clone(),
            run: self.run.plan.run.clone(),
            snapshot,
            within,
        };
        let done = async { Ok(self.run.resetter.reset(&order).await) };
        until_stopped(self.stop.clone(), done).await
    }

    /// Looks again and again until the host answers from an older disk, or from another boot where it could not
    /// be marked, and has started everything.
    async fn await_snapshot(&mut self, before: &Before, within: Duration) -> Result<UndoEnd, Stop> {
        let (deadline, mut wait) = (Deadline::after(within), FIRST_PAUSE);
        loop {
            let stop = self.stop.clone();
            let seen = until_stopped(stop, self.see_disk()).await;
            let seen = self.let_go(seen)?;
            if let Ok((sight, _)) = &seen {
                self.is_same_machine(&before.machine_id, sight)?;
            }
            let why = match seen.and_then(|(sight, mark)| is_back(before, sight, mark)) {
                Ok(boot_id) => return Ok(UndoEnd::Reset { boot_id }),
                Err(why) => why,
            };
            if deadline.is_over() {
                let why = format!("it was not back from its snapshot in time: {why}");
                return Ok(UndoEnd::Failed { why });
            }
            let waited = async {
                pause(wait.min(deadline.left())).await;
                Ok(())
            };
            until_stopped(self.stop.clone(), waited).await?;
            wait = longer(wait);
        }
    }

    /// One look at the host and its mark, over a connection that is had anew where it must be.
    async fn see_disk(&mut self) -> Result<Result<(Sight, Option<Mark>), String>, Stop> {
        let items = vec![sight_item(), mark::read_item(&StateDir::default())];
        let batch = Batch::new("awaiting the snapshot", items);
        let replies = self.try_once(&batch).await?;
        Ok(replies.and_then(|r| Ok((read_sight(&r[0]), mark::read(&r[1])?))))
    }
}

/// The boot that a host is back in; else why it is not.
fn is_back(before: &Before, sight: Sight, mark: Option<Mark>) -> Result<Reading<String>, String> {
    if before.marked && mark.is_some() {
        return Err("it answers, and from the disk of before".to_owned());
    }
    if !before.marked && before.boot_id.known() == sight.boot_id.known() {
        return Err("it answers, and from the boot of before".to_owned());
    }
    match (&sight.ready, sight.is_ready()) {
        (_, true) => Ok(sight.boot_id),
        (Reading::Known(word), false) => Err(format!("its service manager says `{word}`")),
        (Reading::Missing { why }, false) => Err(why.clone()),
    }
}
