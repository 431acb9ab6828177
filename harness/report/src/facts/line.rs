//! One line of a page: a label and a text, safe for a terminal.

use patchgate_core::{reading::Reading, text::one_line};

use crate::console::{Mood, Paint};

/// The longest line that is told.
const MAX: usize = 400;

/// How many members of a list are told.
const MEMBERS: usize = 12;

/// A label and a text.
pub(super) struct Line {
    label: &'static str,
    text: String,
    mood: Mood,
}

impl Line {
    pub(super) fn new(label: &'static str, text: &str) -> Self {
        Self {
            label,
            text: one_line(text, MAX),
            mood: Mood::Plain,
        }
    }

    pub(super) fn mood(self, mood: Mood) -> Self {
        Self { mood, ..self }
    }

    /// Something that could not be seen, and why.
    pub(super) fn unseen(label: &'static str, why: &str) -> Self {
        Self::new(label, &format!("not seen: {why}")).mood(Mood::Unsure)
    }

    /// A value in words, or why it could not be seen.
    pub(super) fn of<T>(
        label: &'static str,
        reading: &Reading<T>,
        words: impl FnOnce(&T) -> String,
    ) -> Self {
        match reading {
            Reading::Known(value) => Self::new(label, &words(value)),
            Reading::Missing { why } => Self::unseen(label, why),
        }
    }

    pub(super) fn told(&self, paint: Paint) -> String {
        format!(
            "  {:<14} {}\n",
            self.label,
            paint.mood(self.mood, &self.text)
        )
    }
}

/// The first members of a list, and how many more there are; `none` where there is none.
pub(super) fn members(all: &[String]) -> String {
    if all.is_empty() {
        return "none".to_owned();
    }
    let told = all
        .iter()
        .take(MEMBERS)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match all.len().saturating_sub(MEMBERS) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

/// `1 rule`, `2 rules`.
pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
