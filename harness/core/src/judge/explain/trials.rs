//! The experiments of a finding, phase by phase.

use super::{ExperimentTold, Explained, PhaseTold, scenes};
use crate::{
    id::CheckId,
    judge::cause::{Answer, Experiment, Scene, experiments},
    observation::Observation,
};

impl Explained<'_> {
    pub(super) fn experiments(&self) -> Vec<ExperimentTold> {
        let scenes = scenes(self);
        let told = scenes.iter().flat_map(|scene| {
            let experiments = experiments(scene.steps());
            let answers = scene.trials.iter().map(|t| words(&t.answer));
            let told = experiments.iter().zip(answers);
            told.map(|(e, answer)| self.experiment(scene, e, answer))
                .collect::<Vec<_>>()
        });
        told.collect()
    }

    fn experiment(
        &self,
        scene: &Scene<'_>,
        experiment: &Experiment<'_>,
        answer: String,
    ) -> ExperimentTold {
        let domain = experiment.domain;
        let phases = experiment.stages.iter().map(|stage| {
            let saw = stage.asked.iter();
            let saw = saw.map(|(check, saw)| ((*check).clone(), self.answers(check, saw)));
            let window = stage.window.as_ref();
            PhaseTold {
                phase: stage.phase.word().to_owned(),
                started: stage.started.to_vec(),
                saw: saw.collect(),
                denials: window.map(|(_, w)| {
                    let ours = w
                        .denials()
                        .filter(|d| d.source.as_ref().is_none_or(|s| s.type_ == domain));
                    ours.count()
                }),
            }
        });
        ExperimentTold {
            state: scene.state,
            domain: domain.to_owned(),
            phases: phases.collect(),
            answer,
            events: experiment.events.iter().copied().collect(),
        }
    }

    /// What a check saw in a phase; once, if it saw the same each time.
    fn answers(&self, check: &CheckId, saw: &[&Observation]) -> String {
        let mut all: Vec<String> = saw.iter().map(|saw| self.teller.saw(check, saw)).collect();
        all.dedup();
        all.join(", then ")
    }
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Turned => {
            "with the domain permissive every failed check passed, and with nothing else".to_owned()
        }
        Answer::Unmoved => {
            "with the domain permissive every failed check went on failing".to_owned()
        }
        Answer::Open(why) => format!("it proves nothing: {}", super::held::short(why)),
    }
}
