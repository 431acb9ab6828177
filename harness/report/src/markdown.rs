//! The end of a run as Markdown: `summary.md`, for merge requests and job pages.

use std::fmt::Write as _;

use patchgate_core::{
    judge::Judgement,
    plan::Plan,
    text::one_line,
    verdict::{Finding, Verdict},
};

use crate::{console::exit_words, soak, story, tally};

/// Tells the end of a run in Markdown (GitLab's and GitHub's); the gate comes first.
#[must_use]
pub fn summary(plan: &Plan, judgement: &Judgement) -> String {
    let verdict = &judgement.verdict;
    let mut sections = vec![head(verdict)];
    sections.extend(dirty(verdict));
    sections.push(table(plan, judgement));
    sections.extend(waves(verdict));
    sections.extend(findings("Findings", &verdict.findings));
    sections.extend(findings("Waived", &verdict.waived));
    sections.extend(probes(verdict));
    sections.extend(unseen(verdict));
    sections.extend(patched(verdict));
    sections.extend(denials(verdict));
    sections.join("\n")
}

fn head(verdict: &Verdict) -> String {
    let patch_set = match &verdict.patch_set {
        Some(name) => format!("patch set {}", escaped(&one_line(name, 100))),
        None => "no patch set".to_owned(),
    };
    let gate = verdict.verdict.word().to_uppercase();
    let exit = escaped(&exit_words(verdict.exit));
    format!(
        "# Gate: {gate}\n\nRun {}, {patch_set}, {exit}.\n",
        escaped(verdict.run.as_str())
    )
}

fn table(plan: &Plan, judgement: &Judgement) -> String {
    let states: Vec<_> = plan.states.iter().map(|s| s.word().to_owned()).collect();
    let mut text = row("host", &states);
    text += &row("---", &vec!["---".to_owned(); states.len()]);
    for line in tally::rows(plan, judgement) {
        text += &row(&escaped(&line.host), &line.states);
    }
    text
}

fn row(first: &str, cells: &[String]) -> String {
    let cells: String = cells.iter().map(|c| format!(" {c} |")).collect();
    format!("| {first} |{cells}\n")
}

fn findings(heading: &str, findings: &[Finding]) -> Option<String> {
    let mut text = format!("## {heading}\n");
    for (n, finding) in findings.iter().enumerate() {
        let story = story::of_finding(finding);
        let _ = writeln!(text, "\n### {}. {}\n", n + 1, escaped(&story.title));
        for (label, line) in &story.lines {
            let _ = writeln!(text, "- **{label}**: {}", escaped(line));
        }
    }
    (!findings.is_empty()).then_some(text)
}

fn waves(verdict: &Verdict) -> Option<String> {
    let lines = story::of_waves(verdict.waves.as_ref()?).into_iter();
    let lines: String = lines
        .map(|line| format!("- {}\n", escaped(&line)))
        .collect();
    Some(format!("## Waves\n\n{lines}"))
}

fn unseen(verdict: &Verdict) -> Option<String> {
    let mut text = "## What could not be seen\n\n".to_owned();
    for missing in &verdict.undecided {
        let _ = writeln!(text, "- {}", escaped(&story::of_undecided(missing)));
    }
    (!verdict.undecided.is_empty()).then_some(text)
}

fn patched(verdict: &Verdict) -> Option<String> {
    let mut text = "## Patch set\n\n".to_owned();
    let proven = story::of_patched(verdict);
    for (host, proven) in &proven {
        let _ = writeln!(text, "- {}: {}", escaped(host), escaped(proven));
    }
    (!proven.is_empty()).then_some(text)
}

fn probes(verdict: &Verdict) -> Option<String> {
    let mut text = "## Remote clients meanwhile\n\n".to_owned();
    for (head, outages) in verdict.soak.iter().map(soak::of_check) {
        let _ = writeln!(text, "- {}", escaped(&head));
        for outage in outages {
            let _ = writeln!(text, "  - {}", escaped(&outage));
        }
    }
    (!verdict.soak.is_empty()).then_some(text)
}

fn dirty(verdict: &Verdict) -> Option<String> {
    let mut text = "## Dirty hosts\n\n".to_owned();
    let dirty = story::of_dirty(verdict);
    for (host, why) in &dirty {
        let _ = writeln!(text, "- **{}**: {}", escaped(host), escaped(why));
    }
    (!dirty.is_empty()).then_some(text)
}

fn denials(verdict: &Verdict) -> Option<String> {
    let mut text = "## Denials\n\n".to_owned();
    for host in &verdict.hosts {
        for said in story::of_denials(host) {
            let (host, statement) = (escaped(host.host.as_str()), escaped(&said.statement));
            let _ = writeln!(text, "- {host}, {}: {statement}", said.states);
            for denial in said.seen {
                let _ = writeln!(text, "  - {}", escaped(&denial));
            }
        }
    }
    (!verdict.hosts.is_empty()).then_some(text)
}

/// Takes the meaning from every character that has one in Markdown or HTML. `@` too: a host's text
/// must not notify anybody.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '!' | '~' | '$' => {
                out.extend(['\\', c]);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
