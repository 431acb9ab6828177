//! The steps of the ladder: questions to the host that change nothing.

use crate::id::CheckId;

/// One step of looking closer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A unit, in more words than a check needs.
    Unit {
        /// Its name.
        unit: String,
    },
    /// The listening sockets.
    Listeners,
    /// The end of a service's own error log.
    ErrorLog {
        /// The file.
        path: String,
    },
    /// What the journal says of a unit since the state's window opened.
    Journal {
        /// The unit.
        unit: String,
    },
    /// The same request from the host itself.
    Control {
        /// The check whose request it is.
        check: CheckId,
    },
    /// A service's own check of its configuration.
    ConfigTest {
        /// The command.
        command: String,
    },
    /// The labels of files and directories, and of what lies below these.
    Labels {
        /// Where to look.
        paths: Vec<String>,
    },
    /// The packages that own the files that have to do with the failure.
    Owners {
        /// Units: the file that defines each, and its program.
        units: Vec<String>,
        /// Error logs: the files that their last lines name.
        logs: Vec<String>,
        /// More files.
        paths: Vec<String>,
    },
}

impl Step {
    /// The step in words, for what could not be taken.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Unit { unit } => format!("unit {unit}"),
            Self::Listeners => "listeners".to_owned(),
            Self::ErrorLog { path } => format!("error log {path}"),
            Self::Journal { unit } => format!("journal of {unit}"),
            Self::Control { check } => format!("{check} from localhost"),
            Self::ConfigTest { command } => format!("config test `{command}`"),
            Self::Labels { .. } => "labels".to_owned(),
            Self::Owners { .. } => "owners".to_owned(),
        }
    }
}
