//! Records that a terminal or a mail program has broken into several lines.

use super::{
    denial::decisions,
    kind::RecordKind,
    record::{self, Grammar, Record},
};

/// How many lines one record may have been broken into.
const LINES: usize = 24;

/// The keys of decisions before which a line may have been broken.
const KEYS: &[&str] = &[
    "addr",
    "anonclass",
    "auid",
    "capability",
    "cmdline",
    "comm",
    "daddr",
    "dest",
    "dev",
    "exe",
    "faddr",
    "fport",
    "function",
    "gid",
    "hostname",
    "ino",
    "interface",
    "ioctlcmd",
    "key",
    "laddr",
    "lport",
    "member",
    "msgtype",
    "name",
    "netif",
    "path",
    "permissive",
    "pid",
    "saddr",
    "sauid",
    "scontext",
    "spid",
    "srawcon",
    "src",
    "tclass",
    "tcontext",
    "terminal",
    "tpid",
    "trawcon",
    "uid",
];

/// Joins the lines of broken decisions in pasted text; every other line stays as it is.
///
/// Only for text that people paste: in a log, a line that looks like the rest of another is
/// damage, and is told as such.
#[must_use]
pub fn unwrapped(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut line = String::new();
    let mut parts = 0;
    for next in text.lines() {
        if parts < LINES && goes_on(&line) && may_follow(next) {
            glue(&mut line, next);
            parts += 1;
            continue;
        }
        if parts > 0 {
            whole.push_str(&line);
            whole.push('\n');
        }
        line.clear();
        line.push_str(next);
        parts = 1;
    }
    whole + &line
}

/// True for a line whose last record is a decision that is not whole.
fn goes_on(line: &str) -> bool {
    let records = record::parse(line, Grammar::Any);
    let broken = |record: &Record<'_>| decisions(record).iter().any(|found| !found.complete);
    records.last().is_some_and(broken)
}

/// True for a line that does not begin a record of its own.
fn may_follow(next: &str) -> bool {
    let text = quoted(next);
    let begins = ["type=", "node=", "host=", "time->", "----"];
    let records = record::parse(text, Grammar::Any);
    let framed = |record: &Record<'_>| record.id.is_some();
    !text.is_empty()
        && !begins.iter().any(|word| text.starts_with(word))
        && (text.starts_with("avc:") || !records.iter().any(framed) && !decides(&records))
}

/// True when there is a decision among the records.
fn decides(records: &[Record<'_>]) -> bool {
    let kinds = [RecordKind::Avc, RecordKind::UserAvc];
    records.iter().any(|record| kinds.contains(&record.kind))
}

/// The text without the marks that mail programs put before what they quote.
fn quoted(line: &str) -> &str {
    line.trim_start_matches(|c: char| c == '>' || c.is_whitespace())
}

/// Adds the next part; without a space where a word was broken.
fn glue(line: &mut String, next: &str) {
    let text = quoted(next);
    let spaced = line.ends_with(char::is_whitespace) || text.len() < next.len();
    if spaced || starts_a_word(line, text) {
        let end = line.trim_end().len();
        line.truncate(end);
        line.push(' ');
    }
    line.push_str(text);
}

/// True when this text cannot be the rest of the word that the line ends with.
fn starts_a_word(line: &str, text: &str) -> bool {
    let word = text.split_whitespace().next().unwrap_or(text);
    let key = word.split_once('=').map(|(key, _)| key);
    let in_fields = line.rsplit_once('}').is_some();
    match key {
        Some(key) => KEYS.binary_search(&key).is_ok(),
        None => !in_fields || word == "for",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{KEYS, unwrapped};
    use crate::evidence::{
        denial::Decision,
        event,
        record::{Grammar, parse},
    };

    const DENIAL: &str = "type=AVC msg=audit(1.2:3): avc:  denied  { read write } for  pid=7 \
        comm=\"httpd\" src=80 scontext=system_u:system_r:httpd_t:s0 \
        tcontext=system_u:object_r:port_t:s0 tclass=tcp_socket permissive=0";

    fn read(text: &str) -> Vec<Decision> {
        event::decisions(&parse(&unwrapped(text), Grammar::Any))
    }

    #[test]
    fn the_keys_are_sorted() {
        assert!(KEYS.is_sorted());
    }

    #[test]
    fn a_decision_broken_at_any_space_is_read_whole() {
        let whole = &read(DENIAL)[0];
        for (at, _) in DENIAL.match_indices(' ') {
            for glue in ["\n", " \n", "\n  ", "\n> "] {
                let text = format!("{}{glue}{}", &DENIAL[..at], &DENIAL[at + 1..]);
                // A record that is whole without its last field is not looked for further.
                if DENIAL[at..].starts_with(" permissive") {
                    continue;
                }
                let found = read(&text);
                assert_eq!(found.len(), 1, "{text}");
                let same = Decision {
                    raw: whole.raw.clone(),
                    ..found[0].clone()
                };
                assert_eq!(&same, whole, "{text}");
            }
        }
    }

    #[test]
    fn a_decision_broken_inside_of_its_fields_is_read_whole() {
        let fields = DENIAL.find("pid=").unwrap();
        let class = DENIAL.find("_socket").unwrap();
        for at in fields + 1..class {
            let key = DENIAL[at..].split('=').next().unwrap();
            if DENIAL.as_bytes()[at - 1] == b' ' || KEYS.contains(&key) {
                continue;
            }
            let text = format!("{}\n{}", &DENIAL[..at], &DENIAL[at..]);
            let found = read(&text);
            let read = (found.len(), found[0].complete, found[0].class.as_deref());
            assert_eq!(read, (1, true, Some("tcp_socket")), "{text}");
        }
    }

    #[test]
    fn lines_of_their_own_are_left_alone() {
        for text in [
            "",
            "a\nb\n\nc",
            "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  pid=1\ntype=SYSCALL msg=audit(1.2:3): x",
            "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  pid=1\n----\ntime->x",
        ] {
            assert_eq!(unwrapped(text), text);
        }
        let two = format!("{DENIAL}\n{DENIAL}\nand then some words");
        assert_eq!(unwrapped(&two), two);
    }

    proptest! {
        #[test]
        fn no_decision_is_lost(
            pieces in prop::collection::vec((0..DENIAL.len(), any::<bool>(), ".{0,20}"), 0..20),
        ) {
            let cut = |(at, whole, noise): &(usize, bool, String)| match whole {
                true => format!("{DENIAL}\n{noise}\n"),
                false => format!("{}\n{}\n", &DENIAL[..*at], &DENIAL[*at..]),
            };
            let text: String = pieces.iter().map(cut).collect();
            let wholes = pieces.iter().filter(|(_, whole, _)| *whole).count();
            let found = read(&text);
            prop_assert!(found.iter().filter(|found| found.complete).count() >= wholes);
        }
    }
}
