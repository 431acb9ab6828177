//! Reads a JUnit document back and holds it to its own words: well-formed, legal characters, no empty
//! suite, counts equal to elements, one outcome a case, no identity twice.

use std::collections::BTreeSet;

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
};

/// What a JUnit document holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// `testsuite` elements.
    pub suites: usize,
    /// `testcase` elements.
    pub tests: usize,
    /// `failure` elements.
    pub failures: usize,
    /// `error` elements.
    pub errors: usize,
    /// `skipped` elements.
    pub skipped: usize,
}

/// What is wrong with a JUnit document.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// It is not XML.
    #[error("not well-formed")]
    NotXml(#[from] quick_xml::Error),
    /// A character that XML 1.0 does not allow.
    #[error("character U+{0:04X} is not legal in XML")]
    IllegalCharacter(u32),
    /// A reference to an entity that XML does not define.
    #[error("reference to an unknown entity `{0}`")]
    UnknownEntity(String),
    /// An element or a text where none belongs.
    #[error("`{what}` does not belong into `{place}`")]
    Misplaced {
        /// The element, or `text`.
        what: String,
        /// The element that it stands in.
        place: String,
    },
    /// A missing attribute, or one of another shape than it must have.
    #[error("`{element}` has no good `{attribute}`")]
    Attribute {
        /// The element.
        element: String,
        /// The attribute.
        attribute: &'static str,
    },
    /// A count that its elements do not bear out.
    #[error("`{place}` says {says} {attribute} and holds {found}")]
    WrongCount {
        /// The suite.
        place: String,
        /// The count.
        attribute: &'static str,
        /// What the attribute says.
        says: usize,
        /// What there is.
        found: usize,
    },
    /// A suite without a case: consumers drop it.
    #[error("suite `{0}` is empty")]
    EmptySuite(String),
    /// A case with more than one outcome.
    #[error("case `{0}` has more than one outcome")]
    SeveralOutcomes(String),
    /// Two cases with the same class and name: consumers keep one of them.
    #[error("case `{0}` is there twice")]
    Twice(String),
    /// A type that Rails' XML reader casts into something else.
    #[error("type `{0}` is a type word of a consumer")]
    TypeWord(String),
    /// The document ends early.
    #[error("the document has no whole root element")]
    Unfinished,
}

/// Words in `type` that make Rails cast an element's text, or refuse it.
const TYPE_WORDS: [&str; 15] = [
    "symbol",
    "date",
    "datetime",
    "dateTime",
    "integer",
    "float",
    "decimal",
    "boolean",
    "string",
    "yaml",
    "base64Binary",
    "hexBinary",
    "duration",
    "file",
    "array",
];

/// Reads a document back.
///
/// # Errors
/// The first flaw found.
pub fn self_check(xml: &str) -> Result<Counts, Flaw> {
    legal(xml.chars())?;
    let mut reader = Reader::from_str(xml);
    let mut walk = Walk::default();
    loop {
        match reader.read_event()? {
            Event::Eof => break,
            Event::Start(start) => walk.enter(&start)?,
            Event::Empty(start) => {
                walk.enter(&start)?;
                walk.leave()?;
            }
            Event::End(_) => walk.leave()?,
            Event::Text(text) => {
                let text = text.decode().map_err(quick_xml::Error::from)?;
                walk.text(!text.trim().is_empty())?;
            }
            Event::CData(_) => walk.text(true)?,
            Event::GeneralRef(reference) => {
                known(&reference)?;
                walk.text(true)?;
            }
            Event::Decl(_) if walk.path.is_empty() && !walk.done => {}
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {
                return Err(walk.misplaced("markup"));
            }
        }
    }
    if walk.done {
        Ok(walk.all)
    } else {
        Err(Flaw::Unfinished)
    }
}

fn legal(chars: impl IntoIterator<Item = char>) -> Result<(), Flaw> {
    let is_legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    match chars.into_iter().find(|c| !is_legal(*c)) {
        Some(bad) => Err(Flaw::IllegalCharacter(u32::from(bad))),
        None => Ok(()),
    }
}

fn known(reference: &BytesRef<'_>) -> Result<(), Flaw> {
    let name = reference.decode().map_err(quick_xml::Error::from)?;
    match reference.resolve_char_ref()? {
        Some(c) => legal([c]),
        None if ["lt", "gt", "amp", "apos", "quot"].contains(&&*name) => Ok(()),
        None => Err(Flaw::UnknownEntity(name.into_owned())),
    }
}

/// What a suite says of itself, and what was counted in it.
#[derive(Default)]
struct Tally {
    name: String,
    says: Vec<(&'static str, usize)>,
    found: Counts,
}

impl Tally {
    fn open(start: &BytesStart<'_>, counts: &[&'static str]) -> Result<Self, Flaw> {
        let says = counts.iter().map(|c| Ok((*c, number(start, c)?)));
        Ok(Self {
            name: attribute(start, "name")?,
            says: says.collect::<Result<_, Flaw>>()?,
            found: Counts::default(),
        })
    }

