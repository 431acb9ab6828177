//! The transaction: planned, handed to the host as a job that outlives us, and awaited.

mod pending;

use std::time::Duration;

use patchgate_core::{
    event::{PatchEnd, What},
    evidence::window::Expectations,
    facts::Facts,
    package,
    patchset::PatchSet,
    reading::Reading,
    state::State,
};

use self::pending::{Next, Pending, first_word};
use super::{
    link::{Link, Stop},
    lock::held,
    state::Stay,
};
use crate::{
    clock::{Deadline, pause},
    host::{
        Connector, Item, Reply,
        job::{self, JobId, JobSpec, JobState, LONG_POLL},
        lock,
    },
    probe::Prober,
    script::transaction::{self, Order, Planned},
};

/// How much of the transaction's output the record holds: its end. The whole is a file of evidence.
const TAIL: usize = 4 << 10;

/// The pause after a poll that told nothing.
const POLL_AGAIN: Duration = Duration::from_secs(1);

const STATE: Option<State> = Some(State::Patched);

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Records that nothing was applied, and why.
    pub(super) fn not_started(&self, why: &str) -> Result<(), Stop> {
        self.record_end(
            &PatchEnd::NotStarted {
                why: why.to_owned(),
            },
            None,
            "",
        )
    }

    /// Enters the patched state: its window opens before the transaction and spans it.
    pub(super) async fn apply(
        &mut self,
        set: &PatchSet,
        expected: Expectations,
    ) -> Result<(Stay, PatchEnd), Stop> {
        let (order, planned) = self.plan(set).await?;
        let stay = self.enter(State::Patched, expected).await?;
        let job = job_of(order.as_ref(), &planned);
        let ended = match (planned.packages, job) {
            (Reading::Missing { why }, _) => self.end(PatchEnd::NotStarted { why }, None, ""),
            (Reading::Known(_), Some(script)) => self.transact(set, script).await,
            (Reading::Known(_), None) => self.end(PatchEnd::NothingToDo, None, ""),
        };
        match ended {
            Ok(end) => Ok((stay, end)),
            Err(stop) => Err(self.abandon(stay, stop)),
        }
    }

    /// Hands the transaction to the host and waits for its end. The intent is durable before the
    /// host hears of it.
    async fn transact(&mut self, set: &PatchSet, script: String) -> Result<PatchEnd, Stop> {
        self.go_on()?;
        let job = match JobId::new(self.run.plan.run.as_str()) {
            Ok(job) => job,
            Err(bad) => {
                return self.end(
                    PatchEnd::NotStarted {
                        why: bad.to_string(),
                    },
                    None,
                    "",
                );
            }
        };
        self.run.write(
            self.host,
            STATE,
            What::PatchStarted {
                job: job.to_string(),
                script: script.clone(),
            },
        )?;
        self.run.journal.sync()?;
        let work = transaction_work(job, script, set);
        let (heard, _) = self.hand_over(&work, None).await?;
        match heard {
            Ok(heard) => self.follow(&work, heard).await,
            Err(Away { why, holder }) => {
                let end = self.end(PatchEnd::NotStarted { why }, None, "")?;
                self.unless_held(holder).map(|()| end)
            }
        }
    }

    /// Hands a job to the host under the lock, which then names it. `before` is done in the same round trip,
    /// under the same lock; its reply is returned. Says whether the host has the job, as far as is known.
    pub(super) async fn hand_over(
        &mut self,
        work: &Work,
        before: Option<Item>,
    ) -> Result<(Result<bool, Away>, Option<Reply>), Stop> {
        let owner = self.owner(Some(work.spec.id.clone()));
        // The host starts the job only while the lock is ours and names it.
        let mut items = vec![lock::update_item(&owner, &work.spec.state_dir)];
        items.extend(before);
        items.push(job::start_locked_item(&work.spec, &owner.run));
        let replies = self.ask(work.starting, items).await?;
        let [locked, done @ .., started] = &replies[..] else {
            unreachable!("at least two items are sent");
        };
        let away = |why| Away {
            why,
            holder: held(locked),
        };
        let heard = first_word(started).map_err(away);
        Ok((heard, done.first().cloned()))
    }

    /// Finds a transaction again that was handed to the host before the run was interrupted, and follows it.
    /// None where there was none, or the host never heard of it: then nothing was begun.
    pub(super) async fn find_again(
        &mut self,
        set: &PatchSet,
        expected: Expectations,
    ) -> Result<Option<(Stay, PatchEnd)>, Stop> {
        let (Some(script), Ok(job)) = (self.under_way(), JobId::new(self.run.plan.run.as_str()))
        else {
            return Ok(None);
        };
        let work = transaction_work(job, script, set);
        let Some(heard) = self.find_job(&work).await? else {
            return Ok(None);
        };
        let stay = self.enter(State::Patched, expected).await?;
        match self.follow(&work, heard).await {
            Ok(end) => Ok(Some((stay, end))),
            Err(stop) => Err(self.abandon(stay, stop)),
        }
    }

    /// Asks for a job that was about to be handed to the host. None where the host never heard of it; else
    /// whether it is known to have it.
    pub(super) async fn find_job(&mut self, work: &Work) -> Result<Option<bool>, Stop> {
        let spec = &work.spec;
        let item = job::poll_item(&spec.id, &spec.state_dir, 0, Duration::ZERO);
        let replies = self.ask_until_stopped(work.finding, vec![item]).await?;
        Ok(match job::parse(&replies[0]) {
            Ok(report) if report.state == JobState::Unknown => None,
            heard => Some(heard.is_ok()),
        })
    }

    /// Waits for a transaction's end and records it, with all that it said.
    async fn follow(&mut self, work: &Work, heard: bool) -> Result<PatchEnd, Stop> {
        let mut output = Vec::new();
        let end = self.wait_for(work, heard, &mut output).await?;
        let text = String::from_utf8_lossy(&output).into_owned();
        self.save(STATE, "transaction.log", &output)?;
        self.end(end, transaction::transaction(&text), &text)
    }

    /// Follows a job's output to its end, through lost connections, or until somebody stops the run:
    /// the host goes on by itself.
    pub(super) async fn wait_for(
        &mut self,
        work: &Work,
        heard: bool,
        output: &mut Vec<u8>,
    ) -> Result<PatchEnd, Stop> {
        let spec = &work.spec;
        let deadline = Deadline::after(work.within);
        let mut pending = Pending::new(heard);
        loop {
            let offset = output.len() as u64;
            let wait = LONG_POLL.min(deadline.left()).max(Duration::from_secs(1));
            let items = vec![
                job::poll_item(&spec.id, &spec.state_dir, offset, wait),
                super::lock::beat(self.run.plan.run.as_str()),
            ];
            let asked = self.ask_until_stopped(work.waiting, items);
            let replies = match asked.await {
                Ok(replies) => replies,
                Err(Stop::Asked) => return Ok(PatchEnd::StillRunning),
                Err(stop @ (Stop::Record(_) | Stop::Recorded)) => return Err(stop),
            };
            let next = match job::parse(&replies[0]) {
                Err(_) => Next::Pause,
                Ok(report) => {
                    output.extend_from_slice(&report.output);
                    pending.next(report)
                }
            };
            if let Next::End(end) = next {
                return Ok(end);
            }
            if deadline.is_over() || self.stopped() {
                return Ok(PatchEnd::StillRunning);
            }
            match next {
                Next::Poll | Next::End(_) => {}
                Next::Pause => pause(POLL_AGAIN).await,
                Next::StartAgain => {
                    let item = job::start_locked_item(spec, self.run.plan.run.as_str());
                    self.ask(work.starting, vec![item]).await?;
                }
            }
        }
    }

    fn end(
        &self,
        end: PatchEnd,
        transaction: Option<String>,
        output: &str,
    ) -> Result<PatchEnd, Stop> {
        self.record_end(&end, transaction, output)?;
        Ok(end)
    }

    fn record_end(
        &self,
        end: &PatchEnd,
        transaction: Option<String>,
        output: &str,
    ) -> Result<(), Stop> {
        let (end, output) = (end.clone(), tail(output).to_owned());
        self.run.write(
            self.host,
            STATE,
            What::PatchFinished {
                end,
                transaction,
                output,
            },
        )?;
        self.run.journal.sync()?;
        Ok(())
    }

    /// Saves a file of evidence.
    pub(super) fn save(&self, state: Option<State>, name: &str, bytes: &[u8]) -> Result<(), Stop> {
        let dir = self.run.journal.dir();
        let (path, sha256) = dir.save_evidence(self.host.name.as_str(), name, bytes)?;
        let what = What::ArtifactSaved {
            path,
            sha256,
            bytes: bytes.len() as u64,
        };
        Ok(self.run.write(self.host, state, what)?)
    }
}

