//! A unit, in more words than a check needs.

use std::time::Duration;

use patchgate_core::{
    diagnosis::{Found, unit},
    reading::Reading,
};

use super::super::answer;
use crate::host::{Item, Reply, quote};

/// Asks the service manager, and `/proc` for the main process's context.
pub(super) fn item(unit: &str) -> Item {
    let unit = quote::sh(unit);
    let script = format!(
        r#"unit={unit}
if command -v systemctl >/dev/null; then
  p=$(systemctl show -p LoadState -p ActiveState -p SubState -p Result -p ExecMainCode \
    -p ExecMainStatus -p NRestarts -p FragmentPath -p MainPID "$unit") || exit
  printf '%s\n' "$p"
  pid=${{p##*MainPID=}}; pid=${{pid%%[!0-9]*}}
  c=; [ "${{pid:-0}}" = 0 ] || IFS= read -r c <"/proc/$pid/attr/current"
  [ -n "$c" ] && printf 'Context=%s\n' "$c"
elif service "$unit" status >/dev/null 2>&1; then echo ActiveState=active
else echo ActiveState=inactive; fi
exit 0"#
    );
    Item::new(script, Duration::from_secs(10))
}

pub(super) fn read(unit: &str, reply: &Reply) -> Result<Found, String> {
    let found = match answer(reply) {
        Reading::Known(text) => unit::parse(unit, &text),
        Reading::Missing { why } => Reading::Missing { why },
    };
    found
        .get()
        .map(|u| Found::Unit(u.clone()))
        .map_err(ToOwned::to_owned)
}
