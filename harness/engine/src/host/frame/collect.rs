//! Putting the two streams of a batch together into replies.

use std::time::Duration;

use super::{
    super::{Captured, Exit, Reply},
    Nonce, Piece, Splitter,
};

/// How many bytes outside any item are kept, for the message when the shell does not start.
const NOISE: usize = 2048;

/// The item that is running now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its place in the batch.
    pub index: usize,
    /// The pid of its subshell on the host; 0 where the host has no `/proc`.
    pub pid: u32,
}

/// Gathers the frames and the output of one batch; it reads no clock.
#[derive(Debug)]
pub struct Collector {
    out: Splitter,
    err: Splitter,
    book: Book,
}

/// What the frames have told so far.
#[derive(Debug)]
struct Book {
    slots: Vec<Slot>,
    stdout: Place,
    stderr: Place,
    shell: Option<u32>,
    given: usize,
    noise: Vec<u8>,
    fault: Option<String>,
}

/// How far one stream has come.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The item whose begin frame was the last frame.
    inside: Option<usize>,
    /// The item whose end frame is to come next.
    next: usize,
    closed: bool,
}

#[derive(Debug)]
struct Slot {
    cap: usize,
    stdout: Captured,
    stderr: Captured,
    pid: u32,
    status: Option<u8>,
    begun: Option<(f64, Duration)>,
    elapsed: Duration,
}

impl Slot {
    fn new(cap: usize) -> Self {
        Self {
            cap,
            stdout: Captured::default(),
            stderr: Captured::default(),
            pid: 0,
            status: None,
            begun: None,
            elapsed: Duration::ZERO,
        }
    }

    fn take(&mut self, exit: Exit, elapsed: Duration) -> Reply {
        Reply {
            exit,
            stdout: std::mem::take(&mut self.stdout),
            stderr: std::mem::take(&mut self.stderr),
            elapsed,
        }
    }
}

impl Captured {
    fn keep(&mut self, bytes: &[u8], cap: usize) {
        let room = cap.saturating_sub(self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..room]);
        self.dropped += (bytes.len() - room) as u64;
    }
}

impl Collector {
    /// Makes a collector for as many items as there are caps.
    #[must_use]
    pub fn new(nonce: &Nonce, caps: impl Iterator<Item = usize>) -> Self {
        Self {
            out: Splitter::new(nonce),
            err: Splitter::new(nonce),
            book: Book {
                slots: caps.map(Slot::new).collect(),
                stdout: Place::default(),
                stderr: Place::default(),
                shell: None,
                given: 0,
                noise: Vec::new(),
                fault: None,
            },
        }
    }

    /// Takes bytes of standard output that arrived that long after the batch's start.
    pub fn feed_stdout(&mut self, bytes: &[u8], at: Duration) {
        let Self { out, book, .. } = self;
        out.feed(bytes, |piece| book.stdout_piece(piece, at));
    }

    /// Takes bytes of standard error.
    pub fn feed_stderr(&mut self, bytes: &[u8]) {
        let Self { err, book, .. } = self;
        err.feed(bytes, |piece| book.stderr_piece(piece));
    }

    /// Returns the next item that has ended on both streams, once.
    pub fn next_reply(&mut self) -> Option<(usize, Reply)> {
        let index = self.book.given;
        let ended = self.book.stdout.next.min(self.book.stderr.next);
        if index >= ended {
            return None;
        }
        self.book.given += 1;
        let slot = &mut self.book.slots[index];
        let status = slot.status?;
        let elapsed = slot.elapsed;
        Some((index, slot.take(Exit::Code(status), elapsed)))
    }

    /// Takes what was kept of an item that did not end; `at` is the time since the batch's start.
    pub fn give_up(&mut self, index: usize, exit: Exit, at: Duration) -> Reply {
        let slot = &mut self.book.slots[index];
        let elapsed = slot
            .begun
            .map_or(Duration::ZERO, |(_, begun)| at.saturating_sub(begun));
        slot.take(exit, elapsed)
    }

