//! What a package manager says that it would do, before it does it.

mod advisories;
mod held;
mod offered;
mod requested;
mod survey;
mod table;
mod twins;

use serde::{Deserialize, Serialize};

pub use self::{
    advisories::{Listed, listed, mapped},
    held::{HeldBack, WhyHeld, held_back},
    offered::offered,
    requested::{Requested, requested, unmet},
    survey::{HostPlan, survey, survey_exit},
    table::{Table, read_table},
    twins::{TwinDifference, differences},
};
use crate::{package::NevraSpec, patchset::Advisory};

/// The package manager of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// yum 3, as EL6 and EL7 have it.
    Yum,
    /// dnf 4, as EL8 to EL10 have it; `yum` is the same program there.
    Dnf4,
    /// dnf5.
    Dnf5,
}

impl Manager {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Yum, Self::Dnf4, Self::Dnf5];

    /// The word for people, and that of the host's answer.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Yum => "yum",
            Self::Dnf4 => "dnf4",
            Self::Dnf5 => "dnf5",
        }
    }

    /// The manager of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.word() == word)
    }
}

/// What a transaction would do to a host, beyond the names of the packages that come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// Who said it.
    pub manager: Manager,
    /// Every row of its table.
    pub rows: Vec<Row>,
    /// The advisories that were asked for, and what the host's repositories have of them.
    #[serde(default)]
    pub advisories: Vec<AdvisoryHere>,
    /// The packages that must be there afterwards, at least as new: those of the advisories, and those of
    /// security updates. What the patch set itself names is not repeated.
    #[serde(default)]
    pub at_least: Vec<NevraSpec>,
    /// What is newer in the repositories and stays as it is. None where that was not asked.
    #[serde(default)]
    pub held: Option<Vec<HeldBack>>,
}

/// One row of a package manager's table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Row {
    /// What is done.
    pub action: Action,
    /// The package.
    pub package: NevraSpec,
    /// The repository that it comes from; of what goes, the one that it came from, with an `@`.
    pub repository: String,
}

/// What a transaction does with a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It was not there before.
    Install,
    /// It comes because another needs it.
    Dependency,
    /// A newer one takes its place.
    Upgrade,
    /// An older one takes its place.
    Downgrade,
    /// The same again.
    Reinstall,
    /// It goes.
    Remove,
    /// It stays as it is, for what it needs or what it conflicts with.
    Skip,
}

impl Action {
    /// Whether the package is there afterwards because of it.
    #[must_use]
    pub fn brings(self) -> bool {
        match self {
            Self::Install
            | Self::Dependency
            | Self::Upgrade
            | Self::Downgrade
            | Self::Reinstall => true,
            Self::Remove | Self::Skip => false,
        }
    }

    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Dependency => "dependency",
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
            Self::Reinstall => "reinstall",
            Self::Remove => "remove",
            Self::Skip => "skip",
        }
    }
}

/// An advisory that was asked for, on one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvisoryHere {
    /// As the patch set has it.
    pub asked: Advisory,
    /// The ids under which the host's repositories have it.
    pub here: Vec<String>,
}
