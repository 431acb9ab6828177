//! Runs whose controller dies, and that another one goes on with, over the same hosts.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    time::Duration,
};

use patchgate_core::{
    event::What,
    judge::{self, Judgement},
    plan::Plan,
};
use patchgate_engine::{
    record::{self, EVENTS, Held, RecordError, RunDir},
    runner::{self, Known},
};

use crate::{
    Death, Played, Scenario,
    scenario::{Life, Live, begin, watcher},
    world::World,
};

/// The version that resumes a played run.
const VERSION: &str = "0.0.0-scripted";

/// What happens between two controllers.
pub type Meanwhile<'a> = &'a dyn Fn(&World, &RunDir);

/// What a run is that was stopped, and gone on with.
pub struct Stopped {
    /// How long the first controller took to end, from the signal on.
    pub took: Duration,
    /// What was judged before it was gone on with.
    pub before: Judgement,
    /// The run in the end.
    pub played: Played,
}

impl Scenario {
    /// Plays the scenario with a controller that dies so, one death after the other, each time with so many
    /// bytes of the line that it wrote at that moment; and with one that ends the run. Time is to stand still
    /// (`start_paused`).
    ///
    /// # Panics
    /// When the record cannot be written, read or taken up again.
    pub async fn play_killed(&self, deaths: &[Death], torn: usize) -> Played {
        self.play_killed_while(deaths, torn, &|_, _| {}).await
    }

    /// The same, while something happens between the controllers.
    ///
    /// # Panics
    /// As [`Self::play_killed`].
    pub async fn play_killed_while(
        &self,
        deaths: &[Death],
        torn: usize,
        meanwhile: Meanwhile<'_>,
    ) -> Played {
        let stage = Stage::new(self);
        let mut deaths = deaths.iter().copied();
        stage.world.reborn(0, deaths.next());
        let mut life = stage.begin();
        for others in 0.. {
            let (run, stop) = self.run(&stage.world, &stage.dir, life, others);
            let mourner = stage.world.lock().mourner.clone();
            tokio::select! {
                biased;
                () = mourner.notified() => {}
                ended = runner::run(run, stop) => {
                    drop(ended.expect("the record is written"));
                    return stage.played(self);
                }
            }
            bury(&stage.run_dir, &stage.world, torn);
            meanwhile(&stage.world, &stage.run_dir);
            life = stage.resume(deaths.next()).await;
        }
        unreachable!("controllers come until one ends the run")
    }

    /// Plays a scenario that somebody stops, and goes on with it. Time is to stand still.
    ///
    /// # Panics
    /// As [`Self::play_killed`], and where nobody stops it.
    pub async fn play_stopped(&self) -> Stopped {
        let stage = Stage::new(self);
        let (run, stop) = self.run(&stage.world, &stage.dir, stage.begin(), 0);
        let journal = runner::run(run, stop).await;
        let took = stage.world.stopped_for().expect("somebody stops it");
        drop(journal.expect("the record is written"));
        let record = record::open(&stage.run_dir).expect("the record is read back");
        let before = judge::judge(&record.plan, &record.events);
        stage.world.lock().stop.send_replace(None);
        let unstopped = Self {
            stop_at: None,
            ..self.clone()
        };
        let (run, stop) = unstopped.run(&stage.world, &stage.dir, stage.resume(None).await, 1);
        drop(runner::run(run, stop).await.expect("the record is written"));
        let played = stage.played(self);
        Stopped {
            took,
            before,
            played,
        }
    }
}

/// What outlives a controller.
struct Stage {
    plan: Plan,
    dir: tempfile::TempDir,
    run_dir: RunDir,
    live: Live,
    world: World,
}

impl Stage {
    fn new(scenario: &Scenario) -> Self {
        let dir = place();
        Self {
            plan: scenario.plan(),
            run_dir: RunDir::existing(&dir.path().join("run")),
            dir,
            live: Live::default(),
            world: World::new(&scenario.hosts),
        }
    }

    fn begin(&self) -> Life {
        let watcher = watcher(&self.world, &self.live);
        Life {
            journal: begin(&self.dir, &self.plan, watcher),
            plan: self.plan.clone(),
            known: Known::default(),
        }
    }

    /// Takes the record up, as the command line does, once the tasks of the dead are gone.
    async fn resume(&self, death: Option<Death>) -> Life {
        let held = loop {
            match Held::take(self.run_dir.clone()) {
                Ok(held) => break held,
                Err(RecordError::Busy(_)) => tokio::task::yield_now().await,
                Err(error) => panic!("the record cannot be taken up: {error}"),
            }
        };
        self.world.reborn(held.record().events.len(), death);
        let watcher = watcher(&self.world, &self.live);
        let (journal, record, cut) = held.go_on(watcher).expect("the record goes on");
        let version = VERSION.to_owned();
        let resumed = journal.write(None, None, What::RunResumed { version, cut });
        let resumed = resumed.expect("the record is written");
        let known = Known::of(record.events.iter().chain([&resumed]));
        Life {
            journal,
            plan: self.plan.clone(),
            known,
        }
    }

    fn played(self, scenario: &Scenario) -> Played {
        scenario.played(&self.run_dir, &self.live, self.world, self.dir)
    }
}

/// A place in memory where there is one: these plays are many, and each syncs its record.
fn place() -> tempfile::TempDir {
    let shm = std::path::Path::new("/dev/shm");
    let made = match shm.is_dir() {
        true => tempfile::tempdir_in(shm),
        false => tempfile::tempdir(),
    };
    made.expect("a scenario needs a place")
}

/// Leaves of the record what the controller had written when it died, and a piece of one more line: of the
/// next one, or, where it wrote none, of one like the last.
fn bury(run_dir: &RunDir, world: &World, torn: usize) {
    let path = run_dir.path().join(EVENTS);
    let bytes = fs::read(&path).expect("the record is there");
    let died = world.lock().died.expect("the controller is dead");
    let mut lines = bytes.split_inclusive(|b| *b == b'\n').skip(died - 1);
    let last = lines.next().expect("it wrote what the world saw");
    let next = lines.next().unwrap_or(last);
    let piece = &next[..torn.min(next.len() - 1)];
    let whole = bytes.split_inclusive(|b| *b == b'\n').take(died);
    let left: Vec<u8> = whole.chain([piece]).flatten().copied().collect();
    let file = OpenOptions::new().write(true).truncate(true).open(&path);
    let written = file.and_then(|mut f| f.write_all(&left));
    written.expect("the record can be cut");
}
