//! Patterns over a small inventory; what `ansible --list-hosts` 2.19 chose for the same.

use super::*;
use crate::inventory::{Defaults, Inventory, input::Place, read};

fn limited(pattern: &str) -> Result<Inventory, LimitError> {
    let text = "
web: { hosts: { 'web[1:3].example': } }
db: { hosts: { db1: , db2: } }
lab: { hosts: { web1.example: , db1: } }
both: { hosts: { db2: } }
other: { hosts: { both: } }
all: { hosts: { lone: } }
";
    let (places, defaults) = ([Place::of_yaml(text, "i")], Defaults::default());
    let mut written = read(&places, &defaults);
    written.limit(&Limit::new(split(pattern))?)?;
    Ok(written.settle().unwrap())
}

#[test]
fn patterns_choose_as_ansible_chooses() {
    let everyone = "web1.example web2.example web3.example db1 db2 both lone";
    for (pattern, wanted) in [
        ("all", everyone),
        ("*", everyone),
        ("al*", everyone),
        ("web", "web1.example web2.example web3.example"),
        ("db2,web1.example", "web1.example db2"),
        ("db:lone", "db1 db2 lone"),
        ("web:db:&lab", "web1.example db1"),
        ("&lab:web", "web1.example"),
        ("web:!lab", "web2.example web3.example"),
        ("!web", "db1 db2 both lone"),
        ("web*:!web2*", "web1.example web3.example"),
        ("db?", "db1 db2"),
        ("web[12].*", "web1.example web2.example"),
        ("web[!12].*", "web3.example"),
        ("ungrouped", "lone"),
        ("web:&db", ""),
        // A host's name comes before a group's, but not behind a sign.
        ("both", "both"),
        ("db:&both", "db2"),
        ("~web[13]", "web1.example web3.example"),
        ("~(db|lone)$", "db1 db2 lone"),
        ("~.*example,!~web(1|2)", "web3.example"),
        (" db1 , lone ", "db1 lone"),
    ] {
        let found = limited(pattern).unwrap();
        let names: Vec<&str> = found.hosts.iter().map(|h| h.name.as_str()).collect();
        assert_eq!(names.join(" "), wanted, "{pattern}");
    }
}

#[test]
fn a_part_that_matches_nothing_is_a_mistake_even_when_it_takes_away() {
    for pattern in ["wbe", "db:!wbe", "db:&wbe"] {
        let near = Some("web".to_owned());
        let part = "wbe".to_owned();
        let wanted = Err(LimitError::NoMatch { part, near });
        assert_eq!(limited(pattern), wanted, "{pattern}");
    }
    assert_eq!(limited(" , "), Err(LimitError::Empty));
}

#[test]
fn what_cannot_be_read_is_refused() {
    for (pattern, wanted) in [
        ("web[0]", "`web[0]`: hosts are not counted"),
        ("web[1:2],db1", "`web[1:2]`: hosts are not counted"),
        ("~web(", "`~web(` cannot be read: "),
        ("~(?!web).*", "`~(?!web).*` cannot be read: "),
    ] {
        let told = limited(pattern).unwrap_err().to_string();
        assert!(told.starts_with(wanted), "{told}");
    }
}
