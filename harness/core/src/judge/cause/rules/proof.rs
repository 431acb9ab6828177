//! The counter-experiment: with the one domain permissive the checks passed, with nothing else.
//!
//! A proof needs the experiment whole and undisturbed ([`super::super::protocol`]), every failed check of
//! the state turned by it ([`super::super::trial`]), and denials of the domain that name what was denied:
//! seen again while the domain was confined, in a log that is whole, all of them of the same domain, type and
//! kind of object, all of them logged or all of them silent, each failure explained by one of them, and no
//! other denial of the domain beside them, new in the state's log or without dontaudit rules.
//!
//! The experiment proves that the domain is denied what it needs, and not which of its denials that is. It
//! is the one that is left: what was denied already while the checks passed ([`Access::standing`]) is not
//! it, and neither explains a failure nor stands in the way. Anything else beside may be it, whether or not
//! it is known to show as such a failure; and so may what a log with gaps has lost. An access that only an
//! experiment made speak is told only where a file is known to be of what the suite rests on: of what is
//! silenced nothing else says that it is new. Whatever is missing, nothing is proven.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        access::{self, Access, Origin},
        candidate::Clue,
        effect, loss,
        scene::{Failure, Scene},
        trial::{Answer, Trial},
    },
    boolean, label, port, selinux,
};
use crate::{
    outcome::SymptomKind,
    state::State,
    verdict::{CauseKind, DeniedAccess, Proof},
};

/// The clue that an experiment proves.
pub(super) fn proven(scene: &Scene<'_>) -> Vec<Clue> {
    let turned = || scene.trials.iter().filter(|t| t.answer == Answer::Turned);
    let domains: BTreeSet<&str> = turned().map(|t| t.domain.as_str()).collect();
    // What passes whichever of two domains is permissive, or with none, passes by itself.
    let stayed = |t: &Trial| t.answer == Answer::Unmoved && domains.contains(t.domain.as_str());
    let speaks_against = |t: &Trial| t.wavers || stayed(t);
    let contradicted = domains.len() > 1 || scene.trials.iter().any(speaks_against);
    if !scene.is_enforced() || contradicted {
        return Vec::new();
    }
    turned().filter_map(|t| of(scene, t)).collect()
}

/// What an experiment supports that turned every failed check, whatever its log says of the denials.
pub(super) fn turned(scene: &Scene<'_>) -> Vec<Clue> {
    let turned = scene.trials.iter().filter(|t| t.answer == Answer::Turned);
    let clue = |trial: &Trial| {
        let denied = scene.accesses.iter();
        let logged = denied.filter(|a| a.origin == Origin::Logged).count() > 0;
        let explanation = format!(
            "With {} permissive {} passed, with the policy as it was the same failure came back: SELinux \
             denies it something, of which what was seen does not say enough.",
            trial.domain,
            checks(trial)
        );
        let mut clue = Clue::new(kind_of_silence(!logged && scene.is_whole()), explanation)
            .about(format!("{} ?", trial.domain))
            .supported(scene.is_enforced())
            .look("semodule -DB, ask again, ausearch -m AVC -ts recent, semodule -B")
            .on(trial.events.iter().copied())
            .on(scene.events());
        clue.weight = 85;
        clue
    };
    turned.map(clue).collect()
}

fn checks(trial: &Trial) -> String {
    let checks: Vec<String> = trial.asked.iter().map(ToString::to_string).collect();
    checks.join(" and ")
}

