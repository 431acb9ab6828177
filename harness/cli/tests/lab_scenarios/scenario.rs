//! What a scenario is: what the update breaks, where it shows, and what must be said of it.

use std::{fs, path::PathBuf};

/// An update that breaks something, and the diagnosis that is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    /// Its name; a directory of `ci/lab/scenarios` of this name prepares the host.
    pub(crate) name: &'static str,
    /// What the trigger package does: a name of `ci/lab/sabotages`.
    pub(crate) sabotage: &'static str,
    /// More repositories that the night enables.
    pub(crate) repositories: &'static [&'static str],
    /// Whether httpd is restarted afterwards.
    pub(crate) restart: bool,
    /// The check that must find it.
    pub(crate) check: &'static str,
    /// What a client asks for: scheme, port and path around the host's address.
    pub(crate) url: (&'static str, &'static str),
    /// The cause that must be named.
    pub(crate) cause: &'static str,
    /// Whether an experiment can prove it; a cause is never said to be proven without one.
    pub(crate) proven: bool,
    /// How the name of the package begins that must be the first suspect, if any is named.
    pub(crate) suspect: &'static str,
    /// Whether a suspect must be named.
    pub(crate) suspected: bool,
    /// Gaps in the evidence, one of which must be told; empty where the evidence is whole.
    pub(crate) gaps: &'static [&'static str],
}

impl Scenario {
    /// A sabotage that shows on the root page at once, and that no experiment can prove.
    pub(crate) const fn new(name: &'static str, cause: &'static str) -> Self {
        Self {
            name,
            sabotage: name,
            repositories: &[],
            restart: false,
            check: "httpd/root-page",
            url: ("http://", "/"),
            cause,
            proven: false,
            suspect: "lab-trigger-2-",
            suspected: false,
            gaps: &[],
        }
    }

    /// It shows when httpd is restarted.
    pub(crate) const fn restarted(self) -> Self {
        Self {
            restart: true,
            ..self
        }
    }

    /// An experiment can prove it.
    pub(crate) const fn proven(self) -> Self {
        Self {
            proven: true,
            ..self
        }
    }

    /// It shows elsewhere.
    pub(crate) const fn seen_by(
        self,
        check: &'static str,
        url: (&'static str, &'static str),
    ) -> Self {
        Self { check, url, ..self }
    }

    /// The evidence has a gap, one of these.
    pub(crate) const fn blind(self, gaps: &'static [&'static str]) -> Self {
        Self { gaps, ..self }
    }

    /// A file of the scenario, if it has one of this name.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        let path = scenarios().join(self.name).join(name);
        path.exists().then_some(path)
    }

    /// The text of its patch set.
    pub(crate) fn patch_set(&self) -> String {
        let mut repositories = vec![format!("sabotage-{}", self.sabotage)];
        repositories.extend(self.repositories.iter().map(|&name| name.to_owned()));
        let services = if self.restart {
            "{ restart: [httpd] }"
        } else {
            "leave"
        };
        fs::read_to_string(scenarios().join("patch.yaml"))
            .unwrap()
            .replace("NAME", self.name)
            .replace("REPOSITORIES", &repositories.join(", "))
            .replace("SERVICES", services)
    }

    /// What a client asks of a host.
    pub(crate) fn url_at(&self, address: &str) -> String {
        format!("{}{address}{}", self.url.0, self.url.1)
    }
}

fn scenarios() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ci/lab/scenarios")
}
