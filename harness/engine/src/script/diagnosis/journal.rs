//! What the journal says of a unit since the state began; without one, the end of `/var/log/messages`.

use std::time::Duration;

use patchgate_core::{diagnosis::Found, reading::Reading};

use super::super::answer;
use crate::host::{Item, Reply, quote};

/// The last sixty lines, and no more than 16 KiB of them. The host's clock need not be ours: the time is
/// counted back from its own. journalctl says nothing and exits with 0 where there is no journal at all,
/// which would look like a unit that said nothing: its file is looked for first.
pub(super) fn item(unit: &str, since: Duration) -> Item {
    let (unit, seconds) = (quote::sh(unit), since.as_secs() + 1);
    let script = format!(
        r#"unit={unit} j= m=/var/log/messages
for f in /run/log/journal/*/system.journal /var/log/journal/*/system.journal; do [ -e "$f" ] && j=$f; done
if [ -n "$j" ] && command -v journalctl >/dev/null; then
  [ -r "$j" ] || {{ echo 'the journal may not be read' >&2; exit 1; }}
  journalctl -u "$unit" --since "@$(($(date +%s) - {seconds}))" -n 60 -o cat --no-pager | tail -c 16384
else
  [ -e $m ] || {{ echo "there is neither a journal nor $m" >&2; exit 1; }}
  [ -r $m ] || {{ echo "$m may not be read" >&2; exit 1; }}
  tail -n 2000 $m | grep -aF -e "$unit" | tail -n 60 | tail -c 16384
fi"#
    );
    Item::new(script, Duration::from_secs(15))
}

/// What journalctl says about itself is no line of a unit; what it complains of, where it brought nothing,
/// is why.
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
