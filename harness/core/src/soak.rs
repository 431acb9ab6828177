//! The soak: remote probes at a fixed rate beside the patch, as the record holds them.
//!
//! Checks are asked once a state; what a client feels in between (a restart that takes nine seconds, a
//! library that is replaced under a running service) falls through. So one remote check of each suite is
//! asked every second or so, from before the transaction until after the last state, whether or not the
//! answer before has come: a probe that waits for a slow host measures its own patience.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    event::{PatchEnd, What},
    id::CheckId,
    observation::{HttpAnswer, HttpEnd, HttpFailure, HttpPhase, HttpSeen, Observation},
    reading::Reading,
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
    /// The first one's number, from 0; each that was to be made has one, also where it was not made.
    pub first: u64,
    /// When each of them was begun, in order: milliseconds since the soak's begin.
    pub begun_ms: Vec<u64>,
    /// How long each of them took, in milliseconds.
    pub took_ms: Vec<u64>,
    /// What all of them saw.
    pub saw: Answer,
}

/// The most probes of one stretch: so many are lost at most when the controller dies.
pub const LONGEST_STRETCH: usize = 30;

impl Stretch {
    /// One probe.
    #[must_use]
    pub fn one(check: CheckId, number: u64, begun_ms: u64, took_ms: u64, saw: Answer) -> Self {
        Self {
            check,
            first: number,
            begun_ms: vec![begun_ms],
            took_ms: vec![took_ms],
            saw,
        }
    }

    /// The number of the probe that would follow; the end of all numbers where there is none.
    #[must_use]
    pub fn next(&self) -> u64 {
        let len = u64::try_from(self.took_ms.len()).unwrap_or(u64::MAX);
        self.first.saturating_add(len)
    }

    /// Takes more probes, if they follow and saw the same; else they are given back, as the beginning of
    /// another stretch.
    #[must_use]
    pub fn take(&mut self, next: Self) -> Option<Self> {
        let room = self.took_ms.len() + next.took_ms.len() <= LONGEST_STRETCH;
        let follows = self.next() == next.first && self.check == next.check;
        if !follows || !room || self.saw != next.saw {
            return Some(next);
        }
        self.begun_ms.extend(next.begun_ms);
        self.took_ms.extend(next.took_ms);
        None
    }

    /// Begin and end of each probe, in milliseconds since the soak's begin.
    pub fn times(&self) -> impl Iterator<Item = (u64, u64)> {
        let both = self.begun_ms.iter().zip(&self.took_ms);
        both.map(|(begun, took)| (*begun, begun.saturating_add(*took)))
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
    /// The probes of each check, in order, each with the event that tells of it.
    pub probes: BTreeMap<CheckId, Vec<(u64, Stretch)>>,
    /// How it ended, once it has.
    pub ended: Option<SoakEnd>,
    /// The latest time that the controller's clock was seen to show.
    pub latest: jiff::Timestamp,
    /// Why nobody knows how long nobody asked while the run was interrupted.
    pub unsure: Option<String>,
    /// Whether the run was resumed, and asked no more since.
    pub awaits: bool,
    /// What happened meanwhile, and when.
    pub marks: Vec<(jiff::Timestamp, Mark)>,
}

/// The end of a soak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoakEnd {
    /// How many probes of each check were to be made.
    pub places: u64,
    /// When it was, in milliseconds since the soak's begin.
    pub at_ms: u64,
}

/// What happens to a host beside its soak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The transaction began.
    Transaction,
    /// There was nothing to apply.
    Nothing,
    /// The transaction ended.
    Patched,
    /// The services had been restarted.
    Restarted,
}

impl Mark {
    /// What the time behind it is called.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Transaction => "during the transaction",
            Self::Nothing => "with nothing applied",
            Self::Patched => "after the transaction",
            Self::Restarted => "after the restart of services",
        }
    }

    fn of(what: &What) -> Option<Self> {
        if let What::PatchStarted { .. } = what {
            Some(Self::Transaction)
        } else if let What::PatchFinished { end, .. } = what {
            Some(match end {
                PatchEnd::NothingToDo => Self::Nothing,
                PatchEnd::Exited(_)
                | PatchEnd::Lost
                | PatchEnd::StillRunning
                | PatchEnd::NotStarted { .. } => Self::Patched,
            })
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
                probes: checks.iter().map(|c| (c.clone(), Vec::new())).collect(),
                ended: None,
                latest: at,
                unsure: None,
                awaits: false,
                marks: Vec::new(),
            });
        }
        let Some(soak) = soak else { return };
        soak.latest = soak.latest.max(at);
        if let What::SoakProbed { stretch } = what {
            soak.is_resumed();
            soak.probe(seq, stretch);
        } else if let What::SoakEnded { end } = what {
            soak.is_resumed();
            soak.ended.get_or_insert(*end);
        } else if let What::SoakResumed { at_ms } = what {
            soak.resume(at_ms);
        } else if let What::HostResumed { .. } = what {
            soak.awaits = true;
        }
        soak.marks.extend(Mark::of(what).map(|mark| (at, mark)));
    }

    /// It goes on: what was its end is none.
    fn resume(&mut self, at_ms: &Reading<u64>) {
        (self.awaits, self.ended) = (false, None);
        if let Reading::Missing { why } = at_ms {
            self.unsure.get_or_insert(why.clone());
        }
    }

    /// Of a resumed run that asked, the record is to say so first.
    fn is_resumed(&mut self) {
        if self.awaits {
            let why = "that it was gone on with is not in the record";
            self.unsure.get_or_insert(why.to_owned());
        }
    }

    /// The first place of the grid that nobody was at.
    #[must_use]
    pub fn next_place(&self) -> u64 {
        let last = self.probes.values().filter_map(|all| all.last());
        let next = last.map(|(_, stretch)| stretch.next()).max();
        let places = self.ended.map(|end| end.places);
        next.max(places).unwrap_or(0)
    }

    /// When something was known of it last, in milliseconds since its begin.
    #[must_use]
    pub fn last_ms(&self) -> u64 {
        let all = self.probes.values().flatten();
        let ends = all.flat_map(|(_, stretch)| stretch.times().map(|(_, ended)| ended));
        let end = self.ended.map(|end| end.at_ms);
        ends.max().max(end).unwrap_or(0)
    }

    /// Takes probes that come after those that are there; what is told twice counts once.
    fn probe(&mut self, seq: u64, stretch: &Stretch) {
        let Some(known) = self.probes.get_mut(&stretch.check) else {
            return;
        };
        let whole = stretch.begun_ms.len() == stretch.took_ms.len();
        let next = known.last().map_or(0, |(_, last)| last.next());
        if whole && stretch.first >= next {
            known.push((seq, stretch.clone()));
        }
    }

    /// What the time at which something happened is called.
    #[must_use]
    pub fn phase(&self, at: jiff::Timestamp) -> &'static str {
        let before = self.marks.iter().rev().find(|(mark, _)| *mark <= at);
        before.map_or("before the transaction", |(_, mark)| mark.phrase())
    }

    /// What came to pass in a time.
    pub fn within(
        &self,
        from: jiff::Timestamp,
        until: jiff::Timestamp,
    ) -> impl Iterator<Item = Mark> {
        let marks = self.marks.iter();
        marks
            .filter(move |(at, _)| from < *at && *at <= until)
            .map(|(_, mark)| *mark)
    }
}

#[cfg(test)]
mod tests;
