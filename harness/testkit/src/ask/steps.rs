//! What a step of a diagnosis asks of a host.

use super::between;

/// What a step asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StepAsk {
    /// A unit, in more words than a check needs.
    Unit(String),
    /// The listening sockets.
    Listeners,
    /// The end of a log.
    ErrorLog(String),
    /// What the journal says of a unit.
    Journal(String),
    /// A service's own check of its configuration.
    ConfigTest(String),
    /// Wrong labels below these paths.
    Labels(Vec<String>),
    /// The owners of what these logs name, of these units' files, and of these paths.
    Owners([Vec<String>; 3]),
}

impl StepAsk {
    /// Recognises a script.
    pub(super) fn of(script: &str) -> Option<Self> {
        [
            unit,
            listeners,
            error_log,
            journal,
            config_test,
            labels,
            owners,
        ]
        .iter()
        .find_map(|read| read(script))
    }

    /// A word for the log of what a host heard.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Unit(_) => "step-unit",
            Self::Listeners => "step-listeners",
            Self::ErrorLog(_) => "step-error-log",
            Self::Journal(_) => "step-journal",
            Self::ConfigTest(_) => "step-config-test",
            Self::Labels(_) => "step-labels",
            Self::Owners(_) => "step-owners",
        }
    }
}

fn unit(script: &str) -> Option<StepAsk> {
    let unit = between(script, "unit='", "'\n")?;
    script
        .contains("systemctl show -p LoadState")
        .then(|| StepAsk::Unit(unit.to_owned()))
}

fn listeners(script: &str) -> Option<StepAsk> {
    script.ends_with("\nss -ltnp").then_some(StepAsk::Listeners)
}

fn error_log(script: &str) -> Option<StepAsk> {
    let path = between(script, "f='", "'\n")?;
    script
        .contains("tail -c 16384 \"$f\"")
        .then(|| StepAsk::ErrorLog(path.to_owned()))
}

fn journal(script: &str) -> Option<StepAsk> {
    let unit = between(script, "unit='", "' j= m=/var/log/messages\n")?;
    script
        .contains("journalctl -u \"$unit\" --since \"@$(($(date +%s) - ")
        .then(|| StepAsk::Journal(unit.to_owned()))
}

fn config_test(script: &str) -> Option<StepAsk> {
    let command = between(script, "out=$({ sh -c '", "' 2>&1; printf ")?;
    Some(StepAsk::ConfigTest(command.to_owned()))
}

fn labels(script: &str) -> Option<StepAsk> {
    let paths = between(script, "for p in ", "; do [ -e \"$p\" ] && set -- ")?;
    script
        .contains("restorecon -n -r -v ")
        .then(|| StepAsk::Labels(words(paths)))
}

fn owners(script: &str) -> Option<StepAsk> {
    let logs = between(script, "  for f in ", "; do [ -f \"$f\" ]")?;
    let units = between(script, "  for u in ", "; do unit_files ")?;
    let paths = between(script, "  for p in ", "; do printf ")?;
    Some(StepAsk::Owners([logs, units, paths].map(words)))
}

/// Quoted words; none of a scenario's holds a space or a quote.
fn words(text: &str) -> Vec<String> {
    let bare = |w: &str| w.trim_matches('\'').to_owned();
    text.split_whitespace().map(bare).collect()
}
