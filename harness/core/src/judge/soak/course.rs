//! The probes of one check of one host, in their order.

use std::{collections::BTreeSet, time::Duration};

use super::{
    millis,
    probe::{Saw, saw},
};
use crate::{
    id::{CheckId, HostName},
    policy::OutageLimit,
    soak::{Mark, SoakLedger, Stretch},
    suite::Check,
    time::show_duration,
    verdict::{Outage, SoakTold},
};

/// One good probe: begin and end in milliseconds since the soak's begin.
#[derive(Clone, Copy)]
struct Good {
    begun: u64,
    ended: u64,
}

/// A failed probe.
struct Bad {
    seq: u64,
    number: u64,
    begun: u64,
    ended: u64,
    words: String,
}

/// What lies between a good answer and the next one, or the soak's begin or end: failed probes, or none.
struct Between {
    before: Option<Good>,
    after: Option<Good>,
    /// When the first good answer of all that were asked later was there.
    answered: Option<u64>,
    bad: Vec<Bad>,
}

/// One check's probes, read.
pub(super) struct Course<'a> {
    soak: &'a SoakLedger,
    gaps: Vec<Between>,
    /// What is told of them.
    pub(super) told: SoakTold,
}

impl<'a> Course<'a> {
    /// Reads the probes of a check.
    pub(super) fn of(
        soak: &'a SoakLedger,
        host: &HostName,
        id: &CheckId,
        check: &Check,
        stretches: &[(u64, Stretch)],
    ) -> Self {
        let told = SoakTold {
            host: host.clone(),
            check: id.clone(),
            every_ms: millis(soak.every),
            probes: 0,
            failed: 0,
            unseen: 0,
            slowest_ms: None,
            outages: Vec::new(),
        };
        let gaps = vec![Between::after(None)];
        let mut course = Self { soak, gaps, told };
        for (seq, stretch) in stretches {
            course.take(*seq, check, stretch);
        }
        let made = stretches.last().map_or(0, |(_, last)| last.next());
        let planned = soak.ended.map_or(0, |end| end.places).max(made);
        course.told.unseen = planned.saturating_sub(course.told.probes);
        course.look_ahead();
        let outages = course.gaps.iter().filter_map(|gap| course.outage(gap));
        course.told.outages = outages.collect();
        course
    }

    fn take(&mut self, seq: u64, check: &Check, stretch: &Stretch) {
        for (n, (begun, ended)) in (0..).zip(stretch.times()) {
            let number = stretch.first.saturating_add(n);
            let took = Duration::from_millis(ended - begun);
            let open = self.gaps.last_mut();
            match (saw(check, &stretch.saw, took), open) {
                (Saw::Good, open) => {
                    let good = Good { begun, ended };
                    let slowest = self.told.slowest_ms;
                    self.told.slowest_ms = slowest.max(Some(ended - begun));
                    self.told.probes += 1;
                    open.into_iter().for_each(|gap| gap.after = Some(good));
                    self.gaps.push(Between::after(Some(good)));
                }
                (Saw::Bad(words), Some(gap)) => {
                    self.told.probes += 1;
                    self.told.failed += 1;
                    gap.bad.push(Bad {
                        seq,
                        number,
                        begun,
                        ended,
                        words,
                    });
                }
                (Saw::Bad(_), None) | (Saw::Nothing, _) => {}
            }
        }
    }

    /// Of good answers that were asked for later, an earlier one may be there first.
    fn look_ahead(&mut self) {
        let mut first = None;
        for gap in self.gaps.iter_mut().rev() {
            let ended = gap.after.map(|good| good.ended);
            first = [first, ended].into_iter().flatten().min();
            gap.answered = first;
        }
    }

    fn outage(&self, gap: &Between) -> Option<Outage> {
        let (first, last) = (gap.bad.first()?, gap.bad.last()?);
        let end = self.soak.ended.map_or(last.begun, |end| end.at_ms);
        let until = gap.after.map_or(end, |good| good.begun);
        let evidence: BTreeSet<u64> = gap.bad.iter().map(|bad| bad.seq).collect();
        Some(Outage {
            from: self.at(first.begun),
            during: self.during(first.begun, until),
            length_ms: until.saturating_sub(first.begun),
            at_least_ms: gap.at_least(),
            at_most_ms: gap.at_most(),
            ended: gap.after.is_some(),
            symptoms: gap.symptoms(),
            evidence: evidence.into_iter().collect(),
        })
    }

