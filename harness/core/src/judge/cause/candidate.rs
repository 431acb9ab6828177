//! What the rules say, and which of it is told.
//!
//! A rule gives clues to one state's failures. The same clue in every failing state makes a candidate;
//! one that explains only some of them is suspected at most. Of the candidates the best proven is told,
//! and among those the most specific.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    state::State,
    suggestion::Fix,
    verdict::{CauseKind, DeniedAccess, Proof},
};

/// What a rule says of the failures of one state.
#[derive(Clone, Debug)]
pub(in crate::judge) struct Clue {
    /// The kind of cause.
    pub(in crate::judge) kind: CauseKind,
    /// How well it is proven, for this state.
    pub(in crate::judge) proof: Proof,
    /// What it is about: clues of the same kind and subject are the same cause.
    pub(in crate::judge) subject: String,
    /// How specific it is, from 0; more is told rather than less.
    pub(in crate::judge) weight: u8,
    /// One or two sentences.
    pub(in crate::judge) explanation: String,
    /// How it shows, in a sentence that is told only where it is not proven.
    pub(in crate::judge) effect: Option<String>,
    /// What proved it, in a sentence that is told only where it is proven.
    pub(in crate::judge) proven_by: Option<String>,
    /// The command to look further.
    pub(in crate::judge) look: Option<String>,
    /// What SELinux denied.
    pub(in crate::judge) denial: Option<DeniedAccess>,
    /// What could be done about it.
    pub(in crate::judge) fix: Option<Fix>,
    /// The events that it rests on.
    pub(in crate::judge) evidence: BTreeSet<u64>,
}

impl Clue {
    /// A clue that fits and nothing more, to be filled in.
    pub(super) fn new(kind: CauseKind, explanation: String) -> Self {
        Self {
            kind,
            proof: Proof::Suspected,
            subject: String::new(),
            weight: weight(kind),
            explanation,
            effect: None,
            proven_by: None,
            look: None,
            denial: None,
            fix: None,
            evidence: BTreeSet::new(),
        }
    }

    /// Supported where this holds.
    pub(super) fn supported(mut self, holds: bool) -> Self {
        if holds {
            self.proof = Proof::Supported;
        }
        self
    }

    /// Weighing less.
    pub(super) fn less(mut self, weight: u8) -> Self {
        self.weight = self.weight.saturating_sub(weight);
        self
    }

    /// About this.
    pub(super) fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Where to look further.
    pub(super) fn look(mut self, command: impl Into<String>) -> Self {
        self.look = Some(command.into());
        self
    }

    /// Of this access, which SELinux denied.
    pub(super) fn denied(mut self, denial: DeniedAccess) -> Self {
        self.denial = Some(denial);
        self
    }

    /// Resting on these events, too.
    pub(super) fn on(mut self, events: impl IntoIterator<Item = u64>) -> Self {
        self.evidence.extend(events);
        self
    }
}

/// How specific a kind of cause is: the label that is wrong says more than the denial that comes of it,
/// and the denial more than the service that is down because of it.
fn weight(kind: CauseKind) -> u8 {
    match kind {
        CauseKind::SelinuxLabel | CauseKind::SelinuxBoolean | CauseKind::SelinuxPort => 100,
        CauseKind::SelinuxMode => 98,
        CauseKind::SelinuxSilentDenial => 95,
        CauseKind::SelinuxDenial => 92,
        CauseKind::ResourceOom | CauseKind::ResourceDisk => 80,
        CauseKind::Config | CauseKind::TlsCertificate => 75,
        CauseKind::Permissions => 70,
        CauseKind::Dns => 65,
        CauseKind::BoundToLoopback => 62,
        CauseKind::Firewall => 60,
        CauseKind::KernelOrSysctl => 50,
        CauseKind::ServiceCrash => 45,
        CauseKind::Network => 40,
        CauseKind::NotListening => 20,
        CauseKind::ServiceDown => 10,
        CauseKind::Unknown => 0,
    }
}

/// A cause that the failures of a group may have.
#[derive(Clone, Debug)]
pub(in crate::judge) struct Candidate {
    /// Its clue: the first state's, with the proof and the evidence of all states.
    pub(in crate::judge) clue: Clue,
    /// The states whose failures it explains, where these are not all.
    pub(in crate::judge) only: Vec<State>,
    /// The states for which it is proven, where these are not all.
    pub(in crate::judge) proven_only: Vec<State>,
}

impl Candidate {
    /// What is told of it.
    pub(in crate::judge) fn explanation(&self) -> String {
        let clue = &self.clue;
        let mut text = clue.explanation.clone();
        let tail = match clue.proof {
            Proof::Proven => clue.proven_by.as_deref(),
            Proof::Supported | Proof::Suspected => clue.effect.as_deref(),
        };
        if let Some(tail) = tail {
            text = format!("{text} {tail}");
        }
        for (what, states) in [
            ("It is proven by experiment for", &self.proven_only),
            ("It explains the failures of", &self.only),
        ] {
            if !states.is_empty() {
                text = format!("{text} {what} {} only.", words(states));
            }
        }
        text
    }
}

fn words(states: &[State]) -> String {
    let words: Vec<_> = states.iter().map(|s| s.word()).collect();
    words.join(", ")
}

type Key = (CauseKind, String);

