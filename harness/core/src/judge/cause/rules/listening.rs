//! The service does not listen where its clients ask.

use super::super::{
    candidate::Clue,
    scene::Scene,
    sights::{Control, on_port},
};
use crate::{observation::HttpPhase, snapshot::system::Listener, verdict::CauseKind};

const REFUSED: &[HttpPhase] = &[HttpPhase::Refused];

/// Everybody on the port listens on the host's own address.
pub(super) fn on_loopback_only(scene: &Scene<'_>) -> Vec<Clue> {
    let Some((seq, listeners)) = scene.listeners() else {
        return Vec::new();
    };
    let clues = scene.remote(REFUSED).filter_map(|(_, port)| {
        let address = &on_port(listeners, port).next()?.address;
        if scene.is_reachable(port) != Some(false) {
            return None;
        }
        let (events, unserved) = match scene.control(port) {
            Control::Served(events) => (events, false),
            Control::Unserved(_) => (Vec::new(), true),
            Control::Unknown => (Vec::new(), false),
        };
        let (before, was) = before(scene, port);
        let since = match was {
            Some(true) => ", and did for everybody at the baseline",
            Some(false) | None => "",
        };
        let explanation = format!(
            "The service listens on port {port} for the host itself only, on {address}{since}: \
             remote clients are refused."
        );
        // What listened so at the baseline, when clients were served, is not why they are refused now.
        let fits = !unserved && was != Some(false);
        let clue = Clue::new(CauseKind::BoundToLoopback, explanation)
            .supported(fits)
            .about(port.to_string())
            .look("ss -ltnp")
            .on([seq])
            .on(before)
            .on(events)
            .on(scene.events());
        Some(clue)
    });
    clues.take(1).collect()
}

/// Whether others reached the port at the baseline, and the event that says so.
fn before(scene: &Scene<'_>, port: u16) -> (Option<u64>, Option<bool>) {
    let before = scene.system_before();
    let listeners = before.and_then(|(seq, s)| Some((seq, s.listeners.known()?)));
    let Some((seq, listeners)) = listeners else {
        return (None, None);
    };
    let reachable = on_port(listeners, port).any(|l| !l.is_loopback());
    (Some(seq), Some(reachable))
}

/// The unit runs and nobody listens on the port.
pub(super) fn nowhere(scene: &Scene<'_>) -> Vec<Clue> {
    let Some((seq, listeners)) = scene.listeners() else {
        return Vec::new();
    };
    let units = scene.units();
    if units.iter().any(|u| !u.is_active()) {
        return Vec::new();
    }
    let clues = scene.remote(REFUSED).filter_map(|(_, port)| {
        if on_port(listeners, port).next().is_some() {
            return None;
        }
        let unit = units.first();
        let who = unit.map_or_else(
            || "the service".to_owned(),
            |u| format!("{}, which runs,", u.unit),
        );
        let explanation = format!(
            "Nobody listens on port {port}: not {who} either.{}",
            others(scene, listeners)
        );
        let clue = Clue::new(CauseKind::NotListening, explanation)
            .supported(unit.is_some())
            .about(port.to_string())
            .look("ss -ltnp")
            .on([seq])
            .on(units.iter().map(|u| u.seq))
            .on(scene.events());
        Some(clue)
    });
    clues.take(1).collect()
}

/// The ports on which the service's own program listens instead.
fn others(scene: &Scene<'_>, listeners: &[Listener]) -> String {
    let names: Vec<String> = scene.suite.units().collect();
    let ours = |l: &&Listener| l.program.as_ref().is_some_and(|p| names.contains(p));
    let ports: Vec<String> = listeners
        .iter()
        .filter(ours)
        .map(|l| l.port.to_string())
        .collect();
    if ports.is_empty() {
        return String::new();
    }
    format!(" It listens on {}.", ports.join(", "))
}
