//! What was not seen of a finding's hosts: the gaps of their windows, readings that are missing, steps that
//! could not be taken.

use super::{Explained, held::short};
use crate::{
    diagnosis::Found,
    event::What,
    reading::Reading,
    snapshot::{Snapshot, policy::PolicySnapshot, system::SystemSnapshot},
};

impl Explained<'_> {
    pub(super) fn unseen(&self) -> Vec<String> {
        let hosts = &self.finding.hosts;
        let undecided = self.verdict.undecided.iter();
        let undecided = undecided.filter(|u| u.host.as_ref().is_none_or(|h| hosts.contains(h)));
        let mut lines: Vec<String> = undecided
            .map(|u| {
                let state = u.state.map(|s| format!("{s}: ")).unwrap_or_default();
                short(&format!("{state}{} ({})", u.why, u.what.word()))
            })
            .collect();
        for event in self.events {
            let ours = event.host.as_ref().is_some_and(|h| hosts.contains(h));
            let state = event.state.map(|s| s.word()).unwrap_or_default();
            let missing = if ours {
                missing(&event.what)
            } else {
                Vec::new()
            };
            let line = |why| short(&format!("{state}: {why} (event {})", event.seq));
            lines.extend(missing.into_iter().map(line));
        }
        lines
    }
}

/// What an event says that could not be had.
fn missing(what: &What) -> Vec<String> {
    if let What::SnapshotTaken { snapshot } = what {
        return of_snapshot(snapshot);
    }
    if let What::VectorsRead { vectors } = what {
        let why = vectors.why().map(|why| format!("access vectors: {why}"));
        return why.into_iter().collect();
    }
    if let What::Diagnosed { diagnosis } = what
        && let Found::Unavailable { what, why } = &diagnosis.found
    {
        return vec![format!("{what}: {why}")];
    }
    Vec::new()
}

fn of_snapshot(snapshot: &Snapshot) -> Vec<String> {
    let why = |name: &str, why: Option<&str>| why.map(|w| format!("{name}: {w}"));
    let mut all: Vec<String> = [
        why("the policy's snapshot", snapshot.policy.why()),
        why("the system's snapshot", snapshot.system.why()),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.extend(snapshot.policy.known().map(of_policy).unwrap_or_default());
    all.extend(snapshot.system.known().map(of_system).unwrap_or_default());
    all
}

fn of<T>(name: &str, reading: &Reading<T>) -> Option<String> {
    reading.why().map(|why| format!("{name}: {why}"))
}

fn of_policy(policy: &PolicySnapshot) -> Vec<String> {
    let PolicySnapshot {
        mode,
        config_mode,
        kernel_arguments,
        autorelabel,
        loaded_sha256,
        disk_sha256,
        modules,
        booleans,
        permissive,
        customizations,
        labels,
    } = policy;
    let all = [
        of("mode", mode),
        of("configured mode", config_mode),
        of("kernel arguments", kernel_arguments),
        of("autorelabel", autorelabel),
        of("loaded policy", loaded_sha256),
        of("policy on disk", disk_sha256),
        of("policy modules", modules),
        of("booleans", booleans),
        of("permissive domains", permissive),
        of("local policy changes", customizations),
        of("file labels", labels),
    ];
    all.into_iter().flatten().collect()
}

fn of_system(system: &SystemSnapshot) -> Vec<String> {
    let SystemSnapshot {
        listeners,
        firewall,
        units,
        disks,
        oom_kills,
        sysctls,
        routes,
        certificates,
        clock,
    } = system;
    let all = [
        of("listeners", listeners),
        of("packet filter", firewall),
        of("units", units),
        of("file systems", disks),
        of("OOM kills", oom_kills),
        of("kernel settings", sysctls),
        of("routes", routes),
        of("certificates", certificates),
        of("clock", clock),
    ];
    all.into_iter().flatten().collect()
}
