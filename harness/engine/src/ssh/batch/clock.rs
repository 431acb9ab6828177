//! The clock: when an item or the batch overruns, and when the host has to be given up.

use std::time::Duration;

use tokio::time::Instant;

use super::{End, Killer, LONGEST, Run, Shell};
use crate::host::{Reply, frame};

/// How long a host may say nothing at all after it was asked to kill, before it counts as gone.
pub(super) const SILENCE: Duration = Duration::from_millis(800);

/// How long killing may take on a host that does answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl<F: FnMut(usize, &Reply) + Send> Run<'_, F> {
    /// Starts a kill when time is up, and gives the host up when killing does not work.
    pub(super) fn look_at_clock(&mut self) -> Option<End> {
        let now = Instant::now();
        if let Some(killer) = &self.killer {
            let is_silent = !killer.shell.exec.is_open() && now >= killer.heard + SILENCE;
            if is_silent {
                return Some(End::Lost(format!(
                    "{}, and the host is silent",
                    self.what_is_up()
                )));
            }
            return (now >= killer.began + PATIENCE)
                .then(|| End::Lost(format!("{}, and cannot be killed", self.what_is_up())));
        }
        if now >= self.batch_due() {
            self.is_over = true;
            let Some(shell) = self.shell.collector.shell() else {
                return Some(End::Lost(format!(
                    "{}, and no shell has started",
                    self.what_is_up()
                )));
            };
            self.kill(&frame::kill_batch(shell), now);
        } else if let Some((index, due)) = self.due
            && now >= due
            && index >= self.replies.len()
        {
            self.overrun = Some(index);
            let shell = self.shell.collector.shell().unwrap_or(0);
            let script = match self.shell.collector.running() {
                Some(running) if running.pid > 0 => frame::kill_item(shell, running.pid),
                Some(_) | None => frame::kill_batch(shell),
            };
            self.kill(&script, now);
        }
        None
    }

    fn what_is_up(&self) -> String {
        match self.overrun {
            Some(index) => {
                format!(
                    "item {index} overran its {:?}",
                    self.batch.items[index].deadline
                )
            }
            None => format!("the batch overran its {:?}", self.batch.deadline),
        }
    }

    fn kill(&mut self, script: &str, now: Instant) {
        let shell = Shell::start(self.means.command, [(script, 4096)].into_iter(), None);
        self.killer = Some(Killer {
            shell,
            began: now,
            heard: now,
        });
    }

    pub(super) fn note_heard(&mut self) {
        if let Some(killer) = &mut self.killer {
            killer.heard = Instant::now();
        }
    }

    fn batch_due(&self) -> Instant {
        self.began + self.batch.deadline.min(LONGEST)
    }

    /// When the clock has to be looked at again.
    pub(super) fn alarm(&self) -> Instant {
        match (&self.killer, self.due) {
            (Some(killer), _) if killer.shell.exec.is_open() => killer.began + PATIENCE,
            (Some(killer), _) => killer.heard + SILENCE,
            (None, Some((_, due))) => due.min(self.batch_due()),
            (None, None) => self.batch_due(),
        }
    }
}
