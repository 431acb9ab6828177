//! Reads audit text as it comes, in chunks of any size and with bounded memory.
//!
//! The result does not depend on the chunks. As long as no bound is reached it is that of
//! [`record::parse`](super::record::parse) and [`event::decisions`](super::event::decisions) on
//! the whole text; only the order of the decisions differs, for each is held back until the rest
//! of its event can have come.

mod kept;
mod open;
mod plain;
#[cfg(test)]
mod tests;

use std::ops::Range;

use kept::Kept;
use open::{Companion, OpenEvents, Whose};
use plain::Plain;

use super::{
    denial,
    event::{CompanionKind, EventEnd, Found, Key},
    fields::Style,
    kind::RecordKind,
    limits::Limits,
    lines::{self, Part, Piece},
    record::{Grammar, LineReader, Record},
};

/// How many bytes are taken in at once, whatever the caller's chunks: they stay in the
/// processor's nearer cache while they are read.
const BITE: usize = 64 << 10;

/// Takes what a stream finds.
pub trait Sink {
    /// A decision, joined with its event.
    fn decision(&mut self, found: Found);

    /// A record that speaks of the policy, its mode or the audit system itself, or text that is
    /// no record; all others are only counted.
    fn record(&mut self, record: &Record<'_>);
}

/// What a stream has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes, line ends too.
    pub bytes: u64,
    /// Lines, blank ones too.
    pub lines: u64,
    /// Lines that were longer than [`Limits::line`] and were read in pieces.
    pub overlong_lines: u64,
    /// Records, and pieces of text that are none; not blank lines.
    pub records: usize,
    /// Pieces of text that are no record.
    pub unrecognized: usize,
    /// Decisions, grants too.
    pub decisions: usize,
    /// Events with decisions that were let go before their end was seen, for there were too many
    /// or too much text had come.
    pub early_events: usize,
}

/// Reads audit text chunk by chunk.
#[derive(Debug)]
pub struct Stream {
    kept: Kept,
    work: Work,
}

impl Stream {
    /// A stream with the standard bounds.
    #[must_use]
    pub fn new(grammar: Grammar) -> Self {
        Self::within(grammar, Limits::STANDARD)
    }

    /// A stream with other bounds.
    #[must_use]
    pub fn within(grammar: Grammar, limits: Limits) -> Self {
        let limits = limits.sane();
        let work = Work {
            limits,
            grammar,
            reader: LineReader::new(grammar),
            open: OpenEvents::new(limits),
            part: Part::Whole,
            counts: Counts::default(),
        };
        Self {
            kept: Kept::default(),
            work,
        }
    }

    /// Reads the next bytes; they may end anywhere. Bytes that are no UTF-8 are replaced.
    pub fn push(&mut self, chunk: &[u8], sink: &mut impl Sink) {
        for bite in chunk.chunks(BITE) {
            self.work.counts.bytes += bite.len() as u64;
            self.kept.push(bite);
            let read = self.work.lines(&self.kept, sink);
            self.kept.read_to(read);
            self.kept.forget(self.work.open.needs());
        }
    }

    /// Reads what is left and gives away all that still waits.
    pub fn finish(mut self, sink: &mut impl Sink) -> Counts {
        self.kept.end();
        let Self { kept, work } = &mut self;
        let read = work.lines(kept, sink);
        kept.read_to(read);
        let rest = kept.unread();
        if !rest.is_empty() {
            work.counts.lines += 1;
            work.piece(kept, rest, work.part, sink);
        }
        let counts = &mut work.counts;
        work.open.finish(kept, &mut |found| {
            counts.decisions += 1;
            sink.decision(found);
        });
        counts.early_events = work.open.early();
        *counts
    }
}

/// What a stream knows besides the text.
#[derive(Debug)]
struct Work {
    limits: Limits,
    grammar: Grammar,
    reader: LineReader,
    open: OpenEvents,
    /// What the text that is not read yet is of its line.
    part: Part,
    counts: Counts,
}

impl Work {
    /// Reads the lines that are whole, and so much of the last one as is too long to be kept;
    /// gives the place up to which it read.
    fn lines(&mut self, kept: &Kept, sink: &mut impl Sink) -> usize {
        let mut line = kept.unread();
        for end in kept.line_ends() {
            self.counts.lines += 1;
            self.line(kept, line.start..end, sink);
            line.start = end + 1;
        }
        self.overlong(kept, line, sink)
    }

