//! The transaction: planned, handed to the host as a job that outlives us, and awaited.

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

use super::{
    link::{Link, Stop},
    state::Stay,
};
use crate::{
    clock::{Deadline, pause},
    host::{
        Connector,
        job::{self, JobId, JobReport, JobSpec, JobState, LONG_POLL},
        lock,
        state_dir::StateDir,
    },
    probe::Prober,
    script::dnf,
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
        let replies = self
            .ask_until_stopped("planning the transaction", vec![dnf::plan_item(set)])
            .await?;
        let planned = dnf::read_plan(&replies[0]);
        self.run.write(
            self.host,
            STATE,
            What::PatchPlanned {
                packages: planned.clone(),
            },
        )?;
        let (stay, _) = self.enter(State::Patched, expected, Vec::new()).await?;
        let ended = match planned {
            Reading::Missing { why } => self.end(PatchEnd::NotStarted { why }, None, ""),
            Reading::Known(packages) if packages.is_empty() => {
                self.end(PatchEnd::NothingToDo, None, "")
            }
            Reading::Known(_) => self.transact(set).await,
        };
        match ended {
            Ok(end) => Ok((stay, end)),
            Err(stop) => Err(self.abandon(stay, stop)),
        }
    }

    /// Hands the transaction to the host and waits for its end. The intent is durable before the
    /// host hears of it.
    async fn transact(&mut self, set: &PatchSet) -> Result<PatchEnd, Stop> {
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
            },
        )?;
        self.run.journal.sync()?;
        let spec = JobSpec::new(job.clone(), dnf::apply_script(set));
        let owner = self.owner(Some(job.clone()));
        let items = vec![
            lock::update_item(&owner, &spec.state_dir),
            job::start_item(&spec),
        ];
        let replies = self.ask("starting the transaction", items).await?;
        let started = job::parse(&replies[1]);
        let mut output = Vec::new();
        let end = match started {
            Err(why) => PatchEnd::NotStarted {
                why: why.to_string(),
            },
            Ok(JobReport {
                state: JobState::Rejected { why },
                ..
            }) => PatchEnd::NotStarted { why },
            Ok(_) => self.wait_for(&job, set, &mut output).await?,
        };
        let text = String::from_utf8_lossy(&output).into_owned();
        self.save("transaction.log", &output)?;
        self.end(end, dnf::transaction(&text), &text)
    }

    /// Follows a job's output to its end, through lost connections, or until somebody stops the run:
    /// the host goes on by itself.
    async fn wait_for(
        &mut self,
        job: &JobId,
        set: &PatchSet,
        output: &mut Vec<u8>,
    ) -> Result<PatchEnd, Stop> {
        let deadline = Deadline::after(Duration::from_secs(set.deadline_s));
        let dir = StateDir::default();
        loop {
            let offset = output.len() as u64;
            let wait = LONG_POLL.min(deadline.left()).max(Duration::from_secs(1));
            let item = job::poll_item(job, &dir, offset, wait);
            let asked = self.ask_until_stopped("waiting for the transaction", vec![item]);
            let replies = match asked.await {
                Ok(replies) => replies,
                Err(Stop::Asked) => return Ok(PatchEnd::StillRunning),
                Err(stop @ (Stop::Record(_) | Stop::Recorded)) => return Err(stop),
            };
            let report = match job::parse(&replies[0]) {
                Ok(report) => report,
                Err(_) if !deadline.is_over() && !self.stopped() => {
                    pause(POLL_AGAIN).await;
                    continue;
                }
                Err(_) => return Ok(PatchEnd::StillRunning),
            };
            output.extend_from_slice(&report.output);
            match report.state {
                JobState::Finished { exit } if report.is_over() => {
                    return Ok(PatchEnd::Exited(exit));
                }
                JobState::Lost if report.is_over() => return Ok(PatchEnd::Lost),
                JobState::Rejected { why } => return Ok(PatchEnd::NotStarted { why }),
                JobState::Finished { .. }
                | JobState::Lost
                | JobState::Unknown
                | JobState::Accepted
                | JobState::Running => {}
            }
            if deadline.is_over() || self.stopped() {
                return Ok(PatchEnd::StillRunning);
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
    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Stop> {
        let dir = self.run.journal.dir();
        let (path, sha256) = dir.save_evidence(self.host.name.as_str(), name, bytes)?;
        let what = What::ArtifactSaved {
            path,
            sha256,
            bytes: bytes.len() as u64,
        };
        Ok(self.run.write(self.host, STATE, what)?)
    }
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
fn tail(text: &str) -> &str {
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
