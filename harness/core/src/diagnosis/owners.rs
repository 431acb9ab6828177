//! Reads which package owns which file.

use std::collections::BTreeMap;

use crate::package::Nevra;

/// What begins the answer for a file.
pub const FILE: &str = "file:";

/// What rpm said of some files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// The package as `name-[epoch:]version-release.arch`, by path. A directory that packages share tells
    /// nothing and is left out.
    pub owners: BTreeMap<String, String>,
    /// The files of which rpm said nothing that can be read.
    pub unanswered: Vec<String>,
}

/// Reads `file:PATH` lines, each followed by what `rpm -qf` with [`crate::package::QUERY_FORMAT`] says of
/// the file: a line for each package, or `file PATH is not owned by any package`.
#[must_use]
pub fn parse(text: &str) -> Answers {
    let mut answers = Answers::default();
    let begins = |line: &str| line.strip_prefix(FILE).map(ToOwned::to_owned);
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(path) = begins(line) else { continue };
        let mut said = Vec::new();
        while let Some(more) = lines.next_if(|l| begins(l).is_none()) {
            said.push(more);
        }
        answers.take(path, &said);
    }
    answers
}

impl Answers {
    fn take(&mut self, path: String, said: &[&str]) {
        let packages: Vec<Nevra> = said.iter().filter_map(|l| Nevra::parse_query(l)).collect();
        let unowned = said
            .iter()
            .any(|l| l.ends_with("is not owned by any package"));
        match packages.first() {
            Some(first) if packages.iter().all(|p| p.name == first.name) => {
                self.owners.insert(path, first.to_string());
            }
            Some(_) => {}
            None if unowned => {}
            None => self.unanswered.push(path),
        }
    }

    /// Adds what was said elsewhere.
    pub fn extend(&mut self, other: Self) {
        self.owners.extend(other.owners);
        self.unanswered.extend(other.unanswered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_one_owner_or_tell_nothing() {
        let text = "file:/usr/sbin/httpd\nhttpd-core (none) 2.4.57 5.el9 x86_64\n\
                    file:/etc/httpd/conf.d\nhttpd (none) 2.4.57 5.el9 x86_64\nmod_ssl 1 2.4.57 5.el9 x86_64\n\
                    file:/usr/share/doc/x\nx 1 2 3 i686\nx 1 2 3 x86_64\n\
                    file:/etc/httpd/conf.d/own.conf\nfile /etc/httpd/conf.d/own.conf is not owned by any package\n\
                    file:/etc/motd\nerror: rpmdb: BDB0113 Thread died\nfile:/etc/issue\n";
        let answers = parse(text);
        let owners: Vec<_> = answers
            .owners
            .iter()
            .map(|(p, o)| format!("{p} {o}"))
            .collect();
        assert_eq!(
            owners,
            [
                "/usr/sbin/httpd httpd-core-2.4.57-5.el9.x86_64",
                "/usr/share/doc/x x-1:2-3.i686"
            ]
        );
        assert_eq!(answers.unanswered, ["/etc/motd", "/etc/issue"]);
        assert_eq!(parse("noise\n"), Answers::default());
    }
}
