//! The system around the services, in lines.

use std::collections::BTreeMap;

use patchgate_core::{
    reading::Reading,
    snapshot::{
        read::units::short,
        system::{Certificate, Disk, Listener, OomKill, SystemSnapshot, UnitState},
    },
};

use super::line::{Line, count, members};
use crate::console::Mood;

/// From so many per cent on a file system is told in another colour.
const NEARLY_FULL: u8 = 90;

/// How far two clocks may be apart: what the host says is some seconds old when it is written down.
const SECONDS_APART: i64 = 10;

pub(super) fn lines(system: &SystemSnapshot, read_at: Option<jiff::Timestamp>) -> Vec<Line> {
    vec![
        clock(&system.clock, read_at),
        Line::of("listeners", &system.listeners, |all| {
            members(&each(all, listener))
        }),
        Line::of("firewall", &system.firewall, |rules| match rules.len() {
            0 => "no rule".to_owned(),
            n => count(n, "rule"),
        }),
        units(&system.units),
        disks(&system.disks),
        oom_kills(&system.oom_kills),
        Line::of("routes", &system.routes, |routes| members(routes)),
        Line::of("sysctls", &system.sysctls, |all| {
            count(all.len(), "setting")
        }),
        certificates(system),
    ]
}

fn each<T>(all: impl IntoIterator<Item = T>, word: impl Fn(T) -> String) -> Vec<String> {
    all.into_iter().map(word).collect()
}

/// The controller's own clock is the only one at hand to compare with.
fn clock(reading: &Reading<u64>, read_at: Option<jiff::Timestamp>) -> Line {
    let seconds = match reading {
        Reading::Known(seconds) => i64::try_from(*seconds).unwrap_or(i64::MAX),
        Reading::Missing { why } => return Line::unseen("clock", why),
    };
    let text = match jiff::Timestamp::from_second(seconds) {
        Ok(moment) => moment.to_string(),
        Err(_) => format!("{seconds} seconds since 1970"),
    };
    let Some(read_at) = read_at else {
        return Line::new("clock", &text);
    };
    let ahead = seconds.saturating_sub(read_at.as_second());
    if ahead.abs() <= SECONDS_APART {
        let text = format!("{text}, within {SECONDS_APART} s of the controller's");
        return Line::new("clock", &text);
    }
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    let text = format!("{text}, about {} s {way} the controller's", ahead.abs());
    Line::new("clock", &text).mood(Mood::Unsure)
}

fn listener(listener: &Listener) -> String {
    let Listener {
        address,
        port,
        program,
    } = listener;
    let program = program
        .as_deref()
        .map(|p| format!(" {p}"))
        .unwrap_or_default();
    match address.contains(':') {
        true => format!("[{address}]:{port}{program}"),
        false => format!("{address}:{port}{program}"),
    }
}

fn units(reading: &Reading<BTreeMap<String, UnitState>>) -> Line {
    let unit = |(name, state): (&String, &UnitState)| {
        let sub = state
            .sub
            .as_deref()
            .map(|s| format!(" ({s})"))
            .unwrap_or_default();
        let result = state.result.as_deref().filter(|r| *r != "success");
        let result = result.map(|r| format!(", {r}")).unwrap_or_default();
        format!("{} {}{sub}{result}", short(name), state.active)
    };
    let line = Line::of("units", reading, |all| members(&each(all, unit)));
    let failed = |all: &BTreeMap<String, UnitState>| all.values().any(|u| u.active == "failed");
    line.mood(mood(reading, failed))
}

fn disks(reading: &Reading<Vec<Disk>>) -> Line {
    let disk = |disk: &Disk| {
        let inodes = disk.inodes_percent.filter(|n| *n >= NEARLY_FULL);
        let inodes = inodes
            .map(|n| format!(", {n} % of its inodes"))
            .unwrap_or_default();
        let read_only = if disk.read_only { ", read-only" } else { "" };
        format!(
            "{} {} % full{inodes}{read_only}",
            disk.mount, disk.used_percent
        )
    };
    let line = Line::of("disks", reading, |all| members(&each(all, disk)));
    let full = |d: &Disk| {
        d.used_percent >= NEARLY_FULL || d.inodes_percent.is_some_and(|n| n >= NEARLY_FULL)
    };
    line.mood(mood(reading, |all: &Vec<Disk>| all.iter().any(full)))
}

fn oom_kills(reading: &Reading<Vec<OomKill>>) -> Line {
    let kill = |kill: &OomKill| format!("{} (pid {})", kill.victim, kill.pid);
    let line = Line::of("OOM kills", reading, |all| match all.is_empty() {
        true => "none since boot".to_owned(),
        false => members(&each(all, kill)),
    });
    line.mood(mood(reading, |all: &Vec<OomKill>| !all.is_empty()))
}

fn certificates(system: &SystemSnapshot) -> Line {
    let now = system.clock.known().and_then(|c| i64::try_from(*c).ok());
    let out = |c: &Certificate| now.is_some_and(|now| now > c.not_after || now < c.not_before);
    let day = |seconds: i64| match jiff::Timestamp::from_second(seconds) {
        Ok(moment) => moment.strftime("%Y-%m-%d").to_string(),
        Err(_) => "9999-12-31".to_owned(),
    };
    let one = |c: &Certificate| {
        let (from, to) = (day(c.not_before), day(c.not_after));
        let out = if out(c) { ", NOT VALID NOW" } else { "" };
        format!("{} valid {from} to {to}{out}", c.path)
    };
    let line = Line::of("certificates", &system.certificates, |all| {
        match all.is_empty() {
            true => "none of the suites' files is there".to_owned(),
            false => members(&each(all, one)),
        }
    });
    line.mood(mood(&system.certificates, |all: &Vec<Certificate>| {
        all.iter().any(out)
    }))
}

/// Bad where something known is bad; what could not be seen is unsure.
fn mood<T>(reading: &Reading<T>, bad: impl FnOnce(&T) -> bool) -> Mood {
    match reading {
        Reading::Known(value) if bad(value) => Mood::Bad,
        Reading::Known(_) => Mood::Plain,
        Reading::Missing { .. } => Mood::Unsure,
    }
}
