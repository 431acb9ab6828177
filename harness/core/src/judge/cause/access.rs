//! What SELinux denied the domains of a suite in a state: by the log, by the kernel's own answers, and by
//! the experiments that make silent denials speak.

use std::collections::BTreeSet;

use super::{effect, loss, scene::Scene, sights::type_of, trial::Answer};
use crate::{
    evidence::{
        access::{Query, VectorTable},
        context::Context,
        denial::Decision,
        fingerprint::Fingerprint,
        window::WindowEvidence,
    },
    verdict::DeniedAccess,
};

/// Where a denied access shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::judge) enum Origin {
    /// The kernel allowed it at the baseline and does not now.
    Lost,
    /// The log of the state.
    Logged,
    /// The log of an experiment, only with dontaudit rules off.
    Revealed,
    /// The kernel does not allow it now; what it did before is not known.
    Answered,
}

/// A denied access.
#[derive(Clone, Debug)]
pub(in crate::judge) struct Access {
    /// What was denied.
    pub(in crate::judge) denial: DeniedAccess,
    /// Where it shows.
    pub(in crate::judge) origin: Origin,
    /// The program.
    pub(in crate::judge) program: Option<String>,
    /// The full path of the object, or the last part of it.
    pub(in crate::judge) path: Option<String>,
    /// The port.
    pub(in crate::judge) port: Option<u16>,
    /// Whether an allow-list takes it as harmless.
    pub(in crate::judge) allowed: bool,
    /// Whether the markers tell that it came while none of the failed checks was made.
    pub(in crate::judge) elsewhere: bool,
    /// Whether it is known that it was denied already when the checks still passed.
    pub(in crate::judge) standing: bool,
    /// The events that show it.
    pub(in crate::judge) evidence: BTreeSet<u64>,
}

impl Access {
    /// Whether it is the same access to the same kind of object.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        same_access(&self.denial, &other.denial)
    }

    /// Whether it is the same access to the same object.
    fn is_same(&self, other: &Self) -> bool {
        (&self.denial, &self.path, self.port) == (&other.denial, &other.path, other.port)
    }

    /// Of which nothing but the access is known.
    pub(in crate::judge::cause) fn plain(
        denial: DeniedAccess,
        origin: Origin,
        evidence: impl IntoIterator<Item = u64>,
    ) -> Self {
        Self {
            denial,
            origin,
            program: None,
            path: None,
            port: None,
            allowed: false,
            elsewhere: false,
            standing: false,
            evidence: evidence.into_iter().collect(),
        }
    }
}

/// Whether two denials are of the same domain, type and class.
pub(in crate::judge) fn same_access(one: &DeniedAccess, other: &DeniedAccess) -> bool {
    let triple = |d: &DeniedAccess| (d.source.clone(), d.target.clone(), d.class.clone());
    triple(one) == triple(other)
}

/// What was denied without anybody changing anything: empty where SELinux does not enforce, and without
/// the domains that are permissive.
pub(super) fn of_normal_times(scene: &Scene<'_>) -> Vec<Access> {
    if scene.is_unenforced() {
        return Vec::new();
    }
    let mut all: Vec<Access> = loss::at(scene)
        .into_iter()
        .map(|l| Access::plain(l.denial.clone(), Origin::Lost, l.evidence.clone()))
        .collect();
    all.extend(logged(scene));
    all.extend(answered(scene));
    all.retain(|a| !is_permissive(scene, &a.denial.source));
    all
}

/// Takes in what the experiments showed: what only they made speak, and which domains it is not.
pub(super) fn weigh_trials(scene: &mut Scene<'_>) {
    let trials = scene.trials.iter();
    let shown: Vec<Access> = trials.flat_map(|t| t.shown.iter().cloned()).collect();
    let mut all = scene.accesses.clone();
    for access in shown {
        let same = |a: &Access| a.origin == access.origin && a.is_same(&access);
        if !all.iter().any(same) {
            all.push(access);
        }
    }
    let (cleared, all) = all
        .into_iter()
        .partition(|a| is_cleared(scene, &a.denial.source));
    (scene.cleared, scene.accesses) = (cleared, all);
}

/// Whether the experiments show that it is not this domain.
fn is_cleared(scene: &Scene<'_>, domain: &str) -> bool {
    let came_to = |answer: &Answer| {
        let mut ours = scene.trials.iter().filter(|t| t.domain == domain);
        ours.any(|t| t.answer == *answer)
    };
    came_to(&Answer::Unmoved) && !came_to(&Answer::Turned)
}

/// Whether the kernel allowed at the baseline what it denies now.
pub(super) fn is_taken(scene: &Scene<'_>, access: &Access) -> bool {
    let mut accesses = scene.accesses.iter();
    accesses.any(|a| a.origin == Origin::Lost && a.is_like(access))
}

/// Whether SELinux can have denied a domain of the suite something: it may enforce, and the domain is
/// neither permissive nor cleared by an experiment.
pub(super) fn may_deny(scene: &Scene<'_>) -> bool {
    let free = |d: &String| is_permissive(scene, d) || is_cleared(scene, d);
    !scene.is_unenforced() && !scene.suite.domains.iter().all(free)
}

