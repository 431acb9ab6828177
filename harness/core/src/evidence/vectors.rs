//! Reads what a host answered when it was asked for access vectors; the script that asks is the engine's.
//!
//! The answer is one line for each thing learnt:
//! ```text
//! path dir httpd_sys_content_t /var/www/html
//! limit 8 of 256 processes of httpd_t were looked at
//! vectors begin 2
//! class tcp_socket 7
//! perm tcp_socket listen 14
//! av SOURCE TARGET CLASS : 3fa3f ffffffff 0 ffffffff 1 0
//! av SOURCE TARGET CLASS ! the kernel refused the query
//! vectors end 2
//! ```

use super::access::{Query, VectorTable};

/// What a host answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VectorReading {
    /// The answers.
    pub table: VectorTable,
    /// Queries that the host could not answer, and why.
    pub refused: Vec<(Query, String)>,
    /// Lines that are of no known form, verbatim.
    pub unparsed: Vec<String>,
    /// True when the answer was whole: begin and end are there, with the counts that they name.
    pub complete: bool,
}

/// Reads the answer.
#[must_use]
pub fn parse_vectors(text: &str) -> VectorReading {
    let mut reading = VectorReading::default();
    let (mut begin, mut end) = (None, None);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["vectors", "begin", count] if begin.is_none() => begin = count.parse().ok(),
            ["vectors", "end", count] if end.is_none() => end = count.parse().ok(),
            ["path", ..] if read_path(&mut reading.table, line).is_some() => {}
            ["limit", what @ ..] if !what.is_empty() => reading.table.limits.push(what.join(" ")),
            _ => {
                if read_line(&mut reading, &words).is_none() {
                    reading.unparsed.push(line.to_owned());
                }
            }
        }
    }
    let answers = reading.table.vectors.len() + reading.refused.len();
    reading.complete = begin == Some(answers) && end == begin;
    reading
}

/// Reads `path CLASS TYPE PATH`; the path goes on to the end of the line, blanks and all.
fn read_path(table: &mut VectorTable, line: &str) -> Option<()> {
    let mut words = line.strip_prefix("path ")?.splitn(3, ' ');
    let (class, type_, path) = (words.next()?, words.next()?, words.next()?);
    let absolute = path.starts_with('/') && !class.is_empty() && !type_.is_empty();
    let labels = table.labels.entry(absolute.then(|| path.to_owned())?);
    labels
        .or_default()
        .insert(class.to_owned(), type_.to_owned());
    Some(())
}

