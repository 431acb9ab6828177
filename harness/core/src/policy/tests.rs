//! Whole gates: what is refused, and what one means.

use super::*;
use crate::source::Diagnostics;

fn read(text: &str) -> Result<Policy, Diagnostics> {
    let known = ["httpd", "selinux"].map(|n| SuiteName::new(n).unwrap());
    parse(text, "f", &known)
}

/// Files, and everything that is told about them.
const REFUSED: &[(&str, &str)] = &[
    (
        r#"{}
"#,
        r#"f:1:1: error: a gate needs the key `gate`
f:1:1: error: a gate needs the key `require`
"#,
    ),
    (
        r#"gate: "x y"
require:
  suites: {htpd: all, selinux: most}
  coverage: full
  no: [regresion, new-denial, new-denial]
  outage: {}
budget: {}
waivers: x
extra: 1
"#,
        r#"f:1:7: error: `gate` cannot be `x y`: a name holds letters, digits, `.`, `_` and `-`, not ` ` (expected the name of the gate)
f:3:12: error: there is no suite `htpd` (expected one of `httpd`, `selinux`)
  help: did you mean `httpd`?
f:3:32: error: `selinux` cannot be `most` (expected `all`)
f:4:13: error: `coverage` cannot be `full` (expected one of `complete`, `not-collected`)
f:5:8: error: `no` cannot hold `regresion` (expected one of `regression`, `rebuild-only`, `new-denial`, `mode-drift`, `missing-check`)
  help: did you mean `regression`?
f:5:31: error: `new-denial` stands in `no` twice
f:6:11: error: `outage` needs the key `longer_than`
f:7:1: error: `budget` is known but not built in this version
f:8:1: error: `waivers` is known but not built in this version
f:9:1: error: `extra` is not a key of a gate (expected one of `gate`, `require`)
"#,
    ),
    (
        r#"gate: g
require: {suites: {}, coverage: not-collected, no: [new-denial]}
"#,
        r#"f:2:19: error: a gate that requires no suite is always open (expected at least one suite)
f:2:53: error: `new-denial` cannot be seen without windows
  help: take it out, or ask for `coverage: complete`
"#,
    ),
    (
        r#"gate: g
require: {coverage: complete}
"#,
        r#"f:2:11: error: `require` needs the key `suites`
"#,
    ),
    (
        r#"gate: g
require: {suites: [httpd]}
"#,
        r#"f:2:19: error: `suites` cannot be a list (expected a map, `key: value`)
"#,
    ),
];

#[test]
fn every_mistake_of_a_file_is_told() {
    for (text, wanted) in REFUSED {
        assert_eq!(read(text).unwrap_err().to_string(), *wanted, "{text}");
    }
}

#[test]
fn a_gate_that_says_little_is_the_strict_one() {
    let text = "gate: strict\nrequire: { suites: { httpd: all, selinux: all } }";
    let suites = ["httpd", "selinux"].map(|n| SuiteName::new(n).unwrap());
    assert_eq!(read(text).unwrap(), Policy::strict(suites));
}

#[test]
fn a_gate_that_says_everything_is_taken_at_its_word() {
    let text = "
gate: g
require:
  suites: { httpd: all }
  coverage: complete
  no: [mode-drift, regression]
  outage: { longer_than: 5s }
";
    let found = read(text).unwrap();
    assert_eq!((found.name.as_str(), found.suites.len()), ("g", 1));
    assert_eq!(found.forbid, [Forbidden::ModeDrift, Forbidden::Regression]);
    let longer_than = Duration::from_secs(5);
    assert_eq!(found.outage, Some(OutageLimit { longer_than }));
    let none = read("gate: g\nrequire: { suites: { httpd: all }, no: [] }").unwrap();
    assert_eq!(none.forbid, []);
}

#[test]
fn without_windows_new_denials_are_not_forbidden_since_none_can_be_seen() {
    let text = "gate: g\nrequire: { suites: { httpd: all }, coverage: not-collected }";
    let found = read(text).unwrap();
    assert_eq!(found.coverage, RequiredCoverage::NotCollected);
    assert!(!found.forbid.contains(&Forbidden::NewDenial));
    assert_eq!(found.forbid.len(), Forbidden::ALL.len() - 1);
}
