//! What an explanation says, section by section; empty ones are left out, but for what was not seen.

use patchgate_core::{
    judge::{ExperimentTold, Explanation, Held, PhaseTold, StepTold, Told},
    text::one_line,
    verdict::Finding,
};

use crate::story;

/// The longest line.
const MAX_LINE: usize = 600;

/// A section.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) body: Body,
}

/// What stands in a section.
pub(super) enum Body {
    /// Lines, each with a label that may be empty.
    Lines(Vec<(String, String)>),
    /// Tables.
    Tables(Vec<Table>),
}

/// A table.
pub(super) struct Table {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) foot: String,
}

/// All sections.
pub(super) fn sections(of: &Explanation) -> Vec<Section> {
    let finding = &of.finding;
    let lines = |title, lines: Vec<(String, String)>| Section {
        title,
        body: Body::Lines(lines),
    };
    let all = [
        lines("seen", seen(finding)),
        lines("cause", cause(of)),
        lines("what it rests on", rests_on(of)),
        lines("looked at, with the cost", steps(of)),
        experiments(of),
        lines("denials in the log", told(&of.denials)),
        lines(
            "access vectors that changed since the baseline",
            told(&of.vectors),
        ),
        lines(
            "what else is different since the baseline",
            told(&of.differences),
        ),
        lines("suspects", suspects(of)),
        lines("twin", twin(of)),
        lines("for information only, never applied", suggestion(of)),
        lines("what was not seen", unseen(of)),
    ];
    all.into_iter().filter(|s| !is_empty(&s.body)).collect()
}

fn is_empty(body: &Body) -> bool {
    match body {
        Body::Lines(lines) => lines.is_empty(),
        Body::Tables(tables) => tables.is_empty(),
    }
}

fn line(label: impl Into<String>, text: &str) -> (String, String) {
    (one_line(&label.into(), MAX_LINE), one_line(text, MAX_LINE))
}

fn seen(finding: &Finding) -> Vec<(String, String)> {
    if finding.symptoms.is_empty() {
        return vec![line("", &finding.symptom)];
    }
    finding.symptoms.iter().map(story::symptom).collect()
}

fn cause(of: &Explanation) -> Vec<(String, String)> {
    let cause = &of.finding.cause;
    let mut lines = vec![
        line("kind", cause.kind.word()),
        line(
            "proof",
            &format!(
                "{}: {}",
                cause.proof.word(),
                story::proof_means(cause.proof)
            ),
        ),
        line("explanation", &cause.explanation),
    ];
    lines.extend(
        cause
            .denial
            .as_ref()
            .map(|d| line("access", &d.to_string())),
    );
    lines.extend(cause.look.as_ref().map(|look| line("look further", look)));
    lines
}

fn rests_on(of: &Explanation) -> Vec<(String, String)> {
    let held = |h: &Held| {
        let state = h.state.map(|s| format!(", {s}")).unwrap_or_default();
        let whose = if h.of_cause {
            ""
        } else {
            " (the finding, not its cause)"
        };
        line(
            format!("event {}{state}", h.event),
            &format!("{}{whose}", h.text),
        )
    };
    of.rests_on.iter().map(held).collect()
}

fn steps(of: &Explanation) -> Vec<(String, String)> {
    let step = |s: &StepTold| {
        let label = format!("event {}, {}, {} ms", s.event, s.state, s.elapsed_ms);
        line(label, &s.text)
    };
    of.steps.iter().map(step).collect()
}

fn experiments(of: &Explanation) -> Section {
    let body = match of.experiments.as_slice() {
        [] => Body::Lines(vec![line("", "none is in the record")]),
        all => Body::Tables(all.iter().map(experiment).collect()),
    };
    Section {
        title: "experiments",
        body,
    }
}

fn twin(of: &Explanation) -> Vec<(String, String)> {
    let twin = of.finding.twin.as_ref().map(story::twin);
    twin.map(|(_, text)| (String::new(), text))
        .into_iter()
        .collect()
}

fn experiment(told: &ExperimentTold) -> Table {
    let mut checks: Vec<String> = Vec::new();
    for (check, _) in told.phases.iter().flat_map(|p| &p.saw) {
        if !checks.contains(&check.to_string()) {
            checks.push(check.to_string());
        }
    }
    let row = |phase: &PhaseTold| {
        let saw = checks.iter().map(|check| {
            let of = phase.saw.iter().find(|(c, _)| c.to_string() == *check);
            of.map_or("not asked".to_owned(), |(_, saw)| one_line(saw, 100))
        });
        let started = one_line(&phase.started.join(" "), 60);
        let denials = phase.denials.map(|n| n.to_string()).unwrap_or_default();
        let first = [phase.phase.clone(), started, denials];
        first.into_iter().chain(saw).collect()
    };
    let head = ["phase", "started", "denials"].map(ToOwned::to_owned);
    Table {
        title: one_line(
            &format!("{}, with {} permissive", told.state, told.domain),
            MAX_LINE,
        ),
        head: head.into_iter().chain(checks.clone()).collect(),
        rows: told.phases.iter().map(row).collect(),
        foot: one_line(&format!("what it came to: {}", told.answer), MAX_LINE),
    }
}

fn told(all: &[Told]) -> Vec<(String, String)> {
    let hosts: Vec<_> = all.iter().map(|t| &t.host).collect();
    let one = hosts.windows(2).all(|w| w[0] == w[1]);
    let label = |t: &Told| {
        if one {
            t.state.to_string()
        } else {
            format!("{}, {}", t.host, t.state)
        }
    };
    let lines = all
        .iter()
        .flat_map(|t| t.lines.iter().map(move |l| line(label(t), l)));
    lines.collect()
}

fn suspects(of: &Explanation) -> Vec<(String, String)> {
    let suspects = of.finding.suspects.iter();
    suspects.map(|s| line(s.nevra.as_str(), &s.why)).collect()
}

fn suggestion(of: &Explanation) -> Vec<(String, String)> {
    let suggestion = of.finding.cause.suggestion.as_ref();
    suggestion.map_or_else(Vec::new, |s| vec![line("", &s.line), line("", &s.note)])
}

fn unseen(of: &Explanation) -> Vec<(String, String)> {
    if of.unseen.is_empty() {
        return vec![line("", "nothing that was looked for is missing")];
    }
    of.unseen.iter().map(|l| line("", l)).collect()
}
