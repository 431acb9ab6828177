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
    Batch, Exit, HostError, Reply, Stage,
    frame::{self, Collector},
};

/// How long a host may say nothing at all after it was asked to kill, before it counts as gone.
const SILENCE: Duration = Duration::from_millis(800);

/// How long killing may take on a host that does answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the host's own watchdog waits beyond the batch's deadline.
const WATCHDOG_SLACK: Duration = Duration::from_secs(15);

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
    Shell::start(command, items, Some(batch.deadline + WATCHDOG_SLACK))
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
        let running = self
            .shell
            .collector
            .running()
            .map(|running| self.first + running.index);
        if running != self.due.map(|(index, _)| index) {
            self.due =
                running.map(|index| (index, Instant::now() + self.batch.items[index].deadline));
        }
        // The killer kills the item itself last of all, so that with its end all is done.
        if self.overrun.is_some_and(|index| index < self.replies.len()) {
            self.overrun = None;
            self.retire_killer();
        }
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
        // A child of the shell may hold the channel open after the shell was killed.
        let is_gone = exec.has_ended() || !moved && exec.signal().is_some();
        is_gone.then_some(End::ShellGone)
    }

    /// Starts a kill when time is up, and gives the host up when killing does not work.
    fn look_at_clock(&mut self) -> Option<End> {
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
        if now >= self.began + self.batch.deadline {
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

    fn note_heard(&mut self) {
        if let Some(killer) = &mut self.killer {
            killer.heard = Instant::now();
        }
    }

    /// When the clock has to be looked at again.
    fn alarm(&self) -> Instant {
        match (&self.killer, self.due) {
            (Some(killer), _) if killer.shell.exec.is_open() => killer.began + PATIENCE,
            (Some(killer), _) => killer.heard + SILENCE,
            (None, Some((_, due))) => due.min(self.began + self.batch.deadline),
            (None, None) => self.began + self.batch.deadline,
        }
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

    /// Draws the conclusion; `None` when a new shell goes on with the items that are left.
    async fn settle(&mut self, end: End) -> Option<Ran> {
        match end {
            End::Complete => Some(self.done(None)),
            End::Refused(source) if self.first == 0 => Some(Ran {
                result: Err(HostError::Channel { source }),
                broken: None,
            }),
            End::Refused(source) => {
                self.lose_rest(&source.to_string());
                Some(self.done(None))
            }
            End::Lost(why) => Some(self.lost(why)),
            End::ShellGone => self.shell_gone().await,
        }
    }

    fn done(&mut self, broken: Option<String>) -> Ran {
        if broken.is_none() {
            self.retire_killer();
            self.retire_shell();
        }
        Ran {
            result: Ok(std::mem::take(&mut self.replies)),
            broken,
        }
    }

    /// The connection is lost. If the host cannot have begun, that is an error of the whole batch.
    fn lost(&mut self, why: String) -> Ran {
        self.means.wire.cut();
        if self.first == 0 && !self.shell.exec.is_sent() {
            let result = Err(match self.is_over {
                true => HostError::Deadline {
                    stage: Stage::Channel,
                    after: self.batch.deadline,
                },
                false => HostError::Lost { why: why.clone() },
            });
            return Ran {
                result,
                broken: Some(why),
            };
        }
        self.lose_rest(&why);
        self.done(Some(why))
    }

    fn lose_rest(&mut self, why: &str) {
        for _ in self.replies.len()..self.batch.items.len() {
            self.give_up(Exit::Lost {
                why: why.to_owned(),
            });
        }
    }

    /// Ends the next item without a word from the host, keeping what it has printed.
    fn give_up(&mut self, exit: Exit) {
        let index = self.replies.len() - self.first;
        let reply = self
            .shell
            .collector
            .give_up(index, exit, self.began.elapsed());
        self.hand_over(reply);
    }

    /// The shell ended and not all items did: it was killed, or never started.
    async fn shell_gone(&mut self) -> Option<Ran> {
        let signal = self.last_words().await;
        let next = self.replies.len();
        if next == self.batch.items.len() {
            return Some(self.done(None));
        }
        if self.shell.collector.shell().is_none() && self.first == 0 {
            let said = said(&self.shell.collector, signal.as_deref());
            return Some(Ran {
                result: Err(HostError::NotStarted { said }),
                broken: None,
            });
        }
        let has_begun = self.shell.collector.has_begun(next - self.first);
        if has_begun || next == self.first && !self.is_over {
            let exit = self.exit_of_gone(next, signal.as_deref());
            self.give_up(exit);
        }
        if self.is_over {
            let why = format!("the batch overran its {:?}", self.batch.deadline);
            for _ in self.replies.len()..self.batch.items.len() {
                self.give_up(Exit::NotRun { why: why.clone() });
            }
        }
        if self.replies.len() == self.batch.items.len() {
            return Some(self.done(None));
        }
        self.go_on();
        None
    }

    fn exit_of_gone(&self, index: usize, signal: Option<&str>) -> Exit {
        if self.is_over || self.overrun == Some(index) {
            return Exit::DeadlineExceeded;
        }
        let number = signal.and_then(signal_number);
        match number.filter(|_| self.shell.collector.has_begun(index - self.first)) {
            // The item has killed `$$`, which is the batch's shell: its own fate, told by sshd.
            Some(number) => Exit::Code(128 + number),
            None => Exit::Lost {
                why: "the shell ended before the item did".into(),
            },
        }
    }

    /// Starts a new shell for the items that are left.
    fn go_on(&mut self) {
        self.first = self.replies.len();
        self.retire_killer();
        self.retire_shell();
        self.shell = start(self.means.command, self.batch, self.first);
        self.due = None;
        self.overrun = None;
    }

    /// Closes the channel and learns which signal ended the shell, if the server tells.
    async fn last_words(&mut self) -> Option<String> {
        let limit = Instant::now() + SILENCE;
        while !self.shell.exec.close() {
            match timeout_at(limit, self.means.wire.ready()).await {
                Ok(Ok(_)) => {}
                Ok(Err(_)) | Err(_) => break,
            }
        }
        self.shell.exec.signal()
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

fn said(collector: &Collector, signal: Option<&str>) -> String {
    let noise = collector.noise();
    match (noise.is_empty(), signal) {
        (false, _) => noise,
        (true, Some(signal)) => format!("ended by SIG{signal}"),
        (true, None) => "it ended without a word".into(),
    }
}

/// Numbers of the signals that RFC 4254, 6.10 names, on Linux.
fn signal_number(name: &str) -> Option<u8> {
    Some(match name {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "ILL" => 4,
        "ABRT" => 6,
        "FPE" => 8,
        "KILL" => 9,
        "USR1" => 10,
        "SEGV" => 11,
        "USR2" => 12,
        "PIPE" => 13,
        "ALRM" => 14,
        "TERM" => 15,
        _ => return None,
    })
}
