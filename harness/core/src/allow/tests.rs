//! Whole allow-lists: what is refused, what one means, and which denials an entry fits.

use proptest::prelude::*;

use super::*;
use crate::{
    evidence::{denial::decisions, record},
    source::Diagnostics,
};

fn read(text: &str) -> Result<Vec<AllowEntry>, Diagnostics> {
    parse(text, "f")
}

/// Files, and everything that is told about them.
const REFUSED: &[(&str, &str)] = &[
    (
        "",
        "f:1:1: error: this file is empty\n",
    ),
    (
        "{}\n",
        "f:1:1: error: an allow-list needs the key `allow`\n",
    ),
    (
        "allow: {}\nextra: 1\n",
        "f:1:8: error: `allow` cannot be a map (expected a list, `[a, b]`)
f:2:1: error: `extra` is not a key of an allow-list (expected `allow`)
",
    ),
    (
        "allow:\n  - {}\n  - x\n",
        "f:2:5: error: an entry needs the key `source`
f:2:5: error: an entry needs the key `target`
f:2:5: error: an entry needs the key `class`
f:2:5: error: an entry needs the key `permissions`
f:2:5: error: an entry needs the key `reason`
f:2:5: error: an entry needs the key `ticket`
f:2:5: error: an entry needs the key `expires`
f:3:5: error: an entry cannot be a single value (expected a map, `key: value`)
",
    ),
    (
        "allow:
  - source: '*'
    target: user_*_t
    class: 'file*'
    permissions: [get attr, read, read]
    program: ''
    reason: ' '
    ticket: [OPS-1]
    expires: 2027-02-30
    expire: never
  - { source: a_t, target: b_t, class: file, permissions: [], reason: r, ticket: t, expires: 20270331 }
",
        "f:2:13: error: `source` cannot be `*` (expected an SELinux type, as `httpd_t`, or the beginning of several, as `httpd_*`)
f:3:13: error: `target` cannot be `user_*_t` (expected an SELinux type, as `httpd_t`, or the beginning of several, as `httpd_*`)
f:4:12: error: `class` cannot be `file*` (expected an object class, as `file`)
f:5:19: error: `permissions` cannot hold `get attr` (expected a permission, as `getattr`)
f:5:35: error: `read` stands in `permissions` twice
f:6:14: error: `program` cannot be empty (expected a task's name or a program's file, as `httpd` or `/usr/sbin/httpd`)
f:7:13: error: `reason` cannot be ` ` (expected a text)
f:8:13: error: `ticket` cannot be a list (expected a text)
f:9:14: error: `expires` cannot be `2027-02-30` (expected a day, as `2027-03-31`)
f:10:5: error: `expire` is not a key of an entry (expected one of `source`, `target`, `class`, `permissions`, `program`, `reason`, `ticket`, `expires`)
  help: did you mean `expires`?
f:11:59: error: an entry without permissions fits nothing (expected a permission, as `getattr`)
f:11:94: error: `expires` cannot be `20270331` (expected a day, as `2027-03-31`)
",
    ),
    (
        "allow:
  - { source: a_t, target: b_t, class: file, permissions: [read, open], reason: r, ticket: t, expires: 2027-03-31 }
  - { source: a_t, target: b_t, class: file, permissions: [open, read], reason: s, ticket: u, expires: 2028-03-31 }
",
        "f:3:5: error: this entry stands here twice
  help: one entry has one reason, one ticket and one last day
",
    ),
];

#[test]
fn every_mistake_of_a_file_is_told() {
    for (text, wanted) in REFUSED {
        assert_eq!(read(text).unwrap_err().to_string(), *wanted, "{text}");
    }
}

