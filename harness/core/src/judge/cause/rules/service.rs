//! The service is not running, or died.

use super::super::{
    candidate::Clue,
    scene::Scene,
    sights::{UnitSeen, same_unit},
};
use crate::{text::shell_word, verdict::CauseKind};

/// A unit of the suite is down. Why it is, other rules may know.
pub(super) fn down(scene: &Scene<'_>) -> Vec<Clue> {
    let Some(unit) = scene.down().filter(|_| is_felt(scene)) else {
        return Vec::new();
    };
    let explanation = format!(
        "The service does not run: {} is {}{}. {}",
        unit.unit,
        unit.active,
        result(&unit),
        why(&unit)
    );
    let clue = Clue::new(CauseKind::ServiceDown, explanation)
        .supported(is_missed(scene) && !was_down(scene, &unit))
        .about(unit.unit)
        .look(format!(
            "systemctl status {0}; journalctl -u {0}",
            shell_word(unit.unit)
        ))
        .on([unit.seq])
        .on(scene.events());
    vec![clue]
}

/// A failure that a unit can have to do with: not a denial alone, and not a setting of SELinux.
fn is_felt(scene: &Scene<'_>) -> bool {
    use crate::outcome::SymptomKind as Kind;
    scene.kinds().any(|kind| match kind {
        Kind::Http(_)
        | Kind::HttpStatus
        | Kind::HttpBody
        | Kind::ServiceState
        | Kind::CommandExit
        | Kind::CommandOutput
        | Kind::CommandDeadline => true,
        Kind::ServiceEnabled | Kind::SelinuxMode | Kind::SelinuxBoolean | Kind::Denials => false,
    })
}

/// A failure that shows that a service is not there.
fn is_missed(scene: &Scene<'_>) -> bool {
    use crate::{observation::HttpPhase as Phase, outcome::SymptomKind as Kind};
    scene.failures.iter().any(|f| match f.kind {
        Some(Kind::ServiceState) => true,
        Some(Kind::Http(phase)) => matches!(
            phase,
            Phase::Refused | Phase::Reset | Phase::NoData | Phase::FirstByteTimeout | Phase::Body
        ),
        Some(Kind::HttpStatus) => matches!(f.status(), Some(500..)),
        Some(
            Kind::HttpBody
            | Kind::CommandExit
            | Kind::CommandOutput
            | Kind::CommandDeadline
            | Kind::ServiceEnabled
            | Kind::SelinuxMode
            | Kind::SelinuxBoolean
            | Kind::Denials,
        )
        | None => false,
    })
}

/// Whether a unit was down at the baseline too, while the checks passed.
fn was_down(scene: &Scene<'_>, unit: &UnitSeen<'_>) -> bool {
    let units = scene.system_before().and_then(|(_, s)| s.units.known());
    let mut ours = units
        .into_iter()
        .flatten()
        .filter(|(n, _)| same_unit(n, unit.unit));
    ours.any(|(_, state)| state.active != "active")
}

fn result(unit: &UnitSeen<'_>) -> String {
    let result = unit.result.filter(|r| *r != "success");
    result.map(|r| format!(" (result {r})")).unwrap_or_default()
}

fn why(unit: &UnitSeen<'_>) -> &'static str {
    if unit.active == "inactive" && unit.result == Some("success") {
        "It ended without an error, as a unit does that was stopped."
    } else {
        "Why it does not is not known yet."
    }
}

/// What systemd says of a unit whose process died, in `Result`.
const DEATHS: [&str; 3] = ["signal", "core-dump", "watchdog"];

/// A unit of the suite died: by a signal, or again and again.
pub(super) fn crashed(scene: &Scene<'_>) -> Vec<Clue> {
    let died = |u: &UnitSeen<'_>| {
        let result = u.result.is_some_and(|r| DEATHS.contains(&r));
        let exit = u
            .main_exit
            .is_some_and(|e| e.starts_with("killed") || e.starts_with("dumped"));
        result || exit
    };
    let Some(unit) = scene
        .units()
        .into_iter()
        .find(died)
        .filter(|_| is_felt(scene))
    else {
        return Vec::new();
    };
    let how = unit.main_exit.or(unit.result).unwrap_or("signal");
    let again = if unit.is_active() && unit.restarts > 0 {
        format!(" It was started again {} times.", unit.restarts)
    } else {
        String::new()
    };
    let explanation = format!("{} died ({how}).{again}", unit.unit);
    let clue = Clue::new(CauseKind::ServiceCrash, explanation)
        .supported(!unit.is_active())
        .about(unit.unit)
        .look(format!(
            "journalctl -u {}; coredumpctl list",
            shell_word(unit.unit)
        ))
        .on([unit.seq])
        .on(scene.events());
    vec![clue]
}
