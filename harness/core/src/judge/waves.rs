//! The waves of a run: what keeps the next one from beginning, what a stop leaves undecided, and which
//! hosts were touched.

use std::collections::BTreeSet;

use super::{View, cells, findings, gate};
use crate::{
    event::Event,
    id::HostName,
    inventory::Role,
    ledger::Ledger,
    plan::Plan,
    state::State,
    verdict::{Missing, Undecided, WaveTold, WavesTold},
    wave::Waves,
};

/// Those of some hosts that are bad: a finding about it closes the gate, or something about it keeps the
/// gate from opening. What is not known to be good is bad.
pub(crate) fn bad_hosts<'h>(
    plan: &Plan,
    events: &[Event],
    hosts: &[&'h HostName],
) -> Vec<&'h HostName> {
    let ledger = Ledger::fold(events);
    let grounds = cells::Grounds::of(plan, &ledger);
    let cells = grounds.results();
    let view = View::new(&grounds, &cells);
    let bad = gate::against(&view, &findings::find(&view));
    hosts.iter().copied().filter(|h| bad.contains(*h)).collect()
}

/// Waves whose begin is not in the record.
pub(super) fn of_run(view: &View<'_>) -> Vec<Undecided> {
    let Some(waves) = &view.plan.waves else {
        return Vec::new();
    };
    let all = 1..=waves.hosts.len();
    let missing = all.filter(|wave| !view.ledger.waves.contains(wave));
    let undecided = |wave| Undecided {
        host: None,
        state: None,
        what: Missing::Run,
        why: not_begun(view.ledger, wave),
    };
    missing.map(undecided).collect()
}

/// Why a host that is in no event was not touched; none where its wave began.
pub(super) fn untouched(plan: &Plan, ledger: &Ledger, host: &HostName) -> Option<String> {
    let wave = plan.waves.as_ref()?.of(host)?;
    (!ledger.waves.contains(&wave)).then(|| not_begun(ledger, wave))
}

fn not_begun(ledger: &Ledger, wave: usize) -> String {
    let why = match (&ledger.wave_stopped, &ledger.interrupted) {
        (Some(why), _) => why.value.clone(),
        (None, Some(signal)) => format!("the run was stopped by {}", signal.value),
        (None, None) => "its begin is not in the record".to_owned(),
    };
    format!("wave {wave} was not begun: {why}")
}

/// What the verdict tells of the waves; none in a run without any.
pub(super) fn told(view: &View<'_>) -> Option<WavesTold> {
    let waves = view.plan.waves.as_ref()?;
    let told = |(hosts, wave): (&Vec<HostName>, usize)| told_of(view.ledger, hosts, wave);
    Some(WavesTold {
        waves: waves.hosts.iter().zip(1..).map(told).collect(),
        stopped: view.ledger.wave_stopped.as_ref().map(|s| s.value.clone()),
        uncovered: uncovered(view, waves),
    })
}

fn told_of(ledger: &Ledger, hosts: &[HostName], wave: usize) -> WaveTold {
    let (mut patched, mut unpatched, mut untouched) = (Vec::new(), Vec::new(), Vec::new());
    for host in hosts {
        let list = match ledger.hosts.get(host) {
            Some(known) if known.patch_started.is_some() => &mut patched,
            Some(_) => &mut unpatched,
            None => &mut untouched,
        };
        list.push(host.clone());
    }
    WaveTold {
        wave,
        patched,
        unpatched,
        untouched,
    }
}

/// `centos 9, rebuild: first met in wave 2, on centos-db`, each kind once.
fn uncovered(view: &View<'_>, waves: &Waves) -> Vec<String> {
    let mut met = BTreeSet::new();
    let mut found = Vec::new();
    for (hosts, wave) in waves.hosts.iter().zip(1..) {
        for (host, kind) in hosts.iter().filter_map(|h| Some((h, kind(view, h)?))) {
            if met.insert(kind.clone()) && wave > 1 {
                found.push(format!("{kind}: first met in wave {wave}, on {host}"));
            }
        }
    }
    found
}

/// Distribution, major version and role of a host, as far as its baseline told them.
fn kind(view: &View<'_>, host: &HostName) -> Option<String> {
    let facts = view.ledger.state(host, State::Baseline)?.facts.as_ref()?;
    let os = facts.value.os.known()?;
    let major = os.version.split('.').next().unwrap_or_default();
    let role = match view.plan.host(host)?.role {
        Some(Role::Upstream) => "upstream",
        Some(Role::Rebuild) => "rebuild",
        None => "no role",
    };
    Some(format!("{} {major}, {role}", os.id))
}
