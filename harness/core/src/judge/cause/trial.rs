//! What the experiments of a scene came to, and what the domain was denied while it was confined and no
//! dontaudit rule hid anything. What only the phase with the permissive domain logged was never reached
//! while it was confined, and counts for nothing.
//!
//! The question is asked of each failed check: did it fail as in the state, go on failing without dontaudit
//! rules, pass with the domain permissive, and fail in the same way with the policy restored?

use std::collections::{BTreeMap, BTreeSet};

use super::{
    access::{self, Access, Origin},
    effect, loss,
    protocol::{Experiment, Stage, experiments},
    scene::{Failure, Scene},
    sights::{same_unit, type_of},
};
use crate::{
    diagnosis::Phase,
    evidence::{coverage::Coverage, fingerprint::Fingerprint, window::WindowEvidence},
    id::CheckId,
    outcome::{Outcome, Symptom, SymptomKind, evaluate},
    state::State,
    verdict::DeniedAccess,
};

/// What an experiment came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) enum Answer {
    /// Every failed check passed with the domain permissive, and with nothing else.
    Turned,
    /// Every failed check went on failing: it is not this domain.
    Unmoved,
    /// It proves nothing.
    Open(String),
}

/// One experiment, weighed.
#[derive(Clone, Debug)]
pub(in crate::judge) struct Trial {
    /// The domain.
    pub(in crate::judge) domain: String,
    /// What it came to.
    pub(in crate::judge) answer: Answer,
    /// The scene's failed checks that it asked.
    pub(in crate::judge) asked: Vec<CheckId>,
    /// What the domain was denied while it was confined, without dontaudit rules: what had not been
    /// looked for before, too, and what a cut record leaves open.
    pub(in crate::judge) confined: Vec<Access>,
    /// Whether that is all that it was denied then.
    pub(in crate::judge) is_whole: bool,
    /// Whether a failed check passed while the domain was confined: then it comes and goes by itself.
    pub(in crate::judge) wavers: bool,
    /// Those of the denials that the state's log does not have.
    pub(in crate::judge) shown: Vec<Access>,
    /// Its events.
    pub(in crate::judge) events: BTreeSet<u64>,
}

impl Trial {
    fn new(scene: &Scene<'_>, experiment: &Experiment<'_>) -> Self {
        let window = confined(experiment);
        let confined = window.map_or_else(Vec::new, |(seq, w)| denied(scene, experiment, *seq, w));
        Self {
            domain: experiment.domain.to_owned(),
            answer: answer(scene, experiment),
            asked: asked(scene, experiment),
            is_whole: window.is_some_and(|(_, w)| w.coverage == Coverage::Complete),
            wavers: wavers(scene, experiment),
            shown: shown(scene, experiment.domain, &confined),
            confined,
            events: experiment.events.clone(),
        }
    }

    /// Whether the log has an access while the domain was confined, and not as one of before: the same domain,
    /// type and class, and one of the permissions.
    pub(in crate::judge) fn confirms(&self, access: &Access) -> bool {
        !self.narrowed(access).denial.perms.is_empty()
    }

    /// An access with those of its permissions only that the log has while the domain was confined.
    pub(in crate::judge) fn narrowed(&self, access: &Access) -> Access {
        let open = self
            .confined
            .iter()
            .filter(|a| !a.standing && a.is_like(access));
        let seen: BTreeSet<&String> = open.flat_map(|a| &a.denial.perms).collect();
        let mut access = access.clone();
        access.denial.perms.retain(|p| seen.contains(p));
        access
    }
}

/// All experiments of a scene.
pub(super) fn all(scene: &Scene<'_>) -> Vec<Trial> {
    let experiments = experiments(scene.steps());
    experiments.iter().map(|e| Trial::new(scene, e)).collect()
}

/// The scene's own failed checks among those that were asked.
fn asked(scene: &Scene<'_>, experiment: &Experiment<'_>) -> Vec<CheckId> {
    let ours = scene.failures.iter().map(|f| &f.result.cell.check);
    let asked = |id: &&CheckId| experiment.stages.iter().any(|s| s.asked.contains_key(id));
    ours.filter(asked).cloned().collect()
}

