//! Listening sockets, side by side.

use super::super::{Area, compare::Compare};
use crate::snapshot::system::Listener;

/// From here on the kernel hands out ports by itself, others at every start.
const BY_ITSELF: u16 = 32_768;

/// Tells which sockets are gone and new. A program that listens on the same port of another address is
/// one difference; a port that the kernel chose is none.
pub(super) fn compare(compare: &mut Compare<'_>, first: &[Listener], second: &[Listener]) {
    let (first, second) = (plain(compare, first), plain(compare, second));
    let mut lost = beyond(&first, &second);
    let mut gained = beyond(&second, &first);
    let mut moved = Vec::new();
    lost.retain(|old| {
        let same = |new: &&Listener| new.program == old.program && moves(old, new);
        let Some(at) = gained.iter().position(|new| same(&new)) else {
            return true;
        };
        moved.push((old.clone(), gained.remove(at)));
        false
    });
    for (old, new) in moved.iter().filter(|(old, new)| old.port == new.port) {
        let what = format!("port {}{}", old.port, program(old));
        let (from, to) = (&old.address, &new.address);
        compare.say(
            Area::Listeners,
            &format!("listener on {what}: {from} → {to}"),
        );
    }
    for old in &lost {
        compare.gone(Area::Listeners, &told(old));
    }
    for new in &gained {
        compare.new_one(Area::Listeners, &told(new));
    }
}

/// Of two hosts the addresses that are their own do not count; only that they are.
fn plain(compare: &Compare<'_>, listeners: &[Listener]) -> Vec<Listener> {
    let general = |l: &Listener| l.is_loopback() || ["*", "0.0.0.0", "::"].contains(&&*l.address);
    let plain = |l: &Listener| match compare.over_time() || general(l) {
        true => l.clone(),
        false => Listener {
            address: "an address of its own".to_owned(),
            ..l.clone()
        },
    };
    listeners.iter().map(plain).collect()
}

/// Those that the others do not have. That a program cannot be seen on one side is no difference.
fn beyond(listeners: &[Listener], others: &[Listener]) -> Vec<Listener> {
    let same = |a: &Listener, b: &Listener| {
        let program = a.program.is_none() || b.program.is_none() || a.program == b.program;
        a.address == b.address && a.port == b.port && program
    };
    let lone = listeners
        .iter()
        .filter(|l| !others.iter().any(|o| same(l, o)));
    lone.cloned().collect()
}

/// Whether one is what became of the other.
fn moves(old: &Listener, new: &Listener) -> bool {
    let by_itself = old.port >= BY_ITSELF && new.port >= BY_ITSELF;
    old.port == new.port || (by_itself && old.address == new.address)
}

fn program(listener: &Listener) -> String {
    let named = listener.program.as_deref();
    named.map(|p| format!(" ({p})")).unwrap_or_default()
}

fn told(listener: &Listener) -> String {
    let Listener { address, port, .. } = listener;
    let address = match address.contains(':') {
        true => format!("[{address}]"),
        false => address.clone(),
    };
    format!("listener {address}:{port}{}", program(listener))
}
