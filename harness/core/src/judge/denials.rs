//! The denials of the windows by fingerprint, held against the baseline, the twin and the allow-lists.

use std::collections::BTreeSet;

use jiff::{civil::Date, tz::TimeZone};

use super::{View, cells::Windows};
use crate::{
    evidence::{
        denial::Decision,
        fingerprint::{Fingerprint, Tally, by_fingerprint},
    },
    id::{CheckId, HostName},
    ledger::Ledger,
    plan::{Plan, PlannedHost, id_of},
    state::State,
    suite::{
        CheckKind,
        denials::{Denials, watches},
    },
    verdict::{SeenDenial, Standing},
};

/// How many fingerprints of one window the verdict lists.
const MOST: usize = 200;

/// The denials of one fingerprint in one window.
pub(super) struct Denial {
    /// What they have in common, and how many there are.
    pub(super) tally: Tally,
    /// The checks whose lists allow every one of them.
    allowed_by: Vec<CheckId>,
    /// Whether all checks that watch them do, and there is one.
    pub(super) allowed: bool,
}

impl Denial {
    /// Whether the list of a check allows them.
    pub(super) fn is_allowed_by(&self, check: &CheckId) -> bool {
        self.allowed_by.contains(check)
    }
}

/// The checks of the kind `denials`, in the plan's order.
pub(super) fn checks(plan: &Plan) -> Vec<(CheckId, &Denials)> {
    let mut found = Vec::new();
    for suite in &plan.suites {
        for check in &suite.checks {
            match &check.kind {
                CheckKind::Denials(denials) => found.push((id_of(suite, &check.name), denials)),
                CheckKind::Http(_)
                | CheckKind::Command(_)
                | CheckKind::Service(_)
                | CheckKind::Selinux(_) => {}
            }
        }
    }
    found
}

/// The day, in UTC, by which entries hold or have expired: that of the run's begin, and never today, so
/// that the verdict stays the same. Without a begin no day is known, and nothing is allowed.
pub(super) fn day(ledger: &Ledger) -> Option<Date> {
    let begun = ledger.begun?;
    Some(begun.to_zoned(TimeZone::UTC).date())
}

/// The denials among the decisions of a window.
pub(super) fn of_window(
    decisions: &[Decision],
    checks: &[(CheckId, &Denials)],
    day: Option<Date>,
) -> Vec<Denial> {
    let of_group = |(fingerprint, denials): (Fingerprint, Vec<&Decision>)| {
        let watching = checks.iter().filter(|(_, c)| c.watches(&fingerprint));
        let (allowing, failing): (Vec<_>, Vec<_>) =
            watching.partition(|(_, c)| day.is_some_and(|d| allows(c, d, &denials)));
        Denial {
            allowed: failing.is_empty() && !allowing.is_empty(),
            allowed_by: allowing.into_iter().map(|(id, _)| id.clone()).collect(),
            tally: Tally::of(fingerprint, &denials),
        }
    };
    by_fingerprint(decisions)
        .into_iter()
        .map(of_group)
        .collect()
}

/// Whether entries that hold on a day fit every one of some denials.
fn allows(check: &Denials, day: Date, denials: &[&Decision]) -> bool {
    let entries = check.allow.iter().flat_map(|list| &list.entries);
    let in_force: Vec<_> = entries.filter(|e| e.holds_on(day)).collect();
    denials.iter().all(|d| in_force.iter().any(|e| e.fits(d)))
}

impl Windows {
    /// The denials that the baseline does not have; all of them where there is no other baseline.
    fn new_ones(&self, host: &HostName, state: State) -> impl Iterator<Item = &Denial> {
        let known = move |d: &Denial| match state {
            State::Baseline => false,
            State::Patched | State::Restarted | State::Rebooted | State::Undone => {
                // What was cut off may be anything, also what was not there before.
                d.tally.fingerprint.is_whole()
                    && self.has(host, State::Baseline, &d.tally.fingerprint)
            }
        };
        self.denials(host, state).iter().filter(move |d| !known(d))
    }

    /// Whether a window has denials of a fingerprint.
    fn has(&self, host: &HostName, state: State, fingerprint: &Fingerprint) -> bool {
        self.find(host, state, fingerprint).is_some()
    }

    fn find(&self, host: &HostName, state: State, of: &Fingerprint) -> Option<&Denial> {
        let denials = self.denials(host, state);
        let found = denials.binary_search_by(|d| d.tally.fingerprint.cmp(of));
        found.ok().map(|at| &denials[at])
    }