fn answer(scene: &Scene<'_>, experiment: &Experiment<'_>) -> Answer {
    if let Some(defect) = experiment.defect() {
        return Answer::Open(defect);
    }
    let to_ask = scene.failures.iter().filter(|f| is_askable(f));
    let mut answers = to_ask.map(|f| of_failure(experiment, f));
    let Some(first) = answers.next() else {
        return Answer::Open("no failed check could be asked".to_owned());
    };
    let all = answers.all(|a| a == first);
    match first {
        Answer::Turned if !all => Answer::Open("it did not turn every failed check".to_owned()),
        Answer::Unmoved if !all => Answer::Open("it turned some failed checks only".to_owned()),
        Answer::Turned => untold_start(experiment).map_or(Answer::Turned, Answer::Open),
        Answer::Unmoved if !are_up(experiment) => {
            Answer::Open("units were down in every phase".to_owned())
        }
        Answer::Unmoved => Answer::Unmoved,
        Answer::Open(why) => Answer::Open(why),
    }
}

/// The windows answer for the checks of denials; everything else has to be asked again.
fn is_askable(failure: &Failure<'_>) -> bool {
    failure.kind != Some(SymptomKind::Denials)
}

fn of_failure(experiment: &Experiment<'_>, failure: &Failure<'_>) -> Answer {
    let check = &failure.result.cell.check;
    let open = |why: &str| Answer::Open(format!("{check} {why}"));
    let Some(before) = failure.symptom() else {
        return open("cannot be explained by a denial");
    };
    let outcomes = |stage: &Stage<'_>| -> Vec<Option<Outcome>> {
        let saw = stage.asked.get(check).into_iter().flatten();
        saw.map(|saw| evaluate(failure.want, saw)).collect()
    };
    let fails = |stage: &Stage<'_>| outcomes(stage).iter().all(|o| is_like(o.as_ref(), before));
    if !experiment
        .stages
        .iter()
        .all(|s| s.asked.contains_key(check))
    {
        return open("was not asked again");
    }
    let untouched = |s: &&Stage<'_>| s.phase != Phase::DomainPermissive;
    if !experiment.stages.iter().filter(untouched).all(fails) {
        return open("did not fail in the same way as before, or not any more");
    }
    let Some(permissive) = experiment.stage(Phase::DomainPermissive) else {
        return open("was not asked with the domain permissive");
    };
    if outcomes(permissive)
        .iter()
        .all(|o| *o == Some(Outcome::Passed))
    {
        Answer::Turned
    } else if fails(permissive) {
        Answer::Unmoved
    } else {
        open("failed in another way with the domain permissive, or not each time")
    }
}

/// Whether one of the scene's failed checks passed at any time with the domain confined: in the state itself,
/// where it was asked more than once, or in the experiment, however far that came.
fn wavers(scene: &Scene<'_>, experiment: &Experiment<'_>) -> bool {
    let state = scene.view.ledger.state(scene.host, scene.state);
    scene.failures.iter().any(|failure| {
        let check = &failure.result.cell.check;
        let attempts = state.and_then(|s| s.checks.get(check));
        let of_state = attempts.into_iter().flatten().map(|a| &a.value.saw);
        let stages = experiment.stages.iter();
        let confined = stages.filter(|s| s.phase != Phase::DomainPermissive);
        let of_stages = confined.filter_map(|s| s.asked.get(check)).flatten();
        let mut all = of_state.chain(of_stages.copied());
        all.any(|saw| evaluate(failure.want, saw) == Some(Outcome::Passed))
    })
}

/// Whether a check failed in the same way: the same kind, and the same status where one came.
fn is_like(outcome: Option<&Outcome>, before: &Symptom) -> bool {
    let Some(Outcome::Failed { symptom }) = outcome else {
        return false;
    };
    let exact = symptom.kind == SymptomKind::HttpStatus;
    symptom.kind == before.kind && (!exact || symptom.text == before.text)
}

/// A unit that was started only with the domain permissive may have needed nothing but the start.
fn untold_start(experiment: &Experiment<'_>) -> Option<String> {
    let started = |phase| experiment.stage(phase).map_or(&[][..], |s| s.started);
    let elsewhere = [Phase::DontauditOff, Phase::Restored].map(started).concat();
    let alone = started(Phase::DomainPermissive)
        .iter()
        .find(|u| !elsewhere.iter().any(|e| same_unit(e, u)))?;
    Some(format!("{alone} was not started with the domain confined"))
}

/// Whether every unit ran with the domain permissive, as far as that is known.
fn are_up(experiment: &Experiment<'_>) -> bool {
    let started = experiment
        .stage(Phase::DomainPermissive)
        .map_or(&[][..], |s| s.started);
    let mut units = experiment.before.units.iter();
    units.all(|(name, state)| state == "active" || started.iter().any(|u| same_unit(u, name)))
}

/// The window in which the domain was confined and nothing was silenced.
fn confined<'e>(experiment: &'e Experiment<'_>) -> Option<&'e (u64, WindowEvidence)> {
    experiment.stage(Phase::DontauditOff)?.window.as_ref()
}

