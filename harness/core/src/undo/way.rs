//! What can be done to undo a patch on a host, or why nothing can.

use super::{OnFailure, SnapshotSource};
use crate::{
    ledger::HostLedger,
    package::{self, PackageChange},
    plan::PlannedHost,
    state::State,
    transaction::Manager,
};

/// What can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// The package manager can be told to undo its transaction.
    Rollback {
        /// The package manager.
        manager: Manager,
        /// Its number of the transaction.
        transaction: String,
    },
    /// The host has a snapshot.
    Reset(SnapshotSource),
}

/// The packages whose downgrade the vendor does not support, by the beginning of their names: they and what
/// depends on them assume that they are only ever updated.
///
/// Red Hat, "Managing software with the DNF tool", reverting transactions: selinux-policy, kernel, glibc and
/// dependencies of glibc such as gcc; <https://access.redhat.com/solutions/186763> adds dbus.
const UNSUPPORTED: [&str; 6] = ["dbus", "gcc", "glibc", "kernel", "libgcc", "selinux-policy"];

/// What can be done on a host, by what the record holds of it.
///
/// # Errors
/// Why nothing can: a sentence that says what to do instead.
pub fn way(on_failure: OnFailure, planned: &PlannedHost, host: &HostLedger) -> Result<Way, String> {
    match on_failure {
        OnFailure::Keep => Err("the patch set keeps what fails".to_owned()),
        OnFailure::Rollback => rollback(host),
        OnFailure::Reset => match &planned.snapshot {
            Some(source) => Ok(Way::Reset(source.clone())),
            None => Err("the host has no `patchgate_snapshot`".to_owned()),
        },
    }
}

fn rollback(host: &HostLedger) -> Result<Way, String> {
    let instead = "undo it by hand, or with `on_failure: reset`";
    let Some(changes) = changes(host) else {
        return Err(format!(
            "what the transaction changed is not known: {instead}"
        ));
    };
    let refused = unsupported(&changes);
    if !refused.is_empty() {
        return Err(format!(
            "the vendor supports no downgrade of {}: {instead}",
            refused.join(", ")
        ));
    }
    let manager = host.preview.as_ref().map(|p| p.manager);
    match (
        manager,
        host.transaction.as_deref().filter(|n| is_number(n)),
    ) {
        (Some(manager), Some(transaction)) => Ok(Way::Rollback {
            manager,
            transaction: transaction.to_owned(),
        }),
        (None | Some(_), _) => Err(format!(
            "the package manager's number of the transaction is not known: {instead}"
        )),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit())
}

/// What the transaction changed, as far as the last state that was looked at shows it.
fn changes(host: &HostLedger) -> Option<Vec<PackageChange>> {
    let after = [State::Rebooted, State::Restarted, State::Patched];
    let after = after.into_iter().find_map(|s| host.packages(s))?;
    Some(package::difference(host.packages(State::Baseline)?, after))
}

/// The changed packages of which the vendor supports no downgrade.
fn unsupported(changes: &[PackageChange]) -> Vec<String> {
    let is = |c: &&PackageChange| UNSUPPORTED.iter().any(|p| c.name().starts_with(p));
    let names = changes.iter().filter(is).map(|c| c.package().to_string());
    names.collect()
}