    /// Reads a line whose end has come.
    fn line(&mut self, kept: &Kept, line: Range<usize>, sink: &mut impl Sink) {
        self.pass(kept, line.start, sink);
        if self.part == Part::Whole && line.len() <= self.limits.line {
            let text = kept.get(&line);
            let text = text.strip_suffix('\r').unwrap_or(text);
            if let Some(plain) = self.plain(text) {
                return self.note_plain(kept, line.start, plain, sink);
            }
        }
        let mut rest = self.overlong(kept, line.clone(), sink)..line.end;
        rest.end -= usize::from(kept.get(&rest).ends_with('\r'));
        self.piece(kept, rest, self.part, sink);
        self.part = Part::Whole;
    }

    /// Reads pieces of a line as long as what remains is too long; gives the place of the rest.
    fn overlong(&mut self, kept: &Kept, line: Range<usize>, sink: &mut impl Sink) -> usize {
        let mut rest = line;
        while rest.len() > self.limits.line {
            let cut = rest.start + lines::cut(kept.get(&rest).as_bytes(), self.limits.line);
            self.counts.overlong_lines += u64::from(self.part == Part::Whole);
            self.piece(kept, rest.start..cut, lines::opening(self.part), sink);
            self.part = Part::Rest;
            rest.start = cut;
        }
        rest.start
    }

    /// Lets those events go that began too far before this place.
    fn pass(&mut self, kept: &Kept, place: usize, sink: &mut impl Sink) {
        let Self { open, counts, .. } = self;
        open.pass(place, kept, &mut |found| {
            counts.decisions += 1;
            sink.decision(found);
        });
    }

    /// Tells by a glance what a line is.
    fn plain<'a>(&self, line: &'a str) -> Option<Plain<'a>> {
        match self.grammar {
            Grammar::AuditLog => plain::read(line, self.open.newest()),
            Grammar::KernelLog | Grammar::Any => None,
        }
    }

    /// Takes a plain line that begins at `place`.
    fn note_plain(&mut self, kept: &Kept, place: usize, plain: Plain<'_>, sink: &mut impl Sink) {
        self.counts.records += 1;
        let Self { open, counts, .. } = self;
        let out = &mut |found| {
            counts.decisions += 1;
            sink.decision(found);
        };
        match plain {
            Plain::Ordinary => {}
            Plain::End(whose) => {
                let room = open.event(whose, place, kept, out);
                open.end(room);
            }
            Plain::Companion(whose, kind, body) => {
                let room = open.event(whose, place, kept, out);
                let style = Style::Raw;
                let body = kept.place(body);
                open.companion(room, Companion { kind, style, body });
            }
        }
    }

    /// Reads a line or a part of one with all of the grammar.
    fn piece(&mut self, kept: &Kept, range: Range<usize>, part: Part, sink: &mut impl Sink) {
        self.pass(kept, range.start, sink);
        let (place, text) = (range.start, kept.get(&range));
        let Self {
            reader,
            open,
            counts,
            ..
        } = self;
        let mut note = |record: Record<'_>| {
            counts.records += 1;
            counts.unrecognized += usize::from(record.kind == RecordKind::Unrecognized);
            if record.kind.is_notable() {
                sink.record(&record);
            }
            let number = counts.records - 1;
            note(open, kept, (place, number), &record, &mut |found| {
                counts.decisions += 1;
                sink.decision(found);
            });
        };
        reader.read(Piece { text, part }, &mut note);
    }
}

/// Takes the record with this number of a line that begins at this place.
fn note(
    open: &mut OpenEvents,
    kept: &Kept,
    (place, number): (usize, usize),
    record: &Record<'_>,
    out: &mut impl FnMut(Found),
) {
    let found = |decision| Found {
        decision,
        record: number,
        hearsay: record.is_hearsay(),
        event: EventEnd::Alone,
    };
    let Some(whose) = Key::of(record).map(Whose::Of) else {
        return denial::each(record, &mut |decision| out(found(decision)));
    };
    if let Some(kind) = CompanionKind::of(record.kind) {
        let room = open.event(whose, place, kept, out);
        let style = record.framing.style();
        let body = kept.place(record.body);
        open.companion(room, Companion { kind, style, body });
    } else if record.kind.ends_event() {
        let room = open.event(whose, place, kept, out);
        open.end(room);
    } else {
        denial::each(record, &mut |decision| {
            let room = open.event(whose, place, kept, out);
            open.decision(room, found(decision));
        });
    }
}
