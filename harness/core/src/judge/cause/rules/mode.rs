//! SELinux is in another mode than the check wants.

use super::super::{candidate::Clue, scene::Scene};
use crate::{judge::cause::scene::Failure, outcome::SymptomKind, verdict::CauseKind};

/// A check of the mode fails: the mode is what is wrong, and whatever else passes proves nothing.
pub(super) fn drifted(scene: &Scene<'_>) -> Vec<Clue> {
    let is_mode = |f: &&Failure<'_>| f.kind == Some(SymptomKind::SelinuxMode);
    let Some(failure) = scene.failures.iter().find(is_mode) else {
        return Vec::new();
    };
    let reason = failure.result.outcome.reason().unwrap_or_default();
    let since = if scene.before.is_some() {
        ", and it was enforcing at the baseline"
    } else {
        ""
    };
    let next = scene.policy().and_then(|(_, p)| p.config_mode.known());
    let next = next.map(|mode| format!(" The next boot will have it {mode}."));
    let explanation = format!("{reason}{since}.{}", next.unwrap_or_default());
    let facts = scene.now.and_then(|n| n.facts.as_ref()).map(|f| f.seq);
    let clue = Clue::new(CauseKind::SelinuxMode, explanation)
        .supported(true)
        .look("getenforce; cat /etc/selinux/config /proc/cmdline")
        .on(facts)
        .on(scene.events());
    vec![clue]
}