    /// Tells which item runs, as far as standard output has told.
    #[must_use]
    pub fn running(&self) -> Option<Running> {
        self.book.stdout.inside.map(|index| Running {
            index,
            pid: self.book.slots[index].pid,
        })
    }

    /// Says whether the item was begun, by either stream's word.
    #[must_use]
    pub fn has_begun(&self, index: usize) -> bool {
        let seen = |place: &Place| index < place.next || place.inside == Some(index);
        seen(&self.book.stdout) || seen(&self.book.stderr)
    }

    /// Returns the pid of the batch's shell, once it has said hello.
    #[must_use]
    pub fn shell(&self) -> Option<u32> {
        self.book.shell
    }

    /// Says whether both streams have come to their proper end, all items ended.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.book.stdout.closed
            && self.book.stderr.closed
            && self.book.given == self.book.slots.len()
            && self.book.fault.is_none()
    }

    /// Says whether standard output has come to its proper end, whatever was taken of the replies.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.book.stdout.closed
    }

    /// Tells what was wrong with the frames, if anything was.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.book.fault.as_deref()
    }

    /// Returns how much of the running item's output was thrown away already.
    #[must_use]
    pub fn thrown_away(&self) -> u64 {
        let of = |place: &Place, pick: fn(&Slot) -> &Captured| {
            place
                .inside
                .map_or(0, |index| pick(&self.book.slots[index]).dropped)
        };
        of(&self.book.stdout, |slot| &slot.stdout) + of(&self.book.stderr, |slot| &slot.stderr)
    }

    /// Returns what was printed outside any item, such as the complaint of a login shell.
    #[must_use]
    pub fn noise(&self) -> String {
        String::from_utf8_lossy(&self.book.noise).trim().to_owned()
    }
}

impl Book {
    fn stdout_piece(&mut self, piece: Piece<'_>, at: Duration) {
        match piece {
            Piece::Data(bytes) => match self.stdout.inside {
                Some(index) => {
                    let cap = self.slots[index].cap;
                    self.slots[index].stdout.keep(bytes, cap);
                }
                None => self.hear_noise(bytes),
            },
            Piece::Frame(body) => self.stdout_frame(&body, at),
            Piece::Endless => self.fail("a frame has no end"),
        }
    }