/// The candidates of a group, best first, from the clues of each failing state. What failed at the
/// baseline already has no cause that is not there at the baseline.
pub(super) fn candidates(scenes: Vec<(State, Vec<Clue>)>, at_baseline: bool) -> Vec<Candidate> {
    let n_states = scenes.len();
    let mut found: BTreeMap<Key, Vec<(State, Clue)>> = BTreeMap::new();
    for (state, clues) in scenes {
        for (key, clue) in best_of_each(clues) {
            found.entry(key).or_default().push((state, clue));
        }
    }
    let begins = |clues: &Vec<(State, Clue)>| clues.iter().any(|(s, _)| *s == State::Baseline);
    let mut all: Vec<Candidate> = found
        .into_values()
        .filter(|clues| !at_baseline || begins(clues))
        .filter_map(|clues| candidate(clues, n_states))
        .collect();
    all.sort_by(|a, b| rank(a).cmp(&rank(b)));
    all
}

type Rank<'a> = (Proof, Reverse<u8>, CauseKind, &'a str);

fn rank(candidate: &Candidate) -> Rank<'_> {
    let clue = &candidate.clue;
    (clue.proof, Reverse(clue.weight), clue.kind, &clue.subject)
}

/// Of several clues of one state to the same cause the best one.
fn best_of_each(clues: Vec<Clue>) -> BTreeMap<Key, Clue> {
    let mut best: BTreeMap<Key, Clue> = BTreeMap::new();
    for clue in clues {
        let key = (clue.kind, clue.subject.clone());
        let better =
            |old: &Clue| (clue.proof, Reverse(clue.weight)) < (old.proof, Reverse(old.weight));
        if best.get(&key).is_none_or(better) {
            best.insert(key, clue);
        }
    }
    best
}

fn candidate(clues: Vec<(State, Clue)>, n_states: usize) -> Option<Candidate> {
    let whole = clues.len() == n_states;
    let worst = clues.iter().map(|(_, c)| c.proof).max()?;
    let proof = if whole { worst } else { Proof::Suspected };
    let states_of = |is: &dyn Fn(&Clue) -> bool| {
        let states = clues.iter().filter(|(_, c)| is(c));
        states.map(|(state, _)| *state).collect::<Vec<_>>()
    };
    let only = if whole {
        Vec::new()
    } else {
        states_of(&|_| true)
    };
    let proven_only = if proof == Proof::Proven {
        Vec::new()
    } else {
        states_of(&|c| c.proof == Proof::Proven)
    };
    let evidence = clues.iter().flat_map(|(_, c)| c.evidence.iter().copied());
    let evidence = evidence.collect();
    let (_, first) = clues.into_iter().min_by_key(|(state, _)| *state)?;
    let clue = Clue {
        proof,
        evidence,
        ..first
    };
    Some(Candidate {
        clue,
        only,
        proven_only,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clue(kind: CauseKind, proof: Proof) -> Clue {
        let mut clue = Clue::new(kind, format!("{}.", kind.word())).on([kind as u64]);
        clue.proof = proof;
        clue.proven_by = Some("Proven.".to_owned());
        clue.effect = Some("It shows.".to_owned());
        clue
    }

    /// Each candidate as `kind proof: what is told`.
    fn told(scenes: Vec<(State, Vec<Clue>)>, at_baseline: bool) -> Vec<String> {
        let all = candidates(scenes, at_baseline);
        let told = |c: &Candidate| {
            let clue = &c.clue;
            format!(
                "{} {}: {}",
                clue.kind.word(),
                clue.proof.word(),
                c.explanation()
            )
        };
        all.iter().map(told).collect()
    }

    use CauseKind::{Config, Firewall, SelinuxLabel, ServiceDown};
    use Proof::{Proven, Supported, Suspected};
    use State::{Baseline, Patched, Restarted};

    #[test]
    fn proof_comes_before_what_is_specific() {
        let clues = vec![
            clue(SelinuxLabel, Suspected),
            clue(ServiceDown, Supported),
            clue(Config, Supported),
            clue(Firewall, Proven),
        ];
        assert_eq!(
            told(vec![(Patched, clues)], false),
            [
                "firewall proven: firewall. Proven.",
                "config supported: config. It shows.",
                "service-down supported: service-down. It shows.",
                "selinux-label suspected: selinux-label. It shows.",
            ]
        );
    }

    #[test]
    fn a_candidate_is_as_good_as_in_its_worst_state() {
        let both = |first, second| {
            let scenes = [(Patched, first), (Restarted, second)];
            let scenes = scenes.map(|(s, p)| (s, vec![clue(SelinuxLabel, p)]));
            told(scenes.to_vec(), false)
        };
        assert_eq!(
            both(Proven, Proven),
            ["selinux-label proven: selinux-label. Proven."]
        );
        let half = "It is proven by experiment for restarted only.";
        assert_eq!(
            both(Supported, Proven),
            [format!(
                "selinux-label supported: selinux-label. It shows. {half}"
            )]
        );
        let one = vec![
            (Patched, vec![clue(Config, Supported)]),
            (Restarted, vec![]),
        ];
        assert_eq!(
            told(one, false),
            ["config suspected: config. It shows. It explains the failures of patched only."]
        );
    }

    #[test]
    fn what_failed_at_the_baseline_has_a_cause_from_there() {
        let scenes = vec![
            (Baseline, vec![clue(Firewall, Supported)]),
            (
                Patched,
                vec![clue(Firewall, Supported), clue(Config, Supported)],
            ),
        ];
        assert_eq!(
            told(scenes, true),
            ["firewall supported: firewall. It shows."]
        );
    }

    #[test]
    fn clues_about_different_things_are_different_causes() {
        let about = |state, subject| (state, vec![clue(SelinuxLabel, Supported).about(subject)]);
        let told = told(vec![about(Patched, "a"), about(Restarted, "b")], false);
        assert_eq!(told.len(), 2);
        assert!(
            told.iter()
                .all(|t| t.starts_with("selinux-label suspected")),
            "{told:?}"
        );
    }
}
