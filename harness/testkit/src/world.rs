//! All scripted hosts of a scenario, and everything that they heard.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use patchgate_engine::{host::Batch, probe::HttpRequest};
use tokio::sync::watch;

use crate::{connector::Line, machine::Machine, script::HostScript};

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
    pub deadline: std::time::Duration,
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

    /// Looks at a host.
    ///
    /// # Panics
    /// When there is no such host.
    pub fn look<T>(&self, host: &str, look: impl FnOnce(&Machine) -> T) -> T {
        look(&self.lock().machines[host])
    }
}

impl Inner {
    /// Does what somebody else does when a batch comes to a host.
    pub(crate) fn disturb(&self, host: &str, batch: &Batch) {
        let here = |at: Option<(&str, &str)>| at == Some((host, batch.label.as_str()));
        if here(self.stop_at) {
            self.stop.send_replace(Some("SIGTERM"));
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
