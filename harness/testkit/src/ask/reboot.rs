//! What is asked of a host about a reboot.

use patchgate_engine::script::reboot::{advice_item, sight_item};

use super::{between, quoted};

/// What is asked about a reboot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RebootAsk {
    /// When these packages were installed, and when the host was booted.
    Times(Vec<String>),
    /// What needs-restarting says.
    Advice,
    /// The order, to this boot.
    Order(String),
    /// Which boot it is, and whether everything has started.
    Sight,
}

impl RebootAsk {
    /// Recognises a script.
    pub(super) fn of(script: &str) -> Option<Self> {
        if script == advice_item().script {
            return Some(Self::Advice);
        }
        if script == sight_item().script {
            return Some(Self::Sight);
        }
        if let Some(names) = between(script, "%{INSTALLTIME}\\n' ", " && echo rpm=read") {
            return Some(Self::Times(quoted(names)));
        }
        let boot = between(script, "\n[ \"$b\" = '", "'")
            .or_else(|| between(script, "\n[ \"$b\" = ", " ]"))?;
        script
            .contains("pgreboot ordered")
            .then(|| Self::Order(boot.to_owned()))
    }

    /// A word for the log of what a host heard.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Times(_) => "install-times",
            Self::Advice => "reboot-advice",
            Self::Order(_) => "reboot-order",
            Self::Sight => "reboot-sight",
        }
    }
}
