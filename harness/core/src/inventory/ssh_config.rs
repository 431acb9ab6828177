//! `~/.ssh/config`: what of it matters to a host that the inventory says nothing of.
//!
//! As in OpenSSH the first value counts, blocks of `Host` and `Match` choose by the name that is connected
//! to, and `Include` stands for the files that it names. `Match` on anything but names cannot be decided
//! here: a host that would take a value from such a block is refused.

use std::collections::BTreeMap;

use super::{
    Defaults,
    given::{At, Given, Worth},
    input::Text,
    sinks::Sinks,
};
use crate::{
    source::{Problem, Sink, Span, quote},
    wildcard::glob,
};

/// A configuration of OpenSSH's client, with the files that it includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshConfigFiles {
    /// The file itself.
    pub main: Text,
    /// The files that each pattern of an `Include` names, in order.
    pub included: BTreeMap<String, Vec<Text>>,
}

/// The patterns of the `Include` lines of a text.
#[must_use]
pub fn includes(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| keyword(line.trim()));
    let includes = lines.filter(|(key, _)| key == "include");
    let patterns = includes.flat_map(|(_, value)| value.split_whitespace());
    patterns.map(|p| p.trim_matches('"').to_owned()).collect()
}

/// How deep files may include others.
const MAX_DEPTH: usize = 16;

/// A line's keyword in lower case and its value.
fn keyword(line: &str) -> Option<(String, &str)> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (key, value) = line.split_once(|c: char| c == '=' || c.is_whitespace())?;
    let value = value.trim_start().strip_prefix('=').unwrap_or(value).trim();
    Some((key.to_ascii_lowercase(), value))
}

/// When the lines of a block count.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Block {
    /// For names that a pattern fits and no negated one.
    Names(Vec<String>),
    /// On a condition that cannot be decided here.
    Unknown,
}

impl Block {
    /// Whether it counts for a name; none where that cannot be decided.
    fn counts(&self, name: &str) -> Option<bool> {
        let Self::Names(patterns) = self else {
            return None;
        };
        let fits = |p: &str| glob(p.to_ascii_lowercase(), name.to_ascii_lowercase());
        let negated = patterns
            .iter()
            .filter_map(|p| p.strip_prefix('!'))
            .any(fits);
        Some(!negated && patterns.iter().any(|p| fits(p)))
    }

    fn of_match(value: &str) -> Self {
        let words: Vec<&str> = value.split_whitespace().collect();
        let names = |list: &str| list.split(',').map(str::to_owned).collect();
        match words.as_slice() {
            [all] if all.eq_ignore_ascii_case("all") => Self::Names(vec!["*".to_owned()]),
            [key, list]
                if ["host", "originalhost"].contains(&key.to_ascii_lowercase().as_str()) =>
            {
                Self::Names(names(list))
            }
            _ => Self::Unknown,
        }
    }
}

/// One line of a configuration that matters.
#[derive(Clone, Debug)]
struct Line {
    blocks: Vec<Block>,
    key: String,
    value: String,
    at: At,
}

/// The lines of a configuration that matter.
#[derive(Clone, Debug, Default)]
pub(super) struct SshConfig {
    lines: Vec<Line>,
}

/// The keywords that matter.
const KEYS: [&str; 6] = [
    "hostname",
    "port",
    "user",
    "identityfile",
    "proxyjump",
    "proxycommand",
];