/// What a window says that the domain, or nobody knows who, was denied.
fn denied(
    scene: &Scene<'_>,
    experiment: &Experiment<'_>,
    seq: u64,
    window: &WindowEvidence,
) -> Vec<Access> {
    let domains = &scene.suite.domains;
    if scene.is_unenforced() || !domains.iter().any(|d| d == experiment.domain) {
        return Vec::new();
    }
    let ours = window.denials().filter(|d| {
        let source = d.source.as_ref();
        source.is_none_or(|s| s.type_ == experiment.domain)
    });
    let before = Before::of(scene);
    let mut known: BTreeMap<Fingerprint, bool> = BTreeMap::new();
    let accesses = ours.map(|decision| {
        let access = access::of_decision(decision, Origin::Revealed, seq);
        let print = Fingerprint::of(decision);
        let looked_up = |print: &Fingerprint| before.has(scene, print, &access.denial);
        let standing = match known.get(&print) {
            Some(standing) => *standing,
            None => *known.entry(print.clone()).or_insert(looked_up(&print)),
        };
        Access {
            standing: standing && !effect::may_be_retyped(scene, &access),
            ..access
        }
    });
    // The same by two programs was there before only if it was by both.
    let mut accesses: Vec<Access> = accesses.collect();
    accesses.sort_by_key(|a| a.standing);
    access::each_once(accesses.into_iter())
}

/// What was denied when the checks still passed; none where SELinux is not known to have enforced then.
struct Before(Option<BTreeSet<Fingerprint>>);

impl Before {
    fn of(scene: &Scene<'_>) -> Self {
        let baseline = scene.view.windows.get(scene.host, State::Baseline);
        let denials = baseline.into_iter().flat_map(|(_, w)| w.denials());
        let enforced = denials.filter(|d| d.permissive != Some(true));
        let logged = || enforced.map(Fingerprint::of).collect();
        Self(scene.was_enforced().then(logged))
    }

    /// Whether this was denied: by the baseline's log, or by the kernel's own answer at the baseline.
    fn has(&self, scene: &Scene<'_>, print: &Fingerprint, denial: &DeniedAccess) -> bool {
        let logged = self.0.as_ref().filter(|_| print.is_whole());
        logged.is_some_and(|all| all.contains(print) || loss::was_refused(scene, denial))
    }
}

/// Those of the domain that the state's log does not have.
fn shown(scene: &Scene<'_>, domain: &str, confined: &[Access]) -> Vec<Access> {
    type Triple = (Option<String>, Option<String>, Option<String>);
    let ours: Vec<&Access> = confined
        .iter()
        .filter(|a| a.denial.source == domain)
        .collect();
    if ours.is_empty() {
        return Vec::new();
    }
    let logged = scene.window().into_iter().flat_map(|(_, w)| w.denials());
    let logged: BTreeSet<Triple> = logged
        .map(Fingerprint::of)
        .map(|p| (p.source_type, p.target_type, p.class))
        .collect();
    let is_logged = |a: &&Access| {
        let DeniedAccess {
            source,
            target,
            class,
            ..
        } = a.denial.clone();
        logged.contains(&(Some(source), Some(target), Some(class)))
    };
    let unlogged = ours.into_iter().filter(|a| !is_logged(a));
    let mut shown: Vec<Access> = unlogged.cloned().collect();
    for access in &mut shown {
        let silence = silence(scene, &access.denial);
        access.denial.silenced = silence.is_some();
        access.evidence.extend(silence);
    }
    shown
}

/// The event that shows that a denial which the log has only without dontaudit rules is hidden by one: the
/// kernel says so, or no record of the state's log can be missing.
fn silence(scene: &Scene<'_>, denial: &DeniedAccess) -> Option<u64> {
    let whole = || {
        scene
            .window()
            .filter(|_| scene.is_whole())
            .map(|(seq, _)| seq)
    };
    unaudited(scene, denial).or_else(whole)
}

/// The event in which the kernel says that it refuses something without a record.
pub(super) fn unaudited(scene: &Scene<'_>, denial: &DeniedAccess) -> Option<u64> {
    let (seq, table) = loss::table(scene.view.ledger, scene.host, scene.state)?;
    let ours = table.vectors.keys().filter(|q| {
        let is = |context: &str, type_: &str| type_of(context) == Some(type_);
        is(q.source(), &denial.source)
            && is(q.target(), &denial.target)
            && q.class() == denial.class
    });
    let mut silent = ours.filter_map(|q| table.silent(q));
    let hidden = silent.any(|names| denial.perms.iter().any(|p| names.contains(p)));
    hidden.then_some(seq)
}
