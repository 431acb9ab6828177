//! The soak: remote probes at a fixed rate beside the patch, as the record holds them.
//!
//! Checks are asked once a state; what a client feels in between (a restart that takes nine seconds, a
//! library that is replaced under a running service) falls through. So one remote check of each suite is
//! asked every second or so, from before the transaction until after the last state, whether or not the
//! answer before has come: a probe that waits for a slow host measures its own patience.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    event::What,
    id::CheckId,
    observation::{HttpAnswer, HttpEnd, HttpFailure, HttpPhase, HttpSeen, Observation},
    suite::{Check, CheckKind, Suite, Vantage},
};

/// How often a probe is made where nothing is said.
pub const DEFAULT_EVERY: Duration = Duration::from_secs(1);

/// What a run probes beside its patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Soak {
    /// The time from one probe to the next.
    #[serde(with = "crate::time::millis")]
    pub every: Duration,
    /// What is asked of every host.
    pub checks: Vec<CheckId>,
}

impl Soak {
    /// Lays out a soak of some suites: the first remote request of each. None where no suite makes one.
    #[must_use]
    pub fn of(suites: &[Suite], every: Duration) -> Option<Self> {
        let first = |suite: &Suite| {
            let check = suite.checks.iter().find(|c| is_remote_request(c))?;
            Some(crate::plan::id_of(suite, &check.name))
        };
        let checks: Vec<_> = suites.iter().filter_map(first).collect();
        (!checks.is_empty()).then_some(Self { every, checks })
    }
}

fn is_remote_request(check: &Check) -> bool {
    match (&check.kind, check.vantage) {
        (CheckKind::Http(_), Vantage::Controller) => true,
        (CheckKind::Http(_), Vantage::Localhost)
        | (
            CheckKind::Command(_)
            | CheckKind::Service(_)
            | CheckKind::Selinux(_)
            | CheckKind::Denials(_),
            _,
        ) => false,
    }
}

/// What one probe saw, short: there are many of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// An answer came, head and body whole.
    Answered {
        /// The status code.
        status: u16,
        /// For each text of the check's `contains`: was it in the body?
        contained: Vec<bool>,
    },
    /// None came, or not whole.
    Failed {
        /// Where it failed.
        phase: HttpPhase,
    },
    /// The probe could not be made, and that is our trouble.
    Errored {
        /// Why.
        why: String,
    },
}

impl Answer {
    /// Shortens an observation.
    #[must_use]
    pub fn of(saw: &Observation) -> Self {
        match saw {
            Observation::Http(seen) => match &seen.end {
                HttpEnd::Answered(answer) => Self::Answered {
                    status: answer.status,
                    contained: answer.contained.clone(),
                },
                HttpEnd::Failed(failure) => Self::Failed {
                    phase: failure.phase,
                },
            },
            Observation::Errored { why } => Self::Errored { why: why.clone() },
            Observation::Command(_)
            | Observation::Service(_)
            | Observation::Selinux(_)
            | Observation::Window => Self::Errored {
                why: "it made no request".to_owned(),
            },
        }
    }

    /// The observation again, as far as it is known; for whoever holds it against what a check expects.
    #[must_use]
    pub fn observation(&self, took: Duration) -> Observation {
        let end = match self {
            Self::Errored { why } => return Observation::Errored { why: why.clone() },
            Self::Answered { status, contained } => HttpEnd::Answered(HttpAnswer {
                status: *status,
                server: None,
                location: None,
                bytes: 0,
                sha256: None,
                contained: contained.clone(),
            }),
            Self::Failed { phase } => HttpEnd::Failed(HttpFailure {
                phase: *phase,
                detail: String::new(),
                bytes: 0,
            }),
        };
        Observation::Http(HttpSeen {
            peer: None,
            elapsed: took,
            end,
        })
    }
}

/// Probes of one check that followed each other and saw the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// The check.
    pub check: CheckId,
    /// The first one's place on the grid: it was begun `first` times the rate after the soak's begin.
    pub first: u64,
    /// How long each of them took, in milliseconds, in order.
    pub took_ms: Vec<u64>,
    /// What all of them saw.
    pub saw: Answer,
}

/// The most probes of one stretch: so many are lost at most when the controller dies.
pub const LONGEST_STRETCH: usize = 30;

impl Stretch {
    /// Takes one more probe, if it follows and saw the same; else it is given back.
    ///
    /// # Errors
    /// The probe as the beginning of another stretch.
    pub fn take(&mut self, next: Self) -> Result<(), Self> {
        let follows = self.first + self.took_ms.len() as u64 == next.first;
        let room = self.took_ms.len() + next.took_ms.len() <= LONGEST_STRETCH;
        if follows && room && self.check == next.check && self.saw == next.saw {
            self.took_ms.extend(next.took_ms);
            Ok(())
        } else {
            Err(next)
        }
    }
}

/// What the record holds of the soak of one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoakLedger {
    /// The event of its begin.
    pub begun: u64,
    /// When that was, by the controller's clock.
    pub at: jiff::Timestamp,
    /// The time from one probe to the next.
    pub every: Duration,
    /// Every probe that is in the record, by check and place on the grid.
    pub probes: BTreeMap<CheckId, BTreeMap<u64, Probed>>,
    /// How many places on the grid there were, once the soak has ended.
    pub places: Option<u64>,
    /// What happened meanwhile, and when.
    pub marks: Vec<(jiff::Timestamp, Mark)>,
}

/// One probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The event that tells of it.
    pub seq: u64,
    /// How long it took.
    pub took: Duration,
    /// What it saw.
    pub saw: Answer,
}

/// What happens to a host beside its soak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The transaction began.
    Transaction,
    /// The transaction ended.
    Patched,
    /// The services were restarted.
    Restarted,
}

impl Mark {
    /// What the time behind it is called.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Transaction => "during the transaction",
            Self::Patched => "after the transaction",
            Self::Restarted => "after the restart of services",
        }
    }

    fn of(what: &What) -> Option<Self> {
        if let What::PatchStarted { .. } = what {
            Some(Self::Transaction)
        } else if let What::PatchFinished { .. } = what {
            Some(Self::Patched)
        } else if let What::ServicesRestarted { .. } = what {
            Some(Self::Restarted)
        } else {
            None
        }
    }
}

impl SoakLedger {
    /// Takes an event of the host; the soak is there from its begin on.
    pub(crate) fn take(soak: &mut Option<Self>, seq: u64, at: jiff::Timestamp, what: &What) {
        if let What::SoakBegun { every, checks } = what {
            soak.get_or_insert_with(|| Self {
                begun: seq,
                at,
                every: *every,
                probes: checks
                    .iter()
                    .map(|c| (c.clone(), BTreeMap::new()))
                    .collect(),
                places: None,
                marks: Vec::new(),
            });
        }
        let Some(soak) = soak else { return };
        if let What::SoakProbed { stretch } = what {
            soak.probe(seq, stretch);
        } else if let What::SoakEnded { places } = what {
            soak.places = Some(*places);
        }
        soak.marks.extend(Mark::of(what).map(|mark| (at, mark)));
    }

    fn probe(&mut self, seq: u64, stretch: &Stretch) {
        let probes = self.probes.entry(stretch.check.clone()).or_default();
        for (place, took) in (stretch.first..).zip(&stretch.took_ms) {
            let (took, saw) = (Duration::from_millis(*took), stretch.saw.clone());
            probes.entry(place).or_insert(Probed { seq, took, saw });
        }
    }
}

#[cfg(test)]
mod tests;
