//! The tree of a YAML text: every node with its place, every scalar as it was written.

use super::{Problem, Span, scalar};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// The node of a name that has no value.
pub(super) static NO_VALUE: Node = Node {
    span: Span { start: 0, end: 0 },
    value: Value::Scalar(Scalar {
        text: String::new(),
        plain: true,
    }),
};

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// One word or text.
    Scalar(Scalar),
    /// A list.
    Seq(Vec<Node>),
    /// A map, in the order of the file, each key once.
    Map(Vec<Entry>),
    /// Something that was refused and reported already; nobody need report it again.
    Refused,
    /// Something that is refused only where it is needed: whoever needs it reports it.
    Later(Box<Problem>),
}

/// A scalar as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The text, quotes and folding resolved: `6.10` stays `6.10`.
    pub text: String,
    /// Whether it stood without quotes, so that YAML gives words like `null` or `on` a meaning.
    pub plain: bool,
}

/// One key of a map and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: Scalar,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Scalar {
    /// Whether it says that there is no value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.plain && scalar::is_null(&self.text)
    }

    /// Whether PyYAML would not read it as a text.
    #[must_use]
    pub fn is_not_text_1_1(&self) -> bool {
        self.plain
            && (scalar::is_null(&self.text)
                || scalar::boolean_1_1(&self.text).is_some()
                || scalar::is_number_1_1(&self.text)
                || scalar::is_day_1_1(&self.text))
    }
}

impl Node {
    /// Whether the value is left out, `~` or `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar(scalar) => scalar.is_null(),
            Value::Seq(_) | Value::Map(_) | Value::Refused | Value::Later(_) => false,
        }
    }

    /// What kind of value it is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(_) => "a single value",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
            Value::Refused | Value::Later(_) => "something refused",
        }
    }
}
