//! Waves: which hosts are patched first, and how many of them may be bad before nobody else is touched.
//!
//! A wave begins only when all hosts of the one before have ended and no more than the budget of all
//! hosts so far are bad. They are laid before the first packet, from the inventory and the options alone.

mod lay;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{event::Event, id::HostName, judge, plan::Plan};

/// How many bad hosts the reason of a stop names.
const MAX_NAMED: usize = 5;

/// The waves of a run; every host of the run is in exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waves {
    /// The hosts of each wave, the first wave first; none of them is empty.
    pub hosts: Vec<Vec<HostName>>,
    /// How many hosts of the whole run may be bad before no further wave is begun.
    pub max_bad: usize,
}

/// A number of hosts, or a part of them: `5`, `30%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many hosts.
    Hosts(usize),
    /// So many of a hundred.
    Percent(usize),
}

/// A text that is no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a number of hosts (`5`) or a percentage of them (`30%`)")]
pub struct SizeError;

/// What the options say about waves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Staging {
    /// The sizes of the waves of those hosts that name none in the inventory; the last one is repeated.
    /// Without any they are one wave.
    pub batch: Vec<Size>,
    /// How many hosts of the whole run may be bad; without it, none.
    pub max_bad: Option<Size>,
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let number = |digits: &str| {
            let plain = digits.bytes().all(|b| b.is_ascii_digit());
            let number = digits.parse().ok().filter(|_| plain);
            number.ok_or(SizeError)
        };
        match text.strip_suffix('%') {
            None => number(text).map(Self::Hosts),
            Some(digits) => match number(digits)? {
                percent @ 0..=100 => Ok(Self::Percent(percent)),
                _ => Err(SizeError),
            },
        }
    }
}

impl Size {
    /// So many of all, rounded up: a wave of a small part is not empty.
    fn at_least(self, all: usize) -> usize {
        match self {
            Self::Hosts(n) => n,
            Self::Percent(p) => all.saturating_mul(p).div_ceil(100),
        }
    }

    /// So many of all, rounded down: what may go wrong is never more than was said.
    fn at_most(self, all: usize) -> usize {
        match self {
            Self::Hosts(n) => n,
            Self::Percent(p) => all.saturating_mul(p) / 100,
        }
    }
}

impl Waves {
    /// The number of a host's wave, from 1.
    #[must_use]
    pub fn of(&self, host: &HostName) -> Option<usize> {
        let place = self.hosts.iter().position(|wave| wave.contains(host));
        place.map(|n| n + 1)
    }
}

/// Why a wave is not to be begun, by the record of those before it; none where it may begin.
#[must_use]
pub fn forbidden(plan: &Plan, events: &[Event], wave: usize) -> Option<String> {
    let waves = plan.waves.as_ref()?;
    let so_far: Vec<_> = waves
        .hosts
        .iter()
        .take(wave.saturating_sub(1))
        .flatten()
        .collect();
    let bad = judge::bad_hosts(plan, events, &so_far);
    (bad.len() > waves.max_bad).then(|| {
        let mut named: Vec<_> = bad.iter().take(MAX_NAMED).map(|h| h.to_string()).collect();
        let more = bad.len().saturating_sub(MAX_NAMED);
        named.extend((more > 0).then(|| format!("{more} more")));
        format!(
            "{} of {} hosts so far are bad and at most {} may be: {}",
            bad.len(),
            so_far.len(),
            waves.max_bad,
            named.join(", ")
        )
    })
}

#[cfg(test)]
mod tests;
