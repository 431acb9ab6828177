//! Mistakes in files and arguments: all of them at once, each with its place, and nothing is touched.

use std::{io::ErrorKind, net::TcpListener};

use super::{CHECK, Place, SUITE, inventory, names, place};

const BAD_SUITE: &str = "suite: mine\nchecks:\n  - id: page\n    http: { url: \"http://{{ host }}/\", \
                         statsu: 200 }\n  - id: page\n    command: { run: ls, exit: 300 }\n";
const BAD_PATCH: &str = "patch_set: x\nselect: { updates: sekurity }\nrebot: never\n";
const BAD_GATE: &str =
    "gate: g\nrequire:\n  suites: { mine: all, other: all }\n  coverage: complet\n";
const PATCH: &str = "patch_set: x\nselect: { updates: all }\n";

#[test]
fn the_mistakes_of_all_files_are_told_at_once_and_nothing_is_touched() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let good_host = inventory(listener.local_addr().unwrap().port());
    let bad_host = "    web2:\n      ansible_port: 99999\n      patchgate_roll: rebuild\n";
    let place = Place::new(&[])
        .with("inventory.yaml", &(good_host + bad_host))
        .with("suite.yaml", BAD_SUITE)
        .with("patch.yaml", BAD_PATCH)
        .with("gate.yaml", BAD_GATE);
    let before = names(&place);
    let arguments = "run -i inventory.yaml --patch patch.yaml --suite ./suite.yaml --suite nosuch \
                     --suite lost.yaml --gate gate.yaml -o run --rollout";
    let ended = place.run(arguments).with(2).telling(&[
        "inventory.yaml:5:21",
        "`ansible_port` cannot be `99999`",
        "a whole number from 1 to 65535",
        "inventory.yaml:6:7",
        "did you mean `patchgate_role`?",
        "suite.yaml:4:40",
        "did you mean `status`?",
        "suite.yaml:5:9",
        "the check `page` is there twice",
        "suite.yaml:6:31",
        "patch.yaml:2:20",
        "patch.yaml:3:1",
        "did you mean `reboot`?",
        "gate.yaml:3:24",
        "there is no suite `other`",
        "gate.yaml:4:13",
        "did you mean `complete`?",
        "there is no built-in suite `nosuch`",
        "cannot read `lost.yaml`: No such file",
        "11 mistakes in the configuration; nothing was touched",
    ]);
    assert_eq!(ended.stdout, "");
    assert!(
        !ended.stderr.contains("no suite `mine`"),
        "the gate's mistakes are its own: {}",
        ended.stderr
    );
    assert_eq!(names(&place), before);
    let connected = listener.accept().unwrap_err().kind();
    assert_eq!(
        connected,
        ErrorKind::WouldBlock,
        "nothing may be connected to"
    );
}

/// Whether a host can be reset is known before anything is connected to.
#[test]
fn a_reset_needs_a_snapshot_of_every_host() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let place = Place::new(&[])
        .with("inventory.yaml", &inventory(port))
        .with("patch.yaml", &format!("{PATCH}on_failure: reset\n"));
    let run = "run -i inventory.yaml --patch patch.yaml -o run --rollout";
    let told = [
        "patch.yaml:3:13",
        "no `patchgate_snapshot` to reset to: web1",
    ];
    assert_eq!(place.run(run).with(2).telling(&told).stdout, "");
    let connected = listener.accept().unwrap_err().kind();
    assert_eq!(connected, ErrorKind::WouldBlock);
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_reason() {
    let place = place();
    for (arguments, told) in [
        (
            "hosts -i lost.yaml",
            "cannot read `lost.yaml`: No such file",
        ),
        (
            "hosts -i inventory.yaml --ssh-config lost",
            "cannot read `lost`",
        ),
        (
            "hosts -i inventory.yaml --limit @lost",
            "cannot read `lost`",
        ),
        (
            "plan -i inventory.yaml --patch lost.yaml",
            "cannot read `lost.yaml`",
        ),
        (
            "plan -i inventory.yaml --gate lost.yaml",
            "cannot read `lost.yaml`",
        ),
        (
            "plan -i inventory.yaml --suite ./lost.yaml",
            "cannot read `./lost.yaml`",
        ),
        (
            "plan -i inventory.yaml --suite nosuch",
            "built in are httpd, selinux",
        ),
    ] {
        let ended = place.run(arguments).with(2).telling(&[told]);
        assert_eq!(ended.stdout, "", "{arguments}");
    }
}

