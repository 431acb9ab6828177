//! What the journal says of a unit since the state began; without one, the end of `/var/log/messages`.

use std::time::Duration;

use patchgate_core::{diagnosis::Found, reading::Reading};

use super::super::answer;
use crate::host::{Item, Reply, quote};

/// The last sixty lines, and no more than 16 KiB of them. The host's clock need not be ours: the time is
/// counted back from its own.
pub(super) fn item(unit: &str, since: Duration) -> Item {
    let (unit, seconds) = (quote::sh(unit), since.as_secs() + 1);
    let script = format!(
        r#"unit={unit}
if command -v journalctl >/dev/null; then
  journalctl -u "$unit" --since "@$(($(date +%s) - {seconds}))" -n 60 -o cat --no-pager
else
  f=/var/log/messages
  [ -r $f ] || {{ echo "neither a journal nor $f can be read" >&2; exit 1; }}
  tail -n 2000 $f | grep -aF -e "$unit" | tail -n 60
fi | tail -c 16384"#
    );
    Item::new(script, Duration::from_secs(15))
}

/// An empty journal says so, and one that may not be read only on the error stream.
pub(super) fn read(unit: &str, reply: &Reply) -> Result<Found, String> {
    let text = match answer(reply) {
        Reading::Known(text) => text,
        Reading::Missing { why } => return Err(why),
    };
    let said = |l: &&str| !(l.starts_with("-- ") && l.ends_with(" --"));
    let lines: Vec<String> = text.lines().filter(said).map(ToOwned::to_owned).collect();
    match reply.stderr.text().lines().find(|l| !l.trim().is_empty()) {
        Some(trouble) if lines.is_empty() => Err(trouble.to_owned()),
        Some(_) | None => Ok(Found::Journal {
            unit: unit.to_owned(),
            lines,
        }),
    }
}
