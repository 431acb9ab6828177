//! What caused a finding, and how well that is proven.
//!
//! The failures of one suite on one host make a scene for each state ([`scene`]). Rules ([`rules`]) look at
//! a scene and give clues; the same clue in every state makes a candidate; the best proven, most specific
//! candidate is the cause ([`candidate`]). `supported` needs independent evidence that agrees, `proven` the
//! counter-experiment ([`rules`], `proof`); what merely fits is `suspected`.

mod access;
mod candidate;
mod effect;
mod loss;
mod protocol;
mod rules;
mod scene;
mod sights;
mod trial;

use std::collections::{BTreeMap, BTreeSet};

use self::candidate::Candidate;
pub(super) use self::{
    access::same_access,
    loss::{Losses, Lost, losses, lost_access, table, unfelt},
    protocol::{Experiment, experiments},
    rules::complaint,
    scene::{Scene, scenes},
    trial::Answer,
};
use super::{View, cells::CellResult};
use crate::{
    id::{HostName, SuiteName},
    suggestion::suggest,
    verdict::{Cause, CauseKind, DeniedAccess, Proof},
};

/// The cause of a group of failed checks of one suite on one host, and the events it rests on.
pub(super) fn of_group<'a>(
    view: &'a View<'a>,
    host: &'a HostName,
    suite: &SuiteName,
    results: &[&'a CellResult],
) -> Cause {
    let before = results.iter().filter_map(|r| view.before(r));
    let before = before.filter(|b| b.failed());
    let before: BTreeMap<_, &CellResult> = before.map(|b| (&b.cell.check, b)).collect();
    let all: Vec<_> = results.iter().chain(before.values()).copied().collect();
    let scenes = scenes(view, host, suite, &all);
    let clues = scenes.iter().map(|s| (s.state, rules::clues(s))).collect();
    let best = candidate::candidates(clues, !before.is_empty())
        .into_iter()
        .next();
    best.map_or_else(unknown, |c| of_candidate(view, host, c))
}

fn of_candidate(view: &View<'_>, host: &HostName, candidate: Candidate) -> Cause {
    let explanation = candidate.explanation();
    let clue = candidate.clue;
    let broken = clue
        .denial
        .as_ref()
        .is_some_and(|d| is_measured(view, host, d));
    Cause {
        kind: clue.kind,
        proof: clue.proof,
        explanation,
        look: clue.look,
        denial: clue.denial,
        suggestion: clue.fix.and_then(|fix| suggest(&fix, broken)),
        evidence: clue.evidence.into_iter().collect(),
    }
}

/// Whether the kernel's own answers show that the access was taken away since the baseline.
pub(super) fn is_measured(view: &View<'_>, host: &HostName, denial: &DeniedAccess) -> bool {
    losses(view, host)
        .iter()
        .any(|l| same_access(&l.denial, denial))
}

/// A cause that nobody can name.
pub(super) fn unknown() -> Cause {
    plain(
        CauseKind::Unknown,
        Proof::Suspected,
        "Nothing that was looked at explains it.",
        BTreeSet::new(),
    )
}

/// A cause that says nothing of SELinux's decisions.
pub(super) fn plain(
    kind: CauseKind,
    proof: Proof,
    explanation: impl Into<String>,
    evidence: BTreeSet<u64>,
) -> Cause {
    Cause {
        kind,
        proof,
        explanation: explanation.into(),
        look: None,
        denial: None,
        evidence: evidence.into_iter().collect(),
        suggestion: None,
    }
}
