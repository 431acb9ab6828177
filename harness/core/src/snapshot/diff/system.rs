//! Two systems, side by side.

mod listeners;

use std::collections::BTreeMap;

use super::{Area, compare::Compare};
use crate::snapshot::system::{Certificate, Disk, OomKill, SystemSnapshot, UnitState};

/// How many points a disk must gain or lose to be told of.
const POINTS: u8 = 10;

/// From so many per cent on a file system counts as full.
const FULL: u8 = 99;

/// Settings that follow from a machine's memory.
const BY_MEMORY: [&str; 2] = ["fs.file-max", "kernel.threads-max"];

pub(super) fn compare(compare: &mut Compare<'_>, first: &SystemSnapshot, second: &SystemSnapshot) {
    if let Some((a, b)) = compare.both(Area::Listeners, &first.listeners, &second.listeners) {
        listeners::compare(compare, a, b);
    }
    if let Some((a, b)) = compare.both(Area::Firewall, &first.firewall, &second.firewall) {
        firewall(compare, a, b);
    }
    if let Some((a, b)) = compare.both(Area::Units, &first.units, &second.units) {
        units(compare, a, b);
    }
    if let Some((a, b)) = compare.both(Area::Disks, &first.disks, &second.disks) {
        disks(compare, a, b);
    }
    if let Some((a, b)) = compare.both(Area::OomKills, &first.oom_kills, &second.oom_kills)
        && compare.over_time()
    {
        oom_kills(compare, a, b);
    }
    if let Some((a, b)) = compare.both(Area::Sysctls, &first.sysctls, &second.sysctls) {
        sysctls(compare, a, b);
    }
    if let Some((a, b)) = compare.both(Area::Routes, &first.routes, &second.routes) {
        routes(compare, a, b);
    }
    certificates(compare, first, second);
    compare.both(Area::Clock, &first.clock, &second.clock);
}

fn firewall(compare: &mut Compare<'_>, first: &[String], second: &[String]) {
    compare.lines(Area::Firewall, "firewall", first, second);
    let sorted = |rules: &[String]| {
        let mut rules = rules.to_vec();
        rules.sort();
        rules
    };
    if compare.over_time() && first != second && sorted(first) == sorted(second) {
        compare.say(Area::Firewall, "firewall: the same rules in another order");
    }
}

type Units = BTreeMap<String, UnitState>;

/// A unit that is told of on one side alone was watched there alone, unless it has failed.
fn units(compare: &mut Compare<'_>, first: &Units, second: &Units) {
    let area = Area::Units;
    for (name, then) in first {
        match second.get(name) {
            Some(now) => {
                if let Some(change) = change(then, now) {
                    compare.say(area, &format!("unit {name}: {change}"));
                }
            }
            None if then.active == "failed" => compare.gone(area, &format!("failed unit {name}")),
            None => {}
        }
    }
    for (name, now) in second.iter().filter(|(name, _)| !first.contains_key(*name)) {
        if now.active == "failed" {
            compare.new_one(area, &format!("failed unit {name}{}", result(now)));
        }
    }
}

fn change(then: &UnitState, now: &UnitState) -> Option<String> {
    let sub = |state: &UnitState| state.sub.clone().unwrap_or_default();
    if then.active != now.active {
        Some(format!("{} → {}{}", then.active, now.active, result(now)))
    } else if sub(then) != sub(now) {
        Some(format!("{} ({} → {})", now.active, sub(then), sub(now)))
    } else if then.result != now.result && !result(now).is_empty() {
        Some(format!(
            "{}, and failed meanwhile{}",
            now.active,
            result(now)
        ))
    } else {
        None
    }
}

/// ` (exit-code)`; success says nothing.
fn result(state: &UnitState) -> String {
    match state.result.as_deref() {
        Some("success") | None => String::new(),
        Some(result) => format!(" ({result})"),
    }
}

fn disks(compare: &mut Compare<'_>, first: &[Disk], second: &[Disk]) {
    let area = Area::Disks;
    for then in first {
        let mount = &then.mount;
        let Some(now) = second.iter().find(|d| d.mount == *mount) else {
            compare.gone(area, &format!("file system {mount}"));
            continue;
        };
        let (was, is) = (then.used_percent, now.used_percent);
        if matters(compare, was, is) {
            compare.say(area, &format!("{mount}: {was} % → {is} % full"));
        }
        if let (Some(was), Some(is)) = (then.inodes_percent, now.inodes_percent)
            && matters(compare, was, is)
        {
            compare.say(
                area,
                &format!("{mount}: {was} % → {is} % of its inodes used"),
            );
        }
        if then.read_only != now.read_only {
            let how = |d: &Disk| {
                if d.read_only {
                    "read-only"
                } else {
                    "read-write"
                }
            };
            compare.say(area, &format!("{mount}: {} → {}", how(then), how(now)));
        }
    }
    for now in second {
        if !first.iter().any(|d| d.mount == now.mount) {
            compare.new_one(area, &format!("file system {}", now.mount));
        }
    }
}

