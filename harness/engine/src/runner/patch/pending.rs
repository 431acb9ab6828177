//! What a job that was handed to a host is known to have done so far.

use std::time::Duration;

use patchgate_core::event::PatchEnd;

use crate::{
    clock::Deadline,
    host::{
        Exit, Reply,
        job::{self, JobParseError, JobReport, JobState},
    },
};

/// How long a job may be stored on the host and not begin. Its runner waits 20 s for its own lock.
const BEGINS_WITHIN: Duration = Duration::from_secs(30);

/// What a start has told: whether the host has the job. `Err` says why it has not, for certain; a
/// start without an answer may have been carried out.
pub(super) fn first_word(reply: &Reply) -> Result<bool, String> {
    match job::parse(reply) {
        Ok(JobReport {
            state: JobState::Rejected { why },
            ..
        }) => Err(why),
        Ok(report) => Ok(report.state != JobState::Unknown),
        Err(JobParseError::NoAnswer {
            exit: Exit::NotRun { why },
        }) => Err(why),
        Err(_) => Ok(false),
    }
}

/// What is known of a job that has perhaps not begun.
pub(super) struct Pending {
    /// Whether the host ever had it.
    heard: bool,
    /// How long it may be stored and not begin.
    limit: Option<Deadline>,
    /// Whether it was started a second time.
    again: bool,
}

/// What to do after a poll.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask on: the poll itself waits on the host.
    Poll,
    /// Ask on after a pause: the poll came back at once.
    Pause,
    /// Start it once more, which never runs it twice.
    StartAgain,
    /// It is over.
    End(PatchEnd),
}

impl Pending {
    pub(super) fn new(heard: bool) -> Self {
        Self {
            heard,
            limit: None,
            again: false,
        }
    }

    pub(super) fn next(&mut self, report: JobReport) -> Next {
        let is_over = report.is_over();
        let not_started = |why: &str| {
            Next::End(PatchEnd::NotStarted {
                why: why.to_owned(),
            })
        };
        match report.state {
            JobState::Rejected { why } => Next::End(PatchEnd::NotStarted { why }),
            JobState::Unknown if self.heard => Next::End(PatchEnd::Lost),
            JobState::Unknown => not_started("the host never heard of the transaction"),
            JobState::Accepted => self.accepted(),
            JobState::Finished { exit } if is_over => Next::End(PatchEnd::Exited(exit)),
            JobState::Lost if is_over => Next::End(PatchEnd::Lost),
            JobState::Finished { .. } | JobState::Lost | JobState::Running => {
                self.heard = true;
                Next::Poll
            }
        }
    }

    fn accepted(&mut self) -> Next {
        self.heard = true;
        let limit = self
            .limit
            .get_or_insert_with(|| Deadline::after(BEGINS_WITHIN));
        if !limit.is_over() {
            return Next::Pause;
        }
        if self.again {
            let why = "the host stored the transaction and did not begin it".to_owned();
            return Next::End(PatchEnd::NotStarted { why });
        }
        (self.again, self.limit) = (true, None);
        Next::StartAgain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(state: JobState) -> JobReport {
        JobReport {
            state,
            output_size: 0,
            offset: 0,
            output: Vec::new(),
        }
    }

    fn is_not_started(next: &Next) -> bool {
        matches!(next, Next::End(PatchEnd::NotStarted { .. }))
    }

    #[test]
    fn a_start_without_an_answer_may_have_begun() {
        let lost = Exit::Lost { why: String::new() };
        for exit in [lost, Exit::DeadlineExceeded, Exit::Code(137)] {
            assert_eq!(first_word(&Reply::silent(exit)), Ok(false));
        }
        let why = "the batch ended".to_owned();
        let not_run = Reply::silent(Exit::NotRun { why: why.clone() });
        assert_eq!(first_word(&not_run), Err(why));
    }

    #[test]
    fn an_unknown_job_was_not_started_or_is_lost() {
        let unheard = Pending::new(false).next(report(JobState::Unknown));
        assert!(is_not_started(&unheard), "{unheard:?}");
        let heard = Pending::new(true).next(report(JobState::Unknown));
        assert_eq!(heard, Next::End(PatchEnd::Lost));
        let mut pending = Pending::new(false);
        assert_eq!(pending.next(report(JobState::Running)), Next::Poll);
        let gone = pending.next(report(JobState::Unknown));
        assert_eq!(gone, Next::End(PatchEnd::Lost));
    }

    #[tokio::test]
    async fn a_job_that_does_not_begin_is_started_once_more_and_then_given_up() {
        let over = Some(Deadline::after(Duration::ZERO));
        let mut pending = Pending::new(false);
        assert_eq!(pending.next(report(JobState::Accepted)), Next::Pause);
        pending.limit = over;
        assert_eq!(pending.next(report(JobState::Accepted)), Next::StartAgain);
        assert_eq!(pending.next(report(JobState::Accepted)), Next::Pause);
        pending.limit = over;
        let given_up = pending.next(report(JobState::Accepted));
        assert!(is_not_started(&given_up), "{given_up:?}");
    }
}
