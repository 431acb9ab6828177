//! How the two items of a snapshot answer: lines for what builtins read, and for each tool a section of
//! a known length, so that nothing that a tool prints can pass for another's answer.
//!
//! ```text
//! enforce=1                      a value
//! module:100/apache              one of a list, which is whole when
//! modules=ok                     its end says so
//! store!there is none            why there is no value, list or section
//! @listeners 0 123               a tool: exit status (`-` when it stands behind the text), length
//! LISTEN …                       so many bytes, and a line break
//! ```

use std::collections::BTreeMap;

use patchgate_core::reading::Reading;

use crate::{
    host::{Exit, Reply},
    script::trouble,
};

/// What a tool may say when it can say very much: 256 KiB.
const MOST: usize = 256 << 10;

/// `say KEY COMMAND…` is for what is short by its nature, `most` for what needs a bound; `one KEY FILE`
/// reads a first line with builtins. `LC_ALL=C`, so `${#out}` counts bytes.
pub(super) fn prelude() -> String {
    format!(
        r#"nl='
'
say() {{
  key=$1; shift
  out=$("$@" 2>&1); rc=$?
  printf '@%s %s %s\n%s\n' "$key" $rc ${{#out}} "$out"
}}
most() {{
  key=$1; shift
  out=$({{ "$@" 2>&1; printf '\n=%s' $?; }} | head -c {MOST})
  printf '@%s - %s\n%s\n' "$key" ${{#out}} "$out"
}}
one() {{ v=; IFS= read -r v <"$2"; [ -n "$v" ] && printf '%s=%s\n' "$1" "$v"; }} 2>/dev/null
has() {{ command -v "$1" >/dev/null 2>&1; }}
"#
    )
}

/// What a tool said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Its exit status.
    pub(super) exit: u8,
    /// Its output and error output.
    pub(super) text: String,
}

/// An answer, taken apart. One that was cut off, by the deadline or by its length, is read as far as
/// it goes.
pub(super) struct Sections {
    lines: Vec<String>,
    tools: BTreeMap<String, Reading<Said>>,
    /// Why something is not there that should be.
    absent: String,
}

impl Sections {
    /// Takes an answer apart.
    ///
    /// # Errors
    /// Why there is no answer at all.
    pub(super) fn of(reply: &Reply) -> Result<Self, String> {
        let absent = match &reply.exit {
            Exit::Code(0) if reply.stdout.is_complete() => "the host does not say".to_owned(),
            Exit::Code(0) => "the answer was too long".to_owned(),
            late @ Exit::DeadlineExceeded => trouble(late, ""),
            other @ (Exit::Code(_) | Exit::NotRun { .. } | Exit::Lost { .. }) => {
                return Err(trouble(other, &reply.stderr.text()));
            }
        };
        let mut sections = Self {
            lines: Vec::new(),
            tools: BTreeMap::new(),
            absent,
        };
        sections.take(&reply.stdout.bytes);
        Ok(sections)
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
            bytes = &bytes[end + 1..];
            let Some(head) = line.strip_prefix('@') else {
                self.lines.push(line);
                continue;
            };
            let Some((key, exit, length)) = head_of(head) else {
                continue;
            };
            let Some(text) = bytes.get(..length) else {
                return;
            };
            let said = said(exit, &String::from_utf8_lossy(text));
            self.tools.insert(key.to_owned(), said);
            bytes = bytes.get(length + 1..).unwrap_or_default();
        }
    }

    /// What a tool said, whatever its exit status.
    pub(super) fn said(&self, key: &str) -> Reading<Said> {
        match self.tools.get(key) {
            Some(said) => said.clone(),
            None => Reading::missing(self.why(key)),
        }
    }

    /// What a tool printed, when it ended well.
    pub(super) fn text(&self, key: &str) -> Reading<String> {
        match self.said(key) {
            Reading::Known(Said { exit: 0, text }) => Reading::Known(text),
            Reading::Known(said) => Reading::missing(said.failure()),
            Reading::Missing { why } => Reading::Missing { why },
        }
    }

    /// Whether a tool was asked at all.
    pub(super) fn asked(&self, key: &str) -> bool {
        self.tools.contains_key(key)
    }

    /// The value of a key.
    pub(super) fn value(&self, key: &str) -> Reading<&str> {
        let mut values = self
            .lines
            .iter()
            .filter_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        match values.next() {
            Some(value) => Reading::Known(value),
            None => Reading::missing(self.why(key)),
        }
    }

    /// The members `one:…` of a list whose end is `all=ok`.
    pub(super) fn list<'a>(&'a self, one: &str, all: &str) -> Reading<Vec<&'a str>> {
        let member = |l: &'a String| l.strip_prefix(one)?.strip_prefix(':');
        match self.value(all) {
            Reading::Missing { why } => Reading::Missing { why },
            Reading::Known(_) => Reading::Known(self.lines.iter().filter_map(member).collect()),
        }
    }

    /// Why something is not there.
    pub(super) fn why(&self, key: &str) -> String {
        let mut said = self
            .lines
            .iter()
            .filter_map(|l| l.strip_prefix(key)?.strip_prefix('!'));
        said.next().unwrap_or(&self.absent).to_owned()
    }
}

/// `listeners 0 123`.
fn head_of(head: &str) -> Option<(&str, &str, usize)> {
    let mut words = head.split(' ');
    let (key, exit, length) = (words.next()?, words.next()?, words.next()?);
    Some((key, exit, length.parse().ok()?))
}

/// The exit status stands before the text, or behind it unless that was cut.
fn said(exit: &str, text: &str) -> Reading<Said> {
    let (exit, text) = match exit {
        "-" => match text.rsplit_once("\n=") {
            Some((text, exit)) => (exit, text),
            None => return Reading::missing(format!("it says more than {MOST} bytes")),
        },
        exit => (exit, text),
    };
    match exit.parse() {
        Ok(exit) => Reading::Known(Said {
            exit,
            text: text.to_owned(),
        }),
        Err(_) => Reading::missing(format!("it says more than {MOST} bytes")),
    }
}

impl Said {
    /// Why it did not end well, in its own words.
    pub(super) fn failure(&self) -> String {
        let first = self.text.lines().map(str::trim).find(|l| !l.is_empty());
        match first {
            Some(first) => first.to_owned(),
            None => format!("exit status {}", self.exit),
        }
    }
}