/// Reads one line of the answer; `None` when it has no known form.
fn read_line(reading: &mut VectorReading, words: &[&str]) -> Option<()> {
    match words {
        // A class that is missing speaks through its refused queries.
        ["class" | "perm", _, "!", ..] | ["perm", _, _, "!", ..] => {}
        ["class", class, index] => {
            let index = index.parse().ok()?;
            reading
                .table
                .classes
                .entry((*class).to_owned())
                .or_default()
                .index = Some(index);
        }
        ["perm", class, name, value] => {
            let value = value.parse().ok()?;
            let class = reading
                .table
                .classes
                .entry((*class).to_owned())
                .or_default();
            class.permissions.insert((*name).to_owned(), value);
        }
        ["av", source, target, class, ":", answer @ ..] => {
            let query = Query::new(source, target, class).ok()?;
            let vector = answer.join(" ").parse().ok()?;
            reading.table.vectors.insert(query, vector);
        }
        ["av", source, target, class, "!", why @ ..] => {
            let query = Query::new(source, target, class).ok()?;
            reading.refused.push((query, why.join(" ")));
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse_vectors;
    use crate::evidence::access::Query;

    #[test]
    fn an_answer_is_read_line_by_line() {
        let text = "vectors begin 2\nclass file 6\nperm file read 2\n\
            av a:b:c d:e:f file : 2 ffffffff 0 ffffffff 4 0\nav a:b:c x:y:z file ! refused\n\
            vectors end 2\n";
        let reading = parse_vectors(text);
        assert!(reading.complete && reading.unparsed.is_empty());
        assert_eq!(reading.table.classes["file"].index, Some(6));
        let query = Query::new("a:b:c", "d:e:f", "file").unwrap();
        assert_eq!(reading.table.allowed(&query).unwrap().len(), 1);
        assert_eq!(reading.refused[0].1, "refused");
    }

    #[test]
    fn a_cut_answer_is_not_complete() {
        let text = "vectors begin 2\nclass file 6\nav a:b:c d:e:f file : 2 f 0 f 4 0\n";
        assert!(!parse_vectors(text).complete);
        assert!(!parse_vectors(&format!("{text}vectors end 1\n")).complete);
        assert!(!parse_vectors("").complete);
    }

    #[test]
    fn unknown_lines_are_kept() {
        let text = "vectors begin 0\nbash: warning: setlocale\nav x\nvectors end 0\n";
        assert_eq!(
            parse_vectors(text).unparsed,
            ["bash: warning: setlocale", "av x"]
        );
    }

    #[test]
    fn labels_and_limits_stand_beside_the_answers() {
        let text = "path dir httpd_sys_content_t /var/www/a  b\npath lnk_file etc_t /var/www/a  b\n\
            limit 8 of 256 processes of httpd_t were looked at\nvectors begin 0\nvectors end 0\n";
        let reading = parse_vectors(text);
        assert!(
            reading.complete && reading.unparsed.is_empty(),
            "{reading:?}"
        );
        let labels = &reading.table.labels["/var/www/a  b"];
        assert_eq!(
            (labels["dir"].as_str(), labels["lnk_file"].as_str()),
            ("httpd_sys_content_t", "etc_t")
        );
        assert_eq!(
            reading.table.limits,
            ["8 of 256 processes of httpd_t were looked at"]
        );
        let strange = "path dir t relative\npath dir\npath\nlimit\npath  dir t /x\n";
        assert_eq!(parse_vectors(strange).unparsed.len(), 5);
    }

    #[test]
    fn what_is_denied_in_silence_at_a_path_is_found_by_its_type_and_class() {
        let text = "path dir var_t /srv\npath file var_t /srv/x\nvectors begin 2\nclass dir 7\n\
            perm dir search 1\nperm dir read 2\nclass file 6\nperm file read 1\n\
            av u:r:httpd_t u:object_r:var_t dir : 2 ffffffff 0 fffffffe 4 0\n\
            av u:r:httpd_t u:object_r:var_t file : 1 ffffffff 0 ffffffff 4 0\nvectors end 2\n";
        let table = parse_vectors(text).table;
        let silent = table.silent_on("/srv");
        assert_eq!(silent.len(), 1);
        assert_eq!(silent[0].permissions, ["search"]);
        for path in ["/srv/x", "/nowhere"] {
            assert!(table.silent_on(path).is_empty(), "{path}");
        }
    }

    /// Tables of older records say nothing of labels.
    #[test]
    fn an_older_table_is_read() {
        let table: super::VectorTable =
            serde_json::from_str(r#"{"classes":{},"vectors":{}}"#).unwrap();
        assert_eq!(table, super::VectorTable::default());
    }

    #[test]
    fn a_table_survives_json() {
        let text = "vectors begin 1\nclass file 6\nperm file read 2\n\
            av a:b:c d:e:f file : 2 ffffffff 0 ffffffff 4 0\nvectors end 1\n";
        let table = parse_vectors(text).table;
        let json = serde_json::to_string(&table).unwrap();
        assert!(
            json.contains(r#""a:b:c d:e:f file":{"allowed":2"#),
            "{json}"
        );
        assert_eq!(
            serde_json::from_str::<super::VectorTable>(&json).unwrap(),
            table
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_never_twice_complete(text in ".{0,200}") {
            let reading = parse_vectors(&text);
            let kept = reading.unparsed.len();
            prop_assert!(kept <= text.lines().count());
        }
    }
}
