//! The chain value: SHA-256 over the value before and the event's own bytes.

use openssl::sha::Sha256;
use patchgate_core::event::Event;

use super::hex;

/// The value of all lines so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain(String);

impl Chain {
    /// The line of an event, without its line break, and the chain that includes it.
    pub(super) fn line(&self, event: &Event) -> (String, Self) {
        let body = serde_json::to_string(event).expect("an event has only string keys");
        let next = self.over(&body);
        (
            format!("{{\"event\":{body},\"chain\":\"{}\"}}", next.0),
            next,
        )
    }

    /// The event of a line and the chain that includes it.
    pub(super) fn check(&self, line: &str) -> Result<(Event, Self), String> {
        let (body, value) = split(line).ok_or("not a line of a record")?;
        let next = self.over(body);
        if next.0 != value {
            return Err("the chain is broken".to_owned());
        }
        let event = serde_json::from_str(body).map_err(|e| format!("not an event: {e}"))?;
        Ok((event, next))
    }

    fn over(&self, body: &str) -> Self {
        let mut sha = Sha256::new();
        sha.update(self.0.as_bytes());
        sha.update(body.as_bytes());
        Self(hex(&sha.finish()))
    }
}

fn split(line: &str) -> Option<(&str, &str)> {
    let (body, tail) = line
        .strip_prefix("{\"event\":")?
        .rsplit_once(",\"chain\":\"")?;
    Some((body, tail.strip_suffix("\"}")?))
}
