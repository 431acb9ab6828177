//! The two ends of a window on the host, the markers in it, and the stretch of log between them.
//!
//! A window is bounded by two user records that carry a nonce. The log's position is noted before the
//! begin marker is written; at the end the log is read from there on, through a rotation if there was
//! one, once the end marker has reached it. Nothing sleeps for a fixed time and nothing is cleared.
//!
//! Where the end marker does not reach auditd's log, the journal or the kernel ring is read beside it,
//! in one more round trip.

use patchgate_core::{
    evidence::{
        capture::{LogPosition, LogSlice, LogSource, WindowBegin, WindowCapture, WindowEdge},
        marker::{MarkerEnd, edge_text},
        segment::Segment,
    },
    reading::Reading,
};

mod control;
mod edge;
mod log;
mod segment;
mod weak;

use self::{edge::Closing, weak::From};
pub use self::{
    edge::{look_item, open_item, read_edge},
    log::read_slice,
    segment::{read_segment, segment_item},
};
use crate::host::{Item, Reply};

/// Reads what [`look_item`] said, as a window that has a begin without a marker and no end.
#[must_use]
pub fn read_look(reply: &Reply) -> WindowCapture {
    const WHY: &str = "audit was only looked at, no window was opened";
    let mut open = Open::new("none", "look", reply);
    if let Reading::Known(edge) = &mut open.begin {
        edge.marker = Reading::missing(WHY);
        edge.marked = None;
        edge.control = None;
    }
    open.abandon(WHY)
}

/// An open window: what the begin said.
pub struct Open {
    /// Its id.
    pub id: String,
    /// Its nonce.
    pub nonce: String,
    /// Whether the host has SELinux.
    pub selinux: Reading<bool>,
    /// The state at the begin.
    pub begin: Reading<WindowEdge>,
    /// The segments that were begun in it.
    pub segments: Vec<Segment>,
    /// How often its checks were begun before, by controllers that broke off: markers have other numbers
    /// each time.
    pub looks: u32,
}

impl Open {
    /// Takes what the begin said.
    #[must_use]
    pub fn new(nonce: &str, id: &str, reply: &Reply) -> Self {
        let (begin, selinux) = read_edge(reply);
        Self {
            id: id.to_owned(),
            nonce: nonce.to_owned(),
            selinux,
            begin,
            segments: Vec::new(),
            looks: 0,
        }
    }

    /// Takes up a window that another controller opened, and in which it began the checks so often.
    #[must_use]
    pub fn again(opened: WindowBegin, looks: u32) -> Self {
        let WindowBegin {
            id,
            nonce,
            selinux,
            begin,
        } = opened;
        Self {
            id,
            nonce,
            selinux,
            begin,
            segments: Vec::new(),
            looks,
        }
    }

    /// All that closing it takes.
    #[must_use]
    pub fn opened(&self) -> WindowBegin {
        WindowBegin {
            id: self.id.clone(),
            nonce: self.nonce.clone(),
            selinux: self.selinux.clone(),
            begin: self.begin.clone(),
        }
    }

    /// Whether markers can be sent inside the window: one that cannot be sent costs and tells nothing.
    #[must_use]
    pub fn takes_markers(&self) -> bool {
        self.edge()
            .is_some_and(|edge| edge.marker.known().is_some())
    }

    /// What closes the window: its end, and the log from its begin on.
    #[must_use]
    pub fn close_items(&self) -> Vec<Item> {
        let closing = Closing {
            marker: self.text(MarkerEnd::End),
            log: self
                .position()
                .known()
                .map(|position| position.path.clone()),
            weak: self.edge().is_some_and(|edge| edge.weak.is_some()),
            control: control::name(&self.nonce),
        };
        let marker = self.takes_markers().then(|| self.text(MarkerEnd::Begin));
        vec![
            edge::close_item(&closing),
            log::slice_item(&self.position(), marker.as_deref()),
        ]
    }

    /// What brings another log, if the end marker did not reach auditd's: one more round trip.
    #[must_use]
    pub fn more_item(&self, replies: &[Reply]) -> Option<Item> {
        let arrived = replies.first().is_some_and(edge::arrived);
        (!arrived).then(|| weak::item(&self.from(), &self.text(MarkerEnd::End)))
    }

    /// Closes it with the replies to [`Self::close_items`], and to [`Self::more_item`] if that was asked.
    #[must_use]
    pub fn close(self, replies: &[Reply], more: Option<&Reply>) -> WindowCapture {
        let [end, slice] = replies else {
            return self.abandon("the window was not closed");
        };
        let (end, _) = read_edge(end);
        let mut first = read_slice(slice);
        let mut beside: Vec<LogSlice> = more.map(weak::read).into_iter().collect();
        if first.source == LogSource::None
            && let Some(stand_in) = beside.pop_if(|slice| slice.source != LogSource::None)
        {
            let trouble = first.trouble;
            first = LogSlice {
                trouble,
                ..stand_in
            };
        }
        self.capture(end, first, beside)
    }

    /// Closes it without an end: the host was lost.
    #[must_use]
    pub fn abandon(self, why: &str) -> WindowCapture {
        self.capture(Reading::missing(why), log::nothing(why), Vec::new())
    }

    fn edge(&self) -> Option<&WindowEdge> {
        self.begin.known()
    }

    fn text(&self, end: MarkerEnd) -> String {
        edge_text(&self.nonce, &self.id, end, self.looks)
    }

    /// Where the log stood at the begin.
    fn position(&self) -> Reading<LogPosition> {
        match &self.begin {
            Reading::Known(edge) => edge.log_position.clone(),
            Reading::Missing { why } => Reading::missing(why),
        }
    }

    /// Where other logs are read from.
    fn from(&self) -> From {
        let weak = self.edge().and_then(|edge| edge.weak.as_ref());
        let marked = self.edge().and_then(|edge| edge.marked.as_ref()?.known());
        From {
            cursor: weak.and_then(|w| w.journal_cursor.known().cloned()),
            marked: weak.is_some_and(|w| w.journal_marker.known().is_some()),
            uptime_s: marked.map(|span| span.from_ms / 1000),
            line: weak.and_then(|w| w.kernel_line.known().cloned()),
        }
    }

    fn capture(
        self,
        end: Reading<WindowEdge>,
        log: LogSlice,
        beside: Vec<LogSlice>,
    ) -> WindowCapture {
        let Self {
            id,
            nonce,
            selinux,
            begin,
            segments,
            looks,
        } = self;
        WindowCapture {
            id,
            nonce,
            selinux,
            begin,
            end,
            log,
            segments,
            beside,
            looks,
        }
    }
}