fn of(scene: &Scene<'_>, trial: &Trial) -> Option<Clue> {
    if !trial.is_whole {
        return None;
    }
    let felt: Vec<&Failure<'_>> = scene.failures.iter().filter(|f| is_felt(f)).collect();
    let named: Vec<&Access> = scene
        .accesses
        .iter()
        .filter(|a| a.denial.source == trial.domain && trial.confirms(a))
        .filter(|a| counts(scene, a))
        .filter(|a| felt.iter().any(|f| explains(scene, trial, a, f)))
        .collect();
    let explained = |f: &&Failure<'_>| named.iter().any(|a| explains(scene, trial, a, f));
    if felt.is_empty() || !felt.iter().all(explained) {
        return None;
    }
    let logged = scene.accesses.iter().filter(|a| a.origin == Origin::Logged);
    let logged = logged.filter(|a| a.denial.source == trial.domain);
    let first = reason(scene, named.first()?);
    let point = Point::of(scene, named.first()?);
    let mut others = named.iter().copied().chain(logged);
    let alike =
        others.all(|a| (reason(scene, a).kind, Point::of(scene, a)) == (first.kind, point.clone()));
    if !alike || left(scene, trial).keys().any(|other| *other != point) {
        return None;
    }
    // What a label, a boolean or a port is to blame for may be logged in part.
    let silent = if is_specific(first.kind) {
        named.iter().all(|a| a.denial.silenced)
    } else {
        silence(&named)?
    };
    Some(finish(scene, trial, &named, silent, first))
}

/// Whether an access shows as a failure by what of it was denied while the domain was confined: of what the
/// kernel took away not all was missed.
fn explains(scene: &Scene<'_>, trial: &Trial, access: &Access, failure: &Failure<'_>) -> bool {
    effect::explains(scene, &trial.narrowed(access), failure)
}

/// Whether an access may be what an experiment proves: one that only the experiment made speak is new as far
/// as anybody knows, and of the suite's own files or of no file.
fn counts(scene: &Scene<'_>, access: &Access) -> bool {
    let placed = !effect::is_file(access) || effect::is_surely_near(scene, access);
    match access.origin {
        Origin::Lost | Origin::Answered | Origin::Logged => true,
        Origin::Revealed => placed && !access.standing,
    }
}

/// What a proof points at: two denials of one point have one cause. A label, a boolean or a port is to blame
/// for all that it has denied; else it takes the same domain and type, and the same kind of object, for the
/// sockets of a domain and its processes have its type too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    subject: String,
    /// The class; none where that says nothing, as with files, links to them and their directories.
    class: Option<String>,
}

impl Point {
    fn of(scene: &Scene<'_>, access: &Access) -> Self {
        let reason = reason(scene, access);
        let of_files = ["file", "dir", "lnk_file"].contains(&access.denial.class.as_str());
        let says_all = is_specific(reason.kind) || of_files;
        Self {
            class: (!says_all).then(|| access.denial.class.clone()),
            subject: reason.subject,
        }
    }
}

/// What the domain was denied while it was confined, and of which nobody knows that it was denied while the
/// checks still passed: of each point one.
fn left<'t>(scene: &Scene<'_>, trial: &'t Trial) -> BTreeMap<Point, &'t Access> {
    let open = trial.confined.iter().filter(|a| !a.standing);
    open.map(|a| (Point::of(scene, a), a)).collect()
}

/// Of each domain that an experiment turned, what was open to be the cause.
pub(super) struct Open<'t>(Vec<(&'t str, BTreeMap<Point, &'t Access>)>);

/// Looks it up, once for all accesses of a scene.
pub(super) fn open<'t>(scene: &'t Scene<'_>) -> Open<'t> {
    let turned = scene.trials.iter().filter(|t| t.answer == Answer::Turned);
    Open(
        turned
            .map(|t| (t.domain.as_str(), left(scene, t)))
            .collect(),
    )
}