/// The denials of the state's window that count for its failures: new ones for new failures, the failed
/// checks' own first, those that are allowed last.
fn logged(scene: &Scene<'_>) -> Vec<Access> {
    let domains = &scene.suite.domains;
    let Some((seq, window)) = scene.window().filter(|_| !domains.is_empty()) else {
        return Vec::new();
    };
    let windows = &scene.view.windows;
    let new = windows.new_denials(scene.host, scene.state, domains);
    let counts = |d: &&Decision| !scene.is_new || new.contains(&Fingerprint::of(d));
    let ours = window.denials().filter(|d| d.permissive != Some(true));
    let ours = ours.filter(|d| is_of(d, domains)).filter(counts);
    let allowed = |d: &Decision| windows.is_allowed(scene.host, scene.state, &Fingerprint::of(d));
    let near = near(scene, window);
    let elsewhere = |d: &Decision| near.as_ref().is_some_and(|near| !near.contains(&d));
    let mut ours: Vec<&Decision> = ours.collect();
    ours.sort_by_key(|d| (allowed(d), elsewhere(d)));
    let accesses = ours.into_iter().map(|d| Access {
        allowed: allowed(d),
        elsewhere: elsewhere(d),
        ..of_decision(d, Origin::Logged, seq)
    });
    each_once(accesses)
}

/// The denials that came while one of the failed checks was made; none where no marker tells.
fn near<'a>(scene: &Scene<'_>, window: &'a WindowEvidence) -> Option<Vec<&'a Decision>> {
    let checks = scene.failures.iter().map(|f| &f.result.cell.check);
    let denials = checks.filter_map(|check| window.denials_of(check).known().cloned());
    denials.reduce(|all, more| [all, more].concat())
}

/// Whether a decision is about one of these domains; one without a source may be.
fn is_of(decision: &Decision, domains: &[String]) -> bool {
    let source = decision.source.as_ref();
    source.is_none_or(|s| domains.contains(&s.type_))
}

/// Of those that are the same the first.
pub(super) fn each_once(accesses: impl Iterator<Item = Access>) -> Vec<Access> {
    let mut all: Vec<Access> = Vec::new();
    for access in accesses {
        if !all.iter().any(|a| a.is_same(&access)) {
            all.push(access);
        }
    }
    all
}

pub(super) fn of_decision(decision: &Decision, origin: Origin, seq: u64) -> Access {
    let print = Fingerprint::of(decision);
    let word = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
    let denial = DeniedAccess {
        source: word(print.source_type),
        target: word(print.target_type),
        class: word(print.class),
        perms: print.permissions,
        silenced: false,
    };
    Access {
        program: print.program,
        path: decision.path.clone().or_else(|| decision.name.clone()),
        port: decision.port,
        ..Access::plain(denial, origin, [seq])
    }
}

/// The permissions without which nothing serves on a socket.
const SERVING: [&str; 2] = ["accept", "listen"];

/// What the kernel says of the service's own sockets where no table of better times is there: a domain
/// that may not listen or accept on its own TCP sockets serves nobody.
fn answered(scene: &Scene<'_>) -> Vec<Access> {
    let Some((seq, table)) = loss::table(scene.view.ledger, scene.host, scene.state) else {
        return Vec::new();
    };
    if scene.before.is_some() {
        return Vec::new();
    }
    let runs_as = |domain: &str| {
        let contexts = scene.units().into_iter().filter_map(|u| u.context);
        contexts.into_iter().any(|c| type_of(c) == Some(domain))
    };
    let domains = scene.suite.domains.iter();
    let denied = domains
        .filter(|d| runs_as(d))
        .filter_map(|d| unserving(table, d));
    denied
        .map(|denial| Access::plain(denial, Origin::Answered, [seq]))
        .collect()
}

fn unserving(table: &VectorTable, domain: &str) -> Option<DeniedAccess> {
    let is_own = |q: &&Query| {
        let own = |c: &str| type_of(c) == Some(domain);
        q.class() == "tcp_socket" && own(q.source()) && own(q.target())
    };
    let query = table.vectors.keys().find(is_own)?;
    let (allowed, silent) = (table.allowed(query)?, table.silent(query)?);
    let known = &table.classes.get(query.class())?.permissions;
    let denied = |p: &&&str| known.contains_key(**p) && !allowed.contains(**p);
    let perms: Vec<String> = SERVING
        .iter()
        .filter(denied)
        .map(|p| (*p).to_owned())
        .collect();
    (!perms.is_empty()).then(|| DeniedAccess {
        source: domain.to_owned(),
        target: domain.to_owned(),
        class: "tcp_socket".to_owned(),
        silenced: perms.iter().any(|p| silent.contains(p)),
        perms,
    })
}

/// Whether a domain is known to be permissive.
fn is_permissive(scene: &Scene<'_>, domain: &str) -> bool {
    let listed = scene.policy().and_then(|(_, p)| p.permissive.known());
    let flagged = || {
        let table = loss::table(scene.view.ledger, scene.host, scene.state)?.1;
        let mut ours = table
            .vectors
            .iter()
            .filter(|(q, _)| Context::parse(q.source()).is_some_and(|c| c.type_ == domain));
        Some(ours.any(|(_, v)| v.is_permissive()))
    };
    listed.is_some_and(|l| l.contains(domain)) || flagged().unwrap_or(false)
}

/// Whether an access shows as one of the scene's failures.
pub(in crate::judge) fn shows(scene: &Scene<'_>, access: &Access) -> bool {
    let failures = scene.failures.iter();
    failures
        .filter(|f| f.kind.is_some())
        .any(|f| effect::explains(scene, access, f))
}
