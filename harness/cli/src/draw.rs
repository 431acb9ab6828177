//! Draws mistakes in files, with the line that each is in.

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
    let Some(text) = text.filter(|t| !d.secret && t.get(d.span.clone()).is_some()) else {
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