#[test]
fn a_limit_that_names_nobody_is_a_mistake_and_one_that_leaves_nobody_runs_nothing() {
    let place = place();
    let limited = |limit: &str| place.run(&format!("{CHECK} -o run --limit {limit}"));
    let near = limited("wbe1").with(2);
    let _told = near.telling(&["`wbe1` is no host or group", "did you mean `web1`?"]);
    let _told = limited("~web(").with(2).telling(&["cannot be read"]);
    let _told = limited("web1:!web1").with(4).telling(&["nothing to run"]);
    assert!(!place.path("run").exists());
    let none = "-i inventory.yaml --limit web1:!web1";
    assert_eq!(place.run(&format!("hosts {none}")).with(4).stdout, "");
    let _none = place
        .run(&format!("plan {none}"))
        .with(4)
        .telling(&["0 checks on 0 hosts"]);
}

#[test]
fn nothing_to_do_is_never_success() {
    for (inventory, told) in [
        ("", "this file is empty"),
        ("# nothing\n", "this file is empty"),
        ("all:\n", "this inventory has no hosts"),
        ("all:\n  hosts: {}\n", "this inventory has no hosts"),
        ("all:\n  hosts:\n", "this inventory has no hosts"),
        ("[web]\nweb1\n", "inventory.yaml:1"),
    ] {
        let place = place().with("inventory.yaml", inventory);
        for command in [
            &format!("{CHECK} -o run"),
            "plan -i inventory.yaml",
            "hosts -i inventory.yaml",
        ] {
            let ended = place.run(command).with(2).telling(&[told]);
            assert_eq!(ended.stdout, "");
        }
        assert!(!place.path("run").exists());
    }
}

#[test]
fn hosts_outside_the_lab_are_patched_only_on_request() {
    let place = Place::new(&[])
        .with("suite.yaml", SUITE)
        .with("patch.yaml", PATCH)
        .with(
            "inventory.yaml",
            "all:\n  vars: { ansible_host: 127.0.0.1, ansible_port: 1 }\n  hosts:\n    lab1: { \
             patchgate_lab: true }\n    prod1: { ansible_port: 2 }\n    prod2: { ansible_port: 3 }\n",
        );
    let run = "run -i inventory.yaml --patch patch.yaml --suite ./suite.yaml -o run";
    let ended = place.run(run).with(2);
    let refused = ended.telling(&["prod1, prod2", "--rollout", "patchgate_lab: true"]);
    assert!(!refused.stderr.contains("lab1"), "{}", refused.stderr);
    assert!(!place.path("run").exists());
    // What only looks needs no permission; neither does a lab, and a rollout has it.
    let _plan = place
        .run("plan -i inventory.yaml --patch patch.yaml --offline")
        .with(0);
    let asked = place
        .run("plan -i inventory.yaml --patch patch.yaml -o plan")
        .with(3);
    let _told = asked.telling(&["unreachable", "the record is in plan"]);
    let _lab = place.run(&format!("{run} --limit lab1")).with(3);
    let _rollout = place
        .run(&run.replace("-o run", "-o rollout --rollout"))
        .with(3);
}

