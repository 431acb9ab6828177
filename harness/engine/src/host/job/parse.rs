//! Reading what a job item has brought.

use super::{JobReport, JobState};
use crate::host::{Exit, Reply};

/// A reply that says nothing about the job: ask again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobParseError {
    /// The item itself did not run to its end.
    #[error("the host gave no answer about the job: {exit:?}")]
    NoAnswer {
        /// How the item ended.
        exit: Exit,
    },
    /// The item ran, and its head line cannot be understood.
    #[error("answer about the job cannot be understood: `{head}`")]
    Foreign {
        /// The head line.
        head: String,
    },
}

/// Reads the reply of [`super::start_item`] or [`super::poll_item`].
///
/// The head line is `pgjob SIZE OFFSET STATE [EXIT]` or `pgjob rejected REASON`; output follows.
///
/// # Errors
/// When the reply tells nothing; the job may be in any state.
pub fn parse(reply: &Reply) -> Result<JobReport, JobParseError> {
    if !reply.is_ok() {
        return Err(JobParseError::NoAnswer {
            exit: reply.exit.clone(),
        });
    }
    let bytes = &reply.stdout.bytes;
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let output = bytes.get(end + 1..).unwrap_or_default().to_vec();
    parse_head(&head, output).ok_or(JobParseError::Foreign { head })
}

fn parse_head(head: &str, output: Vec<u8>) -> Option<JobReport> {
    let rest = head.strip_prefix("pgjob ")?;
    if let Some(why) = rest.strip_prefix("rejected ") {
        let state = JobState::Rejected {
            why: why.to_owned(),
        };
        return Some(JobReport {
            state,
            output_size: 0,
            offset: 0,
            output: Vec::new(),
        });
    }
    let (size, rest) = rest.split_once(' ')?;
    let (offset, state) = rest.split_once(' ')?;
    Some(JobReport {
        state: parse_state(state)?,
        output_size: size.parse().ok()?,
        offset: offset.parse().ok()?,
        output,
    })
}

/// Reads what the host's `_pg_state` prints.
pub(in crate::host) fn parse_state(text: &str) -> Option<JobState> {
    Some(match text.trim() {
        "unknown" => JobState::Unknown,
        "accepted" => JobState::Accepted,
        "running" => JobState::Running,
        "lost" => JobState::Lost,
        other => JobState::Finished {
            exit: other.strip_prefix("finished ")?.parse().ok()?,
        },
    })
}
