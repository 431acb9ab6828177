//! Maps of a tree, key by key: every mistake is reported, none of them final.

use std::cell::RefCell;

pub use super::field::Field;
use super::{
    Problem, Sink, Span, closest, list_of,
    node::{Entry, Node, Value},
    quote,
};

/// A map that is being read: which keys it may have, and which of them were asked for.
#[derive(Debug)]
pub struct Reader<'n> {
    sink: &'n Sink<'n>,
    what: &'static str,
    span: Span,
    entries: &'n [Entry],
    asked: RefCell<Vec<&'static str>>,
    planned: RefCell<Vec<&'static str>>,
}

impl<'n> Reader<'n> {
    /// Begins to read a node as the map of something, named with its article (`a check`).
    #[must_use]
    pub fn new(sink: &'n Sink<'n>, node: &'n Node, what: &'static str) -> Option<Self> {
        let entries: &'n [Entry] = match &node.value {
            Value::Map(entries) => entries,
            Value::Refused => return None,
            Value::Later(problem) => {
                sink.report((**problem).clone());
                return None;
            }
            Value::Scalar(_) | Value::Seq(_) => {
                let found = if node.is_null() {
                    "nothing"
                } else {
                    node.kind()
                };
                let problem = Problem::new(node.span, format!("{what} cannot be {found}"));
                sink.report(problem.expected("a map, `key: value`"));
                return None;
            }
        };
        Some(Self {
            sink,
            what,
            span: entries.first().map_or(node.span, |e| e.key_span),
            entries,
            asked: RefCell::default(),
            planned: RefCell::default(),
        })
    }

    /// Where the map begins, for what is wrong with it as a whole.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Where mistakes go.
    #[must_use]
    pub fn sink(&self) -> &'n Sink<'n> {
        self.sink
    }

    /// The value of a key that may be left out.
    #[must_use]
    pub fn optional(&self, key: &'static str) -> Option<Field<'n>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        let entry = self.entries.iter().find(|e| e.key.text == key)?;
        Some(Field::of_entry(self.sink, entry))
    }

    /// The value of a key that must be there.
    #[must_use]
    pub fn required(&self, key: &'static str) -> Option<Field<'n>> {
        let found = self.optional(key);
        if found.is_none() {
            let message = format!("{} needs the key `{key}`", self.what);
            self.sink.report(Problem::new(self.span, message));
        }
        found
    }

    /// What a function reads from a key, or a default where the key is left out.
    pub fn or_default<T>(
        &self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&Field<'n>) -> Option<T>,
    ) -> Option<T> {
        self.optional(key)
            .map_or(Some(default), |field| read(&field))
    }

    /// Whether a key is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|e| e.key.text == key)
    }

    /// Names keys of the format that this version cannot act upon, and reports those that are there;
    /// whether there was one.
    pub fn not_built(&self, keys: &[&'static str]) -> bool {
        self.planned.borrow_mut().extend(keys);
        let is_planned = |e: &&Entry| keys.contains(&e.key.text.as_str());
        let found: Vec<&Entry> = self.entries.iter().filter(is_planned).collect();
        for entry in &found {
            self.sink.report(not_built(entry.key_span, &entry.key.text));
        }
        !found.is_empty()
    }

    /// The keys that nobody has asked for so far, with their values.
    #[must_use]
    pub fn unasked(&self) -> Vec<Field<'n>> {
        let asked = self.asked.borrow();
        let planned = self.planned.borrow();
        self.entries
            .iter()
            .filter(|e| !asked.contains(&e.key.text.as_str()))
            .filter(|e| !planned.contains(&e.key.text.as_str()))
            .map(|e| Field::of_entry(self.sink, e))
            .collect()
    }

    /// Ends the reading: every key that nobody asked for is a mistake.
    pub fn finish(self) {
        let valid = self.asked.borrow().clone();
        let mut near = valid.clone();
        near.extend(self.planned.borrow().iter());
        for field in self.unasked() {
            let message = format!("{} is not a key of {}", quote(field.name), self.what);
            let problem = Problem::new(field.key_span, message).expected(list_of(&valid));
            self.sink
                .report(problem.maybe_help(did_you_mean(field.name, &near)));
        }
    }
}

/// The sentence for a name that is nearly a valid one.
#[must_use]
pub fn did_you_mean<S: AsRef<str>>(written: &str, names: &[S]) -> Option<String> {
    closest(written, names).map(|name| format!("did you mean `{name}`?"))
}

/// The problem of something that the format knows and this version does not.
pub fn not_built(span: Span, name: &str) -> Problem {
    Problem::new(
        span,
        format!("{} is known but not built in this version", quote(name)),
    )
}
