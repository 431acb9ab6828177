//! Labels that the policy wants to be others.

use std::time::Duration;

use patchgate_core::{
    diagnosis::{Found, Step, labels},
    snapshot::policy::PathLabel,
};

use super::{super::trouble, unavailable, words};
use crate::host::{Exit, Item, Reply};

/// How many wrong labels are told at most.
const MOST: usize = 200;

/// Asks restorecon what it would change, below the directories too. Without SELinux it says nothing and
/// exits with 0, which would look like labels that are right.
pub(super) fn item(paths: &[String]) -> Item {
    let paths = words(paths);
    let script = format!(
        "[ -e /sys/fs/selinux/enforce ] || [ -e /selinux/enforce ] || {{ echo 'there is no selinuxfs' >&2; exit 1; }}\n\
         command -v restorecon >/dev/null || {{ echo 'there is no restorecon' >&2; exit 127; }}\n\
         set --\n\
         for p in {paths}; do [ -e \"$p\" ] && set -- \"$@\" \"$p\"; done\n\
         [ $# -gt 0 ] || {{ echo 'none of the paths is there' >&2; exit 1; }}\n\
         restorecon -n -r -v \"$@\" | head -n {MOST}"
    );
    Item::new(script, Duration::from_secs(20))
}

/// The wrong labels that were found count, also when not all paths could be looked at: that is told
/// beside them.
pub(super) fn read(step: &Step, reply: &Reply) -> Result<Vec<Found>, String> {
    let (labels, odd) = labels::parse(&reply.stdout.text());
    let missed = missed(reply, &labels, &odd);
    match missed {
        Some(why) if labels.is_empty() => Err(why),
        missed => {
            let more = missed.map(|why| unavailable(step, &why));
            let found = Found::Mislabeled { labels };
            Ok(std::iter::once(found).chain(more).collect())
        }
    }
}

/// Why the wrong labels may not be all.
fn missed(reply: &Reply, labels: &[PathLabel], odd: &[String]) -> Option<String> {
    let complaint = reply.stderr.text();
    let said = complaint.lines().find(|l| !l.trim().is_empty());
    if reply.exit != Exit::Code(0) {
        return Some(trouble(&reply.exit, &complaint));
    }
    if labels.len() + odd.len() >= MOST || !reply.stdout.is_complete() {
        return Some(format!("there may be more than the first {}", labels.len()));
    }
    let odd = odd.first().map(|l| format!("restorecon said: {l}"));
    said.map(ToOwned::to_owned).or(odd)
}
