//! Values of an INI inventory: Python literals where they are some, else text as it stands.

use crate::source::{
    Span,
    node::{Node, Scalar, Value},
};

/// Reads a value.
///
/// Of Python's literals those matter that a variable of ours can be: texts in quotes, `True` and
/// `False`, `None`, whole numbers, and lists of such. Everything else stays the text that it is.
pub(super) fn read(text: &str, span: Span) -> Node {
    let value = literal(text).or_else(|| literal(without_comment(text)));
    let value = value.or_else(|| list(text, span));
    let as_text = || {
        let text = text.to_owned();
        Value::Scalar(Scalar { text, plain: false })
    };
    Node {
        span,
        value: value.unwrap_or_else(as_text),
    }
}

/// Python ends a literal at a `#`; a text that is no literal keeps its own.
fn without_comment(text: &str) -> &str {
    match text.find(" #") {
        Some(at) => text[..at].trim_end(),
        None => text,
    }
}

fn literal(text: &str) -> Option<Value> {
    let plain = |text: &str| {
        let text = text.to_owned();
        Some(Value::Scalar(Scalar { text, plain: true }))
    };
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    match text {
        "True" | "False" => plain(text),
        "None" => plain("null"),
        _ if number && (digits.len() == 1 || !digits.starts_with('0')) => plain(text),
        _ => {
            let text = quoted(text)?;
            Some(Value::Scalar(Scalar { text, plain: false }))
        }
    }
}

/// A text in Python's quotes.
fn quoted(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
    let mut found = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                'n' => found.push('\n'),
                't' => found.push('\t'),
                c @ ('\\' | '\'' | '"') => found.push(c),
                other => found.extend(['\\', other]),
            },
            c if c == quote => return None,
            c => found.push(c),
        }
    }
    Some(found)
}

/// A list of literals on one level.
fn list(text: &str, span: Span) -> Option<Value> {
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    let items = inside.split(',').map(str::trim).filter(|i| !i.is_empty());
    let node = |item| literal(item).map(|value| Node { span, value });
    items.map(node).collect::<Option<_>>().map(Value::Seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let node = read(text, Span::default());
        let scalar = |node: &Node| match &node.value {
            Value::Scalar(s) => format!("{}{}", s.text, if s.plain { "!" } else { "" }),
            Value::Seq(_) | Value::Map(_) | Value::Refused | Value::Later(_) => "?".to_owned(),
        };
        match &node.value {
            Value::Seq(items) => items.iter().map(scalar).collect::<Vec<_>>().join("|"),
            Value::Scalar(_) | Value::Map(_) | Value::Refused | Value::Later(_) => scalar(&node),
        }
    }

    /// As `ast.literal_eval` of Python 3.11, or the text itself; `!` marks what is no text.
    #[test]
    fn values_are_python_literals_or_text() {
        for (text, wanted) in [
            ("root", "root"),
            ("'root'", "root"),
            ("\"a 'b'\"", "a 'b'"),
            (r"'it\'s'", "it's"),
            ("22", "22!"),
            ("022", "022"),
            ("22 # why", "22!"),
            ("'x' # why", "x"),
            ("root # why", "root # why"),
            ("True", "True!"),
            ("true", "true"),
            ("None", "null!"),
            ("['a', \"b\"]", "a|b"),
            ("[a, b]", "[a, b]"),
            ("", ""),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }
}
