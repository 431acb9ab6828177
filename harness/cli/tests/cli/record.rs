//! Runs that leave a record, and commands that read one.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{CHECK, SUITE, names, place, recorded};

const GATE: &str = "gate: lenient\nrequire:\n  suites: { mine: all }\n  coverage: not-collected\n";

#[test]
fn a_run_leaves_a_whole_record_that_only_its_owner_reads() {
    let place = recorded();
    let mode = fs::metadata(place.path("run"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    for file in ["events.jsonl", "plan.json", "verdict.json", "junit.xml"] {
        assert!(!place.read(&format!("run/{file}")).is_empty(), "{file}");
    }
    let verdict = place.read("run/verdict.json");
    assert!(verdict.contains("\"verdict\": \"undecided\"") && verdict.contains("\"exit\": 3"));
    assert!(place.read("run/junit.xml").contains("Connection refused"));
}

#[test]
fn a_directory_that_is_there_is_never_written_to() {
    let place = recorded();
    let before = place.read("run/events.jsonl");
    let again = place.run(&format!("{CHECK} -o run")).with(2);
    let _told = again.telling(&["cannot create `run`: File exists", "hint: each run has"]);
    assert_eq!(place.read("run/events.jsonl"), before);
}

#[test]
fn a_directory_that_cannot_be_made_is_a_mistake_of_usage() {
    let place = place();
    for output in ["/proc/run", "inventory.yaml/run"] {
        let ended = place.run(&format!("{CHECK} -o {output}")).with(2);
        let _told = ended.telling(&["cannot create", "hint:"]);
    }
}

#[test]
fn the_default_directory_is_made_below_runs() {
    let place = place();
    let ended = place
        .run(CHECK)
        .with(3)
        .telling(&["the record is in runs/"]);
    let path = ended
        .stderr
        .lines()
        .last()
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap();
    assert!(place.path(path).join("verdict.json").is_file(), "{path}");
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    let place = recorded();
    let (verdict, junit) = (place.read("run/verdict.json"), place.read("run/junit.xml"));
    fs::remove_file(place.path("run/verdict.json")).unwrap();
    fs::write(place.path("run/junit.xml"), "lost").unwrap();
    let judged = place.run("judge run").with(3);
    assert!(
        judged.stdout.contains("UNDECIDED, exit code 3"),
        "{}",
        judged.stdout
    );
    assert_eq!(place.read("run/verdict.json"), verdict);
    assert_eq!(place.read("run/junit.xml"), junit);
    assert_eq!(place.run("judge run --json").with(3).stdout, verdict);
    assert_eq!(
        place.run("report run --format json").with(3).stdout,
        verdict
    );
    assert_eq!(place.run("report run --format junit").with(3).stdout, junit);
}

#[test]
fn another_gate_does_not_touch_the_recorded_verdict() {
    let place = recorded().with("gate.yaml", GATE);
    let (verdict, junit) = (place.read("run/verdict.json"), place.read("run/junit.xml"));
    let judged = place.run("judge run --gate gate.yaml --json").with(3);
    assert_ne!(judged.stdout, verdict);
    assert!(!judged.stdout.contains("coverage"), "{}", judged.stdout);
    assert_eq!(place.read("run/verdict.json"), verdict);
    assert_eq!(place.read("run/junit.xml"), junit);
    let wrong = place.with("gate.yaml", &GATE.replace("mine", "mime"));
    let _told = wrong
        .run("judge run --gate gate.yaml")
        .with(2)
        .telling(&["did you mean `mine`?"]);
}

#[test]
fn what_is_no_run_is_a_mistake_of_usage() {
    let place = recorded();
    for path in [".", "lost", "suite.yaml", "run/plan.json"] {
        for command in ["judge", "report"] {
            let ended = place.run(&format!("{command} {path}")).with(2);
            let _told = ended.telling(&[
                "is not the directory of a run",
                "events.jsonl and plan.json",
            ]);
        }
    }
    fs::remove_file(place.path("run/plan.json")).unwrap();
    let _told = place
        .run("judge run")
        .with(2)
        .telling(&["is not the directory of a run"]);
}

#[test]
fn a_changed_record_is_a_security_stop() {
    let whole = recorded().read("run/events.jsonl");
    let lines: Vec<_> = whole.lines().collect();
    let swapped = whole
        .replace(lines[0], "@")
        .replace(lines[1], lines[0])
        .replace('@', lines[1]);
    for changed in [
        whole.replace("refused", "refuseD"),
        whole.replace("\"seq\":2", "\"seq\":3"),
        whole.replacen(lines[1], "", 1).replace("\n\n", "\n"),
        swapped,
        format!("{whole}{}\n", lines[2]),
        "not a record\n".to_owned(),
    ] {
        let place = recorded().with("run/events.jsonl", &changed);
        let verdict = place.read("run/verdict.json");
        for command in ["judge run", "report run"] {
            let ended = place.run(command).with(6);
            let ended =
                ended.telling(&["the record was changed after it was written: events.jsonl"]);
            assert_eq!(ended.stdout, "");
        }
        assert_eq!(place.read("run/verdict.json"), verdict);
    }
}

#[test]
fn a_changed_plan_is_a_security_stop() {
    let place = recorded();
    let plan = place.read("run/plan.json");
    for changed in [
        plan.replace("\"web1\"", "\"web2\""),
        plan.replace("\"v\": 1", "\"v\": 2"),
        format!("{plan}\n"),
        "nonsense".to_owned(),
        String::new(),
    ] {
        fs::write(place.path("run/plan.json"), changed).unwrap();
        let ended = place.run("judge run").with(6);
        let _told = ended.telling(&["plan.json is not the plan that the run began with"]);
    }
}

#[test]
fn a_record_that_a_crash_cut_off_is_judged_up_to_there_and_never_open() {
    let place = recorded();
    let whole = place.read("run/events.jsonl");
    let ends: Vec<_> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
    for cut in [ends[1], ends[1] + 30, ends[0], ends[0] - 1, 0] {
        fs::write(place.path("run/events.jsonl"), &whole[..cut]).unwrap();
        let ended = place
            .run("judge run")
            .with(3)
            .telling(&["the record has no end"]);
        assert!(
            ended.stdout.contains("mine/page"),
            "every planned check is told"
        );
    }
}

#[test]
fn every_check_is_in_the_plan() {
    let place = place().with("patch.yaml", "patch_set: x\nselect: { updates: all }\n");
    let ended = place
        .run("plan -i inventory.yaml --suite httpd --suite ./suite.yaml")
        .with(0);
    let ids: Vec<_> = ended
        .stdout
        .lines()
        .filter_map(|l| l.split_whitespace().nth(2))
        .collect();
    let want = [
        "httpd/root-page",
        "httpd/root-page-local",
        "httpd/service",
        "httpd/no-new-denials",
    ];
    assert_eq!(ids[..6], [&want[..], &["mine/page", "mine/shell"]].concat());
    assert!(
        ended
            .stdout
            .ends_with("6 checks on 1 host; nothing was connected to\n")
    );
    let all = "plan -i inventory.yaml --suite ./suite.yaml --patch patch.yaml --offline";
    let states = place.run(all).with(0).stdout;
    assert!(
        states.contains("baseline") && states.contains("patched"),
        "{states}"
    );
    let json = place.run(&format!("{all} --format json")).with(0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&json).unwrap();
    let cells = plan["cells"].as_array().unwrap();
    assert_eq!(cells.len(), states.lines().count() - 1);
    assert_eq!(
        names(&place),
        ["inventory.yaml", "patch.yaml", "suite.yaml"]
    );
}

#[test]
fn the_inventory_is_shown_as_it_is_understood() {
    let place = place().with("suite.yaml", SUITE).with(
        "inventory.yaml",
        "all:\n  children:\n    rebuild:\n      vars: { patchgate_role: rebuild, patchgate_twin: up, \
         patchgate_lab: yes }\n      hosts:\n        web[01:02]: { ansible_user: me }\n    old:\n      \
         hosts:\n        up: { ansible_host: 192.0.2.7, ansible_port: 2222, patchgate_role: upstream, \
         ansible_user: root }\n",
    );
    let text = place.run("hosts -i inventory.yaml").with(0).stdout;
    let words: Vec<Vec<_>> = text
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(
        words[0],
        ["web01", "me@web01:22", "rebuild", "twin=up", "lab"]
    );
    assert_eq!(words[2], ["up", "root@192.0.2.7:2222", "upstream"]);
    let limited = place
        .run("hosts -i inventory.yaml --limit rebuild:!web01 --format json")
        .with(0);
    let hosts: serde_json::Value = serde_json::from_str(&limited.stdout).unwrap();
    assert_eq!(hosts.as_array().unwrap().len(), 1);
    assert_eq!(hosts[0]["name"], "web02");
    assert_eq!(hosts[0]["port"], 22);
}
