//! The installed packages.

use std::time::Duration;

use patchgate_core::{
    facts::parse_packages,
    package::{Nevra, QUERY_FORMAT},
    reading::Reading,
};

use super::answer;
use crate::host::{Item, Reply, quote};

/// Asks rpm for every installed package.
#[must_use]
pub fn item() -> Item {
    let script = format!(
        "command -v rpm >/dev/null || {{ echo 'there is no rpm' >&2; exit 127; }}\n\
         rpm -qa --queryformat {}",
        quote::sh(QUERY_FORMAT)
    );
    Item {
        cap: 4 << 20,
        ..Item::new(script, Duration::from_secs(120))
    }
}

/// Reads the answer; an empty or partly unreadable list is missing, not short.
#[must_use]
pub fn read(reply: &Reply) -> Reading<Vec<Nevra>> {
    match answer(reply) {
        Reading::Missing { why } => Reading::Missing { why },
        Reading::Known(text) => match parse_packages(&text) {
            (packages, odd) if odd.is_empty() && !packages.is_empty() => Reading::Known(packages),
            (_, odd) if odd.is_empty() => Reading::missing("rpm names no package at all"),
            (_, odd) => Reading::missing(format!("rpm said: {}", odd[0])),
        },
    }
}