    /// The denials of some domains that the baseline did not have.
    pub(super) fn new_denials(
        &self,
        host: &HostName,
        state: State,
        domains: &[String],
    ) -> BTreeSet<&Fingerprint> {
        self.new_ones(host, state)
            .map(|d| &d.tally.fingerprint)
            .filter(|f| watches(domains, f))
            .collect()
    }

    /// Whether the lists allow the denials of a fingerprint in a window.
    pub(super) fn is_allowed(&self, host: &HostName, state: State, of: &Fingerprint) -> bool {
        self.find(host, state, of).is_some_and(|d| d.allowed)
    }

    /// The denials that a check fails for: new, and not on its list.
    pub(super) fn failing(
        &self,
        host: &HostName,
        state: State,
        check: &CheckId,
        want: &Denials,
    ) -> Vec<&Denial> {
        self.new_ones(host, state)
            .filter(|d| want.watches(&d.tally.fingerprint) && !d.is_allowed_by(check))
            .collect()
    }
}

/// The denials of a window as the verdict lists them.
#[derive(Default)]
pub(super) struct Listed {
    /// Those that matter most come first.
    pub(super) seen: Vec<SeenDenial>,
    /// How many fingerprints were left out.
    pub(super) unlisted: usize,
    /// How many denials are allowed.
    pub(super) allowed: usize,
}

/// Lists the denials of a host in a state, at most [`MOST`] fingerprints of them.
pub(super) fn listed(view: &View<'_>, host: &PlannedHost, state: State) -> Listed {
    let denials = view.windows.denials(&host.name, state);
    let allowed = denials.iter().filter(|d| d.allowed).map(|d| d.tally.count);
    let mut seen: Vec<SeenDenial> = denials
        .iter()
        .map(|d| SeenDenial {
            fingerprint: d.tally.fingerprint.clone(),
            count: d.tally.count,
            enforced: d.tally.enforced,
            permissive: d.tally.permissive,
            standing: standing(view, host, state, d),
        })
        .collect();
    seen.sort_by_key(|s| {
        (
            s.standing.contains(&Standing::Allowed),
            s.standing.first().copied(),
        )
    });
    let unlisted = seen.len().saturating_sub(MOST);
    seen.truncate(MOST);
    Listed {
        allowed: allowed.sum(),
        seen,
        unlisted,
    }
}

fn standing(view: &View<'_>, host: &PlannedHost, state: State, denial: &Denial) -> Vec<Standing> {
    let fingerprint = &denial.tally.fingerprint;
    let mut standing = vec![next_to_baseline(view, host, fingerprint)];
    standing.extend(denial.allowed.then_some(Standing::Allowed));
    let shared = is_on_twin(view, host, state, fingerprint);
    standing.extend(shared.then_some(Standing::AlsoOnTwin));
    standing
}

fn next_to_baseline(view: &View<'_>, host: &PlannedHost, fingerprint: &Fingerprint) -> Standing {
    if view.plan.patch.is_none() {
        return Standing::Uncompared;
    }
    if view.windows.has(&host.name, State::Baseline, fingerprint) {
        return Standing::Baseline;
    }
    if view.windows.gaps(&host.name, State::Baseline).is_empty() {
        Standing::New
    } else {
        Standing::Uncompared
    }
}

/// Whether the twin of a host has denials of a fingerprint in the same state.
fn is_on_twin(view: &View<'_>, host: &PlannedHost, state: State, of: &Fingerprint) -> bool {
    let twin = host.twin.as_ref();
    twin.is_some_and(|twin| view.windows.has(twin, state, of))
}

/// How many of the denials that a check of a host fails for its twin has too, of how many; none where
/// the twin has none of them.
pub(super) fn shared(
    view: &View<'_>,
    host: &PlannedHost,
    state: State,
    check: &CheckId,
) -> Option<(usize, usize)> {
    let (_, check_of) = view.plan.check(check)?;
    let CheckKind::Denials(want) = &check_of.kind else {
        return None;
    };
    let failing = view.windows.failing(&host.name, state, check, want);
    let on_twin = |d: &&&Denial| is_on_twin(view, host, state, &d.tally.fingerprint);
    let count = failing.iter().filter(on_twin).count();
    (count > 0).then_some((count, failing.len()))
}
