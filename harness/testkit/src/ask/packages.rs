//! What a package manager is asked, and the files that it is to take.

use super::{Ask, between};

/// Of what a plan is to bring something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Everything newer.
    Updates,
    /// What security advisories are about.
    Security,
    /// What these advisories are about, under the ids of the host.
    Advisories(Vec<String>),
    /// These packages or files, by name or path.
    Named(Vec<String>),
}

/// A step of bringing files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileStep {
    /// The place is made.
    Begin,
    /// A piece comes.
    Piece,
    /// The pieces become a file.
    Join,
    /// The files go.
    End,
}

impl FileStep {
    /// A word for the log of what a host heard.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Begin => "files-begin",
            Self::Piece => "files-piece",
            Self::Join => "files-join",
            Self::End => "files-end",
        }
    }
}

/// Recognises a script.
pub(super) fn of(script: &str) -> Option<Ask> {
    if let Some((choice, exclude)) = choice(script) {
        return Some(Ask::Plan(choice, exclude));
    }
    if script.contains("echo @visible") {
        return Some(Ask::Offered);
    }
    if script.contains("updateinfo list") {
        let security = script.contains("updateinfo list --security");
        return Some(Ask::Advisories { security });
    }
    files(script).map(Ask::Files)
}

/// What dnf 4 would be told: all three managers are told the same.
fn choice(script: &str) -> Option<(Choice, Vec<String>)> {
    let command = between(script, "\ndnf4) \"$p\" --assumeno --refresh ", ";;")?;
    let words: Vec<_> = command.split(' ').collect();
    let bare = |w: &str| w.trim_matches('\'').to_owned();
    let at = |word: &str| words.iter().position(|w| *w == word);
    let values = |option: &str| -> Vec<String> {
        let values = words.iter().filter_map(|w| w.strip_prefix(option));
        values.map(bare).collect()
    };
    let choice = if let Some(at) = at("install") {
        let named = words[at + 1..].iter().map(|w| bare(w));
        Choice::Named(named.collect())
    } else if at("upgrade-minimal").is_some() {
        Choice::Advisories(values("--advisory="))
    } else if at("--security").is_some() {
        Choice::Security
    } else {
        Choice::Updates
    };
    Some((choice, values("--exclude=")))
}

fn files(script: &str) -> Option<FileStep> {
    if !script.contains("/var/lib/patchgate/rpms") {
        return None;
    }
    [
        ("| base64 -d >", FileStep::Piece),
        ("did not arrive whole", FileStep::Join),
        ("mkdir -p -- ", FileStep::Begin),
        ("rmdir -- ", FileStep::End),
    ]
    .into_iter()
    .find(|(mark, _)| script.contains(mark))
    .map(|(_, step)| step)
}