/// A job for a host, and what its steps are called.
pub(super) struct Work {
    pub(super) spec: JobSpec,
    /// How long it may take.
    pub(super) within: Duration,
    pub(super) starting: &'static str,
    pub(super) finding: &'static str,
    pub(super) waiting: &'static str,
}

fn transaction_work(job: JobId, script: String, set: &PatchSet) -> Work {
    Work {
        spec: JobSpec::new(job, script),
        within: Duration::from_secs(set.deadline_s),
        starting: "starting the transaction",
        finding: "finding the transaction",
        waiting: "waiting for the transaction",
    }
}

/// A job that the host did not take, for certain.
pub(super) struct Away {
    pub(super) why: String,
    /// Who holds the host, if another run took it meanwhile.
    pub(super) holder: Option<String>,
}

/// The job that carries an order out; none where there is nothing to do.
fn job_of(order: Option<&Order<'_>>, planned: &Planned) -> Option<String> {
    let rows = &planned.preview.as_ref()?.rows;
    let manager = planned.preview.as_ref()?.manager;
    let script = |order| transaction::apply_script(manager, order);
    (!rows.is_empty()).then(|| order.map(script))?
}

/// What a transaction left undone on a host; none when the host is whole. `after` is absent where
/// nobody looked any more.
pub(super) fn dirt(end: &PatchEnd, before: &Facts, after: Option<&Facts>) -> Option<String> {
    match end {
        PatchEnd::NothingToDo
        | PatchEnd::NotStarted { .. }
        | PatchEnd::StillRunning
        | PatchEnd::Exited(0) => None,
        PatchEnd::Lost => {
            Some("the transaction broke off: packages may be half installed".to_owned())
        }
        PatchEnd::Exited(code) => match (
            before.packages.known(),
            after.and_then(|a| a.packages.known()),
        ) {
            (Some(before), Some(after)) => match package::difference(before, after).len() {
                0 => None,
                n => Some(format!(
                    "the transaction failed with status {code} after {n} changes"
                )),
            },
            _ => Some(format!(
                "the transaction failed with status {code}; what it changed is unknown"
            )),
        },
    }
}

/// The end of a text, from a line's beginning.
pub(super) fn tail(text: &str) -> &str {
    let Some(from) = text.len().checked_sub(TAIL) else {
        return text;
    };
    let from = text
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= from)
        .unwrap_or(0);
    text[from..]
        .split_once('\n')
        .map_or(&text[from..], |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_begins_with_a_whole_line() {
        let long = "é line\n".repeat(1000);
        let end = tail(&long);
        assert!(end.len() <= TAIL && end.starts_with("é line\n") && end.ends_with("line\n"));
        assert_eq!(tail("short"), "short");
    }
}
