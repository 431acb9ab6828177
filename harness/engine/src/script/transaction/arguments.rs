//! The arguments of each package manager.

use std::fmt::Write as _;

use patchgate_core::{
    patchset::{PatchSet, Selection},
    transaction::Manager,
};

use super::Order;
use crate::host::quote;

/// Options that hold for every question and for the transaction itself: which repositories count. A
/// repository that does not answer, or a package that cannot be had, is an error and no reason to apply
/// less than was asked for; yum has it so by itself.
pub(super) fn repositories(manager: Manager, set: &PatchSet) -> String {
    let (mut text, disable, enable) = match manager {
        Manager::Yum => (String::new(), "disablerepo", "enablerepo"),
        Manager::Dnf4 => (STRICT.to_owned(), "disablerepo", "enablerepo"),
        Manager::Dnf5 => (STRICT.to_owned(), "disable-repo", "enable-repo"),
    };
    for repo in &set.disable_repos {
        option(&mut text, disable, repo);
    }
    for repo in &set.enable_repos {
        option(&mut text, enable, repo);
    }
    text
}

const STRICT: &str = "--setopt=best=1 --setopt='*.skip_if_unavailable=0' ";

/// The whole command behind the program's name.
pub(super) fn transaction(manager: Manager, order: &Order<'_>) -> String {
    let mut text = repositories(manager, order.set);
    for glob in &order.set.exclude {
        option(&mut text, "exclude", glob);
    }
    text.push_str(command(manager, &order.set.select));
    match &order.set.select {
        Selection::AllUpdates | Selection::Security => {}
        Selection::Advisories(_) => {
            let name = match manager {
                Manager::Yum | Manager::Dnf4 => "advisory",
                Manager::Dnf5 => "advisories",
            };
            text.push(' ');
            for id in order.advisories.iter().flat_map(|a| &a.here) {
                option(&mut text, name, id);
            }
        }
        Selection::Packages(specs) => {
            let words = specs
                .iter()
                .map(|s| format!(" {}", quote::sh(&s.to_string())));
            text.extend(words);
        }
        Selection::Rpms(_) => {
            let words = order
                .files
                .iter()
                .map(|f| format!(" {}", quote::sh(&f.path)));
            text.extend(words);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn command(manager: Manager, select: &Selection) -> &'static str {
    match (select, manager) {
        (Selection::AllUpdates, Manager::Yum) => "update",
        (Selection::AllUpdates, Manager::Dnf4 | Manager::Dnf5) => "upgrade",
        (Selection::Security, Manager::Yum) => "update --security",
        (Selection::Security, Manager::Dnf4 | Manager::Dnf5) => "upgrade --security",
        (Selection::Advisories(_), Manager::Yum) => "update-minimal",
        (Selection::Advisories(_), Manager::Dnf4) => "upgrade-minimal",
        (Selection::Advisories(_), Manager::Dnf5) => "upgrade --minimal",
        (
            Selection::Packages(_) | Selection::Rpms(_),
            Manager::Yum | Manager::Dnf4 | Manager::Dnf5,
        ) => "install",
    }
}

fn option(text: &mut String, name: &str, value: &str) {
    write!(text, "--{name}={} ", quote::sh(value)).expect("a String takes everything");
}
