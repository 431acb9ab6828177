//! A packet filter keeps remote clients out.

use super::{
    super::{candidate::Clue, scene::Scene, sights::Control},
    quote,
};
use crate::{observation::HttpPhase, verdict::CauseKind};

/// What a filter does to a client: drops the first packet, or answers for the host.
const PHASES: &[HttpPhase] = &[
    HttpPhase::ConnectTimeout,
    HttpPhase::Refused,
    HttpPhase::Unreachable,
];

/// How much less a filter weighs of which only the clients' word is known.
const UNSEEN: u8 = 25;

/// Remote clients are kept out while the host itself is served. Supported where the filter changed, or
/// has a rule against the port; impossible where the host itself is not served either, where nothing
/// listens for others, and where there are no rules.
pub(super) fn filtered(scene: &Scene<'_>) -> Vec<Clue> {
    let remote = scene.remote(PHASES);
    let clues = remote.filter_map(|(failure, port)| {
        let reachable = scene.is_reachable(port);
        let control = scene.control(port);
        let refused = failure.remote_phase() == Some(HttpPhase::Refused);
        let (served, unserved) = match &control {
            Control::Served(events) => (events.clone(), false),
            Control::Unserved(_) => (Vec::new(), true),
            Control::Unknown => (Vec::new(), false),
        };
        let alone = served.is_empty() && refused && reachable.is_none();
        if unserved || reachable == Some(false) || alone || is_open(scene) {
            return None;
        }
        Some(clue(scene, port, served))
    });
    clues.take(1).collect()
}

fn clue(scene: &Scene<'_>, port: u16, served: Vec<u64>) -> Clue {
    let known = scene.is_reachable(port).is_some() && !served.is_empty();
    let ruled = rules(scene, port);
    let place = match (served.is_empty(), scene.is_reachable(port)) {
        (false, Some(_)) => "while the host itself is served and the service listens for everybody",
        (false, None) => {
            "while the host itself is served; who can reach the service's socket was not read"
        }
        (true, _) => "and whether the host itself is served is not known",
    };
    let read = scene
        .system()
        .is_some_and(|(_, s)| s.firewall.known().is_some());
    let tail = match &ruled {
        Some((_, text)) => text.as_str(),
        None if read => "No rule of the packet filter against it was seen.",
        None => "The rules of the packet filter were not read.",
    };
    let explanation = format!("Remote clients do not get through to port {port}, {place}. {tail}");
    let listeners = scene.listeners().map(|(seq, _)| seq);
    let mut clue = Clue::new(CauseKind::Firewall, explanation)
        .supported(known && ruled.is_some())
        .look("nft list ruleset || iptables-save")
        .on(ruled.into_iter().flat_map(|(events, _)| events))
        .on(listeners)
        .on(served)
        .on(scene.events());
    if !known {
        clue.weight -= UNSEEN;
    }
    clue
}

/// Whether the host is known to filter nothing.
fn is_open(scene: &Scene<'_>) -> bool {
    let rules = scene.system().and_then(|(_, s)| s.firewall.known());
    rules.is_some_and(Vec::is_empty)
}

/// What the rules say of the port, and the events that hold them: a change since the baseline; where the
/// baseline's are not known, a rule that turns the port away.
fn rules(scene: &Scene<'_>, port: u16) -> Option<(Vec<u64>, String)> {
    if let Some((events, before, now)) = scene.both(|s| s.firewall.known()) {
        return Some((events.to_vec(), changed(before, now)?));
    }
    let (seq, system) = scene.system()?;
    let mut rules = system.firewall.known()?.iter();
    let line = rules.find(|l| turns_away(l, port))?;
    let text = format!("The packet filter has the rule {}.", quote(line));
    Some((vec![seq], text))
}

/// How the rules changed, those first that turn something away.
fn changed(before: &[String], now: &[String]) -> Option<String> {
    let only = |these: &[String], those: &[String]| {
        let lines = these.iter().filter(|l| !those.contains(l));
        let mut lines: Vec<String> = lines.cloned().collect();
        lines.sort_by_key(|l| !turns_away_any(l));
        lines.into_iter().next()
    };
    let (new, gone) = (only(now, before), only(before, now));
    Some(match (new, gone) {
        (Some(line), _) => format!(
            "Since the baseline the packet filter has the rule {}.",
            quote(&line)
        ),
        (None, Some(line)) => format!(
            "Since the baseline the packet filter lacks the rule {}.",
            quote(&line)
        ),
        (None, None) => return None,
    })
}

/// Whether a rule drops or rejects, as nft and iptables word it.
fn turns_away_any(line: &str) -> bool {
    let verdicts = ["drop", "reject", "DROP", "REJECT"];
    line.split([' ', '\t', ';']).any(|w| verdicts.contains(&w))
}

/// Whether a rule drops or rejects this port by its number.
fn turns_away(line: &str, port: u16) -> bool {
    turns_away_any(line) && names(line, port)
}

/// Whether a rule names a destination port: `tcp dport 80`, `dport { 80, 443 }`, `--dport 80`,
/// `--dports 80,443`, and ranges, `8000-8090` or `8000:8090`.
fn names(line: &str, port: u16) -> bool {
    let Some((_, rest)) = line.split_once("dport") else {
        return false;
    };
    let rest = rest.trim_start_matches('s').trim_start();
    let set = match rest.strip_prefix('{') {
        Some(rest) => rest.split('}').next().unwrap_or_default(),
        None => rest.split_whitespace().next().unwrap_or_default(),
    };
    let holds = |part: &str| {
        let (first, last) = part.split_once(['-', ':']).unwrap_or((part, part));
        let range = first
            .trim()
            .parse::<u16>()
            .ok()
            .zip(last.trim().parse::<u16>().ok());
        range.is_some_and(|(first, last)| (first..=last).contains(&port))
    };
    set.split(',').any(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_against_a_port_is_read_in_both_tongues() {
        for (line, wanted) in [
            ("table inet f chain input tcp dport 80 drop", true),
            ("tcp dport { 80, 443 } reject with tcp reset", true),
            ("tcp dport 8000-8090 drop", false),
            ("tcp dport 1-1024 drop", true),
            ("tcp dport 80 accept", false),
            ("tcp dport 8080 drop", false),
            ("tcp sport 80 drop", false),
            ("-A INPUT -p tcp -m tcp --dport 80 -j DROP", true),
            (
                "-A INPUT -p tcp -m multiport --dports 443,80 -j REJECT --reject-with icmp-port-unreachable",
                true,
            ),
            (
                "-A INPUT -p tcp -m multiport --dports 1:1024 -j REJECT",
                true,
            ),
            (
                "-A INPUT -j REJECT --reject-with icmp-host-prohibited",
                false,
            ),
        ] {
            assert_eq!(turns_away(line, 80), wanted, "{line}");
        }
    }
}
