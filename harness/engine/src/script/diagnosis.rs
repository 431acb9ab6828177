//! The steps of a diagnosis: one item each, all of a suite in one batch. They read, and change nothing.

mod config_test;
mod error_log;
mod journal;
mod labels;
mod listeners;
mod owners;
mod unit;

use std::time::Duration;

use patchgate_core::{
    diagnosis::{Found, Step},
    observation::Observation,
    plan::Plan,
    suite::Check,
};

use super::checks;
use crate::host::{Item, Reply, quote};

/// What the texts of the steps need to know.
pub struct Scene<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The host's address.
    pub address: &'a str,
    /// How long ago the state began.
    pub since: Duration,
}

impl Scene<'_> {
    fn check(&self, id: &patchgate_core::id::CheckId) -> Result<&Check, String> {
        let found = self.plan.check(id).map(|(_, check)| check);
        found.ok_or_else(|| "the plan holds no such check".to_owned())
    }
}

/// Takes a step.
///
/// # Errors
/// Why it cannot be taken, in words.
pub fn item(step: &Step, scene: &Scene<'_>) -> Result<Item, String> {
    match step {
        Step::Unit { unit } => Ok(unit::item(unit)),
        Step::Listeners => Ok(listeners::item()),
        Step::ErrorLog { path } => Ok(error_log::item(path)),
        Step::Journal { unit } => Ok(journal::item(unit, scene.since)),
        Step::Control { check } => checks::control(scene.check(check)?, scene.address),
        Step::ConfigTest { command } => Ok(config_test::item(command)),
        Step::Labels { paths } => Ok(labels::item(paths)),
        Step::Owners { units, logs, paths } => Ok(owners::item(units, logs, paths)),
    }
}

/// What a step's reply shows, at least one thing.
#[must_use]
pub fn read(step: &Step, scene: &Scene<'_>, reply: &Reply) -> Vec<Found> {
    let found = match step {
        Step::Unit { unit } => unit::read(unit, reply).map(one),
        Step::Listeners => listeners::read(reply).map(one),
        Step::ErrorLog { path } => error_log::read(path, reply).map(one),
        Step::Journal { unit } => journal::read(unit, reply).map(one),
        Step::Control { check } => control(scene, check, reply).map(one),
        Step::ConfigTest { command } => config_test::read(command, reply),
        Step::Labels { .. } => labels::read(step, reply),
        Step::Owners { .. } => owners::read(step, reply),
    };
    found.unwrap_or_else(|why| one(unavailable(step, &why)))
}

/// That a step could not be taken, or not whole.
#[must_use]
pub fn unavailable(step: &Step, why: &str) -> Found {
    Found::Unavailable {
        what: step.name(),
        why: why.to_owned(),
    }
}

fn one(found: Found) -> Vec<Found> {
    vec![found]
}

/// Asked on the host itself.
fn control(
    scene: &Scene<'_>,
    id: &patchgate_core::id::CheckId,
    reply: &Reply,
) -> Result<Found, String> {
    match checks::read(scene.check(id)?, scene.address, reply) {
        Observation::Http(saw) => Ok(Found::Request {
            check: id.clone(),
            from: "localhost".to_owned(),
            saw,
        }),
        Observation::Errored { why } => Err(why),
        Observation::Command(_)
        | Observation::Service(_)
        | Observation::Selinux(_)
        | Observation::Window => Err("the check makes no request".to_owned()),
    }
}

/// Words for `sh`, with spaces between.
fn words(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|t| quote::sh(t)).collect();
    quoted.join(" ")
}

/// The lines of a text.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests;
