//! What the kernel allowed a watched domain at the baseline and does not allow it now: the one trace of
//! a denial that a dontaudit rule hides.

use std::collections::BTreeMap;

use super::{rules::selinux, scene::Scene, sights::type_of};
use crate::{
    evidence::{
        access::{AccessVector, Query, VectorTable},
        vector_diff::{VectorChange, diff},
    },
    id::HostName,
    judge::View,
    ledger::Ledger,
    plan::{Plan, PlannedHost},
    state::State,
    verdict::{Cause, CauseKind, DeniedAccess, Proof},
};

/// Permissions that a watched domain lost.
#[derive(Clone, Debug)]
pub(in crate::judge) struct Lost {
    /// The first state that shows it.
    pub(in crate::judge) state: State,
    /// What was lost.
    pub(in crate::judge) denial: DeniedAccess,
    /// The events of the two tables.
    pub(in crate::judge) evidence: Vec<u64>,
}

/// What each host has lost since the baseline, by the state whose table shows it.
pub(in crate::judge) struct Losses {
    /// In the states that the gate looks at.
    judged: BTreeMap<HostName, BTreeMap<State, Vec<Lost>>>,
    /// After the undo, which no state before it stands in for.
    undone: BTreeMap<HostName, Vec<Lost>>,
}

impl Losses {
    /// Compares all tables of the record with those of the baseline, once.
    pub(in crate::judge) fn compare(plan: &Plan, ledger: &Ledger) -> Self {
        let of_host = |host: &PlannedHost| {
            let states = plan.judged_states().iter();
            let lost = states.filter_map(|s| Some((*s, since_baseline(ledger, &host.name, *s)?)));
            (host.name.clone(), lost.collect())
        };
        let undone = plan.hosts.iter().filter_map(|host| {
            let lost = since_baseline(ledger, &host.name, State::Undone)?;
            Some((host.name.clone(), lost))
        });
        Self {
            judged: plan.hosts.iter().map(of_host).collect(),
            undone: undone.collect(),
        }
    }

    /// What a host has lost by a state: by the state's own table, else by the last one before it.
    pub(in crate::judge) fn by(&self, host: &HostName, state: State) -> &[Lost] {
        if state == State::Undone {
            return self.undone.get(host).map_or(&[], Vec::as_slice);
        }
        let states = self.judged.get(host);
        let last = states.and_then(|s| s.range(..=state).next_back());
        last.map_or(&[], |(_, lost)| lost)
    }
}

/// The weightiest loss of access between the baseline and the later states.
pub(in crate::judge) fn lost_access<'a>(view: &'a View<'_>, host: &HostName) -> Option<&'a Lost> {
    losses(view, host).into_iter().next()
}

/// All losses of access of the watched domains, each in the first state that shows it: silenced before
/// audited, sockets before the rest.
pub(in crate::judge) fn losses<'a>(view: &'a View<'_>, host: &HostName) -> Vec<&'a Lost> {
    let mut losses: Vec<&Lost> = Vec::new();
    let states = view.losses.judged.get(host).into_iter().flatten();
    for lost in states.flat_map(|(_, lost)| lost) {
        if !losses.iter().any(|l| l.denial == lost.denial) {
            losses.push(lost);
        }
    }
    losses.sort_by_key(|l| !l.denial.silenced);
    losses
}

/// What the domains of a scene's suite have lost by then.
pub(super) fn at<'a>(scene: &Scene<'a>) -> Vec<&'a Lost> {
    let lost = scene.view.losses.by(scene.host, scene.state).iter();
    let ours = |l: &&Lost| scene.suite.domains.contains(&l.denial.source);
    lost.filter(|_| scene.before.is_some())
        .filter(ours)
        .collect()
}

/// A table of access vectors and the event that brought it.
pub(in crate::judge) fn table<'a>(
    ledger: &'a Ledger,
    host: &HostName,
    state: State,
) -> Option<(u64, &'a VectorTable)> {
    let at = ledger.state(host, state)?.vectors.as_ref()?;
    Some((at.seq, at.value.known()?))
}

/// Whether the kernel said at the baseline that it refuses all of this, logged or not.
pub(super) fn was_refused(scene: &Scene<'_>, denial: &DeniedAccess) -> bool {
    let baseline = table(scene.view.ledger, scene.host, State::Baseline);
    let Some((_, table)) = baseline.filter(|_| !denial.perms.is_empty()) else {
        return false;
    };
    let ours = table.vectors.iter().filter(|(q, _)| {
        let is = |context: &str, type_: &str| type_of(context) == Some(type_);
        is(q.source(), &denial.source)
            && is(q.target(), &denial.target)
            && q.class() == denial.class
    });
    let refuses = |(query, vector): (&Query, &AccessVector)| {
        let class = table.classes.get(query.class())?;
        let allowed = table.allowed(query)?;
        let refused = |p: &String| class.permissions.contains_key(p) && !allowed.contains(p);
        Some(!vector.is_permissive() && denial.perms.iter().all(refused))
    };
    let answers: Vec<Option<bool>> = ours.map(refuses).collect();
    !answers.is_empty() && answers.iter().all(|refused| *refused == Some(true))
}

/// What was lost by a state; none where one of the two tables is not known.
fn since_baseline(ledger: &Ledger, host: &HostName, state: State) -> Option<Vec<Lost>> {
    let (before_seq, before) = table(ledger, host, State::Baseline)?;
    let (seq, after) = table(ledger, host, state)?;
    if state == State::Baseline {
        return None;
    }
    let mut changes = diff(before, after).changes;
    changes.retain(|c| !c.lost.is_empty() && !c.permissive);
    changes.sort_by_key(|c| (c.silenced.is_empty(), !c.class.contains("socket")));
    let lost = |change| Lost {
        state,
        denial: access(change),
        evidence: vec![before_seq, seq],
    };
    Some(changes.into_iter().map(lost).collect())
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
        evidence: lost.evidence.clone(),
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
