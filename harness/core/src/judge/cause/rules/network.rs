//! The name does not resolve, or the network between client and host fails.

use super::{
    super::{
        candidate::Clue,
        scene::{Failure, Scene},
    },
    quote,
};
use crate::{ledger::Trouble, observation::HttpPhase, verdict::CauseKind};

/// The client's resolver, or that of a proxy on the host, does not know a name.
pub(super) fn unresolved(scene: &Scene<'_>) -> Vec<Clue> {
    let failed = scene.failures.iter().find_map(|f| {
        let failure = f.http_failure().filter(|h| h.phase == HttpPhase::Dns)?;
        Some((
            "The name of the service does not resolve",
            failure.detail.as_str(),
            f.is_remote(),
            None,
        ))
    });
    let upstream = |f: &Failure<'_>| matches!(f.status(), Some(502..=504));
    let proxied = || {
        let (seq, line) = scene.line_with(&["DNS lookup failure", "Name or service not known"])?;
        let felt = scene.failures.iter().any(upstream);
        felt.then_some((
            "A name behind the service does not resolve",
            line,
            false,
            Some(seq),
        ))
    };
    let Some((what, said, remote, seq)) = failed.or_else(proxied) else {
        return Vec::new();
    };
    let look = if remote {
        "getent hosts NAME, where the client runs"
    } else {
        "getent hosts NAME; cat /etc/resolv.conf, on the host"
    };
    let clue = Clue::new(CauseKind::Dns, format!("{what}: {}.", quote(said)))
        .supported(true)
        .look(look)
        .on(seq)
        .on(scene.events());
    vec![clue]
}

const MUTE: &[HttpPhase] = &[HttpPhase::ConnectTimeout, HttpPhase::Unreachable];

/// Nothing gets through to the host: supported where SSH was lost too; suspected where routes changed, or
/// where the host filters nothing and is served itself.
pub(super) fn gone(scene: &Scene<'_>) -> Vec<Clue> {
    let Some((_, port)) = scene.remote(MUTE).next() else {
        return Vec::new();
    };
    let Some((supported, events, why)) = lost(scene)
        .or_else(|| rerouted(scene))
        .or_else(|| between(scene))
    else {
        return Vec::new();
    };
    let clue = Clue::new(
        CauseKind::Network,
        format!("Remote clients do not get through to port {port}: {why}."),
    )
    .supported(supported)
    .look("ip route; ping and traceroute from the client")
    .on(events)
    .on(scene.events());
    vec![clue]
}

type Why = (bool, Vec<u64>, String);

fn lost(scene: &Scene<'_>) -> Option<Why> {
    let ledger = scene.view.ledger.hosts.get(scene.host)?;
    let trouble = ledger.troubles.iter().find(|t| match t.value {
        Trouble::Lost(_) | Trouble::Unreachable(_) => true,
        Trouble::Security(_) | Trouble::Locked(_) | Trouble::Dirty(_) | Trouble::Bug(_) => false,
    })?;
    let why = format!(
        "SSH does not either ({}), so that the network or the whole host is gone",
        quote(&trouble.value.text())
    );
    Some((true, vec![trouble.seq], why))
}

fn rerouted(scene: &Scene<'_>) -> Option<Why> {
    let (events, before, now) = scene.both(|s| s.routes.known())?;
    let new = now.iter().find(|r| !before.contains(r));
    let gone = before.iter().find(|r| !now.contains(r));
    let why = match (new, gone) {
        (_, Some(route)) => format!("the host has no route {} any more", quote(route)),
        (Some(route), None) => format!("the host has a new route {}", quote(route)),
        (None, None) => return None,
    };
    Some((false, events.to_vec(), why))
}

/// The host filters nothing, so that what keeps the clients out stands in between.
fn between(scene: &Scene<'_>) -> Option<Why> {
    let (seq, system) = scene.system()?;
    let open = system.firewall.known().is_some_and(Vec::is_empty);
    let why =
        "the host has no rules of a packet filter, so that something in between may keep them out";
    open.then(|| (false, vec![seq], why.to_owned()))
}
