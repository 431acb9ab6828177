//! Where a parser puts what is wrong, so that it can go on.

use std::cell::RefCell;

use super::{Diagnostic, Diagnostics, Source, Span};

/// How many mistakes of one file are told.
pub const MAX_FOUND: usize = 500;

/// One mistake, before the file and the line are known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a problem is nothing until it is reported"]
pub struct Problem {
    span: Span,
    message: String,
    expected: Option<String>,
    help: Option<String>,
    secret: bool,
}

impl Problem {
    /// Says what is wrong with a stretch of the text.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            expected: None,
            help: None,
            secret: false,
        }
    }

    /// Says what would have been right.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Says what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do about it, where there is something to say.
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Marks the lines of the span as not to be shown.
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// A text under examination, and what has been found wrong with it so far.
#[derive(Debug)]
pub struct Sink<'t> {
    source: Source<'t>,
    found: RefCell<Vec<Diagnostic>>,
}

impl<'t> Sink<'t> {
    /// Begins with a text and nothing wrong.
    #[must_use]
    pub fn new(file: &'t str, text: &'t str) -> Self {
        Self {
            source: Source::new(file, text),
            found: RefCell::default(),
        }
    }

    /// The text.
    #[must_use]
    pub fn source(&self) -> &Source<'t> {
        &self.source
    }

    /// Keeps one mistake, up to [`MAX_FOUND`] of them.
    pub fn report(&self, problem: Problem) {
        let n_found = self.found.borrow().len();
        if n_found < MAX_FOUND {
            self.keep(problem);
        } else if n_found == MAX_FOUND {
            let end = self.source.text().len();
            let span = Span { start: end, end };
            let message = format!("this file has more mistakes than the {MAX_FOUND} told here");
            self.keep(Problem::new(span, message));
        }
    }

    fn keep(&self, problem: Problem) {
        let start = self.source.floor(problem.span.start);
        let end = self.source.floor(problem.span.end.max(start));
        let (line, column) = self.source.position(start);
        self.found.borrow_mut().push(Diagnostic {
            file: self.source.file().to_owned(),
            line,
            column,
            span: start..end,
            message: problem.message,
            expected: problem.expected,
            help: problem.help,
            secret: problem.secret,
        });
    }

    /// Whether nothing has been found wrong so far.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// Whether a mistake has been found whose message is as asked.
    #[must_use]
    pub fn found_any(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.found.borrow().iter().any(|d| is_it(&d.message))
    }

    /// Ends the examination.
    ///
    /// # Errors
    /// All mistakes, where there is one. A value that could not be built without anyone having said why
    /// is reported too, at the beginning of the text.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Diagnostics> {
        if value.is_none() && self.is_clean() {
            self.report(Problem::new(
                Span::default(),
                "this file cannot be understood",
            ));
        }
        let found = self.found.into_inner();
        match value {
            Some(value) if found.is_empty() => Ok(value),
            Some(_) | None => Err(Diagnostics::of_one_file(found)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_only_when_nothing_is_wrong() {
        assert_eq!(Sink::new("f", "x").finish(Some(1)), Ok(1));
        assert_eq!(Sink::new("f", "x").finish::<u8>(None).unwrap_err().len(), 1);
        let sink = Sink::new("f", "x");
        sink.report(Problem::new(Span { start: 0, end: 1 }, "no"));
        assert_eq!(sink.finish(Some(1)).unwrap_err().len(), 1);
    }

    #[test]
    fn a_span_behind_the_text_is_moved_into_it() {
        let sink = Sink::new("f", "né");
        sink.report(Problem::new(Span { start: 2, end: 77 }, "no"));
        let found = sink.finish::<()>(None).unwrap_err();
        let only = found.iter().next().unwrap();
        assert_eq!((only.line, only.column, only.span.clone()), (1, 2, 1..3));
    }
}
