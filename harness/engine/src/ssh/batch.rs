//! Running one batch: the clock against the host.
//!
//! One loop owns everything: it pushes the batch's channel on, and where something overruns, a
//! second channel that kills it. Nothing here trusts the end of a channel; only frames count.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{
    exec::{Broken, Exec},
    nonce,
    wire::Wire,
};
use crate::host::{
    Batch, Exit, HostError, Reply,
    frame::{self, Collector},
};

mod clock;
mod settle;

/// How long the host's own watchdog waits beyond the batch's deadline.
const WATCHDOG_SLACK: Duration = Duration::from_secs(15);

/// No deadline is longer: what is not to end at all ends after a month.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// From how much thrown-away output on an item's stream is read only now and then.
const FLOOD: u64 = 16 * 1024 * 1024;

/// What a batch needs of a connection.
pub(super) struct Means<'a> {
    pub(super) wire: &'a Wire,
    pub(super) buffer: &'a mut [u8],
    pub(super) command: &'a str,
    /// Channels that are only waiting for their end.
    pub(super) retired: &'a mut Vec<Exec>,
}

/// How a batch went, apart from its replies.
pub(super) struct Ran {
    pub(super) result: Result<Vec<Reply>, HostError>,
    /// Why the connection must not be used again, if so.
    pub(super) broken: Option<String>,
}

/// One shell on the host and what it has said.
struct Shell {
    exec: Exec,
    collector: Collector,
}

impl Shell {
    fn start<'a>(
        command: &str,
        items: impl Iterator<Item = (&'a str, usize)> + Clone,
        watchdog: Option<Duration>,
    ) -> Self {
        let nonce = nonce();
        let script = frame::script(&nonce, items.clone().map(|(script, _)| script), watchdog);
        let collector = Collector::new(&nonce, items.map(|(_, cap)| cap));
        Self {
            exec: Exec::new(command, script),
            collector,
        }
    }
}

/// A shell that kills another's item.
struct Killer {
    shell: Shell,
    began: Instant,
    /// When the host was last heard, at the earliest when the killer began.
    heard: Instant,
}

struct Run<'a, F> {
    means: Means<'a>,
    batch: &'a Batch,
    on_reply: F,
    began: Instant,
    shell: Shell,
    /// The place in the batch of the present shell's first item.
    first: usize,
    replies: Vec<Reply>,
    killer: Option<Killer>,
    /// The running item and when its time is up.
    due: Option<(usize, Instant)>,
    /// The item whose time was up.
    overrun: Option<usize>,
    is_over: bool,
}

/// Why the loop ends.
enum End {
    /// All frames are there.
    Complete,
    /// The shell is gone, though not all is there.
    ShellGone,
    /// The host refused the channel or the command.
    Refused(ssh2::Error),
    /// Nothing can be said to the host any more.
    Lost(String),
}

