//! Single values of a tree, typed: every mistake is reported, none of them final.

use std::{ops::RangeInclusive, time::Duration};

use super::{
    Problem, Sink, Span, list_of,
    node::{Entry, NO_VALUE, Node, Scalar, Value},
    quote,
    reader::{Reader, did_you_mean},
    scalar,
};
use crate::time::parse_duration;

/// One value of a map or a list, and its name for messages.
#[derive(Clone, Copy, Debug)]
pub struct Field<'n> {
    sink: &'n Sink<'n>,
    /// The key, or the key of the list that the value stands in.
    pub name: &'n str,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub node: &'n Node,
    is_item: bool,
}

impl<'n> Field<'n> {
    /// The value of one key.
    #[must_use]
    pub fn of_entry(sink: &'n Sink<'n>, entry: &'n Entry) -> Self {
        Self {
            sink,
            name: &entry.key.text,
            key_span: entry.key_span,
            node: &entry.value,
            is_item: false,
        }
    }

    /// A name that stands alone.
    #[must_use]
    pub fn without_value(sink: &'n Sink<'n>, name: &'n str, key_span: Span) -> Self {
        Self {
            sink,
            name,
            key_span,
            node: &NO_VALUE,
            is_item: false,
        }
    }

    /// Where mistakes go.
    #[must_use]
    pub fn sink(&self) -> &'n Sink<'n> {
        self.sink
    }

    /// Where the value stands; where there is none, where its key stands.
    #[must_use]
    pub fn span(&self) -> Span {
        if self.node.is_null() && !self.is_item {
            self.key_span
        } else {
            self.node.span
        }
    }

    /// The beginning of a message: `` `key` cannot be … ``, or hold it, where this is an item of a list.
    fn cannot_be(&self, found: &str) -> String {
        let verb = if self.is_item { "hold" } else { "be" };
        format!("`{}` cannot {verb} {found}", self.name)
    }

    /// Reports a mistake of this value.
    pub fn wrong(&self, message: impl Into<String>, expected: impl Into<String>) {
        self.sink
            .report(Problem::new(self.span(), message).expected(expected));
    }

