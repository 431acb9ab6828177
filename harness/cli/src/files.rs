//! Reads everything that people wrote, and shows all mistakes of all files together.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use patchgate_core::{
    inventory::{self, Defaults, Inventory},
    patchset::{self, PatchSet},
    policy::{self, Policy},
    source::Diagnostics,
    suite::{self, Suite},
};

use crate::{
    args::{Checks, Selection},
    error::CliError,
    suites,
};

/// Everything that a run is made of.
pub(crate) struct Loaded {
    pub(crate) inventory: Inventory,
    pub(crate) suites: Vec<Suite>,
    pub(crate) patch: Option<PatchSet>,
    pub(crate) policy: Policy,
}

/// Mistakes of all files so far, and the texts that they are in.
#[derive(Default)]
struct Pile {
    diagnostics: Diagnostics,
    texts: Vec<(String, String)>,
}

impl Pile {
    /// Parses a text and keeps its mistakes.
    fn take<T>(
        &mut self,
        (file, text): (String, String),
        parse: impl FnOnce(&str, &str) -> Result<T, Diagnostics>,
    ) -> Option<T> {
        let parsed = parse(&text, &file);
        self.texts.push((file, text));
        match parsed {
            Ok(value) => Some(value),
            Err(mistakes) => {
                self.diagnostics.extend(mistakes);
                None
            }
        }
    }

    fn settle(self) -> Result<(), CliError> {
        let Self { diagnostics, texts } = self;
        if diagnostics.is_empty() {
            return Ok(());
        }
        Err(CliError::Configuration { diagnostics, texts })
    }
}

/// Reads inventory, suites, patch set and gate.
pub(crate) fn load(
    hosts: &Selection,
    checks: &Checks,
    patch: Option<&Path>,
) -> Result<Loaded, CliError> {
    let mut pile = Pile::default();
    let inventory = pile.take(named(&hosts.inventory)?, |text, file| {
        inventory::parse(text, file, &defaults(&hosts.inventory))
    });
    let wanted = if checks.suites.is_empty() {
        suites::DEFAULT.map(ToOwned::to_owned).to_vec()
    } else {
        checks.suites.clone()
    };
    let mut parsed = Vec::new();
    for suite in &wanted {
        parsed.push(pile.take(suites::text(suite)?, suite::parse));
    }
    let patch = match patch {
        Some(path) => pile.take(named(path)?, patchset::parse),
        None => None,
    };
    let suites: Vec<Suite> = parsed.into_iter().flatten().collect();
    let policy = match &checks.gate {
        Some(path) => read_policy(&mut pile, path, &suites)?,
        None => Some(Policy::strict(suites.iter().map(|s| s.name.clone()))),
    };
    pile.settle()?;
    let whole = "every file was read without a mistake";
    let inventory = limited(inventory.expect(whole), hosts.limit.as_deref())?;
    let loaded = Loaded {
        inventory,
        suites,
        patch,
        policy: policy.expect(whole),
    };
    refuse_twice(&loaded.suites)?;
    refuse_blind_denials(&loaded)?;
    Ok(loaded)
}

/// Reads the inventory alone.
pub(crate) fn load_inventory(hosts: &Selection) -> Result<Inventory, CliError> {
    let mut pile = Pile::default();
    let inventory = pile.take(named(&hosts.inventory)?, |text, file| {
        inventory::parse(text, file, &defaults(&hosts.inventory))
    });
    pile.settle()?;
    limited(
        inventory.expect("the file was read without a mistake"),
        hosts.limit.as_deref(),
    )
}

/// Reads a gate for a run that is there already.
pub(crate) fn load_policy(path: &Path, suites: &[Suite]) -> Result<Policy, CliError> {
    let mut pile = Pile::default();
    let policy = read_policy(&mut pile, path, suites)?;
    pile.settle()?;
    Ok(policy.expect("the file was read without a mistake"))
}

fn read_policy(pile: &mut Pile, path: &Path, suites: &[Suite]) -> Result<Option<Policy>, CliError> {
    let known: Vec<_> = suites.iter().map(|s| s.name.clone()).collect();
    Ok(pile.take(named(path)?, |text, file| policy::parse(text, file, &known)))
}

fn limited(inventory: Inventory, limit: Option<&str>) -> Result<Inventory, CliError> {
    let Some(pattern) = limit else {
        return Ok(inventory);
    };
    inventory
        .limit(pattern)
        .map_err(|e| CliError::usage(format!("--limit {pattern}: {e}")))
}

fn refuse_twice(suites: &[Suite]) -> Result<(), CliError> {
    for (at, suite) in suites.iter().enumerate() {
        if suites[..at].iter().any(|s| s.name == suite.name) {
            return Err(CliError::usage(format!(
                "two suites are named `{}`",
                suite.name
            )));
        }
    }
    Ok(())
}

/// A check of denials without evidence could only ever be blind.
fn refuse_blind_denials(loaded: &Loaded) -> Result<(), CliError> {
    let collected = loaded.policy.coverage == policy::RequiredCoverage::Complete;
    let asks = |s: &&Suite| {
        s.checks
            .iter()
            .any(|c| matches!(c.kind, suite::CheckKind::Denials(_)))
    };
    match loaded.suites.iter().find(asks) {
        Some(suite) if !collected => {
            let name = &suite.name;
            Err(CliError::usage(format!(
                "suite {name} checks denials, and the gate says `coverage: not-collected`"
            ))
            .hint("leave that line out of the gate, or the check out of the suite"))
        }
        Some(_) | None => Ok(()),
    }
}

fn named(path: &Path) -> Result<(String, String), CliError> {
    Ok((path.display().to_string(), read(path)?))
}

/// Reads a file that somebody named.
pub(crate) fn read(path: &Path) -> Result<String, CliError> {
    let failed = |e| CliError::usage(format!("cannot read `{}`: {e}", path.display()));
    fs::read_to_string(path).map_err(failed)
}

fn defaults(inventory: &Path) -> Defaults {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let user = env::var("USER").or_else(|_| env::var("LOGNAME"));
    let base = inventory.parent().filter(|p| !p.as_os_str().is_empty());
    Defaults {
        user: user.unwrap_or_else(|_| "root".to_owned()),
        known_hosts: vec![
            home.join(".ssh/known_hosts"),
            PathBuf::from("/etc/ssh/ssh_known_hosts"),
        ],
        base_dir: base.unwrap_or(Path::new(".")).to_owned(),
        home,
    }
}
