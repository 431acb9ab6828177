//! What is known of a host's reboot.

use super::At;
use crate::{
    event::{Event, What},
    reboot::{RebootEnd, RebootSigns},
};

/// What the record holds of a host's reboot; it belongs to no state, for the host may have stayed in the one
/// that it was in.
#[derive(Clone, Debug, Default)]
pub struct RebootLedger {
    /// What the host said of itself before.
    pub signs: Option<At<RebootSigns>>,
    /// The boot that was to end, once the order was about to be given.
    pub started: Option<At<String>>,
    /// When that was, by the controller's clock.
    pub ordered: Option<jiff::Timestamp>,
    /// How it ended.
    pub end: Option<At<RebootEnd>>,
}

impl RebootLedger {
    /// Whether the host did not come back.
    #[must_use]
    pub fn is_away(&self) -> bool {
        let end = self.end.as_ref().map(|e| &e.value);
        matches!(end, Some(RebootEnd::NotBack { .. }))
    }

    /// Takes an event; whether it was about the reboot.
    pub(super) fn take(&mut self, event: &Event) -> bool {
        let Event { seq, at, what, .. } = event;
        let seq = *seq;
        if let What::RebootConsidered { signs } = what {
            let value = (**signs).clone();
            self.signs = Some(At { seq, value });
        } else if let What::RebootStarted { boot_id } = what {
            let value = boot_id.clone();
            self.started = Some(At { seq, value });
            self.ordered = Some(*at);
        } else if let What::RebootEnded { end, .. } = what {
            let value = end.clone();
            self.end = Some(At { seq, value });
        } else {
            return false;
        }
        true
    }

    /// Whether it was ordered, and the host's part neither went on nor came to an end since.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        let open = match self.end.as_ref().map(|e| &e.value) {
            None | Some(RebootEnd::NotBack { .. }) => true,
            Some(
                RebootEnd::CameBack { .. } | RebootEnd::Stayed { .. } | RebootEnd::Refused { .. },
            ) => false,
        };
        self.started.is_some() && open
    }
}
