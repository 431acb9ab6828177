//! What goes wrong between controller and host.

/// How a connection is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connecting {
    /// It stands.
    #[default]
    Fine,
    /// Nothing listens.
    Refused,
    /// The host's key is another than the pinned one.
    KeyChanged,
}

/// Whether a host that broke off is to be had again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comeback {
    /// At once.
    AtOnce,
    /// After this many refused connections.
    After(u32),
    /// Never again.
    Never,
    /// With another host key.
    WithAnotherKey,
}

/// A connection that breaks in the middle of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The batch's label.
    pub label: &'static str,
    /// Which batch of this label, from 1; 0 is every one.
    pub nth: usize,
    /// The item at which it breaks; those before it are answered. None: before any item was begun.
    pub item: Option<usize>,
    /// Whether that item was carried out all the same.
    pub carried_out: bool,
    /// What comes after.
    pub comeback: Comeback,
}

impl Break {
    /// Breaks before the first batch of this label begins, never to come back.
    #[must_use]
    pub fn before(label: &'static str) -> Self {
        Self {
            label,
            nth: 1,
            item: None,
            carried_out: false,
            comeback: Comeback::Never,
        }
    }

    /// Breaks at an item instead.
    #[must_use]
    pub fn at(self, item: usize) -> Self {
        Self {
            item: Some(item),
            ..self
        }
    }

    /// The item is carried out, only its reply is lost.
    #[must_use]
    pub fn carried_out(self) -> Self {
        Self {
            carried_out: true,
            ..self
        }
    }

    /// Another than the first batch of its label.
    #[must_use]
    pub fn nth(self, nth: usize) -> Self {
        Self { nth, ..self }
    }

    /// What comes after.
    #[must_use]
    pub fn then(self, comeback: Comeback) -> Self {
        Self { comeback, ..self }
    }
}
