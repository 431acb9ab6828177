//! An experiment as the record tells it, and whether it was carried out as it has to be.
//!
//! In order: armed; untouched, each check asked; without dontaudit rules, then with the domain permissive, the
//! policy changed, each check asked, the window; the old policy again, each check asked; restored. Each check
//! is asked as often as its phase wants it ([`Phase::asks`]). Whatever is missing, once too often or out of
//! order is a fault, and an experiment with a fault proves nothing. Nor does one of which it is not known that
//! SELinux enforced, and in one boot, at both ends of every changed phase.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    diagnosis::{DiagnosisStep, ExperimentEvent, Found, HostMark, Phase},
    evidence::{
        capture::{WindowCapture, WindowEdge},
        denial::Decision,
        mac_change::MacChangeKind,
        window::{Expectations, WindowEvidence, examine},
    },
    id::CheckId,
    ledger::At,
    observation::Observation,
    reading::Reading,
};

/// One experiment, as far as it is in the record.
pub(in crate::judge) struct Experiment<'a> {
    /// The domain that it made permissive.
    pub(in crate::judge) domain: &'a str,
    /// What the host was.
    pub(in crate::judge) before: &'a HostMark,
    /// What it was afterwards.
    pub(in crate::judge) after: Option<&'a HostMark>,
    /// The phases, in the order in which they came.
    pub(in crate::judge) stages: Vec<Stage<'a>>,
    /// All of its events.
    pub(in crate::judge) events: BTreeSet<u64>,
    /// Why it proves nothing, by the order of its events.
    disorder: Option<String>,
}

/// One phase of an experiment.
pub(in crate::judge) struct Stage<'a> {
    /// The phase.
    pub(in crate::judge) phase: Phase,
    /// The loaded policy; none in the first phase.
    pub(in crate::judge) loaded: Option<&'a str>,
    /// Units that were started for it.
    pub(in crate::judge) started: &'a [String],
    /// What the checks saw, each time that they were asked.
    pub(in crate::judge) asked: BTreeMap<&'a CheckId, Vec<&'a Observation>>,
    /// What the log holds of it, and the event.
    pub(in crate::judge) window: Option<(u64, WindowEvidence)>,
    capture: Option<&'a WindowCapture>,
}

/// The experiments among some steps, each from where it was armed.
pub(in crate::judge) fn experiments<'a>(
    steps: impl Iterator<Item = &'a At<DiagnosisStep>>,
) -> Vec<Experiment<'a>> {
    let mut all: Vec<Experiment<'a>> = Vec::new();
    for step in steps {
        let Found::Experiment { domain, event } = &step.value.found else {
            continue;
        };
        if let ExperimentEvent::Armed { before, .. } = event {
            all.push(Experiment::armed(step.seq, domain, before));
        } else if let Some(current) = all.last_mut() {
            current.take(step.seq, domain, event);
        }
    }
    all
}

/// A load of policy is what an experiment consists of.
const LOADS: Expectations = Expectations {
    policy_load: true,
    mode_change: false,
    reboot: false,
};

impl<'a> Experiment<'a> {
    fn armed(seq: u64, domain: &'a str, before: &'a HostMark) -> Self {
        Self {
            domain,
            before,
            after: None,
            stages: vec![Stage::new(Phase::Before, None, &[])],
            events: BTreeSet::from([seq]),
            disorder: None,
        }
    }

    fn take(&mut self, seq: u64, domain: &'a str, event: &'a ExperimentEvent) {
        self.events.insert(seq);
        if domain != self.domain {
            self.fault("another domain's experiment came in between");
        }
        if self.after.is_some() {
            self.fault("it went on after it had ended");
        }
        match event {
            ExperimentEvent::Armed { .. } => {}
            ExperimentEvent::Changed {
                phase,
                loaded_sha256,
                started,
            } => self.change(Stage::new(*phase, Some(loaded_sha256), started)),
            ExperimentEvent::Asked { phase, check, saw } => self.ask(*phase, check, saw),
            ExperimentEvent::Window { phase, capture } => self.look(seq, *phase, capture),
            ExperimentEvent::Restored { after } => self.after = Some(after),
            ExperimentEvent::Failed { why } => self.fault(&format!("it failed: {why}")),
        }
    }

    fn fault(&mut self, why: &str) {
        self.disorder.get_or_insert_with(|| why.to_owned());
    }