/// Runs a batch to its end, whatever the end.
pub(super) async fn run<F>(means: Means<'_>, batch: &Batch, on_reply: F) -> Ran
where
    F: FnMut(usize, &Reply) + Send,
{
    let shell = start(means.command, batch, 0);
    let mut run = Run {
        means,
        batch,
        on_reply,
        began: Instant::now(),
        shell,
        first: 0,
        replies: Vec::with_capacity(batch.items.len()),
        killer: None,
        due: None,
        overrun: None,
        is_over: false,
    };
    loop {
        let end = run.until_end().await;
        if let Some(ran) = run.settle(end).await {
            return ran;
        }
    }
}

fn start(command: &str, batch: &Batch, first: usize) -> Shell {
    let items = batch.items[first..]
        .iter()
        .map(|item| (item.script.as_str(), item.cap));
    Shell::start(
        command,
        items,
        Some(batch.deadline.min(LONGEST) + WATCHDOG_SLACK),
    )
}

impl<F: FnMut(usize, &Reply) + Send> Run<'_, F> {
    /// Pushes on until the present shell's story has an end.
    async fn until_end(&mut self) -> End {
        loop {
            let moved = match self.step() {
                Ok(moved) => moved,
                Err(Broken::Refused(error)) => return End::Refused(error),
                Err(Broken::Transport(why)) => return End::Lost(why),
            };
            self.harvest();
            let was_killing = self.killer.is_some();
            if let Some(end) = self.end(moved).or_else(|| self.look_at_clock()) {
                return end;
            }
            if self.killer.is_some() && !was_killing {
                continue;
            }
            if moved {
                self.note_heard();
                breathe(self.shell.collector.thrown_away() > FLOOD).await;
            } else if let Err(why) = self.wait().await {
                return End::Lost(why);
            }
        }
    }

    fn step(&mut self) -> Result<bool, Broken> {
        let Means {
            wire,
            buffer,
            retired,
            ..
        } = &mut self.means;
        let at = self.began.elapsed();
        retired.retain_mut(|exec| !exec.close());
        let Shell { exec, collector } = &mut self.shell;
        let mut moved = exec.step(&wire.session, collector, at, buffer)?;
        if let Some(killer) = &mut self.killer {
            let Shell { exec, collector } = &mut killer.shell;
            let step = exec.step(&wire.session, collector, at, buffer);
            moved |= step.map_err(|error| match error {
                Broken::Refused(error) => Broken::Transport(format!("cannot kill: {error}")),
                Broken::Transport(why) => Broken::Transport(why),
            })?;
        }
        Ok(moved)
    }

    /// Takes the replies that are ready, and notes which item runs now.
    fn harvest(&mut self) {
        while let Some((index, mut reply)) = self.shell.collector.next_reply() {
            let index = self.first + index;
            if self.overrun == Some(index) {
                reply.exit = Exit::DeadlineExceeded;
            }
            self.hand_over(reply);
        }
        let current = self.current();
        if current != self.due.map(|(index, _)| index) {
            self.due = current.map(|index| {
                let deadline = self.batch.items[index].deadline.min(LONGEST);
                (index, Instant::now() + deadline)
            });
        }
        // The killer kills the item itself last of all, so that with its end all is done.
        if self.overrun.is_some_and(|index| index < self.replies.len()) {
            self.overrun = None;
            self.retire_killer();
        }
    }

    /// The item whose time runs: the one that runs, or the next behind one that has ended, which begins at
    /// once. That it has begun may have been lost on the way.
    fn current(&self) -> Option<usize> {
        let running = self.shell.collector.running().map(|running| running.index);
        let next = self.replies.len();
        let follows = next > self.first && next < self.batch.items.len();
        let running = running.map(|index| self.first + index);
        running.or_else(|| follows.then_some(next))
    }

    fn retire_killer(&mut self) {
        if let Some(killer) = self.killer.take() {
            self.retire(killer.shell.exec);
        }
    }

    fn retire_shell(&mut self) {
        let idle = Exec::new("", String::new());
        let exec = std::mem::replace(&mut self.shell.exec, idle);
        self.retire(exec);
    }

    fn hand_over(&mut self, reply: Reply) {
        (self.on_reply)(self.replies.len(), &reply);
        self.replies.push(reply);
    }

    fn retire(&mut self, mut exec: Exec) {
        if !exec.close() {
            self.means.retired.push(exec);
        }
    }

    fn end(&self, moved: bool) -> Option<End> {
        let Shell { exec, collector } = &self.shell;
        if let Some(fault) = collector.fault() {
            return Some(End::Lost(format!(
                "the host's answer cannot be trusted: {fault}"
            )));
        }
        if collector.is_complete() {
            return Some(End::Complete);
        }
        // A child that got away may hold the channel open after the shell was killed.
        let is_killed = |killer: &Killer| killer.shell.collector.is_through();
        let is_gone = exec.has_ended()
            || !moved && self.killer.as_ref().is_some_and(is_killed) && exec.signal().is_some();
        is_gone.then_some(End::ShellGone)
    }

    async fn wait(&mut self) -> Result<(), String> {
        match timeout_at(self.alarm(), self.means.wire.ready()).await {
            Ok(Ok(readable)) => {
                if readable {
                    self.note_heard();
                }
                Ok(())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Ok(()),
        }
    }
}

/// Lets other tasks run; an endless writer is read in sips, so that it costs neither side's whole
/// processor.
#[expect(
    clippy::disallowed_methods,
    reason = "slows a flood down; nothing is awaited"
)]
async fn breathe(is_flood: bool) {
    match is_flood {
        true => tokio::time::sleep(Duration::from_millis(20)).await,
        false => tokio::task::yield_now().await,
    }
}
