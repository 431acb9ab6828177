//! Asks a host for access vectors: the script that asks, and the reader of its answer.
//!
//! The answer is one line for each thing learnt:
//! ```text
//! vectors begin 2
//! class tcp_socket 7
//! perm tcp_socket listen 14
//! av SOURCE TARGET CLASS : 3fa3f ffffffff 0 ffffffff 1 0
//! av SOURCE TARGET CLASS ! the kernel refused the query
//! vectors end 2
//! ```

use std::{collections::BTreeSet, fmt::Write as _};

use super::access::{Query, VectorTable};

/// Finds the mount point, prints the classes' bits; `class NAME` leaves the index in `$i`.
const PROLOGUE: &str = r"m=/sys/fs/selinux
[ -e $m/access ] || m=/selinux
i=
number() {
    v=
    read -r v 2>/dev/null <$1 || :
    case $v in ''|*[!0-9]*) v= ;; esac
}
class() {
    c=$1 i=
    [ -r $m/class/$c/index ] || { echo class $c ! no such class; return 0; }
    number $m/class/$c/index
    i=$v
    echo class $c ${i:-! unreadable}
    for p in $m/class/$c/perms/*; do
        number $p
        echo perm $c ${p##*/} ${v:-! unreadable}
    done
}
";

/// Asks about every line on standard input for the class of the last `class` call.
///
/// Query and answer must go through one descriptor, and each needs a new one: the kernel
/// takes one write for each open file. The answer has no newline, so `read` fails and still reads.
const ASK: &str = r#"ask() {
    while read -r s t; do
        a= w='no such class'
        [ -n "$i" ] && w=refused && {
            printf '%s %s %s' $s $t $i >&3 && { read -r a <&3 || :; }
        } 2>/dev/null 3<>$m/access
        if [ -n "$a" ]; then echo av $s $t $c : $a; else echo av $s $t $c ! $w; fi
        n=$((n + 1))
    done
}
"#;

/// Writes a POSIX shell script that asks all queries with the shell's own commands alone.
///
/// It starts no process, changes nothing on the host, and ends with a line that counts the
/// answers, so that a script that was cut short is seen.
#[must_use]
pub fn vector_script(queries: &[Query]) -> String {
    let queries: BTreeSet<&Query> = queries.iter().collect();
    let classes: BTreeSet<&str> = queries.iter().map(|query| query.class()).collect();
    let mut script = format!("{PROLOGUE}{ASK}n=0\necho vectors begin {}\n", queries.len());
    for class in classes {
        let _ = writeln!(script, "class {class}\nask <<'_'");
        for query in queries.iter().filter(|query| query.class() == class) {
            let _ = writeln!(script, "{} {}", query.source(), query.target());
        }
        script.push_str("_\n");
    }
    script.push_str("echo vectors end $n\n");
    script
}

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

/// Reads the answer of [`vector_script`].
#[must_use]
pub fn parse_vectors(text: &str) -> VectorReading {
    let mut reading = VectorReading::default();
    let (mut begin, mut end) = (None, None);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["vectors", "begin", count] if begin.is_none() => begin = count.parse().ok(),
            ["vectors", "end", count] if end.is_none() => end = count.parse().ok(),
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

    use super::{parse_vectors, vector_script};
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
    fn the_script_asks_every_query_once_by_class() {
        let query = |target, class| Query::new("a:b:c", target, class).unwrap();
        let queries = [
            query("d:e:f", "file"),
            query("d:e:f", "dir"),
            query("x:y:z", "file"),
        ];
        let script = vector_script(&[&queries[..], &queries[..1]].concat());
        assert!(script.contains("echo vectors begin 3\n"));
        assert!(script.contains("class dir\nask <<'_'\na:b:c d:e:f\n_\n"));
        assert!(script.contains("class file\nask <<'_'\na:b:c d:e:f\na:b:c x:y:z\n_\n"));
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
