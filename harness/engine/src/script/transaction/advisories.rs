//! Which advisories the host's repositories have, and which packages they are about.

use std::{collections::BTreeSet, time::Duration};

use patchgate_core::{
    package::NevraSpec,
    patchset::{PatchSet, Selection},
    reading::Reading,
    transaction::{AdvisoryHere, Manager, listed, mapped, unread},
};

use super::{FIND, Order, arguments::repositories};
use crate::{
    host::{Item, Reply, quote},
    script::answer,
};

/// How long the list may take: metadata is read first.
const LIST_DEADLINE: Duration = Duration::from_secs(300);

/// Whether a patch set rests on what advisories say.
#[must_use]
pub fn needs_advisories(set: &PatchSet) -> bool {
    match set.select {
        Selection::Security | Selection::Advisories(_) => true,
        Selection::AllUpdates | Selection::Packages(_) | Selection::Rpms(_) => false,
    }
}

/// Before what tells whether the repositories have advisories at all.
const ANY: &str = "@any\n";

/// Asks for the advisories about installed packages: those that the patch set names under any vendor's
/// id, or those of security that are not in yet. Lists are filtered on the host: they are long.
#[must_use]
pub fn advisories_item(set: &PatchSet) -> Item {
    let script = match &set.select {
        Selection::Advisories(asked) => {
            let ids = asked.iter().flat_map(|a| a.everywhere());
            let wanted: String = ids.map(|id| format!(" -e {}", quote::sh(&id))).collect();
            let list = lists(set, |kind| format!("l=$({})", kind("all")));
            format!("{list}printf '%s\\n' \"$l\" | grep -F{wanted}\n")
        }
        Selection::AllUpdates
        | Selection::Security
        | Selection::Packages(_)
        | Selection::Rpms(_) => {
            let both = |kind: &dyn Fn(&str) -> String| {
                format!("l=$({}) && f= && a=$({})", kind("security"), kind("all"))
            };
            let list = lists(set, both);
            format!(
                "{list}printf '%s\\n{}' \"$l\"\n{FIRST}",
                ANY.escape_default()
            )
        }
    };
    Item {
        cap: 4 << 20,
        ..Item::new(format!("{FIND}{script}exit 0\n"), LIST_DEADLINE)
    }
}

/// The first advisories of all. Those of EPEL say nothing of what a distribution's repositories have.
const FIRST: &str = "printf '%s\\n' \"$a\" | grep -v FEDORA-EPEL- | grep -m 9 '[A-Z]-[0-9]'\n";

/// The commands of every manager that list advisories of a kind.
fn lists(set: &PatchSet, of: impl Fn(&dyn Fn(&str) -> String) -> String) -> String {
    let [yum, dnf4, dnf5] = Manager::ALL.map(|manager| {
        let repositories = repositories(manager, set);
        let list = match manager {
            Manager::Yum => "updateinfo list ",
            Manager::Dnf4 => "updateinfo list --",
            Manager::Dnf5 => "advisory list --",
        };
        of(&|kind| format!("\"$p\" -q $f {repositories}{list}{kind}"))
    });
    format!(
        "f=--refresh\ncase $pm in\n\
         yum) f=; \"$p\" -q clean expire-cache >/dev/null 2>&1\n{yum};;\n\
         dnf4) {dnf4};;\n\
         dnf5) {dnf5};;\nesac || exit\n"
    )
}

/// Reads the answer into an order. Missing where the host has not all of the advisories, or none from
/// which one could tell what is security: nothing would be applied, and that would look like success.
#[must_use]
pub fn read_advisories<'a>(set: &'a PatchSet, reply: &Reply) -> Reading<Order<'a>> {
    let text = match answer(reply) {
        Reading::Known(text) => text,
        Reading::Missing { why } => {
            return Reading::missing(format!("the list of advisories: {why}"));
        }
    };
    if let Some(line) = unread(&text) {
        let why = format!("a line of the list of advisories cannot be read: {line}");
        return Reading::missing(why);
    }
    match &set.select {
        Selection::Advisories(asked) => read_named(set, mapped(asked, &listed(&text))),
        Selection::AllUpdates
        | Selection::Security
        | Selection::Packages(_)
        | Selection::Rpms(_) => read_security(set, &text),
    }
}

fn read_named(set: &PatchSet, advisories: Vec<AdvisoryHere>) -> Reading<Order<'_>> {
    match absent(&advisories) {
        Some(why) => Reading::missing(why),
        None => Reading::Known(Order {
            advisories,
            ..Order::new(set)
        }),
    }
}

/// Repositories of CentOS have no advisories: there, nothing is ever called security.
fn read_security<'a>(set: &'a PatchSet, text: &str) -> Reading<Order<'a>> {
    let Some((security, any)) = text.split_once(ANY) else {
        return Reading::missing("the list of advisories is cut");
    };
    if listed(any).is_empty() {
        return Reading::missing(
            "no enabled repository has an advisory for a package of this host, so which updates are \
             security is not known",
        );
    }
    let packages = listed(security).into_iter().map(|l| l.package);
    let packages: BTreeSet<NevraSpec> = packages.collect();
    Reading::Known(Order {
        at_least: packages.into_iter().collect(),
        ..Order::new(set)
    })
}

/// The advisories that the host does not have, with the names under which they were looked for.
fn absent(advisories: &[AdvisoryHere]) -> Option<String> {
    let none = advisories.iter().filter(|a| a.here.is_empty());
    let ids: Vec<_> = none.map(|a| a.asked.everywhere().join(", ")).collect();
    (!ids.is_empty()).then(|| {
        format!(
            "no enabled repository has an advisory for a package of this host under any of {}",
            ids.join("; ")
        )
    })
}