    fn change(&mut self, stage: Stage<'a>) {
        if self
            .stages
            .last()
            .is_some_and(|last| last.phase >= stage.phase)
        {
            self.fault("its phases are out of order");
        }
        self.stages.push(stage);
    }

    /// The last stage, where it is of this phase and still open.
    fn open(&mut self, phase: Phase) -> Option<&mut Stage<'a>> {
        let last = self.stages.last_mut()?;
        (last.phase == phase && last.window.is_none()).then_some(last)
    }

    fn ask(&mut self, phase: Phase, check: &'a CheckId, saw: &'a Observation) {
        match self.open(phase) {
            Some(stage) => stage.asked.entry(check).or_default().push(saw),
            None => self.fault("a check was asked outside its phase"),
        }
    }

    fn look(&mut self, seq: u64, phase: Phase, capture: &'a WindowCapture) {
        match self.open(phase) {
            Some(stage) => {
                stage.window = Some((seq, examine(capture, LOADS)));
                stage.capture = Some(capture);
            }
            None => self.fault("a window stands outside its phase"),
        }
    }

    /// The stage of a phase.
    pub(in crate::judge) fn stage(&self, phase: Phase) -> Option<&Stage<'a>> {
        self.stages.iter().find(|s| s.phase == phase)
    }

    /// Why it proves nothing, whatever the checks saw; none when it was carried out as it has to be.
    pub(in crate::judge) fn defect(&self) -> Option<String> {
        let own = |text: &'static str| text.to_owned();
        self.disorder
            .clone()
            .or_else(|| self.incomplete().map(own))
            .or_else(|| self.unlike().map(own))
            .or_else(|| self.unchanged().map(own))
            .or_else(|| self.disturbed().map(own))
    }

    fn incomplete(&self) -> Option<&'static str> {
        let phases: Vec<Phase> = self.stages.iter().map(|s| s.phase).collect();
        if phases != ALL {
            return Some("not all of its phases are in the record");
        }
        let first: Vec<_> = self.stages.first()?.asked.keys().collect();
        let same = |s: &Stage<'_>| s.asked.keys().collect::<Vec<_>>() == first;
        if first.is_empty() || !self.stages.iter().all(same) {
            return Some("not every check was asked in every phase");
        }
        if !self.stages.iter().all(Stage::is_asked_out) {
            return Some("not every check was asked as often as its phase wants it");
        }
        let changed = |s: &&Stage<'_>| is_changed(s.phase);
        let looked = self
            .stages
            .iter()
            .filter(changed)
            .all(|s| s.window.is_some());
        (!looked).then_some("a phase has no window")
    }

    fn unlike(&self) -> Option<&'static str> {
        let after = match self.after {
            Some(after) if self.before.differences(after).is_empty() => after,
            Some(_) => return Some("the host was another one afterwards"),
            None => return Some("whether the host was restored is not in the record"),
        };
        let enforcing = after.mode == "1" && self.before.mode == "1";
        let sums = [
            &after.loaded_sha256,
            &after.disk_sha256,
            &after.modules_sha256,
            &after.booleans_sha256,
        ];
        match (enforcing, sums.iter().all(|s| is_sha256(s))) {
            (false, _) => Some("SELinux was not enforcing"),
            (true, false) => Some("what the host was is not wholly known"),
            (true, true) => None,
        }
    }

    /// With the domain permissive the policy is one of its own, and in the end it is the first one again. A
    /// host whose dontaudit rules are off has that policy from the start.
    fn unchanged(&self) -> Option<&'static str> {
        let before = self.before.loaded_sha256.as_str();
        let (mut changed, mut restored) = (BTreeSet::from([before]), false);
        for stage in &self.stages {
            let new = match (stage.phase, stage.loaded) {
                (Phase::Before, None) => true,
                (Phase::DontauditOff, Some(sum)) => {
                    changed.insert(sum);
                    is_sha256(sum)
                }
                (Phase::DomainPermissive, Some(sum)) => is_sha256(sum) && changed.insert(sum),
                (Phase::Restored, Some(sum)) => {
                    restored = sum == before;
                    restored
                }
                (Phase::Before, Some(_))
                | (Phase::DontauditOff | Phase::DomainPermissive | Phase::Restored, None) => false,
            };
            if !new {
                return Some("the loaded policy was not the one that each phase has to have");
            }
        }
        (!restored).then_some("the policy was not restored")
    }

    /// Somebody else changed something while it went on, or the domain was not what the phase says.
    fn disturbed(&self) -> Option<&'static str> {
        let changed = || self.stages.iter().filter(|s| is_changed(s.phase));
        let edges: Vec<&WindowEdge> = changed().flat_map(Stage::edges).collect();
        let known: Option<Vec<(&str, &str)>> = edges.iter().map(|e| mode_and_boot(e)).collect();
        let Some(known) = known.filter(|k| k.len() == 2 * changed().count()) else {
            return Some("mode and boot of the host are not known of every phase");
        };
        let boots: BTreeSet<&str> = known.iter().map(|(_, boot)| *boot).collect();
        if boots.len() > 1 {
            return Some("the host was rebooted in between");
        }
        if !known
            .iter()
            .all(|(mode, _)| ["1", "Enforcing"].contains(mode))
        {
            return Some("SELinux was not enforcing in a phase");
        }
        self.stages.iter().find_map(|s| s.disturbance(self.domain))
    }
}