/// The entry of the documentation.
fn documented() -> AllowEntry {
    let lines = include_str!("../allow.rs").lines();
    let example: Vec<&str> = lines
        .map_while(|l| l.strip_prefix("//!"))
        .skip_while(|l| *l != " ```yaml")
        .skip(1)
        .take_while(|l| *l != " ```")
        .collect();
    let mut entries = read(&example.join("\n")).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

#[test]
fn the_documented_example_is_taken_at_its_word() {
    let entry = documented();
    assert_eq!(
        entry.to_string(),
        "httpd_t { getattr read } on file of user_home_t, by httpd (OPS-1234, until 2027-03-31)"
    );
    assert_eq!(entry.reason, "the old cgi reads a home directory, harmless");
    let json = serde_json::to_string(&entry).unwrap();
    assert!(json.contains(r#""expires":"2027-03-31""#), "{json}");
    assert_eq!(serde_json::from_str::<AllowEntry>(&json).unwrap(), entry);
}

#[test]
fn a_list_may_be_empty() {
    assert_eq!(read("allow: []\n").unwrap(), []);
}

#[test]
fn an_entry_holds_to_the_end_of_its_last_day() {
    for (day, holds) in [
        ("2027-03-30", true),
        ("2027-03-31", true),
        ("2027-04-01", false),
    ] {
        assert_eq!(documented().holds_on(day.parse().unwrap()), holds, "{day}");
    }
}

/// The one decision of an audit line.
fn denial(text: &str) -> Decision {
    let line = format!("type=AVC msg=audit(1361500201.250:201): avc:  {text}\n");
    let records = record::parse(&line, record::Grammar::AuditLog);
    let mut found: Vec<Decision> = records.iter().flat_map(decisions).collect();
    assert_eq!(found.len(), 1, "{line}");
    found.remove(0)
}

/// Denials, and whether the documented entry fits them.
const DENIALS: &[(&str, bool)] = &[
    (
        "denied  { getattr } for  pid=283 comm=\"httpd\" SOURCE TARGET tclass=file permissive=0",
        true,
    ),
    (
        "denied  { read getattr } for  pid=283 comm=\"httpd\" SOURCE TARGET tclass=file",
        true,
    ),
    (
        "denied  { read } for  comm=\"perl\" exe=\"httpd\" SOURCE TARGET tclass=file",
        true,
    ),
    (
        "denied  { getattr } for  comm=\"httpd\" SOURCE TARGET tclass=file permissive=1",
        true,
    ),
    // Another permission beside them, another class, another program, none.
    (
        "denied  { read write } for  comm=\"httpd\" SOURCE TARGET tclass=file",
        false,
    ),
    (
        "denied  { read } for  comm=\"httpd\" SOURCE TARGET tclass=dir",
        false,
    ),
    (
        "denied  { read } for  comm=\"perl\" SOURCE TARGET tclass=file",
        false,
    ),
    ("denied  { read } for  SOURCE TARGET tclass=file", false),
    // Other types.
    (
        "denied  { read } for  comm=\"httpd\" SOURCE tcontext=u:object_r:user_home_dir_t:s0 tclass=file",
        false,
    ),
    (
        "denied  { read } for  comm=\"httpd\" scontext=u:r:httpd_suexec_t:s0 TARGET tclass=file",
        false,
    ),
    // A grant is no denial.
    (
        "granted  { read } for  comm=\"httpd\" SOURCE TARGET tclass=file",
        false,
    ),
    // Cut at every place where a record may be cut.
    ("denied  { read } for  comm=\"httpd\" SOURCE TARGET", false),
    ("denied  { read } for  comm=\"httpd\" SOURCE", false),
    ("denied  { read } for  comm=\"httpd\"", false),
    ("denied  { read }", false),
    ("denied  { read", false),
    (
        "denied  {  } for  comm=\"httpd\" SOURCE TARGET tclass=file",
        false,
    ),
];

#[test]
fn an_entry_fits_what_it_is_about_and_nothing_else() {
    let entry = documented();
    for (text, fits) in DENIALS {
        let text = text
            .replace("SOURCE", "scontext=system_u:system_r:httpd_t:s0")
            .replace("TARGET", "tcontext=unconfined_u:object_r:user_home_t:s0");
        assert_eq!(entry.fits(&denial(&text)), *fits, "{text}");
    }
}

#[test]
fn a_bounded_transition_names_no_permission_and_fits_nothing() {
    let line = "type=SELINUX_ERR msg=audit(1361500201.250:201): op=security_bounded_transition \
                seresult=denied oldcontext=u:r:httpd_t:s0 newcontext=u:r:user_home_t:s0\n";
    let records = record::parse(line, record::Grammar::AuditLog);
    let found = decisions(&records[0]);
    let entry = AllowEntry {
        class: "process".to_owned(),
        program: None,
        ..documented()
    };
    assert!(found[0].complete && !entry.fits(&found[0]));
}

#[test]
fn a_star_fits_any_ending() {
    for (pattern, name, fits) in [
        ("httpd_t", "httpd_t", true),
        ("httpd_t", "httpd_tmp_t", false),
        ("httpd_*", "httpd_t", true),
        ("httpd_*", "httpd_sys_content_t", true),
        ("httpd_*", "httpd", false),
        ("httpd_t*", "httpd_t", true),
    ] {
        assert_eq!(fits_type(pattern, name), fits, "{pattern} {name}");
    }
}

proptest! {
    /// Whatever is taken from a record, an entry never fits more by it.
    #[test]
    fn a_cut_record_fits_no_more_than_the_whole(at in 0_usize..170) {
        let text = "denied  { read write } for  comm=\"httpd\" scontext=u:r:httpd_t:s0 \
                    tcontext=u:object_r:user_home_t:s0 tclass=file permissive=0";
        let line = format!("type=AVC msg=audit(1361500201.250:201): avc:  {text}");
        let cut = &line[..at.min(line.len())];
        let records = record::parse(cut, record::Grammar::AuditLog);
        let entry = documented();
        prop_assert!(records.iter().flat_map(decisions).all(|d| !entry.fits(&d)));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(allow:|- |source: |[a-z]+|\\[|\\]|\\{|\\}|: |\n| |'|[0-9-]+){0,40}") {
        if let Err(mistakes) = read(&text) {
            prop_assert!(!mistakes.is_empty());
        }
    }
}
