//! The positive control of a window: the denials that patchgate itself provoked at its ends.

use super::Window;
use crate::evidence::{
    capture::{Reading, WindowCapture},
    control::Control,
    coverage::{Gap, Note},
    denial::Decision,
    marker::MarkerEnd,
};

/// The control at one end.
#[derive(Debug)]
struct AtEnd<'a> {
    end: MarkerEnd,
    control: &'a Reading<Control>,
    seen: bool,
}

/// The controls of a window.
#[derive(Debug)]
pub(super) struct Controls<'a> {
    ends: Vec<AtEnd<'a>>,
    /// How many there may be of controllers that broke off at its end, and whose answer nobody heard.
    unheard: u32,
}

impl<'a> Controls<'a> {
    /// The controls that the ends tell of; none in records that are older than the control.
    pub(super) fn of(capture: &'a WindowCapture) -> Self {
        let ends = [
            (MarkerEnd::Begin, &capture.begin),
            (MarkerEnd::End, &capture.end),
        ];
        let controls = ends.into_iter().filter_map(|(end, edge)| {
            let control = edge.known()?.control.as_ref()?;
            Some(AtEnd {
                end,
                control,
                seen: false,
            })
        });
        Self {
            ends: controls.collect(),
            unheard: capture.looks,
        }
    }

    /// Takes a decision that is one of the controls; all others are the host's own.
    pub(super) fn take(&mut self, decision: &Decision) -> bool {
        let forced = self.ends.iter_mut().find(|at| match at.control {
            Reading::Known(Control::Refused(denial)) => denial.is(decision),
            Reading::Known(Control::Impossible { .. }) | Reading::Missing { .. } => false,
        });
        forced.map(|at| at.seen = true).is_some() || self.take_unheard(decision)
    }

    /// Takes a decision that only its process tells apart from one of the controls.
    fn take_unheard(&mut self, decision: &Decision) -> bool {
        let alike = self.ends.iter().any(|at| match at.control {
            Reading::Known(Control::Refused(denial)) => denial.is_like(decision),
            Reading::Known(Control::Impossible { .. }) | Reading::Missing { .. } => false,
        });
        let taken = alike && self.unheard > 0;
        self.unheard -= u32::from(taken);
        taken
    }

    /// What the controls show to be missing. At an end whose own marker is not in the log, a denial
    /// that is not there either shows nothing more.
    pub(super) fn gaps(&self, window: &Window) -> impl Iterator<Item = Gap> {
        let marked = |end| match end {
            MarkerEnd::Begin => !window.begins.is_empty(),
            MarkerEnd::End => !window.ends.is_empty(),
        };
        self.ends.iter().filter_map(move |at| match at.control {
            Reading::Known(Control::Refused(_)) => {
                let missed = !at.seen && marked(at.end);
                missed.then_some(Gap::ControlNotSeen { end: at.end })
            }
            Reading::Known(Control::Impossible { .. }) => None,
            Reading::Missing { why } => Some(Gap::ControlUnknown {
                end: at.end,
                why: why.clone(),
            }),
        })
    }

    /// What could not be controlled: of two ends with the same reason the first.
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut whys: Vec<&str> = Vec::new();
        let mut notes = Vec::new();
        for at in &self.ends {
            match at.control {
                Reading::Known(Control::Impossible { why }) if !whys.contains(&why.as_str()) => {
                    whys.push(why);
                    notes.push(Note::ControlImpossible {
                        end: at.end,
                        why: why.clone(),
                    });
                }
                Reading::Known(Control::Impossible { .. } | Control::Refused(_))
                | Reading::Missing { .. } => {}
            }
        }
        notes
    }
}
