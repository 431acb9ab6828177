//! A controller that makes one experiment: this program once more, where the remote client is.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use patchgate_core::{
    diagnosis::{ExperimentEvent, Found, Phase},
    event::{Event, What},
    id::{CheckId, HostName, RunId},
    inventory::{self, Defaults, InventoryHost},
    patchset,
    plan::Plan,
    policy::Policy,
    state::State,
    suite,
};
use patchgate_engine::{
    host::Target,
    probe::RemoteProber,
    record::{self, Journal, PLAN, RunDir},
    reset::LocalResetter,
    runner::{self, Run, Wanted},
    ssh::SshConnector,
};
use serde_json::Value;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::guest::{Guest, HOST};

const SUITE: &str = include_str!("../../../../suites/httpd/suite.yaml");

/// What a whole experiment may take on a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(300);

/// A controller at work; it ends with the test at the latest.
pub(crate) struct Controller {
    dir: PathBuf,
    child: Child,
}

impl Controller {
    /// Starts one. The host restores itself after so many seconds; `dead` is a run whose lock it takes.
    pub(crate) fn start(guest: &Guest, dir: &Path, after: u64, dead: Option<&str>) -> Self {
        let this = env::current_exe().unwrap();
        let words = ["--exact", "controller::child", "--ignored", "--nocapture"];
        let words = words.map(Into::into);
        let words: Vec<_> = [this.into_os_string()].into_iter().chain(words).collect();
        let child = guest
            .remote(&words)
            .env("PATCHGATE_TEST_DIR", dir)
            .env("PATCHGATE_TEST_INVENTORY", guest.inventory())
            .env("PATCHGATE_TEST_AFTER", after.to_string())
            .env("PATCHGATE_TEST_DEAD", dead.unwrap_or_default())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            dir: dir.to_owned(),
            child,
        }
    }

    /// The name of its run.
    pub(crate) fn run(&self) -> String {
        self.dir.file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// The events so far.
    pub(crate) fn events(&self) -> Vec<Event> {
        let text = fs::read(self.dir.join(record::EVENTS)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let whole = text.split_inclusive('\n').filter(|l| l.ends_with('\n'));
        let event = |line: &str| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            serde_json::from_value(line["event"].take()).unwrap()
        };
        whole.map(event).collect()
    }

    /// The events of the experiment so far.
    pub(crate) fn steps(&self) -> Vec<ExperimentEvent> {
        let step = |event: Event| step(&event).cloned();
        self.events().into_iter().filter_map(step).collect()
    }

    /// Waits until the experiment has come this far.
    pub(crate) fn await_step(&mut self, what: &str, there: impl Fn(&ExperimentEvent) -> bool) {
        let began = Instant::now();
        while !self.steps().iter().any(&there) {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "it ended before {what}: {:#?}",
                self.steps()
            );
            assert!(began.elapsed() < LIMIT, "{what}: {:#?}", self.steps());
            thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Ends it as nothing can be helped against: SIGKILL.
    pub(crate) fn kill(mut self) -> Vec<ExperimentEvent> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.steps()
    }

    /// Asks it to stop, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Vec<Event> {
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < LIMIT, "{:#?}", self.steps());
            thread::park_timeout(Duration::from_millis(50));
        }
        self.events()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // It has ended in every test that passes.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The step of an experiment that an event tells of.
pub(crate) fn step(event: &Event) -> Option<&ExperimentEvent> {
    if let What::Diagnosed { diagnosis } = &event.what
        && let Found::Experiment { event, .. } = &diagnosis.found
    {
        Some(event)
    } else {
        None
    }
}

/// Whether an event is the answer of a check in a phase.
pub(crate) fn is_asked(event: &ExperimentEvent, wanted: Phase) -> bool {
    matches!(event, ExperimentEvent::Asked { phase, .. } if *phase == wanted)
}

/// Whether an event is the change to a phase.
pub(crate) fn is_changed(event: &ExperimentEvent, wanted: Phase) -> bool {
    matches!(event, ExperimentEvent::Changed { phase, .. } if *phase == wanted)
}

#[tokio::test]
#[ignore = "the child half of other tests"]
async fn child() {
    let var = |name: &str| env::var(name).unwrap();
    let dir = PathBuf::from(var("PATCHGATE_TEST_DIR"));
    let inventory = fs::read_to_string(var("PATCHGATE_TEST_INVENTORY")).unwrap();
    let inventory = inventory::parse(&inventory, "inventory.yaml", &Defaults::default()).unwrap();
    let patch = "patch_set: none\nselect: { updates: all }\n";
    let suites = vec![suite::parse(SUITE, "suite.yaml").unwrap()];
    let policy = Policy::strict([suites[0].name.clone()]);
    let plan = Plan::lay(
        RunId::new(dir.file_name().unwrap().to_str().unwrap()).unwrap(),
        &inventory,
        suites,
        Some(patchset::parse(patch, "patch.yaml").unwrap()),
        policy,
    );
    let check = |name: &str| CheckId::try_from(format!("httpd/{name}")).unwrap();
    let wanted = Wanted {
        host: HostName::new(HOST).unwrap(),
        state: State::Patched,
        domain: "httpd_t".to_owned(),
        checks: ["root-page", "root-page-local", "service"]
            .map(check)
            .to_vec(),
    };
    let run = Run {
        connector: SshConnector::new(),
        prober: RemoteProber::new(),
        journal: begin(&dir, &plan),
        targets: inventory
            .hosts
            .iter()
            .map(|h| (h.name.clone(), target(h)))
            .collect(),
        nonce: record::digest(plan.run.as_str().as_bytes())[..32].to_owned(),
        plan,
        jobs: 1,
        break_lock: Some(var("PATCHGATE_TEST_DEAD")).filter(|d| !d.is_empty()),
        clear_dirty: None,
        resetter: Box::new(LocalResetter),
        known: runner::Known::default(),
        switch_after: Duration::from_secs(var("PATCHGATE_TEST_AFTER").parse().unwrap()),
    };
    let (tell, stop) = watch::channel(None);
    let mut interrupts = signal(SignalKind::interrupt()).unwrap();
    let told = async {
        interrupts.recv().await;
        tell.send_replace(Some("SIGINT"));
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = runner::experiment(run, stop, &wanted) => drop(ended.unwrap()),
        () = told => {}
    }
}

fn begin(dir: &Path, plan: &Plan) -> Journal {
    let run_dir = RunDir::create(dir).unwrap();
    let json = serde_json::to_vec_pretty(plan).unwrap();
    run_dir.write(PLAN, &json).unwrap();
    let journal = Journal::begin(run_dir, Box::new(|_| {})).unwrap();
    let started = What::RunStarted {
        run: plan.run.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan_sha256: record::digest(&json),
        targets_sha256: None,
    };
    journal.write(None, None, started).unwrap();
    journal
}

fn target(host: &InventoryHost) -> Target {
    Target {
        port: host.port,
        user: host.user.clone(),
        key_files: host.key_file.clone().into_iter().collect(),
        known_hosts: host.known_hosts.clone(),
        ..Target::new(host.name.to_string(), host.address.clone())
    }
}