    /// What happened on the host when it began, and whether it lasted through a restart of services: of that
    /// only the end is in the record.
    fn during(&self, from: u64, until: u64) -> String {
        let (from, until) = (self.at(from), self.at(until));
        let phase = self.soak.phase(from);
        let restarted = self.soak.within(from, until).any(|m| m == Mark::Restarted);
        match restarted {
            true => format!("{phase}, through the restart of services"),
            false => phase.to_owned(),
        }
    }

    fn at(&self, ms: u64) -> jiff::Timestamp {
        let after = self.soak.at.checked_add(Duration::from_millis(ms));
        after.unwrap_or(jiff::Timestamp::MAX)
    }

    /// Why these probes cannot say that no outage was longer than the limit.
    pub(super) fn doubts(&self, limit: OutageLimit) -> Vec<String> {
        let (check, limit) = (&self.told.check, millis(limit.longer_than));
        let Some(end) = self.soak.ended else {
            return vec![format!(
                "the end of the probes of {check} is not in the record"
            )];
        };
        if let Some(why) = &self.soak.unsure {
            return vec![format!("how long nobody asked {check} is not known: {why}")];
        }
        let doubtful = self.gaps.iter().filter(|gap| {
            let at_most = gap.at_most().unwrap_or_else(|| gap.at_edge(end.at_ms));
            at_most > limit && gap.at_least() <= limit
        });
        doubtful.map(|gap| self.doubt(gap, end.at_ms)).collect()
    }

    fn doubt(&self, gap: &Between, end: u64) -> String {
        let check = &self.told.check;
        let time = |ms| show_duration(Duration::from_millis(ms));
        let begin = self.at(gap.before.map_or(0, |good| good.begun));
        let begin = begin.strftime("%H:%M:%S UTC");
        match (gap.before, gap.at_most()) {
            (_, Some(most)) => {
                let most = time(most);
                format!("{check} may have been out for as long as {most}, from {begin} on")
            }
            (None, None) => {
                let most = time(gap.at_edge(end));
                format!("{check} was not seen to answer in the first {most}")
            }
            (Some(_), None) => {
                let most = time(gap.at_edge(end));
                format!("{check} was not seen to answer in the last {most}, from {begin} on")
            }
        }
    }
}

impl Between {
    fn after(before: Option<Good>) -> Self {
        Self {
            before,
            after: None,
            answered: None,
            bad: Vec::new(),
        }
    }

    /// From the begin of the good answer before to the first end of one after.
    fn at_most(&self) -> Option<u64> {
        Some(self.answered?.saturating_sub(self.before?.begun))
    }

    /// The same at the soak's begin or end, where there is no good answer on one side or on either.
    fn at_edge(&self, end: u64) -> u64 {
        let from = self.before.map_or(0, |good| good.begun);
        self.answered.unwrap_or(end).saturating_sub(from)
    }

    /// The longest time between failed probes that follow each other, none missing: from the end of the first
    /// to the begin of the last.
    fn at_least(&self) -> u64 {
        let (mut longest, mut first): (u64, Option<&Bad>) = (0, None);
        let mut next = None;
        for bad in &self.bad {
            if next != Some(bad.number) {
                first = Some(bad);
            }
            next = bad.number.checked_add(1);
            let since = first.map_or(bad.ended, |first| first.ended);
            longest = longest.max(bad.begun.saturating_sub(since));
        }
        longest
    }

    /// What failed probes saw, most first.
    fn symptoms(&self) -> Vec<(String, u64)> {
        let mut counted: Vec<(String, u64)> = Vec::new();
        for bad in &self.bad {
            match counted.iter_mut().find(|(known, _)| *known == bad.words) {
                Some((_, n)) => *n += 1,
                None => counted.push((bad.words.clone(), 1)),
            }
        }
        counted.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        counted
    }
}
