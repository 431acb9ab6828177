//! What every area's comparison is made of.

use std::collections::BTreeMap;

use super::{Area, Compared, Difference, Pair};
use crate::{reading::Reading, text::one_line};

/// The longest line of a difference, in characters.
const LINE: usize = 400;

/// A comparison on its way.
pub(super) struct Compare<'a> {
    pub(super) pair: Pair<'a>,
    found: Compared,
}

impl<'a> Compare<'a> {
    pub(super) fn new(pair: Pair<'a>) -> Self {
        let found = Compared::default();
        Self { pair, found }
    }

    /// Everything found, in order.
    pub(super) fn end(self) -> Compared {
        let mut found = self.found;
        found.differences.sort_by_key(|d| d.area);
        found.unseen.sort_by_key(|d| d.area);
        found
    }

    pub(super) fn over_time(&self) -> bool {
        match self.pair {
            Pair::Times => true,
            Pair::Hosts(..) => false,
        }
    }

    /// Both values of an area; what is missing is told.
    pub(super) fn both<'t, T>(
        &mut self,
        area: Area,
        first: &'t Reading<T>,
        second: &'t Reading<T>,
    ) -> Option<(&'t T, &'t T)> {
        self.both_of(area, area.words(), first, second)
    }

    /// Both values of what these words mean; what is missing is told.
    pub(super) fn both_of<'t, T>(
        &mut self,
        area: Area,
        words: &str,
        first: &'t Reading<T>,
        second: &'t Reading<T>,
    ) -> Option<(&'t T, &'t T)> {
        let (one, other) = match self.pair {
            Pair::Times => ("before", "after"),
            Pair::Hosts(one, other) => (one, other),
        };
        match (first.get(), second.get()) {
            (Ok(first), Ok(second)) => return Some((first, second)),
            (Err(why), Err(also)) if why == also => self.unseen(area, &format!("{words}: {why}")),
            (Err(why), Err(also)) => {
                self.unseen(area, &format!("{words}: {one}: {why}; {other}: {also}"));
            }
            (Err(why), Ok(_)) => {
                self.say(area, &format!("{words}: not comparable: {one}: {why}"));
            }
            (Ok(_), Err(why)) => {
                self.say(area, &format!("{words}: not comparable: {other}: {why}"));
            }
        }
        None
    }

    /// Adds a difference.
    pub(super) fn say(&mut self, area: Area, what: &str) {
        let what = one_line(what, LINE);
        self.found.differences.push(Difference { area, what });
    }

    /// Adds something of which nobody can say whether it differs.
    fn unseen(&mut self, area: Area, what: &str) {
        let what = one_line(what, LINE);
        self.found.unseen.push(Difference { area, what });
    }

    /// Something is there on the first side alone.
    pub(super) fn gone(&mut self, area: Area, what: &str) {
        match self.pair {
            Pair::Times => self.say(area, &format!("{what} is gone")),
            Pair::Hosts(one, _) => self.say(area, &format!("{what} only on {one}")),
        }
    }

    /// Something is there on the second side alone.
    pub(super) fn new_one(&mut self, area: Area, what: &str) {
        match self.pair {
            Pair::Times => self.say(area, &format!("{what} is new")),
            Pair::Hosts(_, other) => self.say(area, &format!("{what} only on {other}")),
        }
    }

    /// Lines of which only their number counts: `firewall: - RULE`, `firewall: + RULE`.
    pub(super) fn lines(&mut self, area: Area, what: &str, first: &[String], second: &[String]) {
        for (line, n) in surplus(first, second) {
            self.say(area, &format!("{what}: - {line}{}", times(n)));
        }
        for (line, n) in surplus(second, first) {
            self.say(area, &format!("{what}: + {line}{}", times(n)));
        }
    }

    /// Values by name, of which every change, newcomer and loss is told in the words of `what`.
    pub(super) fn values<T: PartialEq>(
        &mut self,
        area: Area,
        (first, second): (&BTreeMap<String, T>, &BTreeMap<String, T>),
        what: impl Fn(&str) -> String,
        show: impl Fn(&T) -> String,
    ) {
        for (name, value) in first {
            match second.get(name) {
                None => self.gone(area, &what(name)),
                Some(other) if other != value => {
                    let (value, other) = (show(value), show(other));
                    self.say(area, &format!("{}: {value} → {other}", what(name)));
                }
                Some(_) => {}
            }
        }
        for (name, value) in second.iter().filter(|(name, _)| !first.contains_key(*name)) {
            self.new_one(area, &format!("{} ({})", what(name), show(value)));
        }
    }
}

/// The lines that are there more often than among the others, and how many times more.
fn surplus<'t>(lines: &'t [String], others: &[String]) -> Vec<(&'t str, usize)> {
    let mut told: Vec<(&str, usize)> = Vec::new();
    for line in lines {
        let count = |all: &[String]| all.iter().filter(|l| *l == line).count();
        let more = count(lines).saturating_sub(count(others));
        if more > 0 && !told.iter().any(|(l, _)| l == line) {
            told.push((line, more));
        }
    }
    told
}

fn times(n: usize) -> String {
    if n == 1 {
        String::new()
    } else {
        format!(" ({n} times)")
    }
}
