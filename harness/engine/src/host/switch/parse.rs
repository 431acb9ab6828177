//! Reading what an item of a switch has brought.

use std::time::Duration;

use super::SwitchState;
use crate::host::{Exit, Reply};

/// A reply that says nothing about the switch: ask again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwitchParseError {
    /// The item itself did not run to its end.
    #[error("the host gave no answer about the switch: {exit:?}")]
    NoAnswer {
        /// How the item ended.
        exit: Exit,
    },
    /// The item ran, and its answer cannot be understood.
    #[error("answer about the switch cannot be understood: `{head}`")]
    Foreign {
        /// The first line that is not understood; empty when there is none.
        head: String,
    },
}

/// What became of a switch that somebody had left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// Its name; empty where the host did not sweep at all.
    pub id: String,
    /// What became of it.
    pub state: SwitchState,
}

/// Reads the reply of [`super::arm_item`], [`super::status_item`] or [`super::disarm_item`]:
/// `pgswitch STATE`, with the seconds left or the reason after it.
///
/// # Errors
/// When the reply tells nothing; the switch may be in any state.
pub fn parse(reply: &Reply) -> Result<SwitchState, SwitchParseError> {
    let text = told(reply)?;
    let head = text.lines().next().unwrap_or_default();
    parse_state(head.strip_prefix("pgswitch ").unwrap_or_default()).ok_or_else(|| foreign(head))
}

/// Reads the reply of [`super::sweep_item`]: `pgswitch swept NAME STATE` for each, then `pgswitch end`.
///
/// # Errors
/// When the reply tells nothing, or not all of it.
pub fn parse_sweep(reply: &Reply) -> Result<Vec<Swept>, SwitchParseError> {
    let text = told(reply)?;
    let mut swept = Vec::new();
    for line in text.lines() {
        let rest = line
            .strip_prefix("pgswitch ")
            .ok_or_else(|| foreign(line))?;
        if rest == "end" {
            return Ok(swept);
        }
        swept.push(parse_swept(rest).ok_or_else(|| foreign(line))?);
        if rest.starts_with("rejected ") {
            return Ok(swept);
        }
    }
    Err(foreign(""))
}

fn parse_swept(rest: &str) -> Option<Swept> {
    let (id, state) = match rest.strip_prefix("swept ") {
        Some(rest) => rest.split_once(' ')?,
        None => ("", rest),
    };
    let state = parse_state(state)?;
    Some(Swept {
        id: id.to_owned(),
        state,
    })
}

/// Why a script was not let change the host; none when it was.
#[must_use]
pub fn refusal(text: &str) -> Option<&str> {
    text.lines().next()?.strip_prefix("pgswitch refused ")
}

fn told(reply: &Reply) -> Result<String, SwitchParseError> {
    match reply.is_ok() {
        true => Ok(reply.stdout.text()),
        false => Err(SwitchParseError::NoAnswer {
            exit: reply.exit.clone(),
        }),
    }
}

fn foreign(head: &str) -> SwitchParseError {
    SwitchParseError::Foreign {
        head: head.to_owned(),
    }
}

/// Reads what the host's `_pg_switch` prints.
fn parse_state(text: &str) -> Option<SwitchState> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let why = || rest.to_owned();
    Some(match word {
        "none" => SwitchState::None,
        "armed" => SwitchState::Armed {
            left: Duration::from_secs(rest.parse().ok()?),
        },
        "restoring" => SwitchState::Restoring,
        "restored" => SwitchState::Restored,
        "failed" => SwitchState::Failed { why: why() },
        "dead" => SwitchState::Dead,
        "stale" => SwitchState::Stale,
        "rejected" => SwitchState::Rejected { why: why() },
        _ => return None,
    })
}
