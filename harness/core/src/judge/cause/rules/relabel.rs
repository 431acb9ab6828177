//! A file has another label than it had when the checks passed, and the policy wants that.

use super::{
    super::{access::may_deny, candidate::Clue, scene::Scene, sights::type_of},
    quote,
};
use crate::{outcome::SymptomKind, text::shell_word, verdict::CauseKind};

/// A file that got another type, with the events that hold the old label and the new one.
pub(super) struct Retyped<'a> {
    path: &'a str,
    was: &'a str,
    is: &'a str,
    events: [u64; 2],
}

/// The watched files that have another type than when the checks passed, whether the policy wants that or
/// not.
pub(super) fn all<'a>(scene: &Scene<'a>) -> Vec<Retyped<'a>> {
    let labels = |policy: Option<(u64, &'a crate::snapshot::policy::PolicySnapshot)>| {
        policy.and_then(|(seq, p)| Some((seq, p.labels.known()?)))
    };
    let before = labels(scene.policy_before());
    let Some(((before_seq, before), (seq, now))) = before.zip(labels(scene.policy())) else {
        return Vec::new();
    };
    let pairs = now.iter().filter_map(|label| {
        let old = before.iter().find(|old| old.path == label.path)?;
        Some((label.path.as_str(), type_of(&old.is)?, type_of(&label.is)?))
    });
    pairs
        .filter(|(_, was, is)| was != is)
        .map(|(path, was, is)| Retyped {
            path,
            was,
            is,
            events: [before_seq, seq],
        })
        .collect()
}

/// A new type that the policy wants may be one that the domain may not read, silenced or not; nothing
/// more than a suspicion, since nobody saw a denial.
pub(super) fn retyped(scene: &Scene<'_>) -> Vec<Clue> {
    let felt = |k| matches!(k, SymptomKind::HttpStatus | SymptomKind::HttpBody);
    let explained = !scene.accesses.is_empty() || !scene.mislabeled().is_empty();
    if explained || !may_deny(scene) || !scene.kinds().any(felt) {
        return Vec::new();
    }
    let first = all(scene).into_iter().next();
    first.map(|file| clue(scene, &file)).into_iter().collect()
}

fn clue(scene: &Scene<'_>, file: &Retyped<'_>) -> Clue {
    let Retyped { path, was, is, .. } = file;
    let log = if scene.is_whole() {
        "The log is whole and shows no denial, so that a dontaudit rule would have to hide it."
    } else {
        "The log has gaps."
    };
    let explanation = format!(
        "{} is of type {is}, as the policy wants, and was of type {was} when the checks passed; the service may not be \
         allowed to read it. {log}",
        quote(path).trim_matches('`'),
    );
    Clue::new(CauseKind::SelinuxSilentDenial, explanation)
        .about(*is)
        .look(format!("ls -Z {}; sesearch -A -t {is}", shell_word(path)))
        .on(file.events)
        .on(scene.events())
}
