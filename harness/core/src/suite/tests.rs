//! Whole suites: what is refused, and what one means.

use super::{command::Command, denials::Denials, http::Http, selinux::Mode, service::Service, *};
use crate::source::Diagnostics;

fn read(text: &str) -> Result<Suite, Diagnostics> {
    parse(text, "f")
}

fn good(text: &str) -> Suite {
    read(text).unwrap_or_else(|e| panic!("{e}{text}"))
}

/// A suite of one check, given as the lines under `- id: a`.
fn only(check: &str) -> Check {
    good(&format!("suite: x\nchecks:\n  - id: a\n    {check}\n"))
        .checks
        .remove(0)
}

/// Files, and everything that is told about them.
const REFUSED: &[(&str, &str)] = &[
    (
        r#"{}
"#,
        r#"f:1:1: error: a suite needs the key `suite`
f:1:1: error: a suite needs the key `checks`
"#,
    ),
    (
        r#"suite: x
checks: []
"#,
        r#"f:2:9: error: a suite without checks checks nothing (expected at least one check)
"#,
    ),
    (
        r#"suite: x
checks: {a: b}
"#,
        r#"f:2:9: error: `checks` cannot be a map (expected a list, `[a, b]`)
"#,
    ),
    (
        r#"suite: bad name
titel: x
fixtures: []
checks: [x]
"#,
        r#"f:1:8: error: `suite` cannot be `bad name`: a name holds letters, digits, `.`, `_` and `-`, not ` ` (expected the name of the suite)
f:2:1: error: `titel` is not a key of a suite (expected one of `suite`, `title`, `needs`, `domains`, `vectors`, `rests_on`, `checks`)
  help: did you mean `title`?
f:3:1: error: `fixtures` is known but not built in this version
f:4:10: error: a check cannot be a single value (expected a map, `key: value`)
"#,
    ),
    (
        r#"suite: x
needs: {packages: ["a b", httpd, httpd], selinux: enforced, package: x}
domains: ["system_u:system_r:httpd_t:s0"]
checks: [{id: a, service: {unit: x}}]
"#,
        r#"f:2:20: error: `packages` cannot hold `a b` (expected a package's name, as `httpd`)
f:2:34: error: `httpd` stands in `packages` twice
f:2:51: error: `selinux` cannot be `enforced` (expected one of `enforcing`, `permissive`, `disabled`)
f:2:61: error: `package` is not a key of `needs` (expected one of `packages`, `selinux`)
  help: did you mean `packages`?
f:3:11: error: `domains` cannot hold `system_u:system_r:httpd_t:s0` (expected an SELinux type, as `httpd_t`)
"#,
    ),
    (
        r#"suite: x
checks:
  - id: a
    http: {url: "http://localhost/", statsu: 1, status: 42, within: 5, redirects: 99}
  - id: a
    http: {url: "http://{{ host }}/", body: {contains: "{{ nonce }}", matches: x}, body_limit: 1MB, verify_tls: no}
"#,
        r#"f:4:17: error: a remote check cannot be asked of the client itself (expected a URL, as `http://{{ host }}/`)
  help: `vantage: localhost` makes it the control, asked on the host
f:4:38: error: `statsu` is not a key of `http` (expected one of `url`, `status`, `body`, `redirects`, `body_limit`, `verify_tls`, `within`)
  help: did you mean `status`?
f:4:57: error: `status` cannot be `42` (expected a whole number from 100 to 599)
f:4:69: error: `within` cannot be `5` (expected a duration with a unit, from 100ms to 10m, as `5s` or `2m`)
f:4:83: error: `redirects` cannot be `99` (expected a whole number from 0 to 20)
f:5:9: error: the check `a` is there twice
  help: give each check of a suite its own id
f:6:56: error: `{{ … }}` is known but not built in this version
f:6:71: error: `matches` is known but not built in this version
f:6:96: error: `body_limit` cannot be `1MB` (expected a size with a unit, up to `64MiB`, as `100KiB`)
f:6:113: error: `verify_tls` cannot be `no` (expected `true` or `false`)
  help: write `false`
"#,
    ),
    (
        r#"suite: x
checks:
  - id: a
    http: {url: "ftp://x"}
  - id: b
    http: {url: "http://{{ hots }}/", within: 0s}
  - id: c
    http: {url: "http://u:p@x/"}
  - id: d
    http: curl
  - id: e
    vantage: lcoalhost
    http: {url: "http://127.0.0.1/"}
  - id: f
    vantage: peer:web2
    http: {url: "http://{{ host }}/"}
  - id: g
    vantage: localhost
    http: {}
"#,
        r#"f:4:17: error: `url` cannot be `ftp://x`: it begins with neither `http://` nor `https://` (expected a URL, as `http://{{ host }}/`)
f:6:17: error: there is no variable `hots` (expected `host`)
  help: did you mean `host`?
f:6:47: error: `within` cannot be `0s` (expected a duration with a unit, from 100ms to 10m, as `5s` or `2m`)
f:8:17: error: `url` cannot be this: a login and a password have no place in it (expected a URL, as `http://{{ host }}/`)
f:10:11: error: `http` cannot be a single value (expected a map, `key: value`)
f:12:14: error: `vantage` cannot be `lcoalhost` (expected one of `controller`, `localhost`)
  help: did you mean `localhost`?
f:15:14: error: `peer:web2` is known but not built in this version
f:19:11: error: `http` needs the key `url`
"#,
    ),
    (
        r#"suite: x
checks:
  - id: a
    vantage: controller
    service: {unit: "a;b", active: on, enabled: x}
  - id: b
    command: {run: "", exit: 256, stdout: x}
  - id: c
    command: {exit: 0}
  - id: d
    selinux: {}
  - id: e
    selinux: {mode: on, booleans: {x-y: on, z: maybe}}
  - id: f
    denials: {allow: [known.yaml], domain: x}
"#,
        r#"f:4:5: error: a `service` check has no vantage
  help: it is always asked on the host; only `http` can be asked from elsewhere
f:5:21: error: `unit` cannot be `a;b` (expected a unit's name, as `httpd` or `httpd.service`)
f:5:36: error: `active` cannot be `on` (expected `true` or `false`)
  help: write `true`
f:5:49: error: `enabled` cannot be `x` (expected `true` or `false`)
f:7:20: error: `run` cannot be empty (expected a script of at most 64 KiB for `sh`)
f:7:30: error: `exit` cannot be `256` (expected a whole number from 0 to 255)
f:7:43: error: `stdout` cannot be a single value (expected a map, `key: value`)
f:9:15: error: `command` needs the key `run`
f:11:14: error: `selinux` expects nothing (expected `mode`, `booleans` or both)
f:13:21: error: `mode` cannot be `on` (expected one of `enforcing`, `permissive`, `disabled`)
f:13:36: error: `x-y` is no SELinux boolean (expected a name, as `httpd_can_network_connect`)
f:13:48: error: `z` cannot be `maybe` (expected `true` or `false`, `yes` or `no`, `on` or `off`)
f:15:22: error: `allow` cannot be a list (expected a file beside the suite's own, as `known-denials.yaml`)
f:15:36: error: `domain` is not a key of `denials` (expected one of `domains`, `allow`, `within`)
  help: did you mean `domains`?
"#,
    ),
    (
        r#"suite: x
domains: [httpd_t]
vectors: [{target: "u:r:x_t", class: file}, {target: x_t, klass: file}, {target: x_t, class: dir}, {target: x_t, class: dir}, x]
checks: [{id: a, command: {run: "true"}}]
"#,
        r#"f:3:20: error: `target` cannot be `u:r:x_t` (expected an SELinux type, as `httpd_t`)
f:3:46: error: an item of `vectors` needs the key `class`
f:3:59: error: `klass` is not a key of an item of `vectors` (expected one of `target`, `class`)
  help: did you mean `class`?
f:3:100: error: this stands in `vectors` twice
f:3:127: error: an item of `vectors` cannot be a single value (expected a map, `key: value`)
"#,
    ),
    (
        r#"suite: x
vectors: [{target: x_t, class: file}]
checks: [{id: a, command: {run: "true"}}]
"#,
        r#"f:2:1: error: `vectors` asks about nobody: this suite names no `domains`
"#,
    ),
    (
        r#"suite: x
checks:
  - service: {unit: x}
  - id: a
  - id: b
    tls: {}
  - id: c
    sevice: {}
  - id: d
    command: {run: "true"}
    denials: {}
  - id: e/f
    command: {run: "true"}
    idd: 3
"#,
        r#"f:3:5: error: a check needs the key `id`
f:4:5: error: this check does not say what it checks (expected one of `http`, `command`, `service`, `selinux`, `denials`)
f:6:5: error: `tls` is known but not built in this version
f:8:5: error: `sevice` is not a key of a check (expected one of `id`, `title`, `vantage`, `http`, `command`, `service`, `selinux`, `denials`)
  help: did you mean `service`?
f:11:5: error: a check is one thing: `denials` is a second
  help: make two checks of it
f:12:9: error: `id` cannot be `e/f`: a name holds letters, digits, `.`, `_` and `-`, not `/` (expected the name of the check)
f:14:5: error: `idd` is not a key of a check (expected one of `id`, `title`, `vantage`, `http`, `command`, `service`, `selinux`, `denials`)
  help: did you mean `id`?
"#,
    ),
];

#[test]
fn every_mistake_of_a_file_is_told() {
    for (text, wanted) in REFUSED {
        assert_eq!(read(text).unwrap_err().to_string(), *wanted, "{text}");
    }
}

/// The words of the format that wait for a later version, and where they stand.
#[test]
fn what_is_not_built_yet_is_told_from_a_misspelling() {
    let kinds = "tls tcp package file port user mount sysctl audit journal kernel-log time-sync memory \
                 sysstat converge identity script";
    for kind in kinds.split(' ') {
        let text = format!("suite: x\nchecks: [{{id: a, {kind}: {{}}}}]");
        let wanted = format!("f:2:18: error: `{kind}` is known but not built in this version\n");
        assert_eq!(read(&text).unwrap_err().to_string(), wanted);
    }
}

#[test]
fn a_check_that_says_little_gets_the_documented_defaults() {
    let check = only("http: { url: 'http://{{ host }}/' }");
    assert_eq!(
        (check.title.as_str(), check.vantage),
        ("a", Vantage::Controller)
    );
    assert_eq!(check.deadline, Duration::from_secs(10));
    let http = Http {
        url: "http://{{ host }}/".to_owned(),
        status: 200,
        contains: vec![],
        redirects: 0,
        body_limit: 1 << 20,
        verify_tls: true,
    };
    assert_eq!(check.kind, CheckKind::Http(http));
    for (check, kind) in [
        (
            "command: { run: 'true' }",
            CheckKind::Command(Command {
                run: "true".to_owned(),
                exit: 0,
                stdout_contains: vec![],
            }),
        ),
        (
            "service: { unit: httpd }",
            CheckKind::Service(Service {
                unit: "httpd".to_owned(),
                active: true,
                enabled: None,
            }),
        ),
        (
            "denials: {}",
            CheckKind::Denials(Denials {
                domains: vec![],
                allow: None,
            }),
        ),
    ] {
        let check = only(check);
        assert_eq!((check.kind, check.vantage), (kind, Vantage::Localhost));
    }
}

#[test]
fn a_check_that_says_everything_is_taken_at_its_word() {
    let check = only(
        "title: T
    vantage: localhost
    http:
      url: https://localhost:8443/x?y=z
      status: 301
      body: { contains: [one, 'two '] }
      redirects: 5
      body_limit: 64KiB
      verify_tls: false
      within: 1m 30s",
    );
    let http = Http {
        url: "https://localhost:8443/x?y=z".to_owned(),
        status: 301,
        contains: vec!["one".to_owned(), "two ".to_owned()],
        redirects: 5,
        body_limit: 64 << 10,
        verify_tls: false,
    };
    assert_eq!(
        (check.kind, check.vantage),
        (CheckKind::Http(http), Vantage::Localhost)
    );
    assert_eq!(
        (check.title.as_str(), check.deadline),
        ("T", Duration::from_secs(90))
    );
    let command =
        only("command: { run: \"a | b\\nc\", exit: 3, stdout: { contains: ok }, within: 2s }");
    assert_eq!(
        command.kind,
        CheckKind::Command(Command {
            run: "a | b\nc".to_owned(),
            exit: 3,
            stdout_contains: vec!["ok".to_owned()],
        })
    );
    let service = only("service: { unit: crond.service, active: false, enabled: true }");
    assert_eq!(
        service.kind,
        CheckKind::Service(Service {
            unit: "crond.service".to_owned(),
            active: false,
            enabled: Some(true),
        })
    );
}

#[test]
fn booleans_are_written_as_setsebool_writes_them() {
    let check = only("selinux: { mode: enforcing, booleans: { x: off, y: on, z: true } }");
    let CheckKind::Selinux(selinux) = check.kind else {
        panic!("{check:?}")
    };
    assert_eq!(selinux.mode, Some(Mode::Enforcing));
    let booleans: Vec<_> = selinux.booleans.into_iter().collect();
    let wanted = [("x", false), ("y", true), ("z", true)];
    assert_eq!(
        booleans,
        wanted.map(|(name, value)| (name.to_owned(), value))
    );
}

#[test]
fn an_allow_list_is_named_and_read_by_somebody_else() {
    let text = "suite: x\nchecks:\n  - { id: a, denials: { allow: ../known.yaml } }\n  \
                - { id: b, denials: {} }\n";
    let mut suite = good(text);
    let lists: Vec<_> = suite.allow_lists().collect();
    assert_eq!(lists.len(), 1);
    assert_eq!(lists[0].file, "../known.yaml");
    assert!(lists[0].entries.is_empty());
}

#[test]
fn the_url_of_a_host_is_its_address_in_the_right_brackets() {
    let check = only("http: { url: 'http://{{ host }}:8080/' }");
    let CheckKind::Http(http) = check.kind else {
        panic!("{check:?}")
    };
    for (address, url) in [
        ("web1", "http://web1:8080/"),
        ("192.0.2.1", "http://192.0.2.1:8080/"),
        ("2001:db8::1", "http://[2001:db8::1]:8080/"),
    ] {
        assert_eq!(http.url_for(address).unwrap(), url);
    }
}

#[test]
fn the_shipped_suites_say_what_they_mean() {
    let httpd = good(include_str!("../../../../suites/httpd/suite.yaml"));
    let checks: Vec<(&str, &str)> = httpd
        .checks
        .iter()
        .map(|c| (c.name.as_str(), c.vantage.word()))
        .collect();
    let wanted = [
        ("root-page", "controller"),
        ("root-page-local", "localhost"),
        ("service", "localhost"),
        ("no-new-denials", "localhost"),
    ];
    assert_eq!(checks, wanted);
    assert_eq!(
        (httpd.name.as_str(), httpd.domains.as_slice()),
        ("httpd", ["httpd_t".to_owned()].as_slice())
    );
    assert_eq!(httpd.needs.selinux, Some(Mode::Enforcing));
    assert_eq!(httpd.needs.packages, ["httpd"]);
    let selinux = good(include_str!("../../../../suites/selinux/suite.yaml"));
    assert_eq!(
        (selinux.name.as_str(), selinux.checks.len()),
        ("selinux", 1)
    );
}

#[test]
fn what_else_is_asked_is_named_by_type_and_class() {
    let lines = include_str!("vectors.rs").lines();
    let example: Vec<&str> = lines
        .map_while(|l| l.strip_prefix("//!"))
        .skip_while(|l| *l != " ```yaml")
        .skip(1)
        .take_while(|l| *l != " ```")
        .map(|l| &l[1..])
        .collect();
    let checks = "checks: [{ id: a, command: { run: 'true' } }]";
    let suite = good(&format!("suite: x\n{}\n{checks}", example.join("\n")));
    let wanted = VectorTarget {
        target: "postgresql_port_t".to_owned(),
        class: "tcp_socket".to_owned(),
    };
    assert_eq!(suite.vectors, [wanted]);
}

/// The example in the documentation of each kind is one that the parser takes.
#[test]
fn the_documented_examples_are_valid() {
    for source in [
        include_str!("http.rs"),
        include_str!("command.rs"),
        include_str!("service.rs"),
        include_str!("selinux.rs"),
        include_str!("denials.rs"),
    ] {
        let lines = source.lines().map_while(|l| l.strip_prefix("//!"));
        let inside: Vec<&str> = lines.skip_while(|l| *l != " ```yaml").skip(1).collect();
        let example = inside[..inside.len() - 1].join("\n");
        assert_eq!(
            good(&format!("suite: x\nchecks:\n{example}")).checks.len(),
            1
        );
    }
}
