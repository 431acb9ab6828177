//! YAML text → tree, strictly.
//!
//! Refused, each with its place: texts over [`MAX_BYTES`], nesting over [`MAX_DEPTH`], anchors, aliases,
//! tags, merge keys, several documents, keys given twice, keys that are no single word, characters that
//! cannot be seen. They are what lets a file say something else to its reader than to the program.
//!
//! Files that Ansible reads too hold much that nobody here needs: there, tags, anchors and aliases are
//! refused only where a value of theirs is needed, and a file may be empty.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as ParserSpan, Tag};

use super::{
    Problem, Sink, Span,
    node::{Entry, Node, Scalar, Value},
    places::Places,
    quote,
    reindent::{self, Moved},
    scalar,
};

/// The longest text that is read, in bytes: 1 MiB.
pub const MAX_BYTES: usize = 1 << 20;

/// How deep lists and maps may be nested.
pub const MAX_DEPTH: usize = 32;

/// How many characters that cannot be printed are named; a binary file has too many.
const MAX_UNPRINTABLE: usize = 8;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads the tree of the sink's text; what is wrong with it goes into the sink.
///
/// There is no tree where the text is empty or is not YAML at all. Nodes that were refused are in the tree
/// as [`Value::Refused`], so that the rest can be examined.
#[must_use]
pub fn load(sink: &Sink<'_>) -> Option<Node> {
    let clean = sink.is_clean();
    let root = load_as(sink, Manner::Strict);
    if root.is_none() && clean && sink.is_clean() {
        sink.report(Problem::new(Span::default(), "this file is empty"));
    }
    root
}

/// Reads the tree of a text that is Ansible's too; none where there is nothing in it.
///
/// Values under tags and aliases are in the tree as [`Value::Later`]. The text may be a long one: up to
/// `max_bytes`.
#[must_use]
pub fn load_ansible(sink: &Sink<'_>, max_bytes: usize) -> Option<Node> {
    load_as(sink, Manner::Ansible { max_bytes })
}

/// How strict a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Strict,
    Ansible { max_bytes: usize },
}

fn load_as(sink: &Sink<'_>, manner: Manner) -> Option<Node> {
    let text = sink.source().text();
    if !can_be_parsed(sink, text, manner) {
        return None;
    }
    let body = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let moved = match manner {
        Manner::Strict => Moved::new(),
        Manner::Ansible { .. } => reindent::lines(body),
    };
    let mut loader = Loader {
        sink,
        manner,
        places: Places::new(body, text.len() - body.len(), &moved),
        stack: Vec::new(),
        documents: 0,
        root: None,
    };
    // Also behind a mistake: what a whole document says is examined all the same.
    let body = reindent::apply(body, &moved);
    let mut events = Parser::new_from_str(&body);
    let _: Result<(), Stop> = events.try_for_each(|event| loader.take(event));
    loader.root
}

/// Refuses what must not even reach the parser.
fn can_be_parsed(sink: &Sink<'_>, text: &str, manner: Manner) -> bool {
    let most = match manner {
        Manner::Strict => MAX_BYTES,
        Manner::Ansible { max_bytes } => max_bytes,
    };
    if text.len() > most {
        let message = format!("this file has {} bytes", text.len());
        let expected = format!("at most {} MiB", most >> 20);
        sink.report(Problem::new(Span::default(), message).expected(expected));
        return false;
    }
    if text.starts_with(BYTE_ORDER_MARK) {
        let span = Span { start: 0, end: 3 };
        let problem = Problem::new(span, "this file begins with a byte order mark");
        sink.report(problem.help("save it as UTF-8 without one"));
    }
    let bad = text
        .char_indices()
        .filter(|(i, c)| is_unprintable(*c) && !(*i == 0 && *c == '\u{feff}'));
    let before = bad.clone().count();
    for (start, c) in bad.take(MAX_UNPRINTABLE) {
        let span = Span {
            start,
            end: start + c.len_utf8(),
        };
        let message = format!("the character U+{:04X} cannot be seen", u32::from(c));
        sink.report(Problem::new(span, message).help("take it out"));
    }
    before == 0
}

