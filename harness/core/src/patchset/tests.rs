//! Whole patch sets: what is refused, and what one means.

use super::*;

/// Files, and everything that is told about them.
const REFUSED: &[(&str, &str)] = &[
    (
        r#"{}
"#,
        r#"f:1:1: error: a patch set needs the key `patch_set`
f:1:1: error: a patch set needs the key `select`
"#,
    ),
    (
        r#"patch_set: a b
select: {updates: sekurity, advisories: [x]}
exclude: [kernel*, "a,b", -x]
repos: {enable: ["a b", c], disable: [c], enabel: []}
reboot: always
services: restart-affected
on_failure: rollbck
within: 30
"#,
        r#"f:1:12: error: `patch_set` cannot be `a b`: a name holds letters, digits, `.`, `_` and `-`, not ` ` (expected the name of the patch set)
f:2:19: error: `updates` cannot be `sekurity` (expected one of `all`, `security`)
  help: did you mean `security`?
f:2:29: error: `select` has `updates` and `advisories` (expected one of `updates: all`, `updates: security`, `advisories: [...]`, `packages: [...]`, `rpms: [...]`)
f:2:42: error: `advisories` cannot hold `x` (expected an advisory's id of Red Hat or a rebuild, as `RHSA-2013:0263`)
f:3:20: error: `exclude` cannot hold `a,b` (expected a package's name, `*` and `?` standing for anything, as `kernel*`)
f:3:27: error: `exclude` cannot hold `-x` (expected a package's name, `*` and `?` standing for anything, as `kernel*`)
f:4:18: error: `enable` cannot hold `a b` (expected a repository's id, `*` and `?` standing for anything, as `updates`)
f:4:29: error: `c` is both enabled and disabled
f:4:43: error: `enabel` is not a key of `repos` (expected one of `enable`, `disable`)
  help: did you mean `enable`?
f:6:11: error: `restart-affected` is known but not built in this version (expected `leave` or `{ restart: [units] }`)
f:7:13: error: `on_failure` cannot be `rollbck` (expected one of `keep`, `rollback`, `reset`)
  help: did you mean `rollback`?
f:8:9: error: `within` cannot be `30` (expected a duration with a unit, from 1m to 24h, as `5s` or `2m`)
"#,
    ),
    (
        r#"patch_set: x
select: {}
services: {restart: []}
"#,
        r#"f:2:9: error: `select` selects nothing (expected one of `updates: all`, `updates: security`, `advisories: [...]`, `packages: [...]`, `rpms: [...]`)
f:3:21: error: `restart` names no unit (expected at least one, or `services: leave`)
"#,
    ),
    (
        r#"patch_set: x
select: {update: all}
services: {restarts: [a]}
reboot: maybe
within: 48h
"#,
        r#"f:2:10: error: `update` is not a key of `select` (expected one of `updates`, `advisories`, `packages`, `rpms`)
  help: did you mean `updates`?
f:3:12: error: `services` needs the key `restart`
f:3:12: error: `restarts` is not a key of `services` (expected `restart`)
  help: did you mean `restart`?
f:4:9: error: `reboot` cannot be `maybe` (expected one of `never`, `when-needed`, `always`)
f:5:9: error: `within` cannot be `48h` (expected a duration with a unit, from 1m to 24h, as `5s` or `2m`)
"#,
    ),
    (
        r#"patch_set: x
select: {updates: all}
reboot_within: 5s
"#,
        r#"f:3:1: error: `reboot_within` and no reboot (expected `reboot: when-needed`, `reboot: always` or `on_failure: reset` beside it)
f:3:16: error: `reboot_within` cannot be `5s` (expected a duration with a unit, from 30s to 2h, as `5s` or `2m`)
"#,
    ),
    (
        r#"patch_set: x
select: all
services: stop
"#,
        r#"f:2:9: error: `select` cannot be a single value (expected a map, `key: value`)
f:3:11: error: `services` cannot be `stop` (expected `leave` or `{ restart: [units] }`)
"#,
    ),
    (
        r#"patch_set: x
select: {updates: everything}
services: {restart: ["x y"]}
repos: [a]
on_failure: [reset]
"#,
        r#"f:2:19: error: `updates` cannot be `everything` (expected one of `all`, `security`)
f:3:22: error: `restart` cannot hold `x y` (expected a unit's name, as `httpd` or `httpd.service`)
f:4:8: error: `repos` cannot be a list (expected a map, `key: value`)
f:5:13: error: `on_failure` cannot be a list (expected one of `keep`, `rollback`, `reset`)
"#,
    ),
    (
        r#"patch_set: x
select:
  packages: [httpd, httpd-2.4.57-5.el9.x86_64, "a b-1-1.noarch", httpd-2.4.57-5.el9.x86_64]
  rpms: [x.deb, .rpm, a/b-1-1.noarch.rpm]
  advisories: []
"#,
        r#"f:3:3: error: `select` has `advisories` and `packages` (expected one of `updates: all`, `updates: security`, `advisories: [...]`, `packages: [...]`, `rpms: [...]`)
f:3:14: error: `packages` cannot hold `httpd` (expected a package with version, release and architecture, as `openssl-libs-1:3.0.7-25.el9_3.x86_64`)
f:3:48: error: `packages` cannot hold `a b-1-1.noarch` (expected a package with version, release and architecture, as `openssl-libs-1:3.0.7-25.el9_3.x86_64`)
f:3:66: error: `httpd-2.4.57-5.el9.x86_64` stands in `packages` twice
f:4:3: error: `select` has `advisories` and `rpms` (expected one of `updates: all`, `updates: security`, `advisories: [...]`, `packages: [...]`, `rpms: [...]`)
f:4:10: error: `rpms` cannot hold `x.deb` (expected the path of an RPM file, as `rpms/httpd-2.4.57-5.el9.x86_64.rpm`)
f:4:17: error: `rpms` cannot hold `.rpm` (expected the path of an RPM file, as `rpms/httpd-2.4.57-5.el9.x86_64.rpm`)
f:5:15: error: `advisories` names nothing (expected at least one)
"#,
    ),
    (
        r#"patch_set: x
select: {packages: [httpd-2.4.57-5.el9.x86_64, kernel-5.14.0-1.x86_64, kernel-core-1:5.14.0-1.x86_64]}
exclude: [httpd-tools, "kernel*"]
"#,
        r#"f:3:1: error: `kernel*` leaves out kernel-5.14.0-1.x86_64, which `select` names
f:3:1: error: `kernel*` leaves out kernel-core-1:5.14.0-1.x86_64, which `select` names
"#,
    ),
];

#[test]
fn every_way_to_select_is_read() {
    let selected = |text: &str| {
        let text = format!("patch_set: x\nselect: {{ {text} }}\n");
        parse(&text, "f").unwrap().select
    };
    let file = "rpms/httpd-2.4.57-5.el9.x86_64.rpm".to_owned();
    for (text, wanted) in [
        ("updates: all", Selection::AllUpdates),
        ("updates: security", Selection::Security),
        (
            "advisories: [RHSA-2013:0263, ELBA-2013-0300]",
            Selection::Advisories(
                ["RHSA-2013:0263", "ELBA-2013-0300"]
                    .map(|id| Advisory::parse(id).unwrap())
                    .to_vec(),
            ),
        ),
        (
            "packages: [\"openssl-libs-1:3.0.7-25.el9_3.x86_64\"]",
            Selection::Packages(vec![
                NevraSpec::parse("openssl-libs-1:3.0.7-25.el9_3.x86_64").unwrap(),
            ]),
        ),
        (
            "rpms: [rpms/httpd-2.4.57-5.el9.x86_64.rpm]",
            Selection::Rpms(vec![RpmFile { file, read: None }]),
        ),
    ] {
        let found = selected(text);
        assert_eq!(found, wanted);
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(
            serde_json::from_str::<Selection>(&json).unwrap(),
            wanted,
            "{json}"
        );
    }
    assert_eq!(
        serde_json::to_string(&Selection::AllUpdates).unwrap(),
        "\"all-updates\"",
        "records of earlier versions are read"
    );
}

#[test]
fn every_mistake_of_a_file_is_told() {
    for (text, wanted) in REFUSED {
        assert_eq!(parse(text, "f").unwrap_err().to_string(), *wanted, "{text}");
    }
}

#[test]
fn a_patch_set_that_says_little_changes_little() {
    let found = parse(
        "patch_set: 2026-11-nightly\nselect: { updates: all }\n",
        "f",
    )
    .unwrap();
    let wanted = PatchSet {
        name: "2026-11-nightly".to_owned(),
        select: Selection::AllUpdates,
        exclude: vec![],
        enable_repos: vec![],
        disable_repos: vec![],
        services: Services::Leave,
        deadline_s: 1800,
        reboot: Reboot::Never,
        on_failure: OnFailure::Keep,
        reboot_within_s: 600,
    };
    assert_eq!(found, wanted);
}

#[test]
fn a_patch_set_that_says_everything_is_taken_at_its_word() {
    let text = "
patch_set: x
select: { updates: all }
exclude: [kernel*, '*-debuginfo']
repos: { enable: [updates], disable: ['*'] }
reboot: when-needed
reboot_within: 15m
services: { restart: [httpd, crond.service] }
on_failure: rollback
within: 1h
";
    let wanted = PatchSet {
        name: "x".to_owned(),
        select: Selection::AllUpdates,
        exclude: vec!["kernel*".to_owned(), "*-debuginfo".to_owned()],
        enable_repos: vec!["updates".to_owned()],
        disable_repos: vec!["*".to_owned()],
        services: Services::Restart(vec!["httpd".to_owned(), "crond.service".to_owned()]),
        deadline_s: 3600,
        reboot: Reboot::WhenNeeded,
        on_failure: OnFailure::Rollback,
        reboot_within_s: 900,
    };
    assert_eq!(parse(text, "f").unwrap(), wanted);
}

#[test]
fn a_reset_may_take_its_time_and_a_rollback_boots_nothing() {
    let text = |word| {
        format!("patch_set: x\nselect: {{ updates: all }}\non_failure: {word}\nreboot_within: 5m\n")
    };
    assert_eq!(parse(&text("reset"), "f").unwrap().reboot_within_s, 300);
    for word in ["keep", "rollback"] {
        assert!(parse(&text(word), "f").is_err(), "{word}");
    }
}

#[test]
fn hosts_without_a_snapshot_are_named_where_the_reset_is_asked_for() {
    let text = "patch_set: x\nselect: { updates: all }\non_failure: reset\n";
    assert!(refuse_without_snapshot(text, "p.yaml", &[]).is_ok());
    let mistakes = refuse_without_snapshot(text, "p.yaml", &["web1", "web2"]).unwrap_err();
    assert_eq!(
        mistakes.to_string(),
        "p.yaml:3:13: error: no `patchgate_snapshot` to reset to: web1, web2\n  \
         help: give these hosts the variable in the inventory, or leave them out with `--limit`\n"
    );
    let many: Vec<String> = (0..20).map(|n| format!("h{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let told = refuse_without_snapshot(text, "p.yaml", &many)
        .unwrap_err()
        .to_string();
    assert!(told.contains("h7 and 12 more"), "{told}");
}
