//! The listening sockets, as they are right after the failure.

use std::time::Duration;

use patchgate_core::{diagnosis::Found, reading::Reading, snapshot::system::listeners};

use super::super::answer;
use crate::host::{Item, Reply};

const SCRIPT: &str =
    "command -v ss >/dev/null || { echo 'there is no ss' >&2; exit 127; }\nss -ltnp";

pub(super) fn item() -> Item {
    Item::new(SCRIPT, Duration::from_secs(10))
}

pub(super) fn read(reply: &Reply) -> Result<Found, String> {
    let rows = answer(reply).and_parse(|t| listeners::parse(t), "ss said something else");
    match rows {
        Reading::Known(listeners) => Ok(Found::Listeners { listeners }),
        Reading::Missing { why } => Err(why),
    }
}
