//! A scenario: scripted hosts, and a run over them through the real runner, record and judgement.

mod told;

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use patchgate_core::{
    allow,
    event::{Event, What},
    id::{HostName, RunId},
    inventory::{self, Defaults, Inventory},
    judge::{self, Judgement},
    patchset::{self, PatchSet},
    plan::{Plan, PlannedHost},
    policy::{self, Policy},
    soak::Soak,
    suite::{self, Suite},
    wave::{Staging, Waves},
};
use patchgate_engine::{
    host::Target,
    record::{self, Journal, PLAN, RunDir, Watcher},
    rpm_files,
    runner::{self, Known, Run, StopSignal, Wanted},
};

use crate::{
    ScriptedConnector, ScriptedProber, ScriptedResetter, script::HostScript, world::World,
};

const RUN: &str = "20130222T030405Z-scripted";
/// What makes the markers of every played run its own.
pub const NONCE: &str = "5f3a9c0e5f3a9c0e5f3a9c0e5f3a9c0e";
/// What stands in the private key of every host of a played run.
pub const CANARY: &str = "canary-in-the-coal-mine";
const HTTPD: &str = include_str!("../../../suites/httpd/suite.yaml");
const SELINUX: &str = include_str!("../../../suites/selinux/suite.yaml");
const PATCH: &str = "patch_set: 2013-02-22\nselect: { updates: all }\nwithin: 15m\n\
                     services: { restart: [httpd] }\n";

/// Where scenarios' RPM files are.
const RPMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/captured/rpm");

/// A run over scripted hosts.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name, that of its folder.
    pub name: &'static str,
    /// The hosts, in the order of the inventory.
    pub hosts: Vec<HostScript>,
    /// The suites, as people write them.
    pub suites: Vec<&'static str>,
    /// Whether the hosts are only looked at: nothing is patched or checked.
    pub looks_only: bool,
    /// The allow-list, as people write it: that of every check that names one.
    pub allow: &'static str,
    /// The patch set, as people write it; none in a run that only checks.
    pub patch: Option<&'static str>,
    /// The gate, as people write it; the strict one where there is none.
    pub gate: Option<&'static str>,
    /// The sizes of the waves, as on the command line; the waves that the inventory names without.
    pub batch: &'static str,
    /// How many hosts may be bad before no further wave is begun.
    pub max_bad: &'static str,
    /// How many hosts are worked on at once.
    pub jobs: usize,
    /// The holder of a lock that may be broken.
    pub break_lock: Option<&'static str>,
    /// The run whose marks of dirty hosts may be taken away.
    pub clear_dirty: Option<&'static str>,
    /// Where somebody stops the run: host and batch label.
    pub stop_at: Option<(&'static str, &'static str)>,
    /// Where the controller's own code breaks down: host and batch label.
    pub panic_at: Option<(&'static str, &'static str)>,
    /// The experiment that is all of the run.
    pub experiment: Option<Wanted>,
    /// Whether experiments are allowed.
    pub experiments: bool,
    /// Whether the hosts are lab hosts.
    pub lab: bool,
    /// Whether the hosts are only asked what the patch set would do.
    pub preview: bool,
    /// How often remote clients ask beside the patch; they do not where nothing is said.
    pub probe_every: Option<Duration>,
}

/// A scenario that was played.
pub struct Played {
    /// The scenario's name.
    pub name: &'static str,
    /// The manifest, read back from the record.
    pub plan: Plan,
    /// The events as they were seen while the run went on.
    pub live: Vec<Event>,
    /// The events as they were read back from the record.
    pub recorded: Vec<Event>,
    /// The same with times of their own, so that everything told of them is always the same.
    pub events: Vec<Event>,
    /// The judgement of [`Self::events`].
    pub judgement: Judgement,
    /// The hosts as they are afterwards.
    pub world: World,
    /// The run's directory.
    pub dir: tempfile::TempDir,
}

