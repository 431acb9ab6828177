//! What one probe says.

use std::time::Duration;

use crate::{
    observation::HttpPhase,
    outcome::{self, Outcome, Symptom, SymptomKind},
    soak::Answer,
    suite::Check,
};

/// How much longer than its deadline a probe may take: what took longer was held up here.
const GRACE: Duration = Duration::from_secs(1);

/// What one probe says.
pub(super) enum Saw {
    /// The host answered as the check wants.
    Good,
    /// It did not.
    Bad(String),
    /// Nothing can be said: our trouble.
    Nothing,
}

/// Holds a probe against its check.
pub(super) fn saw(check: &Check, answer: &Answer, took: Duration) -> Saw {
    match outcome::evaluate(&check.kind, &answer.observation(took)) {
        Some(Outcome::Passed) => Saw::Good,
        Some(Outcome::Failed { symptom }) if is_ours(check, &symptom, took) => Saw::Nothing,
        Some(Outcome::Failed { symptom }) => Saw::Bad(short(&symptom)),
        Some(
            Outcome::Errored { .. }
            | Outcome::Blind { .. }
            | Outcome::NotRun { .. }
            | Outcome::NotNeeded { .. },
        )
        | None => Saw::Nothing,
    }
}

/// Whether a failure may be the controller's own: its resolver, or its being busy or asleep.
fn is_ours(check: &Check, symptom: &Symptom, took: Duration) -> bool {
    symptom.kind == SymptomKind::Http(HttpPhase::Dns) || took > check.deadline + GRACE
}

/// What a probe saw, without how long that took.
fn short(symptom: &Symptom) -> String {
    match symptom.kind {
        SymptomKind::Http(phase) => phase.symptom().to_owned(),
        SymptomKind::HttpStatus
        | SymptomKind::HttpBody
        | SymptomKind::CommandExit
        | SymptomKind::CommandOutput
        | SymptomKind::CommandDeadline
        | SymptomKind::ServiceState
        | SymptomKind::ServiceEnabled
        | SymptomKind::SelinuxMode
        | SymptomKind::SelinuxBoolean
        | SymptomKind::Denials => symptom.text.clone(),
    }
}