impl SshConfig {
    /// Reads the configuration that the defaults name.
    pub(super) fn read<'i>(sinks: &mut Sinks<'i>, defaults: &'i Defaults) -> Self {
        let mut config = Self::default();
        if let Some(files) = &defaults.ssh_config {
            config.text(sinks, files, &files.main, &[], 0);
        }
        config
    }

    fn text<'i>(
        &mut self,
        sinks: &mut Sinks<'i>,
        files: &'i SshConfigFiles,
        text: &'i Text,
        outer: &[Block],
        depth: usize,
    ) {
        let file = sinks.next();
        sinks.keep(Sink::new(&text.file, &text.text));
        let mut block = Block::Names(vec!["*".to_owned()]);
        let mut start = 0;
        for line in text.text.split_inclusive('\n') {
            let end = start + line.trim_end().len();
            let span = Span { start, end };
            start += line.len();
            let Some((key, value)) = keyword(line.trim()) else {
                continue;
            };
            let blocks = || [outer, std::slice::from_ref(&block)].concat();
            match key.as_str() {
                "host" => {
                    let names = value.split_whitespace();
                    block = Block::Names(names.map(|n| n.trim_matches('"').to_owned()).collect());
                }
                "match" => block = Block::of_match(value),
                "include" if depth < MAX_DEPTH => {
                    let blocks = blocks();
                    let patterns = value.split_whitespace().map(|p| p.trim_matches('"'));
                    for text in patterns.filter_map(|p| files.included.get(p)).flatten() {
                        self.text(sinks, files, text, &blocks, depth + 1);
                    }
                }
                key if KEYS.contains(&key) => self.lines.push(Line {
                    blocks: blocks(),
                    key: key.to_owned(),
                    value: value.trim_matches('"').to_owned(),
                    at: At { file, span },
                }),
                _ => {}
            }
        }
    }

    /// The first value of one of some keywords for a name, or why nobody can say.
    pub(super) fn first(&self, name: &str, keys: &[&str]) -> Option<(&str, Given<String>)> {
        let lines = self.lines.iter().filter(|l| keys.contains(&l.key.as_str()));
        for Line {
            blocks,
            key,
            value,
            at,
        } in lines
        {
            let counts: Vec<Option<bool>> = blocks.iter().map(|b| b.counts(name)).collect();
            if counts.contains(&Some(false)) {
                continue;
            }
            let worth = if counts.contains(&None) {
                let message = format!("whether this counts for {} cannot be decided", quote(name));
                let problem = Problem::new(at.span, message);
                Worth::Untold(Box::new(problem.help(
                    "of `Match` only `all`, `host` and `originalhost` are understood: say it in the \
                     inventory, or give another file with `--ssh-config` (`none` for none)",
                )))
            } else {
                Worth::Good(value.clone())
            };
            return Some((key, Given { worth, at: *at }));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults(main: &str, included: &[(&str, &str)]) -> Defaults {
        let text = |text: &str| Text {
            file: "config".to_owned(),
            text: text.to_owned(),
        };
        let included = included
            .iter()
            .map(|(p, t)| ((*p).to_owned(), vec![text(t)]));
        Defaults {
            ssh_config: Some(SshConfigFiles {
                main: text(main),
                included: included.collect(),
            }),
            ..Defaults::default()
        }
    }

    #[test]
    fn the_first_value_of_a_block_that_fits_counts() {
        let text = "# mine\nUser=first\nHost web* !web3\n  Port 2222\n  User late\n\tHostName \"x.example\"\n\
                    Host *\nPort = 22\nInclude more\nMatch host db1,db2\nProxyJump gw\nMatch exec true\nIdentityFile k\n";
        let defaults = defaults(
            text,
            &[("more", "Host app\n Port 3333\n HostName %h.example\n")],
        );
        let config = SshConfig::read(&mut Sinks::default(), &defaults);
        for (name, key, wanted) in [
            ("web1", "port", Some("2222")),
            ("WEB1", "port", Some("2222")),
            ("web3", "port", Some("22")),
            ("web1", "user", Some("first")),
            ("web1", "hostname", Some("x.example")),
            ("app", "port", Some("22")),
            ("app", "hostname", Some("%h.example")),
            ("web1", "proxyjump", None),
            ("db2", "proxyjump", Some("gw")),
        ] {
            let found = config.first(name, &[key]).map(|(_, given)| given);
            let value = found.as_ref().and_then(|g| g.good()).map(String::as_str);
            assert_eq!(value, wanted, "{name} {key}");
        }
        let (_, undecided) = config.first("web1", &["identityfile"]).unwrap();
        assert!(matches!(undecided.worth, Worth::Untold(_)));
    }

    #[test]
    fn included_files_are_named() {
        let text = "Include ~/.ssh/a config.d/*\nHost x\n include \"b\"\nUser include\n";
        assert_eq!(includes(text), ["~/.ssh/a", "config.d/*", "b"]);
    }
}