    fn agrees(&self) -> Result<(), Flaw> {
        for (attribute, says) in &self.says {
            let found = match *attribute {
                "tests" => self.found.tests,
                "failures" => self.found.failures,
                "errors" => self.found.errors,
                _ => self.found.skipped,
            };
            if found != *says {
                let place = self.name.clone();
                return Err(Flaw::WrongCount {
                    place,
                    attribute,
                    says: *says,
                    found,
                });
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Walk {
    path: Vec<String>,
    suite: Tally,
    case: String,
    outcomes: usize,
    identities: BTreeSet<String>,
    all: Counts,
    done: bool,
}

impl Walk {
    fn enter(&mut self, start: &BytesStart<'_>) -> Result<(), Flaw> {
        let name = String::from_utf8_lossy(start.name().as_ref()).into_owned();
        let place = self.path.last().map(String::as_str);
        match (place, name.as_str()) {
            (None, "testsuites") if !self.done => {}
            (Some("testsuites"), "testsuite") => self.enter_suite(start)?,
            (Some("testsuite"), "testcase") => self.enter_case(start)?,
            (Some("testcase"), outcome @ ("failure" | "error" | "skipped")) => {
                self.enter_outcome(start, outcome)?;
            }
            (Some("testsuite"), "properties" | "system-out" | "system-err") => {}
            (Some("properties"), "property") => {
                attribute(start, "name")?;
                attribute(start, "value")?;
            }
            _ => return Err(self.misplaced(&name)),
        }
        self.path.push(name);
        Ok(())
    }

    fn enter_suite(&mut self, start: &BytesStart<'_>) -> Result<(), Flaw> {
        time(start)?;
        timestamp(start)?;
        attribute(start, "hostname")?;
        self.suite = Tally::open(start, &["tests", "failures", "errors", "skipped"])?;
        self.all.suites += 1;
        Ok(())
    }

    fn enter_case(&mut self, start: &BytesStart<'_>) -> Result<(), Flaw> {
        time(start)?;
        self.case = format!(
            "{}.{}",
            attribute(start, "classname")?,
            attribute(start, "name")?
        );
        self.outcomes = 0;
        if !self.identities.insert(self.case.clone()) {
            return Err(Flaw::Twice(self.case.clone()));
        }
        self.count(|c| &mut c.tests);
        Ok(())
    }

    fn enter_outcome(&mut self, start: &BytesStart<'_>, outcome: &str) -> Result<(), Flaw> {
        attribute(start, "message")?;
        if outcome != "skipped" {
            not_cast(attribute(start, "type")?)?;
        }
        self.outcomes += 1;
        if self.outcomes > 1 {
            return Err(Flaw::SeveralOutcomes(self.case.clone()));
        }
        self.count(|c| match outcome {
            "failure" => &mut c.failures,
            "error" => &mut c.errors,
            _ => &mut c.skipped,
        });
        Ok(())
    }

    fn count(&mut self, which: impl Fn(&mut Counts) -> &mut usize) {
        for counts in [&mut self.suite.found, &mut self.all] {
            *which(counts) += 1;
        }
    }

    fn leave(&mut self) -> Result<(), Flaw> {
        match self.path.pop().as_deref() {
            Some("testsuite") if self.suite.found.tests == 0 => {
                Err(Flaw::EmptySuite(self.suite.name.clone()))
            }
            Some("testsuite") => self.suite.agrees(),
            Some("testsuites") => {
                self.done = true;
                Ok(())
            }
            Some(_) | None => Ok(()),
        }
    }

    fn text(&self, is_something: bool) -> Result<(), Flaw> {
        let may_hold_text = ["failure", "error", "skipped", "system-out", "system-err"];
        let place = self.path.last().map_or("", String::as_str);
        if is_something && !may_hold_text.contains(&place) {
            return Err(self.misplaced("text"));
        }
        Ok(())
    }

    fn misplaced(&self, what: &str) -> Flaw {
        let place = self.path.last().map_or("the document", String::as_str);
        Flaw::Misplaced {
            what: what.to_owned(),
            place: place.to_owned(),
        }
    }
}

fn attribute(start: &BytesStart<'_>, name: &'static str) -> Result<String, Flaw> {
    let mut found = None;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(quick_xml::Error::from)?;
        let value = attribute.normalized_value(XmlVersion::Explicit1_0)?;
        legal(value.chars())?;
        if attribute.key.as_ref() == name.as_bytes() {
            found = Some(value.into_owned());
        }
    }
    found.ok_or_else(|| bad(start, name))
}

fn bad(start: &BytesStart<'_>, attribute: &'static str) -> Flaw {
    let element = String::from_utf8_lossy(start.name().as_ref()).into_owned();
    Flaw::Attribute { element, attribute }
}

fn number(start: &BytesStart<'_>, name: &'static str) -> Result<usize, Flaw> {
    attribute(start, name)?
        .parse()
        .map_err(|_| bad(start, name))
}

fn not_cast(kind: String) -> Result<(), Flaw> {
    if TYPE_WORDS.contains(&kind.as_str()) {
        return Err(Flaw::TypeWord(kind));
    }
    Ok(())
}

/// Seconds with exactly three decimals.
fn time(start: &BytesStart<'_>) -> Result<(), Flaw> {
    let text = attribute(start, "time")?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, part)) if digits(whole) && digits(part) && part.len() == 3 => Ok(()),
        Some(_) | None => Err(bad(start, "time")),
    }
}

/// `YYYY-MM-DDThh:mm:ss` and nothing else.
fn timestamp(start: &BytesStart<'_>) -> Result<(), Flaw> {
    let shape: String = attribute(start, "timestamp")?
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    if shape == "0000-00-00T00:00:00" {
        Ok(())
    } else {
        Err(bad(start, "timestamp"))
    }
}
