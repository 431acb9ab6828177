//! Restarts of services.

use std::{collections::BTreeMap, time::Duration};

use patchgate_core::event::RestartEnd;

use crate::host::{Exit, Item, Reply, quote};

/// How long one unit's restart may take.
const DEADLINE: Duration = Duration::from_secs(180);

/// Restarts one unit, with systemd or with SysV's `service`.
#[must_use]
pub fn item(unit: &str) -> Item {
    let unit = quote::sh(unit);
    let script = format!(
        "if command -v systemctl >/dev/null; then systemctl restart {unit}\n\
         else service {unit} restart; fi"
    );
    Item::new(script, DEADLINE)
}

/// Reads how the restarts of some units ended.
#[must_use]
pub fn read(units: &[String], replies: &[Reply]) -> BTreeMap<String, RestartEnd> {
    units.iter().cloned().zip(replies.iter().map(end)).collect()
}

fn end(reply: &Reply) -> RestartEnd {
    let exit = match reply.exit {
        Exit::Code(code) => Some(code),
        Exit::DeadlineExceeded | Exit::NotRun { .. } | Exit::Lost { .. } => None,
    };
    RestartEnd {
        exit,
        stderr: reply.stderr.text(),
    }
}
