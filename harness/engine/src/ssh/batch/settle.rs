//! The end of a batch: what can be said of the items that did not report theirs.

use tokio::time::{Instant, timeout_at};

use super::{End, Ran, Run, clock::SILENCE, start};
use crate::host::{Exit, HostError, Reply, Stage};

impl<F: FnMut(usize, &Reply) + Send> Run<'_, F> {
    /// Draws the conclusion; `None` when a new shell goes on with the items that are left.
    pub(super) async fn settle(&mut self, end: End) -> Option<Ran> {
        match end {
            End::Complete => Some(self.done(None)),
            End::Refused(source) if self.first == 0 => {
                Some(self.failed(HostError::Channel { source }))
            }
            End::Refused(source) => {
                self.lose_rest(&source.to_string());
                Some(self.done(None))
            }
            End::Lost(why) => Some(self.lost(why)),
            End::ShellGone => self.shell_gone().await,
        }
    }

    fn failed(&mut self, error: HostError) -> Ran {
        self.retire_killer();
        self.retire_shell();
        Ran {
            result: Err(error),
            broken: None,
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
        while !self.is_all_there() {
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
    ///
    /// Only a signal that the server tells of proves the shell dead. A channel that merely ends
    /// (a timeout of the server's, say) leaves it running, perhaps.
    async fn shell_gone(&mut self) -> Option<Ran> {
        let signal = self.last_words().await;
        if !self.is_all_there() {
            if self.shell.collector.shell().is_none() && self.first == 0 {
                return Some(self.not_started(signal.as_deref()));
            }
            match signal {
                Some(signal) => self.bury(&signal),
                None => self.lose_rest("the channel ended before the item did"),
            }
        }
        if self.is_all_there() {
            return Some(self.done(None));
        }
        self.go_on();
        None
    }

    fn is_all_there(&self) -> bool {
        self.replies.len() == self.batch.items.len()
    }

    fn not_started(&mut self, signal: Option<&str>) -> Ran {
        let noise = self.shell.collector.noise();
        let said = match (noise.is_empty(), signal) {
            (false, _) => noise,
            (true, Some(signal)) => format!("ended by SIG{signal}"),
            (true, None) if self.shell.exec.is_sent() => {
                // Silence proves nothing: it may yet run.
                self.lose_rest("the channel ended before the shell said hello");
                return self.done(None);
            }
            (true, None) => "it ended without a word".into(),
        };
        self.failed(HostError::NotStarted { said })
    }

    /// The shell was killed: the running item with it, the others were never begun.
    fn bury(&mut self, signal: &str) {
        let next = self.replies.len();
        let has_begun = self.shell.collector.has_begun(next - self.first);
        let is_killed = self.is_over || self.overrun == Some(next);
        if has_begun && is_killed {
            self.give_up(Exit::DeadlineExceeded);
        } else if has_begun && let Some(number) = signal_number(signal) {
            // The item has killed `$$`, which is the batch's shell: its own fate, told by sshd.
            self.give_up(Exit::Code(128 + number));
        } else if has_begun || is_killed && !self.is_over || next == self.first && !self.is_over {
            // Also where nothing was begun at all, so that a new shell has one item less to do; and where
            // the word of its begin may have gone with the shell: nothing is sent twice.
            self.give_up(Exit::Lost {
                why: format!("the shell was killed by SIG{signal}"),
            });
        }
        if self.is_over {
            let why = format!("the batch overran its {:?}", self.batch.deadline);
            while !self.is_all_there() {
                self.give_up(Exit::NotRun { why: why.clone() });
            }
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