/// Disks fill a little all the time, and those of two hosts are never alike.
fn matters(compare: &Compare<'_>, was: u8, is: u8) -> bool {
    let much = compare.over_time() && was.abs_diff(is) >= POINTS;
    much || (was >= FULL) != (is >= FULL)
}

/// The kernel's log forgets the oldest ones: only newcomers are told.
fn oom_kills(compare: &mut Compare<'_>, first: &[OomKill], second: &[OomKill]) {
    for kill in second.iter().filter(|k| !first.contains(k)) {
        let OomKill { victim, pid, .. } = kill;
        compare.say(
            Area::OomKills,
            &format!("the kernel killed {victim} (pid {pid}) for lack of memory"),
        );
    }
}

type Sysctls = BTreeMap<String, String>;

fn sysctls(compare: &mut Compare<'_>, first: &Sysctls, second: &Sysctls) {
    let over_time = compare.over_time();
    let kept = |side: &Sysctls| -> Sysctls {
        let counts = |name: &String| over_time || !BY_MEMORY.contains(&name.as_str());
        let side = side.iter().filter(|(name, _)| counts(name));
        side.map(|(n, v)| (n.clone(), v.clone())).collect()
    };
    let what = |name: &str| format!("sysctl {name}");
    compare.values(
        Area::Sysctls,
        (&kept(first), &kept(second)),
        what,
        String::clone,
    );
}

/// Of two hosts only whether they have a way out.
fn routes(compare: &mut Compare<'_>, first: &[String], second: &[String]) {
    if compare.over_time() {
        return compare.lines(Area::Routes, "route", first, second);
    }
    let out = |routes: &[String]| routes.iter().any(|r| r.starts_with("default "));
    match (out(first), out(second)) {
        (true, false) => compare.gone(Area::Routes, "default route"),
        (false, true) => compare.new_one(Area::Routes, "default route"),
        (true, true) | (false, false) => {}
    }
}

/// Whether a certificate is valid by its host's clock, in a word; none where that is not known.
fn standing(certificate: &Certificate, system: &SystemSnapshot) -> Option<&'static str> {
    let now = i64::try_from(*system.clock.known()?).ok()?;
    Some(match certificate {
        c if now > c.not_after => "expired",
        c if now < c.not_before => "not valid yet",
        _ => "valid",
    })
}

fn certificates(compare: &mut Compare<'_>, first: &SystemSnapshot, second: &SystemSnapshot) {
    let area = Area::Certificates;
    let Some((a, b)) = compare.both(area, &first.certificates, &second.certificates) else {
        return;
    };
    for then in a {
        let path = &then.path;
        let Some(now) = b.iter().find(|c| c.path == *path) else {
            compare.gone(area, &format!("certificate {path}"));
            continue;
        };
        let standings = (standing(then, first), standing(now, second));
        if compare.over_time() && then.not_after != now.not_after {
            let what = format!(
                "certificate {path}: valid until {} → {}",
                day(then.not_after),
                day(now.not_after)
            );
            let standing = standings.1.filter(|s| *s != "valid");
            let standing = standing.map(|s| format!(" ({s})")).unwrap_or_default();
            compare.say(area, &(what + &standing));
        } else if let (Some(was), Some(is)) = standings
            && was != is
        {
            compare.say(area, &format!("certificate {path}: {was} → {is}"));
        }
        if compare.over_time() && then.subject != now.subject {
            let (was, is) = (&then.subject, &now.subject);
            compare.say(area, &format!("certificate {path}: subject {was} → {is}"));
        }
    }
    for now in b
        .iter()
        .filter(|c| !a.iter().any(|then| then.path == c.path))
    {
        compare.new_one(area, &format!("certificate {}", now.path));
    }
}

/// A moment's day in UTC.
fn day(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(moment) => moment.strftime("%Y-%m-%d").to_string(),
        // The last day of 9999, which stands for "never".
        Err(_) => "9999-12-31".to_owned(),
    }
}
