//! Reads everything that people wrote, and shows all mistakes of all files together.

use std::{collections::BTreeMap, fs, path::Path};

use patchgate_core::{
    allow::{self, AllowEntry},
    id::SuiteName,
    inventory::{self, Inventory},
    patchset::{self, PatchSet},
    policy::{self, Policy},
    source::Diagnostics,
    suite::{self, Suite},
    undo::OnFailure,
    wave,
};
use patchgate_engine::rpm_files;

use crate::{
    args::{Checks, Selection, Waves},
    error::CliError,
    inventories::{self, Gathered},
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
    others: Vec<CliError>,
    /// The allow-lists by suite and file, so that the mistakes of one that several checks name are told
    /// once.
    lists: BTreeMap<(String, String), Vec<AllowEntry>>,
}

/// The name that messages give a file, and its text.
type Named = (String, String);

impl Pile {
    /// Parses a text and keeps its mistakes; a file that cannot be read is one of them.
    fn take<T>(
        &mut self,
        text: Result<Named, CliError>,
        parse: impl FnOnce(&str, &str) -> Result<T, Diagnostics>,
    ) -> Option<T> {
        let (file, text) = self.keep(text)?;
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

    /// Keeps what went wrong outside of any file.
    fn keep<T>(&mut self, done: Result<T, CliError>) -> Option<T> {
        done.map_err(|error| self.others.push(error)).ok()
    }

    fn inventory(&mut self, hosts: &Selection) -> Option<Inventory> {
        let gathered = inventories::gather(&hosts.inventory, &hosts.choice);
        let Gathered { places, defaults } = self.keep(gathered)?;
        let mut written = inventory::read(&places, &defaults);
        if let Some(pattern) = &hosts.choice.limit {
            let limited = inventories::limit(&mut written, pattern);
            // Hosts that a mistake hides are not missed.
            if limited.is_ok() || written.is_clean() {
                self.keep(limited)?;
            }
        }
        let settled = written.settle();
        let texts = inventories::texts(&places, &defaults);
        self.texts
            .extend(texts.map(|t| (t.file.clone(), t.text.clone())));
        match settled {
            Ok(inventory) => Some(inventory),
            Err(mistakes) => {
                self.diagnostics.extend(mistakes);
                None
            }
        }
    }

    /// The suites, and the names of all of them, also of those with mistakes.
    fn suites(&mut self, named: &[String]) -> (Vec<Suite>, Vec<SuiteName>) {
        let wanted = if named.is_empty() {
            suites::DEFAULT.map(ToOwned::to_owned).to_vec()
        } else {
            named.to_vec()
        };
        let (mut parsed, mut names) = (Vec::new(), Vec::new());
        for suite in &wanted {
            let text = suites::text(suite);
            names.extend(text.as_ref().ok().and_then(|(_, text)| own_name(text)));
            if let Some(mut found) = self.take(text, suite::parse) {
                self.fill(suite, &mut found);
                parsed.push(found);
            }
        }
        let once = refuse_twice(&names);
        self.keep(once);
        (parsed, names)
    }

    /// Reads the allow-lists that a suite names.
    fn fill(&mut self, wanted: &str, suite: &mut Suite) {
        for list in suite.allow_lists() {
            let key = (wanted.to_owned(), list.file.clone());
            if !self.lists.contains_key(&key) {
                let text = suites::text_beside(wanted, &list.file);
                let entries = self.take(text, allow::parse).unwrap_or_default();
                self.lists.insert(key.clone(), entries);
            }
            list.entries.clone_from(&self.lists[&key]);
        }
    }

    /// The patch set, and the RPM files that it names, each from the folder of the patch set.
    fn patch_set(&mut self, path: &Path) -> Option<PatchSet> {
        let mut set = self.take(named(path), patchset::parse)?;
        let mut packages = Vec::new();
        for rpm in set.rpm_files() {
            let file = path.with_file_name(&rpm.file);
            let shown = file.display().to_string();
            let read = rpm_files::read(&file)
                .map_err(|e| CliError::usage(format!("`{shown}` {}", crate::error::chain(&e))));
            rpm.file = shown;
            rpm.read = self.keep(read);
            packages.extend(rpm.read.as_ref().map(|r| r.package.to_string()));
        }
        let twice = packages
            .iter()
            .enumerate()
            .find(|(at, p)| packages[..*at].contains(p));
        let once = twice.map_or(Ok(()), |(_, package)| {
            Err(CliError::usage(format!("two files hold {package}")))
        });
        self.keep(once);
        for (package, glob) in patchset::contradictions(&set.select, &set.exclude) {
            let message = format!("`exclude: [{glob}]` leaves out {package}, which a file holds");
            self.others.push(CliError::usage(message));
        }
        Some(set)
    }

    /// Hosts that the patch set would reset need a snapshot.
    fn snapshots(&mut self, inventory: &Inventory, set: &PatchSet, path: &Path) {
        let without = inventory.hosts.iter().filter(|h| h.snapshot.is_none());
        let names: Vec<&str> = match set.on_failure {
            OnFailure::Keep | OnFailure::Rollback => return,
            OnFailure::Reset => without.map(|h| h.name.as_str()).collect(),
        };
        let file = path.display().to_string();
        let text = self.texts.iter().find(|(name, _)| *name == file);
        let Some((_, text)) = text else { return };
        if let Err(mistakes) = patchset::refuse_without_snapshot(text, &file, &names) {
            self.diagnostics.extend(mistakes);
        }
    }

    fn policy(&mut self, path: &Path, known: &[SuiteName]) -> Option<Policy> {
        self.take(named(path), |text, file| policy::parse(text, file, known))
    }

    fn settle(self) -> Result<(), CliError> {
        let Self {
            diagnostics,
            texts,
            mut others,
            lists: _,
        } = self;
        match (diagnostics.is_empty(), others.len()) {
            (true, 0) => Ok(()),
            (true, 1) => Err(others.remove(0)),
            _ => Err(CliError::Configuration {
                diagnostics,
                texts,
                others,
            }),
        }
    }
}

/// Reads inventory, suites, patch set and gate.
pub(crate) fn load(
    hosts: &Selection,
    checks: &Checks,
    path: Option<&Path>,
) -> Result<Loaded, CliError> {
    let mut pile = Pile::default();
    let inventory = pile.inventory(hosts);
    let (suites, names) = pile.suites(&checks.suites);
    let patch = path.and_then(|path| pile.patch_set(path));
    let policy = match &checks.gate {
        Some(path) => pile.policy(path, &names),
        None => Some(Policy::strict(suites.iter().map(|s| s.name.clone()))),
    };
    if let (Some(inventory), Some(set), Some(path)) = (&inventory, &patch, path) {
        pile.snapshots(inventory, set, path);
    }
    if let Some(policy) = &policy {
        let seen = refuse_blind_denials(&suites, policy);
        pile.keep(seen);
    }
    pile.settle()?;
    let whole = "every file was read without a mistake";
    Ok(Loaded {
        inventory: inventory.expect(whole),
        suites,
        patch,
        policy: policy.expect(whole),
    })
}

/// Lays the waves of a run.
pub(crate) fn waves(loaded: &Loaded, waves: &Waves) -> Result<Option<wave::Waves>, CliError> {
    let asked = !waves.batch.is_empty() || waves.max_bad.is_some();
    if loaded.patch.is_none() {
        return if asked {
            let message = "`--batch` and `--max-bad` are about a patch set, and none is given";
            Err(CliError::usage(message))
        } else {
            Ok(None)
        };
    }
    let laid = wave::Waves::lay(&loaded.inventory, &waves.staging());
    if laid.is_none() && asked {
        let message = "`--max-bad` says when no further wave is begun, and there is only one";
        return Err(CliError::usage(message)
            .hint("give sizes with `--batch`, or hosts a `patchgate_wave` in the inventory"));
    }
    Ok(laid)
}

/// Reads an inventory, and the suites that say what of its hosts is looked at.
pub(crate) fn load_look(
    hosts: &Selection,
    suites: &[String],
) -> Result<(Inventory, Vec<Suite>), CliError> {
    let mut pile = Pile::default();
    let inventory = pile.inventory(hosts);
    let (suites, _) = pile.suites(suites);
    pile.settle()?;
    let inventory = inventory.expect("every file was read without a mistake");
    Ok((inventory, suites))
}

/// Reads the inventory alone.
pub(crate) fn load_inventory(hosts: &Selection) -> Result<Inventory, CliError> {
    let mut pile = Pile::default();
    let inventory = pile.inventory(hosts);
    pile.settle()?;
    Ok(inventory.expect("every file was read without a mistake"))
}

/// Reads a gate for a run that is there already.
pub(crate) fn load_policy(path: &Path, suites: &[Suite]) -> Result<Policy, CliError> {
    let names: Vec<_> = suites.iter().map(|s| s.name.clone()).collect();
    let mut pile = Pile::default();
    let policy = pile.policy(path, &names);
    pile.settle()?;
    Ok(policy.expect("the file was read without a mistake"))
}

/// The name that a suite gives itself, also one with mistakes: the gate's own are told with it.
fn own_name(text: &str) -> Option<SuiteName> {
    let name = text.lines().find_map(|line| line.strip_prefix("suite:"))?;
    let name = name.split('#').next().unwrap_or(name);
    SuiteName::new(name.trim().trim_matches(['"', '\''])).ok()
}

fn refuse_twice(names: &[SuiteName]) -> Result<(), CliError> {
    let twice = names
        .iter()
        .enumerate()
        .find(|(at, name)| names[..*at].contains(name));
    match twice {
        Some((_, name)) => Err(CliError::usage(format!("two suites are named `{name}`"))),
        None => Ok(()),
    }
}

/// A check of denials without evidence could only ever be blind.
fn refuse_blind_denials(suites: &[Suite], policy: &Policy) -> Result<(), CliError> {
    let collected = policy.coverage == policy::RequiredCoverage::Complete;
    let asks = |s: &&Suite| {
        s.checks
            .iter()
            .any(|c| matches!(c.kind, suite::CheckKind::Denials(_)))
    };
    match suites.iter().find(asks) {
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

fn named(path: &Path) -> Result<Named, CliError> {
    Ok((path.display().to_string(), read(path)?))
}

/// Reads a file that somebody named.
pub(crate) fn read(path: &Path) -> Result<String, CliError> {
    let failed = |e| CliError::usage(format!("cannot read `{}`: {e}", path.display()));
    fs::read_to_string(path).map_err(failed)
}