impl Scenario {
    /// The two suites that patchgate brings and a patch set that restarts httpd.
    #[must_use]
    pub fn new(name: &'static str, hosts: impl IntoIterator<Item = HostScript>) -> Self {
        Self {
            name,
            hosts: hosts.into_iter().collect(),
            suites: vec![HTTPD, SELINUX],
            looks_only: false,
            allow: "allow: []\n",
            patch: Some(PATCH),
            gate: None,
            batch: "",
            max_bad: "0",
            jobs: runner::DEFAULT_JOBS,
            break_lock: None,
            clear_dirty: None,
            stop_at: None,
            panic_at: None,
            experiment: None,
            experiments: true,
            lab: true,
            preview: false,
            probe_every: None,
        }
    }

    /// The manifest.
    ///
    /// # Panics
    /// When the scenario's files are not well written.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let suites = self
            .suites
            .iter()
            .map(|s| parsed(suite::parse(s, "suite.yaml")));
        let mut suites: Vec<Suite> = suites.collect();
        for list in suites.iter_mut().flat_map(Suite::allow_lists) {
            list.entries = parsed(allow::parse(self.allow, &list.file));
        }
        let run = RunId::new(RUN).expect("it is a name");
        if self.looks_only {
            return Plan::look(run, &self.inventory(), suites);
        }
        let names: Vec<_> = suites.iter().map(|s| s.name.clone()).collect();
        let policy = match self.gate {
            Some(text) => parsed(policy::parse(text, "gate.yaml", &names)),
            None => Policy::strict(names),
        };
        let mut patch = self.patch.map(|p| parsed(patchset::parse(p, "patch.yaml")));
        for rpm in patch.iter_mut().flat_map(PatchSet::rpm_files) {
            rpm.file = format!("{RPMS}/{}", rpm.file);
            rpm.read = Some(parsed(rpm_files::read(rpm.file.as_ref())));
        }
        let waves = patch.as_ref().and_then(|_| self.waves());
        let soak = self.probe_every.and_then(|every| Soak::of(&suites, every));
        Plan {
            experiments: self.experiments,
            soak,
            waves,
            preview: self.preview,
            ..Plan::lay(run, &self.inventory(), suites, patch, policy)
        }
    }

    fn waves(&self) -> Option<Waves> {
        let sizes = self.batch.split(',').filter(|size| !size.is_empty());
        let staging = Staging {
            batch: sizes.map(|size| parsed(size.parse())).collect(),
            max_bad: Some(parsed(self.max_bad.parse())),
        };
        Waves::lay(&self.inventory(), &staging)
    }

    fn inventory(&self) -> Inventory {
        let entry = |h: &HostScript| {
            let comma = if h.inventory.is_empty() { "" } else { ", " };
            format!(
                "    {}: {{ ansible_host: {}, patchgate_lab: {}{comma}{} }}\n",
                h.name, h.address, self.lab, h.inventory
            )
        };
        let entries: String = self.hosts.iter().map(entry).collect();
        let text = format!("all:\n  hosts:\n{entries}");
        let defaults = Defaults {
            user: "root".to_owned(),
            ..Defaults::default()
        };
        parsed(inventory::parse(&text, "inventory.yaml", &defaults))
    }

    /// Plays the scenario. Time is to stand still (`start_paused`), or deadlines take their time.
    ///
    /// # Panics
    /// When the run's directory cannot be made or the record cannot be written or read.
    pub async fn play(&self) -> Played {
        let plan = self.plan();
        let dir = tempfile::tempdir().expect("a scenario needs a place");
        let (live, world) = (Live::default(), World::new(&self.hosts));
        let life = Life {
            journal: begin(&dir, &plan, watcher(&world, &live)),
            plan,
            known: Known::default(),
        };
        let (run, stop) = self.run(&world, &dir, life, 0);
        let ended = match &self.experiment {
            None => runner::run(run, stop).await,
            Some(wanted) => runner::experiment(run, stop, wanted).await,
        };
        let journal = ended.expect("the record is written");
        self.played(journal.dir(), &live, world, dir)
    }

    /// A run over a world, of a controller that comes after so many others.
    pub(crate) fn run(
        &self,
        world: &World,
        dir: &tempfile::TempDir,
        life: Life,
        others: usize,
    ) -> (Run<ScriptedConnector, ScriptedProber>, StopSignal) {
        let Life {
            journal,
            plan,
            known,
        } = life;
        let stop = {
            let mut inner = world.lock();
            (inner.stop_at, inner.panic_at) = (self.stop_at, self.panic_at);
            inner.stop.subscribe()
        };
        let run = Run {
            connector: ScriptedConnector(world.clone()),
            prober: ScriptedProber(world.clone()),
            journal,
            targets: targets(dir, &plan),
            plan,
            nonce: nonce(others),
            jobs: self.jobs,
            break_lock: self.break_lock.map(ToOwned::to_owned),
            clear_dirty: self.clear_dirty.map(ToOwned::to_owned),
            resetter: Box::new(ScriptedResetter(world.clone())),
            known,
            switch_after: runner::SWITCH_AFTER,
        };
        (run, stop)
    }

    /// What was played, read back from its record.
    pub(crate) fn played(
        &self,
        run: &RunDir,
        live: &Live,
        world: World,
        dir: tempfile::TempDir,
    ) -> Played {
        let record = record::open(run).expect("the record is read back");
        let live = std::mem::take(&mut *live.lock().expect("no watcher panics"));
        let events = timeless(&record.events);
        let judgement = judge::judge(&record.plan, &events);
        Played {
            name: self.name,
            plan: record.plan,
            live,
            recorded: record.events,
            events,
            judgement,
            world,
            dir,
        }
    }
}