fn is_unprintable(c: char) -> bool {
    let control = c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    control || c == '\u{feff}' || scalar::is_invisible(c)
}

/// Says that reading ends here; why is in the sink.
struct Stop;

/// A list or a map that is still open.
struct Open {
    start: usize,
    end: usize,
    inside: Inside,
}

enum Inside {
    Seq(Vec<Node>),
    Map(Vec<Entry>, Keys),
}

/// The keys of an open map: where each begins, and the one whose value is awaited.
#[derive(Default)]
struct Keys {
    seen: BTreeMap<String, usize>,
    next: Key,
}

/// What a map waits for.
#[derive(Default)]
enum Key {
    #[default]
    Awaited,
    Taken(Scalar, Span),
    Refused,
}

struct Loader<'s, 't> {
    sink: &'s Sink<'t>,
    manner: Manner,
    places: Places,
    stack: Vec<Open>,
    documents: usize,
    root: Option<Node>,
}

impl Loader<'_, '_> {
    fn take(&mut self, event: Result<(Event<'_>, ParserSpan), ScanError>) -> Result<(), Stop> {
        let (event, span) = event.map_err(|e| self.not_yaml(&e))?;
        let span = self.places.span(&span);
        match event {
            Event::DocumentStart(_) => self.begin_document(span),
            Event::Alias(_) => {
                let problem = Problem::new(span, "aliases are not taken").help(QUOTE_STAR);
                let value = self.refused(problem);
                self.put(span, value);
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.look_at_anchor(span, anchor);
                let plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                let value = self.tagged(span, tag.as_deref(), Scalar { text, plain });
                self.put(span, value);
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.look_at_anchor(span, anchor);
                self.look_at_tag(span, tag.as_deref());
                self.open(span, Inside::Seq(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.look_at_anchor(span, anchor);
                self.look_at_tag(span, tag.as_deref());
                self.open(span, Inside::Map(Vec::new(), Keys::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.close(span);
                Ok(())
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn begin_document(&mut self, span: Span) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let problem = Problem::new(span, "a second document begins here");
        let help = "one file holds one document: take the `---` out or split the file";
        self.sink.report(problem.help(help));
        Err(Stop)
    }

    fn open(&mut self, span: Span, inside: Inside) -> Result<(), Stop> {
        if self.stack.len() == MAX_DEPTH {
            self.sink.report(too_deep(span));
            return Err(Stop);
        }
        self.stack.push(Open {
            start: span.start,
            end: span.end,
            inside,
        });
        Ok(())
    }

    fn close(&mut self, span: Span) {
        let open = self
            .stack
            .pop()
            .expect("the parser ends only what it began");
        // The end of an indented list or map is seen only at the next token: that is not its end.
        let end = if span.start == span.end {
            open.end
        } else {
            span.end
        };
        let value = match open.inside {
            Inside::Seq(items) => Value::Seq(items),
            Inside::Map(entries, _) => Value::Map(entries),
        };
        let start = open.start;
        self.put(Span { start, end }, value);
    }

    /// Puts a finished node where it belongs.
    fn put(&mut self, span: Span, value: Value) {
        let sink = self.sink;
        let node = Node { span, value };
        let Some(open) = self.stack.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        open.end = open.end.max(span.end);
        match &mut open.inside {
            Inside::Seq(items) => items.push(node),
            Inside::Map(entries, keys) => match std::mem::take(&mut keys.next) {
                Key::Awaited => keys.next = as_key(sink, &mut keys.seen, node),
                Key::Taken(key, key_span) => entries.push(Entry {
                    key,
                    key_span,
                    value: node,
                }),
                Key::Refused => {}
            },
        }
    }

    /// A value that is not taken: at once, or where it is needed.
    fn refused(&self, problem: Problem) -> Value {
        match self.manner {
            Manner::Strict => {
                self.sink.report(problem);
                Value::Refused
            }
            Manner::Ansible { .. } => Value::Later(Box::new(problem)),
        }
    }

    /// An anchor alone changes nothing; its aliases do.
    fn look_at_anchor(&self, span: Span, anchor: usize) {
        if anchor != 0 && self.manner == Manner::Strict {
            let problem = Problem::new(span, "anchors are not taken");
            self.sink.report(problem.help(QUOTE_STAR));
        }
    }

    /// Tags of lists and maps change what they are: they are refused everywhere.
    fn look_at_tag(&self, span: Span, tag: Option<&Tag>) {
        if let Some(tag) = tag {
            self.sink.report(refused_tag(span, tag));
        }
    }

    /// A scalar under its tag. `!unsafe` only keeps Ansible from reading templates in it.
    fn tagged(&self, span: Span, tag: Option<&Tag>, scalar: Scalar) -> Value {
        let Some(tag) = tag else {
            return Value::Scalar(scalar);
        };
        if self.manner != Manner::Strict && tag.handle == "!" && tag.suffix == "unsafe" {
            let text = scalar.text;
            return Value::Scalar(Scalar { text, plain: false });
        }
        self.refused(refused_tag(span, tag))
    }

    fn not_yaml(&self, error: &ScanError) -> Stop {
        let start = self.places.byte(error.marker());
        let span = Span {
            start,
            end: start + 1,
        };
        let problem = match error.info() {
            "recursion limit exceeded" => too_deep(span),
            "while parsing node, found unknown anchor" => {
                Problem::new(span, "aliases are not taken").help(QUOTE_STAR)
            }
            info => Problem::new(span, format!("this is not YAML: {info}")),
        };
        self.sink.report(problem);
        Stop
    }
}

const QUOTE_STAR: &str = "write the value out; one that begins with `*` or `&` stands in quotes";

fn too_deep(span: Span) -> Problem {
    Problem::new(span, "lists and maps are nested too deeply")
        .expected(format!("at most {MAX_DEPTH} levels"))
}

fn refused_tag(span: Span, tag: &Tag) -> Problem {
    if tag.suffix == "vault" {
        return Problem::new(span, "vault-encrypted values are not taken").help(
            "patchgate opens no vault: write out what it needs to know, or take it out; it logs in with \
             keys, and `sudo -n` asks for no password",
        );
    }
    let shown = if tag.is_yaml_core_schema() {
        format!("!!{}", tag.suffix)
    } else {
        tag.to_string()
    };
    Problem::new(span, format!("the tag {} is not taken", quote(&shown)))
        .help("write the value without a tag, in quotes where it must stay text")
}

/// Takes a node as a key, or says why it cannot be one.
fn as_key(sink: &Sink<'_>, seen: &mut BTreeMap<String, usize>, node: Node) -> Key {
    let scalar = match node.value {
        Value::Scalar(scalar) => scalar,
        Value::Refused => return Key::Refused,
        Value::Later(problem) => {
            sink.report(*problem);
            return Key::Refused;
        }
        Value::Seq(_) | Value::Map(_) => {
            let problem = Problem::new(node.span, "a key must be a single word");
            sink.report(problem.help("a value that begins with `{` or `[` stands in quotes"));
            return Key::Refused;
        }
    };
    match key_problem(sink, seen, &scalar, node.span) {
        None => {
            seen.insert(scalar.text.clone(), node.span.start);
            Key::Taken(scalar, node.span)
        }
        Some(problem) => {
            sink.report(problem);
            Key::Refused
        }
    }
}

fn key_problem(
    sink: &Sink<'_>,
    seen: &BTreeMap<String, usize>,
    key: &Scalar,
    span: Span,
) -> Option<Problem> {
    if key.is_null() {
        let shown = quote(if key.text.is_empty() {
            "null"
        } else {
            &key.text
        });
        let problem = Problem::new(span, format!("{shown} cannot be a key"));
        return Some(problem.help("put it in quotes if it is a name"));
    }
    if key.plain && key.text == "<<" {
        let problem = Problem::new(span, "merge keys are not taken");
        return Some(problem.help("write the keys out"));
    }
    let first = seen.get(&key.text)?;
    let (line, _) = sink.source().position(*first);
    let message = format!("the key {} is given twice", quote(&key.text));
    Some(Problem::new(span, message).help(format!("it stands in line {line} already")))
}
