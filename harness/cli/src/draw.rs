//! Draws mistakes in files, with the line that each is in.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use patchgate_core::source::{Diagnostic, Diagnostics};

/// Draws all of them.
pub(crate) fn diagnostics(all: &Diagnostics, texts: &[(String, String)]) -> String {
    all.iter().map(|d| draw(d, texts) + "\n").collect()
}

fn draw(d: &Diagnostic, texts: &[(String, String)]) -> String {
    let text = texts
        .iter()
        .find(|(file, _)| *file == d.file)
        .map(|(_, text)| text.as_str());
    let Some(text) = text.filter(|t| !d.secret && may_be_shown(t, &d.span)) else {
        return format!("{d}\n");
    };
    let label = d
        .expected
        .as_ref()
        .map(|e| format!("expected {e}"))
        .unwrap_or_default();
    let primary = AnnotationKind::Primary.span(d.span.clone()).label(label);
    let snippet = Snippet::source(text)
        .path(d.file.as_str())
        .annotation(primary);
    let mut report = vec![
        Level::ERROR
            .primary_title(d.message.as_str())
            .element(snippet),
    ];
    if let Some(help) = &d.help {
        report.push(Group::with_title(
            Level::HELP.secondary_title(help.as_str()),
        ));
    }
    Renderer::plain().render(&report)
}

/// Words in a line that make it likely to hold a secret, in lower case.
const TELLTALES: [&str; 6] = ["pass", "secret", "token", "credential", "private", "vault"];

/// Whether the lines of a span hold nothing that looks like a secret.
///
/// A mistake may stand beside a secret on one line, or be the very reason why the secret was not
/// recognised as one; so the words of the line decide, and not what was understood of it.
fn may_be_shown(text: &str, span: &Range<usize>) -> bool {
    let (Some(before), Some(within), Some(after)) = (
        text.get(..span.start),
        text.get(span.clone()),
        text.get(span.end..),
    ) else {
        return false;
    };
    let begin = before.rfind('\n').map_or(0, |at| at + 1);
    let end = after.find('\n').unwrap_or(after.len());
    let lines = format!("{}{within}{}", &before[begin..], &after[..end]).to_lowercase();
    // The lines of a key's body say nothing about themselves.
    let in_a_key = text.contains("PRIVATE KEY-----");
    !in_a_key && !TELLTALES.iter().any(|word| lines.contains(word))
}