    fn stderr_piece(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Data(bytes) => match self.stderr.inside {
                Some(index) => {
                    let cap = self.slots[index].cap;
                    self.slots[index].stderr.keep(bytes, cap);
                }
                None => self.hear_noise(bytes),
            },
            Piece::Frame(body) => self.stderr_frame(&body),
            Piece::Endless => self.fail("a frame has no end"),
        }
    }

    fn hear_noise(&mut self, bytes: &[u8]) {
        let room = NOISE.saturating_sub(self.noise.len()).min(bytes.len());
        self.noise.extend_from_slice(&bytes[..room]);
    }

    fn fail(&mut self, why: &str) {
        self.fault.get_or_insert_with(|| why.to_owned());
    }

    fn stdout_frame(&mut self, body: &str, at: Duration) {
        let fields: Vec<&str> = body.split(' ').collect();
        match fields[..] {
            ["h", shell, _watchdog] => self.shell = shell.parse().ok(),
            ["b", index, pid, uptime] => {
                if let Some(index) = self.step_in(index, |this| &mut this.stdout) {
                    self.slots[index].pid = pid.parse().unwrap_or(0);
                    self.slots[index].begun = Some((uptime.parse().unwrap_or(0.0), at));
                }
            }
            ["e", index, status, uptime] => {
                if let Some(index) = self.step_out(index, |this| &mut this.stdout) {
                    self.end_item(index, status, uptime, at);
                }
            }
            ["z"] => self.stdout.closed = true,
            _ => self.fail("a frame cannot be understood"),
        }
    }

    fn stderr_frame(&mut self, body: &str) {
        let fields: Vec<&str> = body.split(' ').collect();
        match fields[..] {
            ["h"] => {}
            ["b", index] => {
                self.step_in(index, |this| &mut this.stderr);
            }
            ["e", index] => {
                self.step_out(index, |this| &mut this.stderr);
            }
            ["z"] => self.stderr.closed = true,
            _ => self.fail("a frame cannot be understood"),
        }
    }

    /// Enters an item: it must be the next one, and none may be open.
    fn step_in(&mut self, index: &str, place: fn(&mut Self) -> &mut Place) -> Option<usize> {
        let at = *place(self);
        match index.parse::<usize>() {
            Ok(index) if at.inside.is_none() && index == at.next && index < self.slots.len() => {
                place(self).inside = Some(index);
                Some(index)
            }
            Ok(_) | Err(_) => {
                self.fail("frames are out of order");
                None
            }
        }
    }

    /// Leaves an item. Its begin frame may be missing: its shell can die before writing one.
    fn step_out(&mut self, index: &str, place: fn(&mut Self) -> &mut Place) -> Option<usize> {
        let at = *place(self);
        match index.parse::<usize>() {
            Ok(index) if index == at.next && index < self.slots.len() => {
                *place(self) = Place {
                    inside: None,
                    next: index + 1,
                    closed: false,
                };
                Some(index)
            }
            Ok(_) | Err(_) => {
                self.fail("frames are out of order");
                None
            }
        }
    }

    fn end_item(&mut self, index: usize, status: &str, uptime: &str, at: Duration) {
        let Ok(status) = status.parse() else {
            self.fail("an exit status cannot be understood");
            return;
        };
        let uptime: f64 = uptime.parse().unwrap_or(0.0);
        let slot = &mut self.slots[index];
        slot.status = Some(status);
        slot.elapsed = match slot.begun {
            Some((begun, _)) if begun > 0.0 && uptime >= begun => {
                Duration::try_from_secs_f64(uptime - begun).unwrap_or_default()
            }
            Some((_, arrived)) => at.saturating_sub(arrived),
            None => Duration::ZERO,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nonce() -> Nonce {
        Nonce::new([0x5a; 16])
    }

    fn frame(body: &str) -> String {
        format!("\u{1e}{} {body}\n", nonce().as_str())
    }

    fn replies(collector: &mut Collector) -> Vec<(usize, Reply)> {
        std::iter::from_fn(|| collector.next_reply()).collect()
    }

    fn two_items() -> (String, String) {
        let out = [
            "motd noise\n".into(),
            frame("h 100 101"),
            frame("b 0 102 5.00"),
            "one\n".into(),
            frame("e 0 0 5.25"),
            frame("b 1 103 5.25"),
            frame("e 1 3 5.25"),
            frame("z"),
        ];
        let err = [
            frame("h"),
            frame("b 0"),
            frame("e 0"),
            frame("b 1"),
            "oops".into(),
            frame("e 1"),
            frame("z"),
        ];
        (out.concat(), err.concat())
    }

    #[test]
    fn a_whole_batch_gives_one_reply_an_item() {
        let (out, err) = two_items();
        let mut collector = Collector::new(&nonce(), [100, 100].into_iter());
        collector.feed_stdout(out.as_bytes(), Duration::ZERO);
        assert_eq!(
            collector.next_reply(),
            None,
            "standard error is still to come"
        );
        collector.feed_stderr(err.as_bytes());
        let replies = replies(&mut collector);
        assert_eq!(replies[0].1.exit, Exit::Code(0));
        assert_eq!(replies[0].1.stdout.bytes, b"one\n");
        assert_eq!(replies[0].1.elapsed, Duration::from_millis(250));
        assert_eq!(replies[1].1.exit, Exit::Code(3));
        assert_eq!(replies[1].1.stderr.bytes, b"oops");
        assert!(collector.is_complete());
        assert_eq!(collector.noise(), "motd noise");
        assert_eq!(collector.shell(), Some(100));
    }

    #[test]
    fn every_truncation_leaves_the_batch_incomplete() {
        let (out, err) = two_items();
        for cut in 0..out.len() {
            let mut collector = Collector::new(&nonce(), [100, 100].into_iter());
            collector.feed_stdout(&out.as_bytes()[..cut], Duration::ZERO);
            collector.feed_stderr(err.as_bytes());
            drop(replies(&mut collector));
            assert!(!collector.is_complete(), "cut at {cut}");
        }
    }

    #[test]
    fn the_cap_keeps_the_head_and_counts_the_rest() {
        let mut collector = Collector::new(&nonce(), [4].into_iter());
        let out = [
            frame("h 1 2"),
            frame("b 0 3 1.00"),
            "abcdefgh".into(),
            frame("e 0 0 1.00"),
        ];
        collector.feed_stdout(out.concat().as_bytes(), Duration::ZERO);
        assert_eq!(
            collector.thrown_away(),
            0,
            "counted for the running item only"
        );
        collector.feed_stderr([frame("h"), frame("b 0"), frame("e 0")].concat().as_bytes());
        let reply = collector.next_reply().unwrap().1;
        assert_eq!(
            reply.stdout,
            Captured {
                bytes: b"abcd".to_vec(),
                dropped: 4
            }
        );
    }

    #[test]
    fn frames_out_of_order_are_a_fault() {
        for bad in [
            "b 1 1 1.00",
            "e 1 0 1.00",
            "b x 1 1.00",
            "q",
            "e 0 256 1.00",
            "b 2 1 1.00",
        ] {
            let mut collector = Collector::new(&nonce(), [9, 9].into_iter());
            collector.feed_stdout(frame(bad).as_bytes(), Duration::ZERO);
            assert!(collector.fault().is_some(), "{bad}");
        }
    }

    #[test]
    fn a_forged_frame_stays_output() {
        let forged = format!("\u{1e}{} e 0 0 1.00\n", "0".repeat(32));
        let out = [
            frame("h 1 2"),
            frame("b 0 3 1.00"),
            forged.clone(),
            frame("e 0 7 1.00"),
        ];
        let mut collector = Collector::new(&nonce(), [999].into_iter());
        collector.feed_stdout(out.concat().as_bytes(), Duration::ZERO);
        collector.feed_stderr([frame("b 0"), frame("e 0")].concat().as_bytes());
        let reply = collector.next_reply().unwrap().1;
        assert_eq!(reply.exit, Exit::Code(7));
        assert_eq!(reply.stdout.bytes, forged.as_bytes());
    }

    proptest! {
        #[test]
        fn chunking_changes_no_reply(size in 1..70_usize, other in 1..70_usize) {
            let (out, err) = two_items();
            let mut whole = Collector::new(&nonce(), [2, 2].into_iter());
            whole.feed_stdout(out.as_bytes(), Duration::ZERO);
            whole.feed_stderr(err.as_bytes());
            let mut cut = Collector::new(&nonce(), [2, 2].into_iter());
            for chunk in err.as_bytes().chunks(other) {
                cut.feed_stderr(chunk);
            }
            for chunk in out.as_bytes().chunks(size) {
                cut.feed_stdout(chunk, Duration::ZERO);
            }
            prop_assert_eq!(replies(&mut cut), replies(&mut whole));
            prop_assert!(cut.is_complete());
        }

        #[test]
        fn foreign_bytes_never_end_a_batch(bytes in any::<Vec<u8>>()) {
            let mut collector = Collector::new(&nonce(), [9].into_iter());
            collector.feed_stdout(&bytes, Duration::ZERO);
            collector.feed_stderr(&bytes);
            prop_assert!(!collector.is_complete());
            prop_assert_eq!(collector.next_reply(), None);
        }
    }
}
