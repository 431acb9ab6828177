//! The rules: each looks at one state's failures and says which cause they may have, and why.
//!
//! A rule adds clues and never weighs those of others. What speaks against a cause keeps its rule silent
//! or makes its clue a suspicion.

mod boolean;
mod config;
mod firewall;
mod kernel;
mod label;
mod listening;
mod mode;
mod network;
mod permissions;
mod port;
mod proof;
mod relabel;
mod resource;
pub(super) mod selinux;
mod service;
mod tls;

pub(in crate::judge) use self::config::complaint;
use super::{
    access::{Access, Origin, shows},
    candidate::Clue,
    scene::Scene,
    trial::Answer,
};

/// A rule.
type Rule = fn(&Scene<'_>) -> Vec<Clue>;

/// All of them.
const ALL: [Rule; 23] = [
    proof::proven,
    proof::turned,
    selinux::denied,
    selinux::cleared,
    selinux::hinted,
    label::wrong,
    relabel::retyped,
    boolean::flipped,
    port::untyped,
    mode::drifted,
    firewall::filtered,
    listening::nowhere,
    listening::on_loopback_only,
    service::down,
    service::crashed,
    config::refused,
    permissions::refused,
    tls::invalid,
    resource::killed,
    resource::full,
    kernel::changed,
    network::unresolved,
    network::gone,
];

/// What all rules say of a scene.
pub(super) fn clues(scene: &Scene<'_>) -> Vec<Clue> {
    ALL.iter().flat_map(|rule| rule(scene)).collect()
}

/// Supported where a denied access shows as a failure and SELinux is known to enforce; resting on both.
/// Without dontaudit rules much is denied that nobody needs: what shows only then counts where the
/// experiment turned the failures, and it was not denied before too. What came while other checks were made weighs a little less.
fn of_denial(scene: &Scene<'_>, access: &Access, clue: Clue) -> Clue {
    let turned = scene.trials.iter().any(|t| t.answer == Answer::Turned);
    let counts = access.origin != Origin::Revealed || turned && !access.standing;
    clue.less(u8::from(access.elsewhere) + if access.allowed { HARMLESS } else { 0 })
        .supported(counts && shows(scene, access) && scene.is_enforced())
        .denied(access.denial.clone())
        .on(access.evidence.iter().copied())
        .on(scene.modes().into_iter().map(|(seq, _)| seq))
        .on(scene.events())
}

/// How much less a denied access weighs that an allow-list takes as harmless: even with a wrong label it
/// says less than one that nobody allowed.
const HARMLESS: u8 = 10;

/// The longest piece of a host's own text in an explanation.
const MAX_QUOTE: usize = 160;

/// A piece of a host's own text, as it may stand in an explanation.
fn quote(text: &str) -> String {
    format!("`{}`", crate::text::one_line(text, MAX_QUOTE))
}

/// The first line that says something.
fn first_line(text: &str) -> &str {
    text.lines()
        .find(|l| !l.trim().is_empty())
        .unwrap_or_default()
}
