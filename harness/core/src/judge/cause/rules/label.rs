//! A file has another label than the policy wants.

use super::{
    super::{
        access::{Access, Origin, may_deny},
        candidate::Clue,
        effect::{self, is_under},
        loss,
        scene::Scene,
        sights::type_of,
    },
    of_denial, quote, selinux,
};
use crate::{
    evidence::fingerprint::ObjectKind,
    snapshot::policy::PathLabel,
    suggestion::Fix,
    text::shell_word,
    verdict::{CauseKind, DeniedAccess},
};

/// A wrong label, and what ties it to the failures.
pub(super) struct Wrong<'a> {
    seq: u64,
    label: &'a PathLabel,
    /// The label that it had when the checks still passed, with the event.
    before: Option<(u64, &'a str)>,
}

impl Wrong<'_> {
    fn is_type(&self) -> &str {
        type_of(&self.label.is).unwrap_or(&self.label.is)
    }

    /// Whether it was another one before.
    pub(super) fn is_new(&self) -> bool {
        self.before
            .is_some_and(|(_, b)| type_of(b) != type_of(&self.label.is))
    }
}

/// The wrong labels that came with the failures, or that nobody has seen before them.
fn all<'a>(scene: &Scene<'a>) -> Vec<Wrong<'a>> {
    let was = scene.policy_before();
    let labels = was.and_then(|(seq, p)| Some((seq, p.labels.known()?)));
    let before = |path: &str| {
        let (seq, labels) = labels?;
        let old = labels.iter().find(|l| l.path == path)?;
        Some((seq, old.is.as_str()))
    };
    let wrong = scene.mislabeled().into_iter().map(|(seq, label)| Wrong {
        seq,
        label,
        before: before(&label.path),
    });
    // What was wrong while the checks passed is not why they fail.
    wrong.filter(|w| w.before.is_none() || w.is_new()).collect()
}

/// The wrong label that a denied access comes of.
pub(super) fn of<'a>(scene: &Scene<'a>, access: &Access) -> Option<Wrong<'a>> {
    if ObjectKind::of_class(&access.denial.class) != ObjectKind::File {
        return None;
    }
    let fits = |w: &Wrong<'_>| {
        let path = access.path.as_deref();
        w.is_type() == access.denial.target && path.is_none_or(|p| is_at(p, &w.label.path))
    };
    all(scene).into_iter().find(fits)
}

/// Whether a path of a denial, or the last part of one, is that of a label.
fn is_at(path: &str, label: &str) -> bool {
    if path.starts_with('/') {
        return is_under(path, label);
    }
    label.rsplit('/').next() == Some(path)
}

/// Clues of wrong labels: those that a denial comes of, else those that may hide one.
pub(super) fn wrong(scene: &Scene<'_>) -> Vec<Clue> {
    let denied = scene
        .accesses
        .iter()
        .filter_map(|a| Some((a, of(scene, a)?)));
    let clues: Vec<Clue> = denied.map(|(a, w)| clue(scene, &w, a)).collect();
    if !clues.is_empty() || !may_deny(scene) {
        return clues;
    }
    all(scene).iter().filter_map(|w| alone(scene, w)).collect()
}

/// What a wrong label with its denial says.
pub(super) fn clue(scene: &Scene<'_>, wrong: &Wrong<'_>, access: &Access) -> Clue {
    let denies = format!(", and SELinux denies {}.", selinux::object(access));
    of_denial(scene, access, base(wrong, &denies))
}

fn base(wrong: &Wrong<'_>, tail: &str) -> Clue {
    let PathLabel { path, should, .. } = wrong.label;
    let should = should.as_deref().and_then(type_of).unwrap_or("another one");
    let before = wrong.before.and_then(|(_, b)| type_of(b));
    let since = before.map(|b| format!(" (it was {b} at the baseline)"));
    let explanation = format!(
        "{} is labelled {}, where the policy wants {should}{}{tail}",
        quote(path).trim_matches('`'),
        wrong.is_type(),
        since.unwrap_or_default(),
    );
    let mut clue = Clue::new(CauseKind::SelinuxLabel, explanation)
        .about(wrong.is_type())
        .look(format!("restorecon -nrv {}", shell_word(path)))
        .on([wrong.seq])
        .on(wrong.before.map(|(seq, _)| seq));
    clue.fix = Some(Fix::Relabel { path: path.clone() });
    clue
}

/// A wrong label of which no denial was seen. The kernel's own answer decides where it is there; else a
/// label that changed fits, unless the whole log shows no denial.
fn alone(scene: &Scene<'_>, wrong: &Wrong<'_>) -> Option<Clue> {
    let domain = scene.suite.domains.first()?;
    let denial = DeniedAccess {
        source: domain.clone(),
        target: wrong.is_type().to_owned(),
        class: "file".to_owned(),
        perms: ["getattr", "open", "read"].map(ToOwned::to_owned).to_vec(),
        silenced: false,
    };
    let access = Access {
        path: Some(wrong.label.path.clone()),
        ..Access::plain(denial, Origin::Answered, [wrong.seq])
    };
    let fits = scene
        .failures
        .iter()
        .any(|f| effect::explains(scene, &access, f));
    let (seq, denied, tail) = match kernel(scene, &access.denial) {
        Some((_, true)) => return None,
        Some((seq, false)) => {
            let tail = format!("; the kernel does not let {domain} read such files.");
            (Some(seq), true, tail)
        }
        None => {
            let log = if scene.is_whole() {
                "is whole"
            } else {
                "has gaps"
            };
            let tail = format!("; the log, which {log}, shows no denial of it.");
            (None, wrong.is_new() && !scene.is_whole(), tail)
        }
    };
    let clue = base(wrong, &tail).supported(fits && denied && scene.is_enforced());
    fits.then(|| clue.on(seq).on(scene.events()))
}

/// Whether the kernel lets a domain read a type, where it was asked.
fn kernel(scene: &Scene<'_>, denial: &DeniedAccess) -> Option<(u64, bool)> {
    let (seq, table) = loss::table(scene.view.ledger, scene.host, scene.state)?;
    let query = table.vectors.keys().find(|q| {
        type_of(q.source()) == Some(&denial.source)
            && type_of(q.target()) == Some(&denial.target)
            && q.class() == denial.class
    })?;
    let allowed = table.allowed(query)?;
    Some((seq, denial.perms.iter().all(|p| allowed.contains(p))))
}
