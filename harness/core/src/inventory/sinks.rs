//! All texts of an inventory, and what is wrong with each.

use std::{cell::RefCell, collections::BTreeSet};

use crate::source::{Diagnostic, Diagnostics, Problem, Sink};

/// The sinks of all texts, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Sinks<'t> {
    all: Vec<Sink<'t>>,
    told: RefCell<BTreeSet<(usize, String)>>,
}

impl<'t> Sinks<'t> {
    /// The number that the next text gets.
    pub(super) fn next(&self) -> usize {
        self.all.len()
    }

    /// Keeps the sink of a text that has been read.
    pub(super) fn keep(&mut self, sink: Sink<'t>) {
        self.all.push(sink);
    }

    /// Reports a problem of one text.
    pub(super) fn report(&self, file: usize, problem: Problem) {
        if let Some(sink) = self.all.get(file) {
            sink.report(problem);
        }
    }

    /// Reports what is wrong with a value that many hosts may need.
    pub(super) fn report_once(&self, file: usize, problem: &Problem) {
        let key = (file, format!("{problem:?}"));
        if self.told.borrow_mut().insert(key) {
            self.report(file, problem.clone());
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.all.iter().all(Sink::is_clean)
    }

    /// Everything that is wrong, file by file, each mistake once.
    pub(super) fn finish(self) -> Diagnostics {
        let mut seen = BTreeSet::new();
        let mut all = Diagnostics::default();
        for sink in self.all {
            let found = sink.finish(Some(())).err().unwrap_or_default();
            let new =
                |d: &Diagnostic| seen.insert((d.file.clone(), d.span.start, d.message.clone()));
            all.extend(Diagnostics::of_one_file(
                found.into_iter().filter(new).collect(),
            ));
        }
        all
    }
}
