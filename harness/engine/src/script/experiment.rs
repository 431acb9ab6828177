//! An experiment on the loaded policy: the shell texts that make it and undo it, under a switch.
//!
//! No change is made that outlives a reboot. The policy store is copied into the switch's directory,
//! where `semodule` builds two policies from it and loads none: one without dontaudit rules, one in
//! which the domain is permissive too. Such a policy goes into the kernel by one write to selinuxfs, and
//! the saved one comes back the same way. The kernel keeps the booleans in force through every load, and
//! gives a policy that it was given back byte for byte the same (seen with Linux 6.1), so that the
//! sum of what it gives tells whether the host is as it was.
//!
//! Private copies get the labels of what they are copies of: `semodule` runs in a domain of its own that
//! may write a policy store and not the files of others. A store of CIL modules is needed, as EL7.3 and
//! later have it; there is none on EL6.

use std::{collections::BTreeMap, time::Duration};

use patchgate_core::{
    diagnosis::{HostMark, Phase},
    reading::Reading,
};

use super::{answer, value};
use crate::host::{
    Item, Reply,
    job::JobId,
    quote,
    state_dir::StateDir,
    switch::{self, SwitchSpec},
};

mod text;

/// How long building one policy may take: 4 to 20 s were measured on an emulated machine, with a tenth
/// of the modules of a real one.
const BUILD: Duration = Duration::from_secs(60);

/// How long all starts of a change, and each start or stop of the restoring, may take.
const UNIT: Duration = Duration::from_secs(60);

/// How much time the switch must leave for a change and the questions after it.
const NEED: Duration = Duration::from_secs(20);

/// What an experiment is about, on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The name of its switch.
    pub id: JobId,
    /// The domain that becomes permissive.
    domain: String,
    /// The units that are started where they are down, and brought back to what they were.
    pub units: Vec<String>,
    /// Where the switch is.
    pub state_dir: StateDir,
    /// What stands in front of every path of the system; empty but for tests.
    root: String,
}

impl Trial {
    /// Takes a domain, which is put into a policy: a type's name and nothing else.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(id: JobId, domain: &str, units: Vec<String>) -> Result<Self, BadDomain> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let begins_well = domain.starts_with(|c: char| c.is_ascii_alphabetic());
        match begins_well && domain.chars().all(is_plain) {
            false => Err(BadDomain(domain.to_owned())),
            true => Ok(Self {
                id,
                domain: domain.to_owned(),
                units,
                state_dir: StateDir::default(),
                root: String::new(),
            }),
        }
    }

    /// The switch under which the experiment is made.
    #[must_use]
    pub fn switch(&self, after: Duration) -> SwitchSpec {
        SwitchSpec {
            state_dir: self.state_dir.clone(),
            ..SwitchSpec::new(
                self.id.clone(),
                self.fill(text::PREPARE),
                self.fill(text::RESTORE),
                after,
            )
        }
    }

    /// Asks what the host is: before, and after.
    #[must_use]
    pub fn mark_item(&self) -> Item {
        Item::new(self.fill(text::MARK), Duration::from_secs(60))
    }

    /// Builds both policies and loads none.
    #[must_use]
    pub fn build_item(&self) -> Item {
        let script = switch::beside(&self.id, &self.state_dir, &self.fill(text::BUILD));
        Item::new(script, 2 * BUILD + Duration::from_secs(20))
    }

    /// Loads the policy of a phase.
    #[must_use]
    pub fn load_item(&self, phase: Phase) -> Item {
        let script = self.fill(text::LOAD).replace("@PHASE@", phase.word());
        let script = switch::guarded(&self.id, &self.state_dir, NEED, &script);
        Item::new(script, Duration::from_secs(30))
    }

    /// Starts the units that were down before the experiment and are not up.
    #[must_use]
    pub fn start_item(&self) -> Item {
        let script = switch::guarded(&self.id, &self.state_dir, NEED, &self.fill(text::START));
        Item::new(script, UNIT + Duration::from_secs(30))
    }

    /// Asks whether the policy is still the one that was loaded, and the switch armed.
    #[must_use]
    pub fn still_item(&self) -> Item {
        let script = switch::beside(&self.id, &self.state_dir, &self.fill(text::STILL));
        Item::new(script, Duration::from_secs(20))
    }

    fn fill(&self, text: &str) -> String {
        let units: Vec<_> = self.units.iter().map(|u| quote::sh(u)).collect();
        format!("{}{text}", text::COMMON)
            .replace("@ROOT@", &quote::sh(&self.root))
            .replace("@UNITS@", &units.join(" "))
            .replace("@DOMAIN@", &self.domain)
            .replace("@BUILD@", &BUILD.as_secs().to_string())
            .replace("@UNIT@", &UNIT.as_secs().to_string())
    }
}

