//! All scripted hosts of a scenario, and everything that they heard.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use patchgate_engine::{clock::Stopwatch, host::Batch, probe::HttpRequest};
use tokio::sync::{Notify, watch};

use crate::{
    connector::Line,
    machine::Machine,
    script::{Effect, HostScript},
};

/// One thing that a host heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The host.
    pub host: String,
    /// The label of the batch, `connect`, or `http`.
    pub label: String,
    /// What the item asked, in a word.
    pub ask: &'static str,
    /// How long it might take.
    pub deadline: Duration,
}

/// All hosts of a scenario; its copies are the same world.
#[derive(Clone)]
pub struct World(Arc<Mutex<Inner>>);

pub(crate) struct Inner {
    pub(crate) machines: BTreeMap<String, Machine>,
    pub(crate) lines: BTreeMap<String, Line>,
    pub(crate) heard: Vec<Heard>,
    /// Scripts that no host knows: a scenario in which there is one proves nothing.
    pub(crate) unknown: Vec<String>,
    /// Where somebody stops the run: host and batch label.
    pub(crate) stop_at: Option<(&'static str, &'static str)>,
    pub(crate) stop: watch::Sender<Option<&'static str>>,
    /// Where the controller's own code breaks down: host and batch label.
    pub(crate) panic_at: Option<(&'static str, &'static str)>,
    /// When the controller dies.
    pub(crate) death: Option<Death>,
    /// How many events the record held when it died: from then on the world hears nothing of it.
    pub(crate) died: Option<usize>,
    /// Told when it dies.
    pub(crate) mourner: Arc<Notify>,
    stopped_at: Option<Stopwatch>,
    events: usize,
    heeded: usize,
}

/// When a controller dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// After it wrote so many events, before a host hears any more of it.
    AfterEvent(usize),
    /// After hosts did so many things for it (a batch, a request), before it hears of the last one.
    AfterDeed(usize),
}

impl World {
    /// Sets all hosts up.
    #[must_use]
    pub fn new(hosts: &[HostScript]) -> Self {
        let machines = hosts
            .iter()
            .map(|s| (s.name.to_owned(), Machine::new(s.clone())));
        let lines = hosts.iter().map(|s| (s.name.to_owned(), Line::new(s)));
        Self(Arc::new(Mutex::new(Inner {
            machines: machines.collect(),
            lines: lines.collect(),
            heard: Vec::new(),
            unknown: Vec::new(),
            stop_at: None,
            stop: watch::Sender::new(None),
            panic_at: None,
            death: None,
            died: None,
            mourner: Arc::default(),
            stopped_at: None,
            events: 0,
            heeded: 0,
        })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that the hosts heard, in order.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.lock().heard.clone()
    }

    /// Scripts that no host knows.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        self.lock().unknown.clone()
    }

    /// How long ago somebody stopped the run.
    pub(crate) fn stopped_for(&self) -> Option<Duration> {
        self.lock().stopped_at.map(Stopwatch::elapsed)
    }

    /// Something happens to a host.
    ///
    /// # Panics
    /// When there is no such host.
    pub fn change(&self, host: &str, effect: Effect) {
        let mut inner = self.lock();
        let machine = inner.machines.get_mut(host).expect("there is such a host");
        machine.take(effect);
    }

    /// How many things hosts did: batches and requests.
    #[must_use]
    pub fn deeds(&self) -> usize {
        self.lock().heeded
    }

    /// Takes note of an event.
    pub(crate) fn wrote(&self) {
        let mut inner = self.lock();
        inner.events += 1;
        if inner.death == Some(Death::AfterEvent(inner.events)) {
            inner.die();
        }
    }

    /// A new controller begins, behind so many events.
    pub(crate) fn reborn(&self, events: usize, death: Option<Death>) {
        let mut inner = self.lock();
        (inner.events, inner.death, inner.died) = (events, death, None);
    }

    /// Waits for ever if the controller is dead.
    pub(crate) async fn unless_dead(&self) {
        let dead = self.lock().died.is_some();
        if dead {
            std::future::pending::<()>().await;
        }
    }

    /// Looks at a host.
    ///
    /// # Panics
    /// When there is no such host.
    pub fn look<T>(&self, host: &str, look: impl FnOnce(&Machine) -> T) -> T {
        look(&self.lock().machines[host])
    }
}

impl Inner {
    fn die(&mut self) {
        self.died = Some(self.events);
        self.mourner.notify_one();
    }

    /// A host did something for the controller.
    pub(crate) fn did(&mut self) {
        self.heeded += 1;
        if self.death == Some(Death::AfterDeed(self.heeded)) {
            self.die();
        }
    }

    /// Does what somebody else does when a batch comes to a host.
    pub(crate) fn disturb(&mut self, host: &str, batch: &Batch) {
        let here = |at: Option<(&str, &str)>| at == Some((host, batch.label.as_str()));
        if here(self.stop_at) {
            self.stop.send_replace(Some("SIGTERM"));
            self.stopped_at.get_or_insert_with(Stopwatch::start);
        }
        assert!(!here(self.panic_at), "a bug, as the scenario wants it");
    }

    /// The host at which a request is aimed.
    pub(crate) fn host_of(&self, request: &HttpRequest) -> Option<String> {
        let aimed = |m: &&Machine| request.url.contains(&format!("//{}/", m.script.address));
        let found = self.machines.values().find(aimed)?;
        Some(found.script.name.to_owned())
    }
}
