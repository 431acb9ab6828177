//! The markers inside a window, each an item of the batch that makes the checks.

use std::time::Duration;

use patchgate_core::{evidence::segment::segment_text, reading::Reading};

use crate::{
    host::{Item, Reply, quote},
    script::answer,
};

/// Sends the marker that begins a segment: one process on the host, no round trip of its own.
#[must_use]
pub fn segment_item(nonce: &str, window: &str, number: u32) -> Item {
    let text = segment_text(nonce, window, number);
    Item::new(
        format!("exec auditctl -m {}", quote::sh(&text)),
        Duration::from_secs(10),
    )
}

/// Whether the marker was sent.
#[must_use]
pub fn read_segment(reply: &Reply) -> Reading<()> {
    answer(reply).and_parse(|_| Some(()), "never")
}
