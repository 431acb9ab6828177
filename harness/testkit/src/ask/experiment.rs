//! Experiments and their switches, recognised by their scripts.

use patchgate_core::diagnosis::Phase;

use super::between;

/// What an experiment asks of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// What the host is, and its units.
    Mark(Vec<String>),
    /// The switch, and after how many seconds the host restores itself.
    Arm(u64),
    /// Both policies.
    Build,
    /// The policy of a phase.
    Load(Phase),
    /// The units that were down.
    Start,
    /// Which policy is loaded.
    Still,
    /// The end.
    Disarm,
    /// What earlier runs left.
    Sweep,
}

impl Step {
    /// Recognises a script.
    pub(super) fn of(script: &str) -> Option<Self> {
        if script.contains("echo \"pgswitch swept ") {
            Some(Self::Sweep)
        } else if script.contains("echo \"pgswitch rejected ") {
            let after = between(script, "echo $((${U%.*} + ", "))")?;
            Some(Self::Arm(after.parse().ok()?))
        } else if script.ends_with("\necho \"pgswitch $S\"\n") {
            Some(Self::Disarm)
        } else if script.contains("\nmake dontaudit-off -B\n") {
            Some(Self::Build)
        } else if script.contains("the kernel did not take the policy") {
            let word = between(script, "\ncp ", " in-force\n")?;
            let phases = [Phase::DontauditOff, Phase::DomainPermissive];
            Some(Self::Load(phases.into_iter().find(|p| p.word() == word)?))
        } else if script.contains("\necho \"started=$U\"\n") {
            Some(Self::Start)
        } else if script.contains("\necho \"mode=$M\"\n") {
            let units = between(script, "\nfor U in ", "; do\n")?;
            let units = units.split_whitespace().map(|u| u.trim_matches('\''));
            Some(Self::Mark(units.map(ToOwned::to_owned).collect()))
        } else {
            let still = script.ends_with("S=$(loaded) && echo \"loaded=$S\"\n");
            still.then_some(Self::Still)
        }
    }

    /// A word for the log of what a host heard.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Mark(_) => "mark",
            Self::Arm(_) => "arm",
            Self::Build => "build",
            Self::Load(_) => "load",
            Self::Start => "start",
            Self::Still => "still",
            Self::Disarm => "disarm",
            Self::Sweep => "sweep",
        }
    }
}
