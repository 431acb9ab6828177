//! Suites: what is checked, from where, and what is expected.

pub mod command;
pub mod denials;
pub mod http;
mod parse;
pub mod selinux;
pub mod service;
mod url;
pub mod vectors;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::{
    parse::{DEFAULT_DEADLINE, parse},
    vectors::VectorTarget,
};
use crate::{
    allow::AllowList,
    id::{CheckName, SuiteName},
};

/// A file of checks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suite {
    /// Its name, the first half of every check id.
    pub name: SuiteName,
    /// One line for people.
    pub title: String,
    /// What a host must have for the suite to mean anything.
    pub needs: Needs,
    /// The SELinux domains whose access vectors are read before and after.
    pub domains: Vec<String>,
    /// What else is asked about these domains, beside what they are found to use.
    #[serde(default)]
    pub vectors: Vec<VectorTarget>,
    /// What the checks rest on.
    #[serde(default)]
    pub rests_on: RestsOn,
    /// The checks, in the order of the file.
    pub checks: Vec<Check>,
}

impl Suite {
    /// The units that the suite rests on: those that it names, and those of its `service` checks.
    pub fn units(&self) -> impl Iterator<Item = String> {
        let checked = self.checks.iter().filter_map(|check| match &check.kind {
            CheckKind::Service(service) => Some(service.unit.clone()),
            CheckKind::Http(_)
            | CheckKind::Command(_)
            | CheckKind::Selinux(_)
            | CheckKind::Denials(_) => None,
        });
        self.rests_on.units.iter().cloned().chain(checked)
    }

    /// The suite without its checks: what it rests on is looked at all the same.
    #[must_use]
    pub fn without_checks(mut self) -> Self {
        self.rests_on.units = self.units().collect();
        self.checks.clear();
        self
    }

    /// The allow-lists that its checks name, to be filled by whoever reads files.
    pub fn allow_lists(&mut self) -> impl Iterator<Item = &mut AllowList> {
        self.checks.iter_mut().filter_map(|c| match &mut c.kind {
            CheckKind::Denials(denials) => denials.allow.as_mut(),
            CheckKind::Http(_)
            | CheckKind::Command(_)
            | CheckKind::Service(_)
            | CheckKind::Selinux(_) => None,
        })
    }
}

/// What a host must have for a suite to mean anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Packages, by name.
    pub packages: Vec<String>,
    /// The SELinux mode.
    pub selinux: Option<selinux::Mode>,
}

/// What the checks of a suite rest on: looked at before, after, and when a check fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestsOn {
    /// Units, by name; those of the suite's `service` checks belong to them without being named.
    pub units: Vec<String>,
    /// Files and directories whose labels matter; of a directory, what lies directly in it too.
    pub paths: Vec<String>,
    /// Files of certificates that the services present.
    pub certificates: Vec<String>,
    /// The services' own error logs.
    pub error_logs: Vec<String>,
    /// Commands with which the services check their configuration, without starting anything.
    pub config_tests: Vec<String>,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its name within the suite.
    pub name: CheckName,
    /// One line for people; the name where the suite gives none.
    pub title: String,
    /// Where the question is asked from.
    pub vantage: Vantage,
    /// How long one attempt may take.
    #[serde(with = "crate::time::millis")]
    pub deadline: Duration,
    /// What is asked and expected.
    pub kind: CheckKind,
}

/// Where a probe starts.
///
/// A check whose clients are remote is asked from the controller; `Localhost` is the control beside
/// it and never counts as remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vantage {
    /// From the machine that runs patchgate: a remote client of the host.
    Controller,
    /// From the host itself.
    Localhost,
}

impl Vantage {
    /// Where the question came from, as the end of a sentence.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Controller => "from the controller",
            Self::Localhost => "on the host itself",
        }
    }

    /// The word for people and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::Localhost => "localhost",
        }
    }
}

/// The closed list of what can be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// An HTTP request.
    Http(http::Http),
    /// A command on the host.
    Command(command::Command),
    /// The state of a systemd or SysV service.
    Service(service::Service),
    /// The SELinux mode and booleans.
    Selinux(selinux::Selinux),
    /// No new denials of some domains in the window.
    Denials(denials::Denials),
}

#[cfg(test)]
mod tests;