/// What one controller has.
pub(crate) struct Life {
    pub(crate) journal: Journal,
    pub(crate) plan: Plan,
    pub(crate) known: Known,
}

/// The events as they are seen while a run goes on.
pub(crate) type Live = Arc<Mutex<Vec<Event>>>;

/// Sees events for the test and for the world.
pub(crate) fn watcher(world: &World, live: &Live) -> Watcher {
    let (world, live) = (world.clone(), Arc::clone(live));
    Box::new(move |event: &Event| {
        live.lock().expect("no watcher panics").push(event.clone());
        world.wrote();
    })
}

/// The nonce of a controller that comes after so many others.
fn nonce(others: usize) -> String {
    match others {
        0 => NONCE.to_owned(),
        n => format!("{n:04x}{}", &NONCE[4..]),
    }
}

fn parsed<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.expect("the scenario's files are well written")
}

/// Begins the record as the command line does.
pub(crate) fn begin(dir: &tempfile::TempDir, plan: &Plan, watcher: Watcher) -> Journal {
    let run_dir = RunDir::create(&dir.path().join("run")).expect("the place is new");
    let json = serde_json::to_vec_pretty(plan).expect("a plan has only string keys");
    run_dir.write(PLAN, &json).expect("the plan is written");
    let journal = Journal::begin(run_dir, watcher).expect("the record is begun");
    let started = What::RunStarted {
        run: plan.run.clone(),
        version: "0.0.0-scripted".to_owned(),
        plan_sha256: record::digest(&json),
        targets_sha256: None,
    };
    journal
        .write(None, None, started)
        .expect("the record is written");
    journal
}

fn targets(dir: &tempfile::TempDir, plan: &Plan) -> BTreeMap<HostName, Target> {
    let key = dir.path().join("id_ed25519");
    fs::write(&key, CANARY).expect("a scenario has a place");
    let target = |h: &PlannedHost| {
        let target = Target {
            key_files: vec![key.clone()],
            ..Target::new(h.name.to_string(), h.address.clone())
        };
        (h.name.clone(), target)
    };
    plan.hosts.iter().map(target).collect()
}

/// Events a second apart from the night of the incident on; connections take no time that anybody
/// measured.
fn timeless(events: &[Event]) -> Vec<Event> {
    let begin: jiff::Timestamp = "2013-02-22T03:04:05Z".parse().expect("it is a time");
    let mut events = events.to_vec();
    for (event, second) in events.iter_mut().zip(0..) {
        event.at = begin + jiff::SignedDuration::from_secs(second);
        if let What::HostConnected { elapsed, .. } = &mut event.what {
            *elapsed = Duration::from_millis(20);
        }
    }
    events
}