/// Why a denied access is not proven although the experiment turned every failure: what was denied beside
/// it, and what would tell that it was so before.
pub(super) fn unproven(scene: &Scene<'_>, open: &Open<'_>, access: &Access) -> Option<String> {
    let ours = |(domain, _): &&(&str, _)| *domain == access.denial.source;
    let (_, left) = open.0.iter().find(ours)?;
    let point = Point::of(scene, access);
    let (_, other) = left.iter().find(|(other, _)| **other != point)?;
    let DeniedAccess { target, class, .. } = &other.denial;
    let ask = format!(
        "; `vectors: [{{ target: {target}, class: {class} }}]` in the suite has the kernel asked at the \
         baseline"
    );
    // Of what may have got its type since, no baseline says anything.
    let helps = !effect::may_be_retyped(scene, other);
    let whole = helps && ![target, class].iter().any(|word| *word == "?");
    Some(format!(
        "It is not proven: without dontaudit rules {} was denied too, and nobody knows whether that was so \
         before{}.",
        selinux::object(other),
        if whole { ask.as_str() } else { "" }
    ))
}

/// Whether a kind says why it is denied, and not only that.
fn is_specific(kind: CauseKind) -> bool {
    kind.is_selinux() && kind != CauseKind::SelinuxDenial && kind != CauseKind::SelinuxSilentDenial
}

/// The failures that the experiment asked about.
fn is_felt(failure: &Failure<'_>) -> bool {
    failure.kind != Some(SymptomKind::Denials)
}

/// Whether the denials are silent, all of them alike; none when they differ or when it is not known. One
/// that shows only without dontaudit rules is silent if the kernel says so or the state's log is whole.
fn silence(named: &[&Access]) -> Option<bool> {
    let is_silent = |a: &&Access| match a.origin {
        Origin::Logged => Some(false),
        Origin::Lost | Origin::Answered => Some(a.denial.silenced),
        Origin::Revealed => a.denial.silenced.then_some(true),
    };
    let first = is_silent(named.first()?)?;
    named
        .iter()
        .all(|a| is_silent(a) == Some(first))
        .then_some(first)
}

/// The most specific reason of a denied access. The experiment shows that the domain is denied it, and not
/// why: a label, a boolean or a port is the reason only if it is known to have changed, and nothing else
/// that would do.
fn reason(scene: &Scene<'_>, access: &Access) -> Clue {
    let label = label::of(scene, access).filter(label::Wrong::is_new);
    if let Some(wrong) = label.filter(|_| !access::is_taken(scene, access)) {
        return label::clue(scene, &wrong, access);
    }
    if let Some(flipped) = boolean::only(scene, access) {
        return boolean::clue(scene, &flipped, access);
    }
    if let Some(untyped) = port::of(scene, access).filter(|_| are_vectors_known(scene)) {
        return port::clue(scene, &untyped, access);
    }
    selinux::clue(scene, access)
}

/// Whether the kernel's answers are known of before and of now.
fn are_vectors_known(scene: &Scene<'_>) -> bool {
    let known = |state| loss::table(scene.view.ledger, scene.host, state).is_some();
    known(State::Baseline) && known(scene.state)
}

fn kind_of_silence(silent: bool) -> CauseKind {
    if silent {
        CauseKind::SelinuxSilentDenial
    } else {
        CauseKind::SelinuxDenial
    }
}

fn finish(
    scene: &Scene<'_>,
    trial: &Trial,
    named: &[&Access],
    silent: bool,
    mut clue: Clue,
) -> Clue {
    if !is_specific(clue.kind) {
        clue.kind = kind_of_silence(silent);
    }
    if let Some(denial) = &mut clue.denial {
        let alike = named
            .iter()
            .filter(|a| a.denial.class == denial.class && a.denial.target == denial.target);
        let all = alike.flat_map(|a| a.denial.perms.iter().cloned());
        denial.perms.extend(all);
        denial.perms.sort();
        denial.perms.dedup();
        denial.silenced = silent;
    }
    clue.proof = Proof::Proven;
    clue.proven_by = Some(format!(
        "Proven by experiment: with {} permissive {} passed, with the policy as it was the same \
         failure came back.",
        trial.domain,
        checks(trial)
    ));
    let shown = named.iter().flat_map(|a| a.evidence.iter().copied());
    clue.on(trial.events.iter().copied())
        .on(shown.collect::<Vec<_>>())
        .on(scene.events())
}
