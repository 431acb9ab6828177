//! The events that wait for further records: a bounded number, the oldest let go first.

use std::ops::Range;

use super::kept::Kept;
use crate::evidence::{
    event::{CompanionKind, Companions, EventEnd, Found, Key},
    fields::Style,
    limits::Limits,
};

/// A record that tells something about its event's decisions.
#[derive(Clone, Debug)]
pub(super) struct Companion {
    pub(super) kind: CompanionKind,
    pub(super) style: Style,
    /// Where its body stands; enrichment may follow. It is not read before it is needed.
    pub(super) body: Range<usize>,
}

/// Which event a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose<'a> {
    /// The one that was opened last.
    Newest,
    /// The one of this identity.
    Of(Key<'a>),
}

/// One event. Its room is used again for another one.
#[derive(Debug, Default)]
struct Event {
    node: Option<String>,
    id: String,
    digest: u64,
    /// The number of an older event that may have the same digest.
    older: usize,
    /// The place of its first line.
    place: usize,
    ended: bool,
    companions: Vec<Companion>,
    /// Its decisions; the rest of them is filled in at the end.
    found: Vec<Found>,
}

impl Event {
    fn key(&self) -> Key<'_> {
        Key {
            node: self.node.as_deref(),
            id: &self.id,
        }
    }

    /// Gives its decisions away, completed, and leaves it empty.
    fn release(&mut self, kept: &Kept, end: EventEnd, out: &mut impl FnMut(Found)) {
        if !self.found.is_empty() {
            let mut told = Companions::default();
            for companion in &self.companions {
                told.note(companion.kind, companion.style, kept.get(&companion.body));
            }
            for mut found in self.found.drain(..) {
                told.complete(&mut found.decision);
                found.event = if self.ended { EventEnd::Seen } else { end };
                out(found);
            }
        }
        // What one strange event has blown up is not kept for the next.
        self.companions.clear();
        self.companions.shrink_to(64);
        self.found.shrink_to(8);
    }
}

/// The events that wait for further records.
#[derive(Debug)]
pub(super) struct OpenEvents {
    limits: Limits,
    /// Event number N has room N, modulo a power of two that is not less than the bound; rooms
    /// come into being as they are needed.
    rooms: Vec<Event>,
    last_room: usize,
    /// The number of the next event; numbers only grow.
    next: usize,
    /// The number of the oldest event that waits.
    oldest: usize,
    /// The place from which on text must be kept: where the oldest event begins.
    needs: usize,
    /// By digest, the number of the newest event; the older ones follow through `Event::older`,
    /// down to those that wait no more.
    newest: Vec<usize>,
    early: usize,
}

impl OpenEvents {
    pub(super) fn new(limits: Limits) -> Self {
        let rooms = limits.events.next_power_of_two();
        Self {
            limits,
            rooms: Vec::new(),
            last_room: rooms - 1,
            next: 1,
            oldest: 1,
            needs: usize::MAX,
            newest: vec![0; 2 * rooms],
            early: 0,
        }
    }

    /// How many events with decisions were let go before their end was seen.
    pub(super) fn early(&self) -> usize {
        self.early
    }

    /// The identity of the event that was opened last; an empty one when it does not wait.
    pub(super) fn newest(&self) -> Key<'_> {
        if self.oldest == self.next {
            return Key::default();
        }
        self.rooms[self.room(self.next - 1)].key()
    }

    /// The place from which on text must be kept; none of it while no event waits.
    pub(super) fn needs(&self) -> usize {
        self.needs
    }

    /// Lets those events go whose first line stands too far before this place.
    pub(super) fn pass(&mut self, place: usize, kept: &Kept, out: &mut impl FnMut(Found)) {
        while place > self.needs.saturating_add(self.limits.bytes) {
            self.release(kept, EventEnd::Early, out);
        }
    }

    /// Finds an event, or opens one whose first line stands at `place`; gives its room.
    pub(super) fn event(
        &mut self,
        whose: Whose<'_>,
        place: usize,
        kept: &Kept,
        out: &mut impl FnMut(Found),
    ) -> usize {
        let key = match whose {
            Whose::Newest if self.oldest < self.next => return self.room(self.next - 1),
            Whose::Newest => Key::default(),
            Whose::Of(key) => key,
        };
        let digest = key.digest();
        self.find(key, digest)
            .unwrap_or_else(|| self.open(key, digest, place, kept, out))
    }

    /// Adds a companion to the event in this room.
    pub(super) fn companion(&mut self, room: usize, companion: Companion) {
        self.rooms[room].companions.push(companion);
    }

    /// Adds a decision to the event in this room.
    pub(super) fn decision(&mut self, room: usize, found: Found) {
        self.rooms[room].found.push(found);
    }

    /// Takes note that the last record of the event in this room was seen.
    pub(super) fn end(&mut self, room: usize) {
        self.rooms[room].ended = true;
    }

    /// Gives away all that still waits.
    pub(super) fn finish(&mut self, kept: &Kept, out: &mut impl FnMut(Found)) {
        while self.oldest < self.next {
            self.release(kept, EventEnd::TextOver, out);
        }
    }

    /// The room of the event with this number.
    fn room(&self, number: usize) -> usize {
        number & self.last_room
    }

    /// Where the number of the newest event with this digest stands.
    fn shelf(&self, digest: u64) -> usize {
        let last = self.newest.len() - 1;
        usize::try_from(digest >> 40).map_or(0, |digest| digest & last)
    }

    /// Finds the room of the event of this identity.
    fn find(&self, key: Key<'_>, digest: u64) -> Option<usize> {
        let mut number = self.newest[self.shelf(digest)];
        while number >= self.oldest {
            let event = &self.rooms[self.room(number)];
            if event.digest == digest && event.key() == key {
                return Some(self.room(number));
            }
            number = event.older;
        }
        None
    }

    /// Opens an event.
    fn open(
        &mut self,
        key: Key<'_>,
        digest: u64,
        place: usize,
        kept: &Kept,
        out: &mut impl FnMut(Found),
    ) -> usize {
        if self.next - self.oldest == self.limits.events {
            self.release(kept, EventEnd::Early, out);
        }
        let room = self.room(self.next);
        if self.rooms.len() <= room {
            self.rooms.resize_with(room + 1, Event::default);
        }
        let shelf = self.shelf(digest);
        let event = &mut self.rooms[room];
        event.node = key.node.map(str::to_owned);
        event.id.clear();
        event.id.push_str(key.id);
        event.digest = digest;
        event.older = std::mem::replace(&mut self.newest[shelf], self.next);
        event.place = place;
        event.ended = false;
        self.next += 1;
        self.needs = self.needs.min(place);
        room
    }

    /// Lets the oldest event go.
    fn release(&mut self, kept: &Kept, end: EventEnd, out: &mut impl FnMut(Found)) {
        let room = self.room(self.oldest);
        let event = &mut self.rooms[room];
        let early = end == EventEnd::Early && !event.ended && !event.found.is_empty();
        self.early += usize::from(early);
        event.release(kept, end, out);
        self.oldest += 1;
        let waits = self.oldest < self.next;
        self.needs = match self.rooms.get(self.room(self.oldest)) {
            Some(event) if waits => event.place,
            Some(_) | None => usize::MAX,
        };
    }
}