#[test]
fn denials_cannot_be_checked_without_evidence() {
    let gate = "gate: quick\nrequire:\n  suites: { httpd: all }\n  coverage: not-collected\n";
    let place = place().with("gate.yaml", gate);
    let ended = place
        .run("check -i inventory.yaml --suite httpd --gate gate.yaml")
        .with(2);
    let _told = ended.telling(&["suite httpd checks denials", "coverage: not-collected"]);
}

const LISTED: &str = "suite: mine\nchecks:\n  - { id: a, denials: { allow: lists/known.yaml } }\n  \
                      - { id: b, denials: { domains: [a_t], allow: lists/known.yaml } }\n  \
                      - { id: c, denials: { domains: [b_t], allow: lost.yaml } }\n";
const LIST: &str = "allow:\n  - { source: httpd_t, target: user_home_t, class: file, permissions: \
                    [read], reason: cgi, ticket: OPS-1, expires: 2027-03-31 }\n";

#[test]
fn an_allow_list_is_read_beside_its_suite_and_stands_in_the_plan() {
    let suite = LISTED.replace(", allow: lost.yaml", "");
    let place = place();
    for folder in ["suites", "suites/lists"] {
        std::fs::create_dir(place.path(folder)).unwrap();
    }
    let place = place
        .with("suites/suite.yaml", &suite)
        .with("suites/lists/known.yaml", LIST);
    for named in ["suites/suite.yaml", "suites/"] {
        let plan = format!("plan -i inventory.yaml --suite {named} --format json");
        let plan = place.run(&plan).with(0).stdout;
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        for check in 0..2 {
            let list = &plan["suites"][0]["checks"][check]["kind"]["denials"]["allow"];
            assert_eq!(list["file"], "lists/known.yaml");
            assert_eq!(list["entries"][0]["expires"], "2027-03-31", "{list}");
        }
    }
}

#[test]
fn the_mistakes_of_an_allow_list_are_told_with_all_others_and_once() {
    let place = place().with("suite.yaml", LISTED);
    std::fs::create_dir(place.path("lists")).unwrap();
    let bad = LIST
        .replace("2027-03-31", "someday")
        .replace("reason: cgi, ", "");
    let place = place.with("lists/known.yaml", &bad);
    let ended = place
        .run("plan -i inventory.yaml --suite ./suite.yaml")
        .with(2);
    let _told = ended.telling(&[
        "lists/known.yaml:2:7",
        "an entry needs the key `reason`",
        "`expires` cannot be `someday`",
        "lost.yaml`: No such file",
        "3 mistakes in the configuration; nothing was touched",
    ]);
}

#[test]
fn two_suites_of_one_name_are_refused() {
    let place = place().with("other.yaml", SUITE);
    for suites in [
        "--suite ./suite.yaml --suite other.yaml",
        "--suite httpd --suite httpd",
    ] {
        let ended = place
            .run(&format!("plan -i inventory.yaml {suites}"))
            .with(2);
        let _told = ended.telling(&["two suites are named"]);
    }
}

const CANARY: &str = "canary-hunter2";

/// Where a secret may stand, and what is told of it.
const SECRETS: [(&str, &str); 6] = [
    (
        "      ansible_password: CANARY\n",
        "`ansible_password` is a secret",
    ),
    (
        "      ansible_become_pass: \"CANARY\"\n",
        "`ansible_become_pass` is a secret",
    ),
    (
        "      patchgate_role: { ansible_password: CANARY, x: CANARY }\n",
        "inventory.yaml:4",
    ),
    (
        "      ansible_password: CANARY: CANARY\n",
        "this is not YAML",
    ),
    ("      ansible_password: \"CANARY\n", "this is not YAML"),
    (
        "      my_key: |\n        -----BEGIN OPENSSH PRIVATE KEY-----\n        CANARY\n",
        "holds a private key",
    ),
];