    /// The value as one scalar.
    #[must_use]
    pub fn scalar(&self, expected: &str) -> Option<&'n Scalar> {
        match &self.node.value {
            Value::Scalar(scalar) if scalar.is_null() => {
                self.wrong(format!("`{}` has no value", self.name), expected);
                None
            }
            Value::Scalar(scalar) => Some(scalar),
            Value::Seq(_) | Value::Map(_) => {
                let message = self.cannot_be(self.node.kind());
                self.wrong(message, expected);
                None
            }
            Value::Later(problem) => {
                self.sink.report((**problem).clone());
                None
            }
            Value::Refused => None,
        }
    }

    /// The value as a text that is not empty.
    #[must_use]
    pub fn text(&self) -> Option<&'n str> {
        self.parsed("a text", |text| Some(text).filter(|t| !t.trim().is_empty()))
    }

    /// The value through a function that knows its form; `expected` says what it takes.
    #[must_use]
    pub fn parsed<T>(&self, expected: &str, parse: impl FnOnce(&'n str) -> Option<T>) -> Option<T> {
        self.checked(|text| parse(text).ok_or(""))
            .or_else_report(self, expected)
    }

    /// The value through a function that says why it refuses.
    #[must_use]
    pub fn tried<T, E: std::fmt::Display>(
        &self,
        expected: &str,
        parse: impl FnOnce(&'n str) -> Result<T, E>,
    ) -> Option<T> {
        self.checked(|text| parse(text).map_err(|e| e.to_string()))
            .or_else_report(self, expected)
    }

    fn checked<T, E>(&self, parse: impl FnOnce(&'n str) -> Result<T, E>) -> Checked<'n, T, E> {
        match &self.node.value {
            Value::Scalar(scalar) if !scalar.is_null() => match parse(&scalar.text) {
                Ok(value) => Checked::Good(value),
                Err(why) => Checked::Bad(&scalar.text, why),
            },
            Value::Scalar(_) | Value::Seq(_) | Value::Map(_) | Value::Refused | Value::Later(_) => {
                Checked::NoScalar
            }
        }
    }

    /// The value as one of a few words.
    #[must_use]
    pub fn one_of<T: Clone>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let text = &self.scalar(&list_of(&names))?.text;
        if let Some((_, value)) = words.iter().find(|(word, _)| word == text) {
            return Some(value.clone());
        }
        let message = self.cannot_be(&quote(text));
        let problem = Problem::new(self.span(), message).expected(list_of(&names));
        self.sink
            .report(problem.maybe_help(did_you_mean(text, &names)));
        None
    }

    /// The value as `true` or `false` and nothing else.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        const EXPECTED: &str = "`true` or `false`";
        let scalar = self.scalar(EXPECTED)?;
        match scalar.text.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            other => {
                let message = self.cannot_be(&quote(other));
                let meant = scalar::boolean_1_1(other).map(|b| format!("write `{b}`"));
                let problem = Problem::new(self.span(), message).expected(EXPECTED);
                self.sink.report(problem.maybe_help(meant));
                None
            }
        }
    }

    /// The value as a boolean in any of Ansible's words: `yes`, `on`, `True` and so on.
    #[must_use]
    pub fn boolean_1_1(&self) -> Option<bool> {
        self.parsed(
            "`true` or `false`, `yes` or `no`, `on` or `off`",
            scalar::boolean_1_1,
        )
    }

    /// The value as a whole number in some bounds; a leading zero is refused (YAML 1.1 reads base 8).
    #[must_use]
    pub fn integer(&self, bounds: RangeInclusive<u64>) -> Option<u64> {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        self.parsed(&expected, |text| {
            let zeros = text.len() > 1 && text.starts_with('0');
            let digits = text.chars().all(|c| c.is_ascii_digit()) && !zeros;
            let number: u64 = digits.then(|| text.parse().ok()).flatten()?;
            bounds.contains(&number).then_some(number)
        })
    }

    /// The value as a duration with a unit, in some bounds.
    #[must_use]
    pub fn duration(&self, bounds: RangeInclusive<Duration>) -> Option<Duration> {
        let (least, most) = (in_one_unit(*bounds.start()), in_one_unit(*bounds.end()));
        let expected = format!("a duration with a unit, from {least} to {most}, as `5s` or `2m`");
        self.parsed(&expected, |text| {
            parse_duration(text).filter(|d| bounds.contains(d))
        })
    }

    /// The value as a map of something, named with its article.
    #[must_use]
    pub fn map(&self, what: &'static str) -> Option<Reader<'n>> {
        if self.node.is_null() {
            self.wrong(
                format!("`{}` has no value", self.name),
                "a map, `key: value`",
            );
            return None;
        }
        Reader::new(self.sink, self.node, what)
    }

    /// The items of a list; a list that is left out, `~` or no list is reported and empty.
    #[must_use]
    pub fn list(&self) -> Vec<Self> {
        match &self.node.value {
            Value::Seq(items) => {
                let item = |node| Self {
                    node,
                    is_item: true,
                    ..*self
                };
                items.iter().map(item).collect()
            }
            Value::Later(problem) => {
                self.sink.report((**problem).clone());
                Vec::new()
            }
            Value::Refused => Vec::new(),
            Value::Scalar(_) | Value::Map(_) => {
                let found = if self.node.is_null() {
                    "nothing"
                } else {
                    self.node.kind()
                };
                let message = self.cannot_be(found);
                self.wrong(message, "a list, `[a, b]`");
                Vec::new()
            }
        }
    }

    /// The items of a list, or the one value where there is no list.
    #[must_use]
    pub fn list_or_one(&self) -> Vec<Self> {
        match &self.node.value {
            Value::Seq(_) => self.list(),
            Value::Scalar(_) | Value::Map(_) | Value::Refused | Value::Later(_) => vec![*self],
        }
    }

    /// Texts of a certain form, each once.
    #[must_use]
    pub fn texts(&self, expected: &str, is_good: impl Fn(&str) -> bool) -> Vec<String> {
        let mut good: Vec<String> = Vec::new();
        for item in self.list() {
            let Some(text) = item.parsed(expected, |t| is_good(t).then_some(t)) else {
                continue;
            };
            if good.iter().any(|g| g == text) {
                let message = format!("{} stands in `{}` twice", quote(text), self.name);
                self.sink.report(Problem::new(item.span(), message));
            } else {
                good.push(text.to_owned());
            }
        }
        good
    }
}

/// A bound as a file would give it: `100ms`, `5s`, `10m`, `24h`.
fn in_one_unit(bound: Duration) -> String {
    let ms = bound.as_millis();
    let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s")];
    let fit = units.into_iter().find(|(unit, _)| ms.is_multiple_of(*unit));
    fit.map_or_else(
        || format!("{ms}ms"),
        |(unit, name)| format!("{}{name}", ms / unit),
    )
}

/// What came of reading a scalar.
enum Checked<'n, T, E> {
    Good(T),
    Bad(&'n str, E),
    NoScalar,
}

impl<T, E: std::fmt::Display> Checked<'_, T, E> {
    fn or_else_report(self, field: &Field<'_>, expected: &str) -> Option<T> {
        let (text, why) = match self {
            Self::Good(value) => return Some(value),
            Self::Bad(text, why) => (text, why.to_string()),
            Self::NoScalar => {
                field.scalar(expected)?;
                return None;
            }
        };
        let mut message = match text {
            "" => field.cannot_be("empty"),
            text => field.cannot_be(&quote(text)),
        };
        if !why.is_empty() {
            message.push_str(": ");
            message.push_str(&why);
        }
        field.wrong(message, expected);
        None
    }
}
