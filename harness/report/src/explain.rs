//! One finding told whole, for `patchgate explain`: on the console and in Markdown.

mod sections;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use patchgate_core::judge::Explanation;

use self::sections::{Body, Section, Table, sections};
use crate::{
    console::{Mood, Paint},
    markdown::escaped,
    story,
};

/// Tells a finding on a terminal.
#[must_use]
pub fn text(explanation: &Explanation, paint: Paint) -> String {
    let title = story::title(&explanation.finding);
    let mut text = format!(
        "{}\nrun {}, finding {}\n",
        paint.mood(Mood::Bad, &title),
        explanation.run,
        explanation.finding.id
    );
    for Section { title, body } in sections(explanation) {
        let _ = writeln!(text, "\n{}", paint.mood(Mood::Heading, title));
        match body {
            Body::Lines(lines) => {
                for (label, line) in lines {
                    let _ = writeln!(text, "  {}{line}", labelled(&label));
                }
            }
            Body::Tables(tables) => tables.iter().for_each(|t| text += &plain_table(t)),
        }
    }
    text
}

/// Tells a finding in Markdown.
#[must_use]
pub fn markdown(explanation: &Explanation) -> String {
    let title = story::title(&explanation.finding);
    let mut text = format!(
        "# {}\n\nRun {}, finding {}.\n",
        escaped(&title),
        escaped(explanation.run.as_str()),
        escaped(&explanation.finding.id)
    );
    for Section { title, body } in sections(explanation) {
        let _ = writeln!(text, "\n## {}\n", escaped(&capital(title)));
        match body {
            Body::Lines(lines) => {
                for (label, line) in lines {
                    let label = match label.as_str() {
                        "" => String::new(),
                        label => format!("**{}**: ", escaped(label)),
                    };
                    let _ = writeln!(text, "- {label}{}", escaped(&line));
                }
            }
            Body::Tables(tables) => tables.iter().for_each(|t| text += &markdown_table(t)),
        }
    }
    text
}

fn labelled(label: &str) -> String {
    match label {
        "" => String::new(),
        label => format!("{label}: "),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).collect()
}

fn plain_table(table: &Table) -> String {
    let rows: Vec<&Vec<String>> = [&table.head].into_iter().chain(&table.rows).collect();
    let width = |i: usize| {
        rows.iter()
            .filter_map(|r| r.get(i))
            .map(|c| c.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..table.head.len())
        .map(|i| width(i).unwrap_or(0))
        .collect();
    let mut text = format!("  {}\n", table.title);
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "    {}", line.trim_end());
    }
    let _ = writeln!(text, "  {}", table.foot);
    text
}

fn markdown_table(table: &Table) -> String {
    let row = |cells: &[String]| {
        let cells: String = cells.iter().map(|c| format!(" {} |", escaped(c))).collect();
        format!("|{cells}\n")
    };
    let rule = "|---".repeat(table.head.len()) + "|\n";
    let rows: String = table.rows.iter().map(|r| row(r)).collect();
    format!(
        "{}\n\n{}{rule}{rows}\n{}\n",
        escaped(&table.title),
        row(&table.head),
        escaped(&table.foot)
    )
}