#[test]
fn a_secret_in_an_inventory_is_refused_and_never_shown() {
    for (secret, told) in SECRETS {
        let text = format!("all:\n  hosts:\n    web1:\n{secret}").replace("CANARY", CANARY);
        let place = place().with("inventory.yaml", &text);
        for command in [
            "hosts -i inventory.yaml",
            "plan -i inventory.yaml",
            &format!("{CHECK} -o run"),
        ] {
            let ended = place.run(command).with(2).telling(&[told]);
            assert!(!ended.all().contains(CANARY), "{}", ended.all());
        }
    }
}

#[test]
fn a_mistake_beside_a_secret_does_not_show_the_line() {
    let text = format!(
        "all:\n  hosts:\n    web1: {{ ansible_password: {CANARY}, ansible_port: 99999 }}\n"
    );
    let place = place().with("inventory.yaml", &text);
    let ended = place.run("hosts -i inventory.yaml").with(2);
    let ended = ended.telling(&[
        "is a secret",
        "inventory.yaml:3",
        "`ansible_port` cannot be `99999`",
    ]);
    assert!(!ended.all().contains(CANARY), "{}", ended.all());
}

#[test]
fn a_login_in_a_url_is_not_shown() {
    let suite =
        format!("suite: s\nchecks:\n  - id: a\n    http: {{ url: \"http://me:{CANARY}@h/\" }}\n");
    let place = place().with("suite.yaml", &suite);
    let ended = place.run(CHECK).with(2).telling(&["suite.yaml:4"]);
    assert!(!ended.all().contains(CANARY), "{}", ended.all());
}

const OPENSSL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../core/tests/captured/rpm/openssl-libs.rpm"
);

const OFFLINE: &str = "plan -i inventory.yaml --patch patch.yaml --offline";

#[test]
fn rpm_files_are_read_before_anything_is_touched() {
    let patch = "patch_set: x\nselect: { rpms: [rpms/lost.rpm, no.rpm, good.rpm, same.rpm] }\n";
    let place = place().with("patch.yaml", patch).with("no.rpm", "text");
    for name in ["good.rpm", "same.rpm"] {
        std::fs::copy(OPENSSL, place.path(name)).unwrap();
    }
    let _told = place.run(OFFLINE).with(2).telling(&[
        "rpms/lost.rpm` cannot be read: No such file",
        "no.rpm` cannot be installed: it is no RPM file",
        "two files hold openssl-libs-3.0.7-25.el9_3.x86_64",
    ]);
    let place = place.with("patch.yaml", "patch_set: x\nselect: { rpms: [good.rpm] }\n");
    let ended = place.run(&format!("{OFFLINE} --format json")).with(0);
    let plan: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let read = &plan["patch"]["select"]["rpms"][0]["read"];
    assert_eq!(read["package"]["name"], "openssl-libs");
    assert_eq!(read["sha256"].as_str().map(str::len), Some(64));
    let both = "patch_set: x\nselect: { rpms: [good.rpm] }\nexclude: ['*-libs']\n";
    let ended = place.with("patch.yaml", both).run(OFFLINE).with(2);
    let why = "`exclude: [*-libs]` leaves out openssl-libs-3.0.7-25.el9_3.x86_64";
    let _told = ended.telling(&[why]);
}

/// A key that is not there is a mistake of the inventory: nobody is asked for anything.
#[test]
fn a_key_that_cannot_be_read_is_a_mistake_of_the_configuration() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let host = inventory(listener.local_addr().unwrap().port());
    let key = ", ansible_ssh_private_key_file: ./nowhere/key }";
    let place = Place::new(&[])
        .with("inventory.yaml", &host.replace(" }", key))
        .with("suite.yaml", SUITE);
    place
        .run("check -i inventory.yaml --suite ./suite.yaml -o run")
        .with(2)
        .telling(&[
            "cannot read the key",
            "nowhere/key",
            "No such file",
            "ansible_ssh_private_key_file",
        ]);
    let connected = listener.accept().unwrap_err().kind();
    assert_eq!(connected, ErrorKind::WouldBlock);
}