/// A text that cannot name a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be a domain: a type's name is letters, digits, `_`, `.` and `-`")]
pub struct BadDomain(String);

/// Reads what the host is. All of it is there, or it is missing: half a mark proves nothing.
#[must_use]
pub fn read_mark(units: &[String], reply: &Reply) -> Reading<HostMark> {
    let text = match answer(reply) {
        Reading::Known(text) => text,
        Reading::Missing { why } => return Reading::Missing { why },
    };
    let field = |key: &str| {
        let found = value(&text, key).filter(|v| !v.is_empty());
        found.map(ToOwned::to_owned)
    };
    let state = |unit: &String| Some((unit.clone(), field(&format!("unit.{unit}"))?));
    let mark = || {
        Some(HostMark {
            mode: field("mode")?,
            loaded_sha256: field("loaded")?,
            disk_sha256: field("disk")?,
            modules_sha256: field("modules")?,
            booleans_sha256: field("booleans")?,
            units: units
                .iter()
                .map(state)
                .collect::<Option<BTreeMap<_, _>>>()?,
        })
    };
    match mark() {
        Some(mark) => Reading::Known(mark),
        None => Reading::missing("the host does not say all that it is"),
    }
}

/// Reads whether both policies were built.
///
/// # Errors
/// Why they were not.
pub fn read_build(reply: &Reply) -> Result<(), String> {
    let text = let_through(reply)?;
    match text.lines().last() {
        Some("built") => Ok(()),
        Some(_) | None => Err("the policies were not built to the end".to_owned()),
    }
}

/// Reads the loaded policy's SHA-256, as the kernel has it.
///
/// # Errors
/// Why the policy of a phase was not loaded, or is not known: whatever was changed is restored by the switch.
pub fn read_load(reply: &Reply) -> Result<String, String> {
    let text = let_through(reply)?;
    let sum = value(&text, "loaded").ok_or("the change was not made to the end")?;
    Ok(sum.to_owned())
}

/// Reads which units were started.
///
/// # Errors
/// Why they were not, or not all of them: those that were are stopped by the switch.
pub fn read_start(reply: &Reply) -> Result<Vec<String>, String> {
    let text = let_through(reply)?;
    let started = text.lines().filter_map(|l| l.strip_prefix("started="));
    match text.lines().last() {
        Some("started") => Ok(started.map(ToOwned::to_owned).collect()),
        Some(_) | None => Err("the units were not started to the end".to_owned()),
    }
}

/// Says why the answers of a phase do not count: its policy was not loaded any more.
///
/// # Errors
/// The reason.
pub fn read_still(reply: &Reply, loaded_sha256: &str) -> Result<(), String> {
    match value(&let_through(reply)?, "loaded") {
        Some(sum) if sum == loaded_sha256 => Ok(()),
        Some(_) => Err("somebody else loaded a policy meanwhile".to_owned()),
        None => Err("the host does not say what policy is loaded".to_owned()),
    }
}

/// The text of a script that was let run and ended well.
fn let_through(reply: &Reply) -> Result<String, String> {
    let text = match answer(reply) {
        Reading::Known(text) => text,
        Reading::Missing { why } => return Err(why),
    };
    match switch::refusal(&text) {
        Some(why) => Err(format!("the dead man's switch refused it: {why}")),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests;
