//! Whole texts: what YAML is refused, and what holds for every parser over it.

use proptest::prelude::*;

use super::{
    Diagnostics, MAX_BYTES, MAX_DEPTH, Sink, Source, load,
    node::{Node, Value},
};
use crate::{
    id::SuiteName,
    inventory::{self, Defaults},
    patchset, policy, suite,
};

fn read(text: &str) -> Result<Node, Diagnostics> {
    let sink = Sink::new("f", text);
    let root = load(&sink);
    sink.finish(root)
}

/// What a text's refusal says, as a whole.
fn refusal(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn positions_count_lines_and_characters_from_one() {
    let source = Source::new("f", "a\nçé: x\r\nb\rc");
    for (byte, position) in [
        (0, (1, 1)),
        (1, (1, 2)),
        (2, (2, 1)),
        (3, (2, 1)),
        (4, (2, 2)),
        (6, (2, 3)),
        (11, (3, 1)),
        (13, (4, 1)),
        (99, (4, 2)),
    ] {
        assert_eq!(source.position(byte), position, "byte {byte}");
    }
    assert_eq!(Source::new("f", "").position(5), (1, 1));
}

/// What is refused, and the words.
const REFUSED: &[(&str, &str)] = &[
    (
        r#"
"#,
        r#"f:1:1: error: this file is empty
"#,
    ),
    (
        r#"a: 1
---
b: 2
"#,
        r#"f:2:1: error: a second document begins here
  help: one file holds one document: take the `---` out or split the file
"#,
    ),
    (
        r#"a: &x 1
b: *x
"#,
        r#"f:1:4: error: anchors are not taken
  help: write the value out; one that begins with `*` or `&` stands in quotes
f:2:4: error: aliases are not taken
  help: write the value out; one that begins with `*` or `&` stands in quotes
"#,
    ),
    (
        r#"a: *x
"#,
        r#"f:1:4: error: aliases are not taken
  help: write the value out; one that begins with `*` or `&` stands in quotes
"#,
    ),
    (
        r#"a: !!str 1
b: !x [1]
"#,
        r#"f:1:4: error: the tag `!!str` is not taken
  help: write the value without a tag, in quotes where it must stay text
f:2:4: error: the tag `!x` is not taken
  help: write the value without a tag, in quotes where it must stay text
"#,
    ),
    (
        r#"<<: {a: 1}
"#,
        r#"f:1:1: error: merge keys are not taken
  help: write the keys out
"#,
    ),
    (
        r#"a: 1
b: 2
a: 3
"#,
        r#"f:3:1: error: the key `a` is given twice
  help: it stands in line 1 already
"#,
    ),
    (
        r#"? [a]
: 1
"#,
        r#"f:1:3: error: a key must be a single word
  help: a value that begins with `{` or `[` stands in quotes
"#,
    ),
    (
        r#"~: 1
"#,
        r#"f:1:1: error: `~` cannot be a key
  help: put it in quotes if it is a name
"#,
    ),
    (
        r#": 1
"#,
        r#"f:1:1: error: `null` cannot be a key
  help: put it in quotes if it is a name
"#,
    ),
    (
        r#"a: {{ x }}
"#,
        r#"f:1:5: error: a key must be a single word
  help: a value that begins with `{` or `[` stands in quotes
"#,
    ),
    (
        r#"a:
	b: 1
"#,
        r#"f:2:2: error: this is not YAML: tabs disallowed within this context (block indentation)
"#,
    ),
    (
        r#"a: [1
"#,
        r#"f:2:1: error: this is not YAML: while parsing a flow sequence, expected ',' or ']'
"#,
    ),
    (
        r#""a
"#,
        r#"f:1:1: error: this is not YAML: while scanning a quoted scalar, found unexpected end of stream
"#,
    ),
    (
        r#"a: 1
 b: 2
"#,
        r#"f:2:3: error: this is not YAML: mapping values are not allowed in this context
"#,
    ),
    (
        r#"%TAG ! x
a: 1
"#,
        r#"f:2:1: error: this is not YAML: did not find expected <document start>
"#,
    ),
];

#[test]
fn what_yaml_may_say_behind_its_readers_back_is_refused() {
    for (text, wanted) in REFUSED {
        assert_eq!(refusal(text), *wanted, "{text}");
    }
}

#[test]
fn a_text_may_have_one_mebibyte() {
    let comment = |bytes| format!("a: 1 #{}", "x".repeat(bytes - 6));
    assert!(read(&comment(MAX_BYTES)).is_ok());
    assert_eq!(
        refusal(&comment(MAX_BYTES + 1)),
        "f:1:1: error: this file has 1048577 bytes (expected at most 1 MiB)\n"
    );
}

#[test]
fn nesting_ends_at_its_limit_however_long_the_text_goes_on() {
    let flow = |depth| "[".repeat(depth) + &"]".repeat(depth);
    let block = |depth| "- ".repeat(depth) + "x";
    for nested in [flow, block as fn(usize) -> String] {
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        for depth in [MAX_DEPTH + 1, 1000, 200_000] {
            let told = refusal(&nested(depth));
            assert!(
                told.contains("nested too deeply (expected at most 32 levels)"),
                "{told}"
            );
        }
    }
}

#[test]
fn what_cannot_be_seen_is_named() {
    assert_eq!(
        refusal("\u{feff}a: 1"),
        "f:1:1: error: this file begins with a byte order mark\n  help: save it as UTF-8 without one\n"
    );
    assert_eq!(
        refusal("a: é\u{202e}x\nb: \u{1b}[0m"),
        "f:1:5: error: the character U+202E cannot be seen\n  help: take it out\n\
         f:2:4: error: the character U+001B cannot be seen\n  help: take it out\n"
    );
    assert_eq!(read(&"\0".repeat(5000)).unwrap_err().len(), 8);
}

#[test]
fn a_byte_order_mark_does_not_hide_what_else_is_wrong_or_move_it() {
    let told = refusal("\u{feff}a: 1\na: 2");
    assert!(
        told.contains("f:2:1: error: the key `a` is given twice"),
        "{told}"
    );
}

#[test]
fn scalars_stay_as_they_were_written() {
    let node = read("[6.10, 022, 1e3, NO, ~, 'it''s', \"a\\tb\"]").unwrap();
    let Value::Seq(items) = node.value else {
        panic!("a list")
    };
    let texts: Vec<(&str, bool)> = items
        .iter()
        .map(|i| match &i.value {
            Value::Scalar(s) => (s.text.as_str(), s.plain),
            Value::Seq(_) | Value::Map(_) | Value::Refused | Value::Later(_) => panic!("{i:?}"),
        })
        .collect();
    let wanted = [
        ("6.10", true),
        ("022", true),
        ("1e3", true),
        ("NO", true),
        ("~", true),
        ("it's", false),
        ("a\tb", false),
    ];
    assert_eq!(texts, wanted);
}

/// Every plain scalar and key stands where its span says.
fn check_spans(text: &str, node: &Node) {
    match &node.value {
        Value::Scalar(s) if s.plain => assert_eq!(&text[node.span.start..node.span.end], s.text),
        Value::Scalar(_) | Value::Refused | Value::Later(_) => {}
        Value::Seq(items) => items.iter().for_each(|i| check_spans(text, i)),
        Value::Map(entries) => {
            for entry in entries {
                assert_eq!(
                    &text[entry.key_span.start..entry.key_span.end],
                    entry.key.text
                );
                check_spans(text, &entry.value);
            }
        }
    }
}

#[test]
fn spans_are_bytes_also_behind_other_alphabets() {
    for text in [
        "ключ: значение\nb: [é, { ü: ö }]\nc: 日本",
        "# é\r\na: b\r\nc:\r\n  - é\r\n  - d\r\n",
        include_str!("../../../../suites/httpd/suite.yaml"),
        include_str!("../../../../inventories/example.yaml"),
    ] {
        let plain = text.replace('"', "").replace("{{ host }}", "h");
        check_spans(&plain, &read(&plain).unwrap());
    }
}

#[test]
fn a_file_of_mistakes_is_told_in_part_and_that_is_told() {
    let line: String = (0..60_000).map(|i| format!("k{i}: 1, ")).collect();
    let found = suite::parse(&format!("{{{line}}}"), "f").unwrap_err();
    assert_eq!(found.len(), super::MAX_FOUND + 1);
    let last = found.iter().last().unwrap().to_string();
    assert!(
        last.ends_with("this file has more mistakes than the 500 told here"),
        "{last}"
    );
    assert!(read(&"a: 1\n".repeat(100_000)).is_err());
}

/// Lines and columns as an editor counts them.
fn position_exists(text: &str, line: usize, column: usize) -> bool {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let in_line = |l: &str| (1..=l.chars().count() + 1).contains(&column);
    // A carriage return before the line feed is a column of its own here.
    text.split('\n')
        .nth(line - 1)
        .is_some_and(|l| in_line(l) || in_line(&format!("{l}\r")))
}

/// Whatever the text, every parser ends, and what it reports lies in the text and in its order.
fn examine(text: &str) {
    let suites = [SuiteName::new("httpd").unwrap()];
    let all = [
        inventory::parse(text, "f", &Defaults::default()).err(),
        suite::parse(text, "f").err(),
        patchset::parse(text, "f").err(),
        policy::parse(text, "f", &suites).err(),
    ];
    for found in all.iter().flatten() {
        assert!(!found.is_empty());
        let starts: Vec<usize> = found.iter().map(|d| d.span.start).collect();
        assert!(starts.is_sorted(), "{found}");
        for d in found {
            assert!(text.get(d.span.clone()).is_some(), "{d}");
            assert!(position_exists(text, d.line, d.column), "{d} in {text:?}");
        }
    }
}

const SHIPPED: [&str; 4] = [
    include_str!("../../../../suites/httpd/suite.yaml"),
    include_str!("../../../../suites/selinux/suite.yaml"),
    include_str!("../../../../inventories/example.yaml"),
    "patch_set: x\nselect: { updates: all }\nservices: { restart: [httpd] }\nwithin: 5m\n",
];

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>()) {
        examine(&text);
    }

    #[test]
    fn no_text_of_yaml_signs_makes_a_parser_panic(
        text in "[ab\\[\\]{}:,#&*!|>'\"%@`?~<\\- \n\r\té0-9]{0,60}",
    ) {
        examine(&text);
    }

    #[test]
    fn no_damage_to_a_good_file_makes_a_parser_panic(
        which in 0..SHIPPED.len(),
        at in any::<prop::sample::Index>(),
        cut in 0usize..40,
        put in "[a-z:\\[\\]{}&*!'\" \n\té~-]{0,12}",
    ) {
        let chars: Vec<char> = SHIPPED[which].chars().collect();
        let at = at.index(chars.len());
        let end = (at + cut).min(chars.len());
        let text: String = chars[..at].iter().copied().chain(put.chars()).chain(chars[end..].iter().copied()).collect();
        examine(&text);
    }
}
