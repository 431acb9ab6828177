//! What the repositories hold newer, whether or not it comes: what is held back is the difference.

use std::{fmt::Write as _, time::Duration};

use patchgate_core::{
    patchset::PatchSet,
    transaction::{HeldBack, Manager, Row, held_back, offered},
};

use super::{FIND, arguments::repositories};
use crate::host::{Exit, Item, Reply};

/// How long each of the questions may take.
const DEADLINE: Duration = Duration::from_secs(180);

/// Asks three times: as the host is configured, without excludes, and without the filter of modules too.
/// The managers say 100 where there is something.
#[must_use]
pub fn offered_item(set: &PatchSet) -> Item {
    let mut script = FIND.to_owned();
    let _ = write!(
        script,
        "ask() {{ \"$p\" \"$@\"; r=$?; [ $r = 0 ] || [ $r = 100 ] || exit $r; }}\n\
         case $pm in\n\
         yum) echo @visible; ask -q {yum}check-update\n\
         echo @unmasked; ask -q {yum}--disableexcludes=all check-update;;\n\
         dnf4) echo @visible; ask -q {dnf4}check-update\n\
         echo @unmasked; ask -q {dnf4}--disableexcludes=all check-update\n\
         echo @unfiltered; ask -q {dnf4}--disableexcludes=all {HOTFIXES} check-update;;\n\
         dnf5) echo @visible; ask -q {dnf5}check-upgrade\n\
         echo @unmasked; ask -q {dnf5}{UNMASKED} check-upgrade\n\
         echo @unfiltered; ask -q {dnf5}{UNMASKED} {HOTFIXES} check-upgrade;;\nesac\nexit 0\n",
        yum = repositories(Manager::Yum, set),
        dnf4 = repositories(Manager::Dnf4, set),
        dnf5 = repositories(Manager::Dnf5, set),
    );
    Item {
        cap: 4 << 20,
        ..Item::new(script, 3 * DEADLINE)
    }
}

const HOTFIXES: &str = "--setopt='*.module_hotfixes=1'";
const UNMASKED: &str = "--setopt='disable_excludes=*'";

/// What is held back of all that is offered; none where the host did not say.
#[must_use]
pub fn read_offered(set: &PatchSet, rows: &[Row], reply: &Reply) -> Option<Vec<HeldBack>> {
    let text = reply.stdout.text();
    if reply.exit != Exit::Code(0) || !reply.stdout.is_complete() {
        return None;
    }
    let (_, rest) = text.split_once("@visible\n")?;
    let (visible, rest) = rest.split_once("@unmasked\n")?;
    let (unmasked, unfiltered) = rest.split_once("@unfiltered\n").unwrap_or((rest, ""));
    let [visible, unmasked, unfiltered] = [visible, unmasked, unfiltered].map(offered);
    Some(held_back(
        &set.exclude,
        rows,
        &visible,
        &unmasked,
        &unfiltered,
    ))
}
