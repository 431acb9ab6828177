//! What is asked of a host about the mark of a dirty host.

use super::between;

/// What is asked about the mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MarkAsk {
    /// What it says.
    Read,
    /// This is put there.
    Put(String),
    /// It goes, if it is this run's.
    Drop(String),
}

impl MarkAsk {
    /// Recognises a script.
    pub(super) fn of(script: &str) -> Option<Self> {
        if script.contains("echo 'pgmark there'") {
            return Some(Self::Read);
        }
        if let Some(text) = between(script, "printf '%s\\n' '", "' >\"$M.new\"") {
            return Some(Self::Put(text.to_owned()));
        }
        let run = between(script, "\n[ \"$r\" != \"run=\"'", "'")?;
        Some(Self::Drop(run.to_owned()))
    }

    /// A word for the log of what a host heard.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Read => "mark-read",
            Self::Put(_) => "mark-put",
            Self::Drop(_) => "mark-drop",
        }
    }
}
