//! What the kernel allowed a watched domain at the baseline and does not allow it now: the one trace of
//! a denial that a dontaudit rule hides.

use std::collections::BTreeSet;

use super::{rules::selinux, scene::Scene};
use crate::{
    evidence::{
        access::VectorTable,
        vector_diff::{VectorChange, diff},
    },
    id::HostName,
    judge::View,
    state::State,
    verdict::{Cause, CauseKind, DeniedAccess, Proof},
};

/// Permissions that a watched domain lost.
pub(in crate::judge) struct Lost {
    /// The first state that shows it.
    pub(in crate::judge) state: State,
    /// What was lost.
    pub(in crate::judge) denial: DeniedAccess,
    /// The events of the two tables.
    pub(in crate::judge) evidence: Vec<u64>,
}

/// The weightiest loss of access between the baseline and the later states.
pub(in crate::judge) fn lost_access(view: &View<'_>, host: &HostName) -> Option<Lost> {
    losses(view, host).into_iter().next()
}

/// All losses of access of the watched domains, each in the first state that shows it: silenced before
/// audited, sockets before the rest.
pub(in crate::judge) fn losses(view: &View<'_>, host: &HostName) -> Vec<Lost> {
    let mut losses: Vec<Lost> = Vec::new();
    for state in view.plan.judged_states() {
        for lost in since_baseline(view, host, *state) {
            if !losses.iter().any(|l| l.denial == lost.denial) {
                losses.push(lost);
            }
        }
    }
    losses
}

/// What the domains of a scene's suite have lost by then: by the scene's own table, else by the last one
/// before it.
pub(super) fn at(scene: &Scene<'_>) -> Vec<Lost> {
    let (view, host) = (scene.view, scene.host);
    if scene.before.is_none() {
        return Vec::new();
    }
    let states = view.plan.judged_states().iter().rev();
    let mut read = states.filter(|s| **s <= scene.state && table(view, host, **s).is_some());
    let Some(state) = read.next() else {
        return Vec::new();
    };
    let mut losses = since_baseline(view, host, *state);
    losses.retain(|l| scene.suite.domains.contains(&l.denial.source));
    losses
}

/// A table of access vectors and the event that brought it.
pub(super) fn table<'a>(
    view: &'a View<'_>,
    host: &HostName,
    state: State,
) -> Option<(u64, &'a VectorTable)> {
    let at = view.ledger.state(host, state)?.vectors.as_ref()?;
    Some((at.seq, at.value.known()?))
}

fn since_baseline(view: &View<'_>, host: &HostName, state: State) -> Vec<Lost> {
    let tables = table(view, host, State::Baseline).zip(table(view, host, state));
    let Some(((before_seq, before), (seq, after))) = tables else {
        return Vec::new();
    };
    let mut changes = diff(before, after).changes;
    changes.retain(|c| !c.lost.is_empty() && !c.permissive);
    changes.sort_by_key(|c| (c.silenced.is_empty(), !c.class.contains("socket")));
    let lost = |change| Lost {
        state,
        denial: access(change),
        evidence: vec![before_seq, seq],
    };
    changes.into_iter().map(lost).collect()
}

/// What was lost; of a loss that is partly silenced, the silenced part.
fn access(change: VectorChange) -> DeniedAccess {
    let silenced = !change.silenced.is_empty();
    let mut perms = if silenced {
        change.silenced
    } else {
        change.lost
    };
    perms.sort();
    DeniedAccess {
        source: change.source_type,
        target: change.target_type,
        class: change.class,
        perms,
        silenced,
    }
}

/// The cause that a loss is which no failed check is explained by.
pub(in crate::judge) fn unfelt(lost: &Lost) -> Cause {
    let denial = &lost.denial;
    Cause {
        kind: kind_of(denial),
        proof: Proof::Suspected,
        explanation: format!("{}.", selinux::lost_words(denial, None)),
        look: Some(selinux::sesearch(denial)),
        denial: Some(denial.clone()),
        evidence: lost
            .evidence
            .iter()
            .copied()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        suggestion: None,
    }
}

/// Silent or not.
pub(super) fn kind_of(denial: &DeniedAccess) -> CauseKind {
    if denial.silenced {
        CauseKind::SelinuxSilentDenial
    } else {
        CauseKind::SelinuxDenial
    }
}
