//! Values of variables, where each was given, and why one cannot be used.

use super::sinks::Sinks;
use crate::source::{Problem, Span};

/// A place in one of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    /// The number of the text.
    pub(super) file: usize,
    pub(super) span: Span,
}

/// What a place gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Worth<T> {
    Good(T),
    /// It cannot be used; that is told only of a host that needs it.
    Untold(Box<Problem>),
    /// It cannot be used, and that has been told.
    Told,
}

/// A value and the place where a file gives it.
#[derive(Clone, Debug)]
pub(super) struct Given<T> {
    pub(super) worth: Worth<T>,
    pub(super) at: At,
}

impl<T> Given<T> {
    /// The value, where it can be used; where it cannot, that is told.
    pub(super) fn need(&self, sinks: &Sinks<'_>) -> Option<&T> {
        match &self.worth {
            Worth::Good(value) => Some(value),
            Worth::Untold(problem) => {
                sinks.report_once(self.at.file, problem);
                None
            }
            Worth::Told => None,
        }
    }

    /// The value, where it can be used.
    pub(super) fn good(&self) -> Option<&T> {
        match &self.worth {
            Worth::Good(value) => Some(value),
            Worth::Untold(_) | Worth::Told => None,
        }
    }
}

/// A variable that Ansible knows under a new and an old name, which nothing forbids to differ.
#[derive(Clone, Debug)]
pub(super) struct Spelled<T> {
    new: Option<Given<T>>,
    old: Option<Given<T>>,
}

impl<T> Default for Spelled<T> {
    fn default() -> Self {
        Self {
            new: None,
            old: None,
        }
    }
}

impl<T: Clone + PartialEq> Spelled<T> {
    pub(super) fn set(&mut self, is_new: bool, found: Option<Given<T>>) {
        let slot = if is_new { &mut self.new } else { &mut self.old };
        *slot = found.or(slot.take());
    }

    /// Takes from others what is not given here.
    pub(super) fn fill_from(&mut self, below: &Self) {
        fill(&mut self.new, below.new.as_ref());
        fill(&mut self.old, below.old.as_ref());
    }

    /// The one value; two that differ are reported where the old name stands.
    pub(super) fn settle(&self, sinks: &Sinks<'_>, new: &str, old: &str) -> Option<&T> {
        if let (Some(a), Some(b)) = (&self.new, &self.old)
            && a.worth != b.worth
        {
            let message = format!("`{old}` and `{new}` say different things of one host");
            let problem = Problem::new(b.at.span, message).help(format!("use `{new}` alone"));
            sinks.report(b.at.file, problem);
        }
        self.new.as_ref().or(self.old.as_ref())?.need(sinks)
    }

    /// Whether it is given under either name.
    pub(super) fn is_given(&self) -> bool {
        self.new.is_some() || self.old.is_some()
    }
}

/// Takes a value where none is there.
pub(super) fn fill<T: Clone>(slot: &mut Option<Given<T>>, below: Option<&Given<T>>) {
    if slot.is_none() {
        *slot = below.cloned();
    }
}
