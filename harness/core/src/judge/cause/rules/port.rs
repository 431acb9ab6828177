//! A port has another type than it had, or none of its own.

use super::{
    super::{
        access::{Access, is_taken, may_deny},
        candidate::Clue,
        scene::Scene,
        sights::{on_port, type_of},
    },
    of_denial, quote, selinux,
};
use crate::{snapshot::policy::PolicySnapshot, suggestion::Fix, verdict::CauseKind};

/// A port that lost its type.
pub(super) struct Untyped {
    port: u16,
    /// The type that it had, where that is known.
    was: Option<String>,
    events: Vec<u64>,
}

/// The types of ports that have none of their own.
const GENERIC: [&str; 5] = [
    "unreserved_port_t",
    "reserved_port_t",
    "hi_reserved_port_t",
    "ephemeral_port_t",
    "port_t",
];

/// The file of the policy store that holds local port definitions.
const LOCAL: &str = "ports.local";

/// The port that a denied access comes of.
pub(super) fn of(scene: &Scene<'_>, access: &Access) -> Option<Untyped> {
    let denial = &access.denial;
    let port = access.port?;
    let names = denial
        .perms
        .iter()
        .any(|p| p == "name_bind" || p == "name_connect");
    if !names || !denial.class.ends_with("socket") {
        return None;
    }
    let generic = GENERIC.contains(&denial.target.as_str());
    // Where the policy itself took the access away, the port's type is not what changed.
    let taken = is_taken(scene, access);
    let bound = denial.perms.iter().any(|p| p == "name_bind");
    removed(scene, port).or_else(|| served(scene, port).filter(|_| generic && bound && !taken))
}

/// A local definition of the port was there before and is gone.
fn removed(scene: &Scene<'_>, port: u16) -> Option<Untyped> {
    let local = |policy: Option<(u64, &PolicySnapshot)>| {
        let (seq, policy) = policy?;
        let all = policy.customizations.known()?;
        let lines = all.get(LOCAL).cloned().unwrap_or_default();
        Some((seq, lines))
    };
    let (before_seq, before) = local(scene.policy_before())?;
    let (seq, now) = local(scene.policy())?;
    let was = before.iter().find_map(|l| defines(l, port))?;
    let gone = !now.iter().any(|l| defines(l, port).as_ref() == Some(&was));
    gone.then(|| Untyped {
        port,
        was: Some(was),
        events: vec![before_seq, seq],
    })
}

/// Somebody listened on the port at the baseline, so that it had a type that the service may bind.
fn served(scene: &Scene<'_>, port: u16) -> Option<Untyped> {
    let (seq, before) = scene.system_before()?;
    let listeners = before.listeners.known()?;
    on_port(listeners, port).next()?;
    Some(Untyped {
        port,
        was: None,
        events: vec![seq],
    })
}

/// The type that a line of `ports.local` gives a TCP port:
/// `portcon tcp 8081 system_u:object_r:http_port_t:s0`, or a range, `8081-8083`.
fn defines(line: &str, port: u16) -> Option<String> {
    let mut words = line.split_whitespace();
    let ("portcon", "tcp", ports, context) =
        (words.next()?, words.next()?, words.next()?, words.next()?)
    else {
        return None;
    };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let range = first.parse::<u16>().ok()?..=last.parse::<u16>().ok()?;
    let context = context.trim_start_matches('(');
    let type_ = type_of(context).filter(|_| range.contains(&port));
    type_.map(ToOwned::to_owned)
}

/// Clues of ports: those that a denial names, else those that the service complains of.
pub(super) fn untyped(scene: &Scene<'_>) -> Vec<Clue> {
    let denied = scene
        .accesses
        .iter()
        .filter_map(|a| Some((a, of(scene, a)?)));
    let clues: Vec<Clue> = denied.map(|(a, port)| clue(scene, &port, a)).collect();
    if !clues.is_empty() || !may_deny(scene) {
        return clues;
    }
    let mut ports: Vec<u16> = scene.failures.iter().filter_map(|f| f.port()).collect();
    ports.dedup();
    let removed = ports.into_iter().filter_map(|p| removed(scene, p));
    removed.map(|port| alone(scene, &port)).collect()
}

/// What a port with its denial says.
pub(super) fn clue(scene: &Scene<'_>, port: &Untyped, access: &Access) -> Clue {
    let tail = format!(", and SELinux denies {}.", selinux::object(access));
    of_denial(scene, access, base(port, &tail))
}

/// A port of which no denial was seen: what the service says of it decides.
fn alone(scene: &Scene<'_>, port: &Untyped) -> Clue {
    let number = port.port.to_string();
    let says = |line: &str| line.contains("Permission denied") && line.contains(&number);
    let line = scene.lines().find(|(_, line)| says(line));
    let tail = match line {
        Some((_, line)) => format!("; the service says {}.", quote(line)),
        None => "; no denial of it was seen.".to_owned(),
    };
    base(port, &tail)
        .supported(line.is_some() && scene.is_enforced() && scene.down().is_some())
        .on(line.map(|(seq, _)| seq))
        .on(scene.events())
}

fn base(untyped: &Untyped, tail: &str) -> Clue {
    let Untyped { port, was, events } = untyped;
    let explanation = match was {
        Some(was) => {
            format!("Port {port} is not of type {was} any more, a local definition is gone{tail}")
        }
        None => format!(
            "Port {port}, on which the service listened at the baseline, has no type of its own any more{tail}"
        ),
    };
    let mut clue = Clue::new(CauseKind::SelinuxPort, explanation)
        .about(port.to_string())
        .look(format!("semanage port -l | grep -w {port}"))
        .on(events.iter().copied());
    clue.fix = Some(Fix::Port {
        port: *port,
        type_: was.clone(),
    });
    clue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_definition_names_its_ports_and_their_type() {
        for (line, wanted) in [
            (
                "portcon tcp 8081 system_u:object_r:http_port_t:s0",
                Some("http_port_t"),
            ),
            (
                "portcon tcp 8000-8090 system_u:object_r:http_port_t:s0",
                Some("http_port_t"),
            ),
            ("portcon udp 8081 system_u:object_r:http_port_t:s0", None),
            ("portcon tcp 80810 system_u:object_r:http_port_t:s0", None),
            ("portcon tcp 808 system_u:object_r:http_port_t:s0", None),
            ("# This file is auto-generated", None),
            ("", None),
        ] {
            assert_eq!(defines(line, 8081).as_deref(), wanted, "{line}");
        }
    }
}
