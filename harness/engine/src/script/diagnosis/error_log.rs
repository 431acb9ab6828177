//! The end of a service's own error log.

use std::time::Duration;

use patchgate_core::{diagnosis::Found, reading::Reading};

use super::{super::answer, lines};
use crate::host::{Item, Reply, quote};

/// The last forty lines, and no more than 16 KiB of them.
pub(super) fn item(path: &str) -> Item {
    let path = quote::sh(path);
    let script = format!(
        "f={path}\n\
         [ -f \"$f\" ] || {{ echo 'there is no such file' >&2; exit 1; }}\n\
         [ -r \"$f\" ] || {{ echo 'it may not be read' >&2; exit 1; }}\n\
         tail -c 16384 \"$f\" | tail -n 40"
    );
    Item::new(script, Duration::from_secs(10))
}

pub(super) fn read(path: &str, reply: &Reply) -> Result<Found, String> {
    match answer(reply) {
        Reading::Known(text) => Ok(Found::ErrorLog {
            path: path.to_owned(),
            lines: lines(&text),
        }),
        Reading::Missing { why } => Err(why),
    }
}
