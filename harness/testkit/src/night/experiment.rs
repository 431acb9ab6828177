//! An experiment as the engine records one.

use std::collections::BTreeMap;

use patchgate_core::{
    diagnosis::{ExperimentEvent, Found, HostMark, Phase},
    evidence::capture::WindowCapture,
    id::CheckId,
    observation::Observation,
};

use super::window;

/// An experiment that is carried out as it has to be, unless a test changes its steps.
#[derive(Clone)]
pub struct Trial {
    /// The domain.
    pub domain: String,
    /// Each check, what it sees in normal times, and what with the domain permissive.
    pub asked: Vec<(CheckId, Observation, Observation)>,
    /// Units that are down, and started in each phase.
    pub down: Vec<String>,
    /// The log without dontaudit rules, and with the domain permissive.
    pub logs: [Vec<String>; 2],
    /// What is wrong with the captures of its windows.
    pub spoilt: Option<fn(&mut WindowCapture)>,
}

impl Trial {
    /// An experiment on httpd.
    ///
    /// # Panics
    /// When a check's name is none.
    #[must_use]
    pub fn httpd(asked: &[(&str, Observation, Observation)]) -> Self {
        let id = |check: &str| {
            CheckId::try_from(format!("httpd/{check}")).expect("it is the name of a check")
        };
        let asked = asked
            .iter()
            .map(|(c, red, green)| (id(c), red.clone(), green.clone()));
        Self {
            domain: "httpd_t".to_owned(),
            asked: asked.collect(),
            down: Vec::new(),
            logs: [vec![], vec![]],
            spoilt: None,
        }
    }

    /// Its logs.
    #[must_use]
    pub fn logging(self, logs: [Vec<String>; 2]) -> Self {
        Self { logs, ..self }
    }

    /// A unit that is down, and is started in each phase.
    #[must_use]
    pub fn starting(mut self, unit: &str) -> Self {
        self.down.push(unit.to_owned());
        self
    }

    pub(super) fn steps(&self) -> Vec<Found> {
        let mut steps = vec![ExperimentEvent::Armed {
            deadline_s: 120,
            before: self.mark(),
        }];
        for phase in [
            Phase::Before,
            Phase::DontauditOff,
            Phase::DomainPermissive,
            Phase::Restored,
        ] {
            steps.extend(self.phase(phase));
        }
        let after = self.mark();
        steps.push(ExperimentEvent::Restored { after });
        let found = |event| Found::Experiment {
            domain: self.domain.clone(),
            event,
        };
        steps.into_iter().map(found).collect()
    }

    fn phase(&self, phase: Phase) -> Vec<ExperimentEvent> {
        let (loaded, log) = match phase {
            Phase::Before => (None, None),
            Phase::DontauditOff => (Some("d"), Some(&self.logs[0])),
            Phase::DomainPermissive => (Some("e"), Some(&self.logs[1])),
            Phase::Restored => (Some("b"), None),
        };
        let changed = loaded.map(|sum| ExperimentEvent::Changed {
            phase,
            loaded_sha256: sum.repeat(64),
            started: log.map_or_else(Vec::new, |_| self.down.clone()),
        });
        let green = phase == Phase::DomainPermissive;
        let once = self
            .asked
            .iter()
            .map(|(check, red, well)| ExperimentEvent::Asked {
                phase,
                check: check.clone(),
                saw: if green { well.clone() } else { red.clone() },
            });
        let asked = (0..phase.asks()).flat_map(|_| once.clone());
        let window = log.map(|log| {
            let mut capture = window::capture(&format!("x-{}", phase.word()), log);
            self.spoilt
                .into_iter()
                .for_each(|spoil| spoil(&mut capture));
            let capture = Box::new(capture);
            ExperimentEvent::Window { phase, capture }
        });
        changed.into_iter().chain(asked).chain(window).collect()
    }

    fn mark(&self) -> HostMark {
        let mut units = BTreeMap::from([("httpd".to_owned(), "active".to_owned())]);
        units.extend(self.down.iter().map(|u| (u.clone(), "failed".to_owned())));
        HostMark {
            mode: "1".to_owned(),
            loaded_sha256: "b".repeat(64),
            disk_sha256: "c".repeat(64),
            modules_sha256: "f".repeat(64),
            booleans_sha256: "0".repeat(64),
            units,
        }
    }
}
