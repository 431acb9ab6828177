//! The end of a run: a short table, the findings as a story, what could not be seen, and the gate.

use std::fmt::Write as _;

use patchgate_core::{
    exit,
    judge::Judgement,
    plan::Plan,
    text::one_line,
    verdict::{Decision, Finding, Verdict},
};

use super::colour::{Mood, Paint};
use crate::{soak, story, tally};

/// Tells the end of a run; the last line is the gate's. Denials are spoken of only in the
/// judgement's own statements.
#[must_use]
pub fn summary(plan: &Plan, judgement: &Judgement, paint: Paint) -> String {
    let verdict = &judgement.verdict;
    let mut sections = vec![head(verdict), table(plan, judgement, paint)];
    sections.extend(waves(verdict, paint));
    sections.push(findings("findings", &verdict.findings, paint));
    if !verdict.waived.is_empty() {
        sections.push(findings("waived", &verdict.waived, paint));
    }
    sections.extend(probes(verdict, paint));
    sections.extend(unseen(verdict, paint));
    sections.extend(patched(verdict, paint));
    sections.extend(denials(verdict, paint));
    sections.extend(dirty(verdict, paint));
    sections.push(gate(verdict, paint));
    sections.join("\n")
}

fn head(verdict: &Verdict) -> String {
    let patch_set = match &verdict.patch_set {
        Some(name) => format!("patch set {}", one_line(name, 100)),
        None => "no patch set".to_owned(),
    };
    format!("run {}, {patch_set}\n", verdict.run)
}

/// Hosts by states.
fn table(plan: &Plan, judgement: &Judgement, paint: Paint) -> String {
    let rows = tally::rows(plan, judgement);
    let heads = plan.states.iter().map(|s| s.word().to_owned());
    let mut lines = vec![
        std::iter::once("host".to_owned())
            .chain(heads)
            .collect::<Vec<_>>(),
    ];
    lines.extend(
        rows.into_iter()
            .map(|r| std::iter::once(r.host).chain(r.states).collect()),
    );
    let n_columns = plan.states.len() + 1;
    let width = |i: usize| {
        lines
            .iter()
            .map(|l| l[i].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let line = |(n, cells): (usize, &Vec<String>)| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        let line = padded.collect::<Vec<_>>().join("  ");
        let mood = if n == 0 { Mood::Heading } else { Mood::Plain };
        paint.mood(mood, line.trim_end()) + "\n"
    };
    lines.iter().enumerate().map(line).collect()
}

fn waves(verdict: &Verdict, paint: Paint) -> Option<String> {
    let lines = story::of_waves(verdict.waves.as_ref()?).into_iter();
    let lines: String = lines.map(|line| format!("  {line}\n")).collect();
    Some(paint.mood(Mood::Heading, "waves") + "\n" + &lines)
}

/// What is proven of the patch set.
fn patched(verdict: &Verdict, paint: Paint) -> Option<String> {
    let mut text = paint.mood(Mood::Heading, "patch set") + "\n";
    let proven = story::of_patched(verdict);
    for (host, proven) in &proven {
        let _ = writeln!(text, "  {host}: {proven}");
    }
    (!proven.is_empty()).then_some(text)
}

fn probes(verdict: &Verdict, paint: Paint) -> Option<String> {
    let mut text = paint.mood(Mood::Heading, "remote clients meanwhile") + "\n";
    for (head, outages) in verdict.soak.iter().map(soak::of_check) {
        let _ = writeln!(text, "  {head}");
        for outage in outages {
            let _ = writeln!(text, "    {}", paint.mood(Mood::Unsure, &outage));
        }
    }
    (!verdict.soak.is_empty()).then_some(text)
}

/// The hosts that somebody has to put in order: right before the gate, where nobody overlooks them.
fn dirty(verdict: &Verdict, paint: Paint) -> Option<String> {
    let mut text = paint.mood(Mood::Bad, "DIRTY HOSTS") + "\n";
    let dirty = story::of_dirty(verdict);
    for (host, why) in &dirty {
        let _ = writeln!(
            text,
            "  {}",
            paint.mood(Mood::Bad, &format!("{host}: {why}"))
        );
    }
    (!dirty.is_empty()).then_some(text)
}

fn denials(verdict: &Verdict, paint: Paint) -> Option<String> {
    let mut text = paint.mood(Mood::Heading, "denials") + "\n";
    for host in &verdict.hosts {
        for said in story::of_denials(host) {
            let _ = writeln!(text, "  {}, {}: {}", host.host, said.states, said.statement);
            for denial in said.seen {
                let _ = writeln!(text, "    {denial}");
            }
        }
    }
    (!verdict.hosts.is_empty()).then_some(text)
}

fn findings(heading: &str, findings: &[Finding], paint: Paint) -> String {
    if findings.is_empty() {
        return format!("{heading}: none\n");
    }
    let mut text = paint.mood(Mood::Heading, heading) + "\n";
    for (n, finding) in findings.iter().enumerate() {
        let story = story::of_finding(finding);
        let _ = writeln!(text, "  {}. {}", n + 1, paint.mood(Mood::Bad, &story.title));
        for (label, line) in &story.lines {
            let _ = writeln!(text, "     {label}: {line}");
        }
    }
    text
}

fn unseen(verdict: &Verdict, paint: Paint) -> Option<String> {
    let mut text = paint.mood(Mood::Heading, "what could not be seen") + "\n";
    for missing in &verdict.undecided {
        let _ = writeln!(
            text,
            "  {}",
            paint.mood(Mood::Unsure, &story::of_undecided(missing))
        );
    }
    (!verdict.undecided.is_empty()).then_some(text)
}

fn gate(verdict: &Verdict, paint: Paint) -> String {
    let mood = match verdict.verdict {
        Decision::Open => Mood::Good,
        Decision::Closed => Mood::Bad,
        Decision::Undecided => Mood::Unsure,
    };
    let word = verdict.verdict.word().to_uppercase();
    format!(
        "{}, {}\n",
        paint.mood(mood, &format!("gate: {word}")),
        exit_words(verdict.exit)
    )
}

/// `exit code 1 (closed: a confirmed failure)`.
pub(crate) fn exit_words(code: u8) -> String {
    let meaning = exit::ALL
        .iter()
        .find(|e| e.code == code)
        .map_or("not documented", |e| e.meaning);
    format!("exit code {code} ({meaning})")
}

#[cfg(test)]
mod tests;