/// The phases of an experiment.
const ALL: [Phase; 4] = [
    Phase::Before,
    Phase::DontauditOff,
    Phase::DomainPermissive,
    Phase::Restored,
];

impl<'a> Stage<'a> {
    fn new(phase: Phase, loaded: Option<&'a str>, started: &'a [String]) -> Self {
        Self {
            phase,
            loaded,
            started,
            asked: BTreeMap::new(),
            window: None,
            capture: None,
        }
    }

    fn edges(&self) -> impl Iterator<Item = &'a WindowEdge> {
        let edges = self.capture.map(|c| [c.begin.known(), c.end.known()]);
        edges.into_iter().flatten().flatten()
    }

    fn is_asked_out(&self) -> bool {
        self.asked
            .values()
            .all(|saw| saw.len() == self.phase.asks())
    }

    fn disturbance(&self, domain: &str) -> Option<&'static str> {
        let (_, window) = self.window.as_ref()?;
        if window.mac_changes.iter().any(|c| is_foreign(&c.kind)) {
            return Some("somebody changed the mode or a boolean in between");
        }
        let permissive = self.phase == Phase::DomainPermissive;
        let mut flags = since_change(self, window, domain).into_iter();
        let other = flags.any(|flag| flag != permissive);
        other.then_some("the domain was not as permissive as the phase has it")
    }
}

/// The mode and the boot at an end of a window; none where either is not known.
fn mode_and_boot(edge: &WindowEdge) -> Option<(&str, &str)> {
    let (mode, boot) = (edge.mode.known()?.trim(), edge.boot_id.known()?.trim());
    (!boot.is_empty()).then_some((mode, boot))
}

/// Whether denials of the domain were let through, since the phase's policy was in force. Where its marker
/// does not tell since when, a window with both kinds may begin with those of the policy before, and with
/// no others: the window is opened before the policy is loaded.
fn since_change(stage: &Stage<'_>, window: &WindowEvidence, domain: &str) -> Vec<bool> {
    let ours = |d: &&Decision| d.source.as_ref().is_some_and(|s| s.type_ == domain);
    let first = stage.asked.keys().next();
    if let Some(Reading::Known(own)) = first.map(|check| window.denials_of(check)) {
        return own
            .into_iter()
            .filter(ours)
            .filter_map(|d| d.permissive)
            .collect();
    }
    let mut all: Vec<&Decision> = window.denials().filter(ours).collect();
    if all.iter().all(|d| d.stamp.is_some()) {
        all.sort_by_key(|d| d.stamp);
    }
    let flags: Vec<bool> = all.iter().filter_map(|d| d.permissive).collect();
    let begins = flags.iter().position(|flag| *flag).unwrap_or_default();
    match stage.phase {
        Phase::DomainPermissive => flags[begins..].to_vec(),
        Phase::Before | Phase::DontauditOff | Phase::Restored => flags,
    }
}

/// Whether a phase has a policy that the experiment made.
fn is_changed(phase: Phase) -> bool {
    match phase {
        Phase::DontauditOff | Phase::DomainPermissive => true,
        Phase::Before | Phase::Restored => false,
    }
}

/// A change that no experiment makes.
fn is_foreign(kind: &MacChangeKind) -> bool {
    match kind {
        MacChangeKind::PolicyLoad => false,
        MacChangeKind::Mode { .. } | MacChangeKind::Boolean { .. } => kind.is_real(),
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit())
}
