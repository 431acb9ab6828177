//! What bounds the memory that reading audit text takes, however the text looks.

/// Bounds on what a reader holds at one time.
///
/// A text that needs more is read all the same; what was cut or let go early is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest line, in bytes, that is read as one; a longer one is read in pieces.
    pub line: usize,
    /// How many events may wait for further records; the oldest is let go first.
    pub events: usize,
    /// How many bytes behind an event's first line its other records may begin.
    pub bytes: usize,
}

impl Limits {
    /// The bounds that patchgate uses.
    ///
    /// - `line`: 64 KiB. No record of the kernel has more than 8,970 bytes
    ///   (`MAX_AUDIT_MESSAGE_LENGTH` of libaudit), auditd adds names of one or two KiB, and a line
    ///   of the journal ends at 48 KiB (`LineMax=`).
    /// - `events`: 256, one for each processor of a large host: each is in one event at a time,
    ///   and writes its records in one go. In 27,000 events of public logs, none had records with
    ///   more than 7 other events between them.
    /// - `bytes`: 512 KiB, 2 KiB for each of those events: a denial with its `SYSCALL`, `CWD`, two
    ///   `PATH` and `PROCTITLE` records, enriched. In the same logs the farthest were 8 KiB apart.
    ///
    /// A stream then holds 2 MiB of text at most, and the decisions in 512 KiB of it.
    pub const STANDARD: Self = Self {
        line: 64 << 10,
        events: 256,
        bytes: 512 << 10,
    };

    /// The same with each bound at least as high as it must be for reading to go on.
    pub(super) fn sane(self) -> Self {
        Self {
            line: self.line.max(8),
            events: self.events.max(1),
            bytes: self.bytes,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::STANDARD
    }
}
