//! A file has another label than it had when the checks passed, and the policy wants that.

use super::{
    super::{access::may_deny, candidate::Clue, loss, scene::Scene, sights::type_of},
    quote,
};
use crate::{
    evidence::access::SilentDenial, outcome::SymptomKind, text::shell_word, verdict::CauseKind,
};

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

/// A new type that the policy wants may be one that the domain may not read, silenced or not. Supported
/// where the kernel itself says that it would refuse it without a record, and a suspicion otherwise, since
/// nobody saw a denial.
pub(super) fn retyped(scene: &Scene<'_>) -> Vec<Clue> {
    let felt = |k| matches!(k, SymptomKind::HttpStatus | SymptomKind::HttpBody);
    let explained = !scene.accesses.is_empty() || !scene.mislabeled().is_empty();
    if explained || !may_deny(scene) || !scene.kinds().any(felt) {
        return Vec::new();
    }
    let files = all(scene);
    let silenced = files.iter().find_map(|f| Some((f, silence(scene, f)?)));
    let clue = match silenced {
        Some((file, (seq, silence))) => Some(
            told(scene, file, &said_by_kernel(&silence))
                .supported(true)
                .on([seq]),
        ),
        None => files
            .first()
            .map(|file| told(scene, file, said_by_log(scene))),
    };
    clue.into_iter().collect()
}

/// What the kernel refuses a domain of the suite on the file, without a record.
fn silence(scene: &Scene<'_>, file: &Retyped<'_>) -> Option<(u64, SilentDenial)> {
    let (seq, table) = loss::table(scene.view.ledger, scene.host, scene.state)?;
    let domains = &scene.suite.domains;
    let ours = |d: &SilentDenial| {
        let domain = type_of(d.query.source());
        domain.is_some_and(|domain| domains.iter().any(|d| d == domain))
    };
    let reads = |d: &SilentDenial| d.permissions.iter().any(|p| READING.contains(&p.as_str()));
    let mut denials = table.silent_on(file.path).into_iter();
    Some((seq, denials.find(|d| ours(d) && reads(d))?))
}

/// What serving a file takes.
const READING: [&str; 4] = ["getattr", "open", "read", "search"];

fn said_by_kernel(silence: &SilentDenial) -> String {
    format!(
        "The kernel says that it refuses {} {{ {} }} on it, and a dontaudit rule keeps that out of every log.",
        type_of(silence.query.source()).unwrap_or_default(),
        silence.permissions.join(" ")
    )
}

fn said_by_log(scene: &Scene<'_>) -> &'static str {
    if scene.is_whole() {
        "The service may not be allowed to read it; the log is whole and shows no denial, so that a dontaudit \
         rule would have to hide it."
    } else {
        "The service may not be allowed to read it; the log has gaps."
    }
}

fn told(scene: &Scene<'_>, file: &Retyped<'_>, said: &str) -> Clue {
    let Retyped { path, was, is, .. } = file;
    let explanation = format!(
        "{} is of type {is}, as the policy wants, and was of type {was} when the checks passed. {said}",
        quote(path).trim_matches('`'),
    );
    Clue::new(CauseKind::SelinuxSilentDenial, explanation)
        .about(*is)
        .look(format!("ls -Z {}; sesearch -A -t {is}", shell_word(path)))
        .on(file.events)
        .on(scene.events())
}
