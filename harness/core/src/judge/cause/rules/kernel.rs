//! A kernel setting is another one.

use super::{
    super::{candidate::Clue, scene::Scene, sights::on_port},
    quote,
};
use crate::{observation::HttpPhase, text::shell_word, verdict::CauseKind};

const REMOTE: &[HttpPhase] = &[
    HttpPhase::ConnectTimeout,
    HttpPhase::Unreachable,
    HttpPhase::Refused,
    HttpPhase::Reset,
    HttpPhase::NoData,
];

/// Kernel settings changed since the baseline. Supported where the setting is known to do what is seen:
/// IPv6 sockets that no longer take IPv4 clients, addresses that are gone, a line of the service that
/// names the setting; all others are suspicions.
pub(super) fn changed(scene: &Scene<'_>) -> Vec<Clue> {
    let Some((events, before, now)) = scene.both(|s| s.sysctls.known()) else {
        return Vec::new();
    };
    let changed = now.iter().filter_map(|(name, value)| {
        let was = before.get(name).filter(|was| *was != value)?;
        Some((name.as_str(), was.as_str(), value.as_str()))
    });
    let mut clues: Vec<Clue> = changed
        .filter(|_| scene.failures.iter().any(|f| f.kind.is_some()))
        .map(|(name, was, value)| {
            let known = is_known(scene, name, value);
            let explanation = format!(
                "The kernel setting {name} is {} and was {} at the baseline.",
                quote(value),
                quote(was)
            );
            Clue::new(CauseKind::KernelOrSysctl, explanation)
                .supported(known)
                .about(name)
                .look(format!("sysctl {}", shell_word(name)))
                .on(events)
                .on(scene.events())
        })
        .collect();
    clues.sort_by_key(|c| c.proof);
    clues.truncate(3);
    clues
}

/// Whether a setting is known to do what is seen.
fn is_known(scene: &Scene<'_>, name: &str, value: &str) -> bool {
    let named = || scene.line_with(&[name]).is_some();
    match (name, value) {
        ("net.ipv6.bindv6only", "1") => scene.remote(REMOTE).any(|(_, port)| {
            let listeners = scene.listeners().map_or(&[][..], |(_, l)| l);
            let mut ours = on_port(listeners, port).peekable();
            ours.peek().is_some() && ours.all(|l| l.address.contains(':'))
        }),
        ("net.ipv6.conf.all.disable_ipv6", "1") => {
            let texts = [
                "Address family not supported",
                "Cannot assign requested address",
            ];
            scene.line_with(&texts).is_some() && scene.down().is_some()
        }
        _ => named(),
    }
}
