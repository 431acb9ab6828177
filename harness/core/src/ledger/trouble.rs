//! What goes wrong between us and a host.

use crate::event::What;

/// What went wrong between us and a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection could be had.
    Unreachable(String),
    /// The connection was lost for good.
    Lost(String),
    /// A security stop.
    Security(String),
    /// Another controller holds the host.
    Locked(String),
    /// An earlier run left the host dirty.
    Dirty(String),
    /// patchgate itself broke down.
    Bug(String),
}

impl Trouble {
    /// The trouble in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Unreachable(why) => format!("host unreachable: {why}"),
            Self::Lost(why) => format!("connection lost: {why}"),
            Self::Security(why) => format!("security stop: {why}"),
            Self::Locked(holder) => format!("host locked: {holder}"),
            Self::Dirty(mark) => format!("host dirty: {mark}"),
            Self::Bug(why) => format!("patchgate broke down, which is a bug: {why}"),
        }
    }
}

/// The trouble that an event tells of.
pub(super) fn trouble_of(what: &What) -> Option<Trouble> {
    if let What::HostUnreachable { stage, why } = what {
        return Some(Trouble::Unreachable(format!("{stage}: {why}")));
    }
    if let What::HostLost { doing, why } = what {
        return Some(Trouble::Lost(format!("while {doing}: {why}")));
    }
    if let What::SecurityStopped { why } = what {
        return Some(Trouble::Security(why.clone()));
    }
    if let What::HostLocked { holder } = what {
        return Some(Trouble::Locked(holder.clone()));
    }
    if let What::HostDirty { mark } = what {
        return Some(Trouble::Dirty(mark.told()));
    }
    if let What::BrokeDown { why } = what {
        return Some(Trouble::Bug(why.clone()));
    }
    None
}
