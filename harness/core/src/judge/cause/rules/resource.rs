//! There is no memory or no room left.

use super::{
    super::{candidate::Clue, effect::is_under, scene::Scene, sights::UnitSeen},
    quote,
};
use crate::{
    outcome::SymptomKind,
    snapshot::system::{Disk, OomKill},
    text::shell_word,
    verdict::CauseKind,
};

/// The kernel killed the service for lack of memory: by systemd's word, or by the kernel's own line since
/// the baseline.
pub(super) fn killed(scene: &Scene<'_>) -> Vec<Clue> {
    if !is_felt(scene) {
        return Vec::new();
    }
    let by_oom = |u: &UnitSeen<'_>| u.result == Some("oom-kill");
    let unit = scene.units().into_iter().find(by_oom);
    let kill = kills(scene)
        .into_iter()
        .max_by_key(|(_, k)| is_ours(scene, k));
    let (explanation, ours) = match (&unit, &kill) {
        (Some(unit), _) => (
            format!("The kernel killed {} for lack of memory.", unit.unit),
            true,
        ),
        (None, Some((_, kill))) => (
            format!(
                "The kernel killed {} for lack of memory: {}.",
                quote(&kill.victim),
                quote(&kill.line)
            ),
            is_ours(scene, kill),
        ),
        (None, None) => return Vec::new(),
    };
    let clue = Clue::new(CauseKind::ResourceOom, explanation)
        .supported(ours)
        .look("journalctl -k | grep -iE 'oom|killed process'")
        .on(unit.map(|u| u.seq))
        .on(kill.into_iter().flat_map(|(events, _)| events))
        .on(scene.events());
    vec![clue]
}

/// The kills since the baseline; all of them where there is none.
fn kills<'a>(scene: &Scene<'a>) -> Vec<(Vec<u64>, &'a OomKill)> {
    let Some((seq, now)) = scene
        .system()
        .and_then(|(seq, s)| Some((seq, s.oom_kills.known()?)))
    else {
        return Vec::new();
    };
    let before = scene.system_before();
    let before = before.and_then(|(seq, s)| Some((seq, s.oom_kills.known()?)));
    let is_new = |k: &&OomKill| before.is_none_or(|(_, old)| !old.contains(k));
    let events: Vec<u64> = before
        .map(|(seq, _)| seq)
        .into_iter()
        .chain([seq])
        .collect();
    now.iter()
        .filter(is_new)
        .map(|k| (events.clone(), k))
        .collect()
}

/// Whether the victim is the suite's service, as the kernel names it.
fn is_ours(scene: &Scene<'_>, kill: &OomKill) -> bool {
    let suite = scene.suite;
    let units = suite.units();
    let domains = suite
        .domains
        .iter()
        .filter_map(|d| d.strip_suffix("_t"))
        .map(ToOwned::to_owned);
    let names = units
        .chain(domains)
        .chain(suite.needs.packages.iter().cloned());
    let cut = |name: &str| name.chars().take(15).collect::<String>();
    let victim = kill.victim.as_str();
    names
        .map(|n| n.trim_end_matches(".service").to_owned())
        .any(|n| !n.is_empty() && cut(&n) == victim)
}

/// Something that a lack of memory or room can do.
fn is_felt(scene: &Scene<'_>) -> bool {
    scene.kinds().any(|kind| match kind {
        SymptomKind::Http(phase) => phase.is_of_the_service(),
        SymptomKind::HttpStatus
        | SymptomKind::HttpBody
        | SymptomKind::ServiceState
        | SymptomKind::CommandExit
        | SymptomKind::CommandOutput
        | SymptomKind::CommandDeadline => true,
        SymptomKind::ServiceEnabled
        | SymptomKind::SelinuxMode
        | SymptomKind::SelinuxBoolean
        | SymptomKind::Denials => false,
    })
}

/// What services say of a file system that takes nothing.
const FULL: [&str; 3] = [
    "No space left on device",
    "Disk quota exceeded",
    "Read-only file system",
];

/// A file system that the service writes to is full, or cannot be written to, since the baseline; or the
/// service says so.
pub(super) fn full(scene: &Scene<'_>) -> Vec<Clue> {
    if !is_felt(scene) {
        return Vec::new();
    }
    let disk = filled(scene);
    let said = scene.line_with(&FULL).or_else(|| {
        let mut tests = scene.config_tests();
        tests.find_map(|t| {
            FULL.iter()
                .find(|f| t.output.contains(**f))
                .map(|f| (t.seq, *f))
        })
    });
    // What was full while the checks passed is not why they fail, unless the service says so.
    let disk = disk.filter(|d| d.was != Some(true) || said.is_some());
    if disk.is_none() && said.is_none() {
        return Vec::new();
    }
    let mount = disk.as_ref().map_or("/", |d| d.disk.mount.as_str());
    let state = match &disk {
        Some(filled) => format!("{} is {}{}.", quote(mount), filled.how, filled.since()),
        None => "A file system takes nothing more.".to_owned(),
    };
    let says = said.map(|(_, line)| format!(" The service says {}.", quote(line)));
    let new = disk.as_ref().is_some_and(|d| d.was == Some(false));
    let clue = Clue::new(CauseKind::ResourceDisk, state + &says.unwrap_or_default())
        .supported(said.is_some() || new)
        .about(mount)
        .look(format!("df -h {0}; df -i {0}", shell_word(mount)))
        .on(disk.into_iter().flat_map(|d| d.events))
        .on(said.map(|(seq, _)| seq))
        .on(scene.events());
    vec![clue]
}

/// A file system that takes nothing.
struct Filled<'a> {
    disk: &'a Disk,
    how: &'static str,
    /// Whether it took nothing at the baseline either.
    was: Option<bool>,
    events: Vec<u64>,
}

impl Filled<'_> {
    fn since(&self) -> &'static str {
        match self.was {
            Some(true) => ", as it was at the baseline",
            Some(false) => ", and was not at the baseline",
            None => "",
        }
    }
}

fn filled<'a>(scene: &Scene<'a>) -> Option<Filled<'a>> {
    let (seq, system) = scene.system()?;
    let before = scene.system_before();
    let before = before.and_then(|(seq, s)| Some((seq, s.disks.known()?)));
    let find = |d: &'a Disk| {
        let how = trouble(d).filter(|_| matters(scene, d))?;
        let old = before.and_then(|(_, disks)| disks.iter().find(|o| o.mount == d.mount));
        Some(Filled {
            disk: d,
            how,
            was: old.map(|o| trouble(o).is_some()),
            events: before
                .map(|(seq, _)| seq)
                .into_iter()
                .chain([seq])
                .collect(),
        })
    };
    system
        .disks
        .known()?
        .iter()
        .filter_map(find)
        .min_by_key(|f| f.was)
}

fn trouble(disk: &Disk) -> Option<&'static str> {
    if disk.read_only {
        return Some("mounted read-only");
    }
    if disk.used_percent >= 100 {
        return Some("full");
    }
    (disk.inodes_percent? >= 100).then_some("out of inodes")
}

/// Whether the service has to do with a file system.
fn matters(scene: &Scene<'_>, disk: &Disk) -> bool {
    let common = ["/var/log", "/var/lib", "/tmp", "/run"];
    let paths = scene.suite.rests_on.paths.iter().map(String::as_str);
    let mut all = common.into_iter().chain(paths);
    all.any(|path| is_under(path, &disk.mount) && path.len() >= disk.mount.len())
}
