//! Which advisories the host's repositories have, and which packages they are about.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use patchgate_core::{
    package::NevraSpec,
    patchset::{PatchSet, Selection},
    reading::Reading,
    transaction::{AdvisoryHere, Listed, Manager, listed, mapped},
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

/// Asks for the advisories about installed packages: those that the patch set names under any vendor's
/// id, or those of security that are not in yet. The list is filtered on the host: all of it is long.
#[must_use]
pub fn advisories_item(set: &PatchSet) -> Item {
    let (old, new, filter) = match &set.select {
        Selection::Advisories(asked) => {
            let ids = asked.iter().flat_map(|a| a.everywhere());
            let wanted: String = ids.map(|id| format!(" -e {}", quote::sh(&id))).collect();
            (
                ["list all", "list --all"],
                "list --all",
                format!("grep -F{wanted}"),
            )
        }
        Selection::AllUpdates
        | Selection::Security
        | Selection::Packages(_)
        | Selection::Rpms(_) => (
            ["list security", "list --security"],
            "list --security",
            "cat".to_owned(),
        ),
    };
    let mut script = FIND.to_owned();
    let _ = write!(
        script,
        "case $pm in\n\
         yum) \"$p\" -q clean expire-cache >/dev/null 2>&1\nl=$(\"$p\" -q {}updateinfo {});;\n\
         dnf4) l=$(\"$p\" -q --refresh {}updateinfo {});;\n\
         dnf5) l=$(\"$p\" -q --refresh {}advisory {new});;\nesac || exit\n\
         printf '%s\\n' \"$l\" | {filter}\nexit 0\n",
        repositories(Manager::Yum, set),
        old[0],
        repositories(Manager::Dnf4, set),
        old[1],
        repositories(Manager::Dnf5, set),
    );
    Item {
        cap: 4 << 20,
        ..Item::new(script, LIST_DEADLINE)
    }
}

/// Reads the answer into an order. Missing where the host has not all of the advisories: nothing would be
/// applied for one that it does not have, and that would look like success.
#[must_use]
pub fn read_advisories<'a>(set: &'a PatchSet, reply: &Reply) -> Reading<Order<'a>> {
    let list = match answer(reply) {
        Reading::Known(text) => listed(&text),
        Reading::Missing { why } => {
            return Reading::missing(format!("the list of advisories: {why}"));
        }
    };
    let Selection::Advisories(asked) = &set.select else {
        return Reading::Known(Order {
            at_least: packages(&list, |_| true),
            ..Order::new(set)
        });
    };
    let advisories = mapped(asked, &list);
    if let Some(why) = absent(&advisories) {
        return Reading::missing(why);
    }
    let here: BTreeSet<&String> = advisories.iter().flat_map(|a| &a.here).collect();
    Reading::Known(Order {
        at_least: packages(&list, |l| here.contains(&l.id)),
        advisories: advisories.clone(),
        ..Order::new(set)
    })
}

fn packages(list: &[Listed], wanted: impl Fn(&Listed) -> bool) -> Vec<NevraSpec> {
    let all = list.iter().filter(|l| wanted(l)).map(|l| l.package.clone());
    all.collect::<BTreeSet<_>>().into_iter().collect()
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
