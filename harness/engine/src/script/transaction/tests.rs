//! What each package manager is asked, and how its answers are read.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use patchgate_core::{
    patchset,
    reading::Reading,
    transaction::{Manager, WhyHeld},
};

use super::{arguments::transaction as arguments, *};
use crate::host::{Exit, Reply};

const CAPTURED: [&str; 10] = [
    include_str!("../../../../core/tests/captured/transaction/dnf4-lab-upgrade.txt"),
    include_str!("../../../../core/tests/captured/transaction/dnf4-lab-converged.txt"),
    include_str!("../../../../core/tests/captured/transaction/dnf4-lab-no-match.txt"),
    include_str!("../../../../core/tests/captured/transaction/dnf4-lab-excluded.txt"),
    include_str!("../../../../core/tests/captured/transaction/dnf4-lab-broken.txt"),
    include_str!("../../../../core/tests/captured/transaction/dnf4-lab-local-file.txt"),
    include_str!("../../../../core/tests/captured/transaction/dnf4-lab-updateinfo-all.txt"),
    include_str!("../../../../core/tests/captured/transaction/dnf4-lab-updateinfo-security.txt"),
    include_str!("../../../../core/tests/captured/transaction/dnf4-lab-check-update.txt"),
    include_str!("../../../../core/tests/captured/transaction/dnf4-lab-advisory-unknown.txt"),
];
const YUM_EL7: &str =
    include_str!("../../../../core/tests/captured/transaction/yum-el7-update.txt");
const DNF5: &str = include_str!("../../../../core/tests/captured/transaction/dnf5-upgrade.txt");

fn set(text: &str) -> PatchSet {
    patchset::parse(&format!("patch_set: x\n{text}\n"), "f").unwrap()
}

fn reply(code: u8, out: &str, err: &str) -> Reply {
    let mut reply = Reply::silent(Exit::Code(code));
    reply.stdout.bytes = out.into();
    reply.stderr.bytes = err.into();
    reply
}

fn plan(manager: &str, code: u8, out: &str, err: &str) -> Reading<Vec<String>> {
    let set = set("select: { updates: all }");
    let out = format!("pm={manager}\n{out}");
    read_plan(&Order::new(&set), &reply(code, &out, err)).packages
}

#[test]
fn each_manager_is_asked_in_its_own_words() {
    let strict = "--setopt=best=1 --setopt='*.skip_if_unavailable=0' ";
    let repos = "repos: { enable: [updates], disable: ['*'] }\nexclude: ['kernel*']";
    let sets = [
        format!("select: {{ updates: all }}\n{repos}"),
        "select: { updates: security }".to_owned(),
        "select: { advisories: [RHSA-2013:0263] }".to_owned(),
        "select: { packages: [httpd-2.4.57-5.el9.x86_64] }".to_owned(),
        "select: { rpms: [a.rpm] }".to_owned(),
    ];
    let wanted = [
        [
            "--disablerepo='*' --enablerepo='updates' --exclude='kernel*' update",
            "--disablerepo='*' --enablerepo='updates' --exclude='kernel*' upgrade",
            "--disable-repo='*' --enable-repo='updates' --exclude='kernel*' upgrade",
        ],
        [
            "update --security",
            "upgrade --security",
            "upgrade --security",
        ],
        [
            "update-minimal --advisory='CESA-2013:0263'",
            "upgrade-minimal --advisory='CESA-2013:0263'",
            "upgrade --minimal --advisories='CESA-2013:0263'",
        ],
        ["install 'httpd-2.4.57-5.el9.x86_64'"; 3],
        ["install '/var/lib/patchgate/rpms/r/a.rpm'"; 3],
    ];
    for (text, wanted) in sets.iter().zip(wanted) {
        let set = set(text);
        let order = Order {
            advisories: vec![AdvisoryHere {
                asked: patchset::Advisory::parse("RHSA-2013:0263").unwrap(),
                here: vec!["CESA-2013:0263".to_owned()],
                packages: Vec::new(),
            }],
            files: vec![FileThere {
                path: "/var/lib/patchgate/rpms/r/a.rpm".to_owned(),
                sha256: "ab".repeat(32),
            }],
            ..Order::new(&set)
        };
        for (manager, wanted) in Manager::ALL.into_iter().zip(wanted) {
            let strict = if manager == Manager::Yum { "" } else { strict };
            assert_eq!(arguments(manager, &order), format!("{strict}{wanted}"));
        }
    }
}

#[test]
fn what_people_write_is_quoted() {
    let mut hostile = set("select: { updates: all }");
    hostile.enable_repos = vec!["updates; reboot".into()];
    for manager in Manager::ALL {
        let words = arguments(manager, &Order::new(&hostile));
        assert!(words.contains("='updates; reboot' "), "{words}");
    }
}

#[test]
fn the_real_answers_of_dnf_4_are_read() {
    let [upgrade, converged, no_match, excluded, broken, local, ..] = CAPTURED;
    let brought = plan("dnf4", 1, upgrade, "");
    assert_eq!(
        brought.known().unwrap(),
        &[
            "openssl-libs-3.0.7-25.el9_3.x86_64",
            "selinux-policy-3.14.3-155.el9_3.14.noarch",
            "selinux-policy-targeted-3.14.3-155.el9_3.14.noarch",
            "tzdata-2023d-1.el9.noarch",
        ]
    );
    let file = plan("dnf4", 1, local, "");
    assert_eq!(
        file.known().unwrap(),
        &["openssl-libs-3.0.7-25.el9_3.x86_64"]
    );
    assert_eq!(plan("dnf4", 0, converged, ""), Reading::Known(vec![]));
    for (said, why) in [
        (no_match, "No match for argument: tzdata-2099-1.el9.noarch"),
        (
            excluded,
            "All matches were filtered out by exclude filtering for argument: \
             tzdata-2023d-1.el9.noarch",
        ),
        (
            broken,
            "Problem: package selinux-policy-targeted-3.14.3-155.el9_3.14.noarch requires",
        ),
    ] {
        let said: String = said
            .lines()
            .skip_while(|l| l.contains("kB"))
            .map(|l| format!("{l}\n"))
            .collect();
        let why_not = plan("dnf4", 1, "", &said);
        assert!(
            why_not
                .why()
                .unwrap()
                .starts_with(&format!("dnf4: exit status 1: {why}")),
            "{why_not:?}"
        );
    }
}

#[test]
fn the_answers_of_the_others_are_read() {
    for (manager, code, out, err, wanted) in [
        ("yum", 1, YUM_EL7, "", 2),
        ("yum", 0, YUM_EL7, "", 2),
        (
            "yum",
            0,
            "Setting up Update Process\nNo Packages marked for Update\n",
            "",
            0,
        ),
        (
            "yum",
            0,
            "Package x already installed and latest version\nNothing to do\n",
            "",
            0,
        ),
        (
            "yum",
            0,
            "No packages needed for security; 5 packages available\n",
            "",
            0,
        ),
        ("dnf5", 0, "Repositories loaded.\nNothing to do.\n", "", 0),
        ("dnf4", 0, "Dependencies resolved.\nNothing to do.\n", "", 0),
    ] {
        let found = plan(manager, code, out, err);
        assert_eq!(found.known().map(Vec::len), Some(wanted), "{found:?}");
    }
}

#[test]
fn what_is_not_said_is_not_known() {
    let unread = "Dependencies resolved.\nUpgrading:\n a x86_64 1-1\nOperation aborted.\n";
    let odd = "Dependencies resolved.\nFrobnicating:\n a x86_64 1-1 b 1 k\nOperation aborted.\n";
    for (manager, code, out, err) in [
        ("", 127, "", "there is none of dnf, dnf5 and yum"),
        ("dnf6", 0, "Nothing to do.\n", ""),
        ("dnf4", 0, "", ""),
        (
            "dnf4",
            1,
            "",
            "Error: Failed to download metadata for repo 'updates'",
        ),
        ("dnf4", 1, "Operation aborted.", ""),
        ("dnf4", 1, unread, ""),
        ("dnf4", 1, odd, ""),
        (
            "dnf4",
            0,
            "Skipping packages with broken dependencies:\n x\nNothing to do.\n",
            "",
        ),
        ("dnf4", 2, CAPTURED[0], ""),
        ("dnf4", 1, YUM_EL7, ""),
        (
            "yum",
            1,
            "No package x available.\nError: Nothing to do\n",
            "",
        ),
        ("yum", 1, &format!("No package x available.\n{YUM_EL7}"), ""),
        ("yum", 1, "Exiting on user command\n", ""),
        // One of its packages is skipped.
        ("dnf5", 1, DNF5, ""),
        (
            "dnf5",
            1,
            "",
            "Failed to resolve the transaction:\nProblem: x\n",
        ),
        ("dnf4", 98, "", "'/x.rpm' is not the file that was brought"),
    ] {
        let found = plan(manager, code, out, err);
        assert!(found.known().is_none(), "{manager} {out}{err}");
    }
    let mut cut = reply(1, &format!("pm=dnf4\n{}", CAPTURED[0]), "");
    cut.stdout.dropped = 1;
    let all = set("select: { updates: all }");
    assert!(
        read_plan(&Order::new(&all), &cut)
            .packages
            .known()
            .is_none()
    );
}

#[test]
fn advisories_are_had_under_some_id_or_nothing_is_applied() {
    let list = CAPTURED[6];
    let known = set("select: { advisories: [RHBA-2024:0155] }");
    let read = read_advisories(&known, &reply(0, list, ""));
    let order = read.known().unwrap();
    assert_eq!(order.advisories[0].here, ["CEBA-2024:0155"]);
    let [advisory] = order.advisories.as_slice() else {
        panic!("{order:?}");
    };
    let least: Vec<_> = advisory.packages.iter().map(ToString::to_string).collect();
    assert_eq!(
        least,
        [
            "selinux-policy-3.14.3-155.el9_3.14.noarch",
            "selinux-policy-targeted-3.14.3-155.el9_3.14.noarch",
        ]
    );
    // dnf itself says of an advisory that it does not know: nothing to do, and 0.
    assert_eq!(plan("dnf4", 0, CAPTURED[9], ""), Reading::Known(vec![]));
    let unknown = set("select: { advisories: [RHBA-2024:0155, RHSA-2024:0155] }");
    let why = read_advisories(&unknown, &reply(0, list, ""));
    assert!(why.why().unwrap().contains("CESA-2024:0155"), "{why:?}");
    for failed in [reply(1, list, ""), Reply::silent(Exit::DeadlineExceeded)] {
        assert!(read_advisories(&known, &failed).known().is_none());
    }
    let cut = reply(0, &list.replace("-3.14.3-155.el9_3.14.noarch", ""), "");
    let why = read_advisories(&known, &cut);
    assert!(why.why().unwrap().contains("cannot be read: "), "{why:?}");
}

#[test]
fn what_is_security_is_known_only_where_there_are_advisories() {
    let set = set("select: { updates: security }");
    let (some, all) = (CAPTURED[7], CAPTURED[6]);
    for (text, wanted) in [
        (format!("{some}@any\n{all}"), Some(1)),
        (format!("\n@any\n{all}"), Some(0)),
        ("\n@any\n".to_owned(), None),
        ("\n@any\nupdateinfo list done\n".to_owned(), None),
        (some.to_owned(), None),
    ] {
        let read = read_advisories(&set, &reply(0, &text, ""));
        let n = read.known().map(|order| order.at_least.len());
        assert_eq!(n, wanted, "{text}");
    }
    // On a repository without advisories dnf and yum end with 0 and say that nothing is needed.
    let none = read_advisories(&set, &reply(0, "\n@any\n", ""));
    assert!(none.why().unwrap().contains("is not known"), "{none:?}");
}

#[test]
fn a_plan_that_changes_what_is_excluded_is_not_carried_out() {
    for (exclude, known) in [("tzdata*", false), ("*-libs", false), ("kernel*", true)] {
        let set = set(&format!(
            "select: {{ updates: all }}\nexclude: ['{exclude}']"
        ));
        let out = format!("pm=dnf4\n{}", CAPTURED[0]);
        let planned = read_plan(&Order::new(&set), &reply(1, &out, "")).packages;
        assert_eq!(planned.known().is_some(), known, "{exclude}: {planned:?}");
    }
}

/// Runs a script with a dnf that writes down its arguments, each ended by a NUL.
fn heard_by_dnf(script: &str) -> Vec<String> {
    let place = tempfile::tempdir().unwrap();
    let dnf = place.path().join("dnf");
    fs::write(&dnf, "#!/bin/sh\nprintf '%s\\0' \"$@\" >>heard\n").unwrap();
    fs::set_permissions(&dnf, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", place.path().display());
    let ran = Command::new("sh")
        .args(["-c", script])
        .env("PATH", path)
        .current_dir(place.path())
        .output();
    let said = ran.unwrap();
    let left = fs::read_dir(place.path()).unwrap().count();
    assert_eq!(left, 2, "something else was made: {said:?}");
    let heard = fs::read_to_string(place.path().join("heard")).unwrap();
    heard
        .split_terminator('\0')
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn nothing_that_is_named_becomes_a_command() {
    let hostile = "it's $(touch a) `touch b`; touch c & touch d | touch e > f \" \\ * ?\ntouch g";
    let mut set = set("select: { rpms: [a.rpm] }");
    set.enable_repos = vec![hostile.into()];
    set.disable_repos = vec![hostile.into()];
    set.exclude = vec![hostile.into()];
    let file = |sha256: &str| FileThere {
        path: hostile.to_owned(),
        sha256: sha256.to_owned(),
    };
    let order = Order {
        advisories: vec![],
        files: vec![file(&"ab".repeat(32))],
        ..Order::new(&set)
    };
    let planned = Order {
        files: vec![],
        ..order.clone()
    };
    for script in [
        plan_item(&planned).script,
        apply_script(Manager::Dnf4, &planned),
        offered_item(&set).script,
    ] {
        let heard = heard_by_dnf(&script);
        for option in ["disablerepo", "enablerepo"] {
            let whole = format!("--{option}={hostile}");
            assert!(heard.contains(&whole), "{heard:?}");
        }
    }
    // A file that is not the one that was read: nothing is run.
    let script = format!("touch heard; {}", apply_script(Manager::Dnf4, &order));
    assert_eq!(heard_by_dnf(&script), [] as [String; 0]);
}

#[test]
fn what_is_held_back_is_known_only_where_all_of_it_was_asked() {
    let all = set("select: { updates: all }\nexclude: ['tzdata*']");
    let offers = format!("@visible\n{0}@unmasked\n{0}@unfiltered\n{0}", CAPTURED[8]);
    let out = format!("pm=dnf4\n{}", CAPTURED[0]);
    let mut rows = read_plan(&Order::new(&all), &reply(1, &out, ""))
        .preview
        .unwrap()
        .rows;
    rows.retain(|r| r.package.name() != "tzdata");
    let held = read_offered(&all, &rows, &reply(0, &offers, ""));
    let [only] = held.known().unwrap().as_slice() else {
        panic!("{held:?}");
    };
    assert_eq!(only.package.name(), "tzdata");
    assert_eq!(only.why, WhyHeld::ExcludedByPatchSet("tzdata*".to_owned()));
    for bad in [
        reply(1, &offers, ""),
        reply(0, "@visible\n", ""),
        reply(0, "", ""),
    ] {
        assert!(read_offered(&all, &rows, &bad).known().is_none());
    }
}

#[test]
fn the_job_checks_its_files_and_takes_them_away() {
    let rpms = set("select: { rpms: [a.rpm] }");
    let order = Order {
        files: vec![FileThere {
            path: "/x/it's.rpm".to_owned(),
            sha256: "ab".repeat(32),
        }],
        ..Order::new(&rpms)
    };
    let script = apply_script(Manager::Dnf4, &order);
    let (before, after) = script.split_once("exec \"$p\" -y ").unwrap();
    assert!(before.contains(r"sha256sum <'/x/it'\''s.rpm'"), "{script}");
    assert!(after.contains(r"rm -f -- '/x/it'\''s.rpm'"), "{script}");
    for item in [
        plan_item(&order),
        advisories_item(&rpms),
        offered_item(&rpms),
    ] {
        let parsed = std::process::Command::new("sh")
            .args(["-n", "-c", &item.script])
            .status();
        assert!(parsed.unwrap().success(), "{}", item.script);
    }
    let parsed = std::process::Command::new("sh")
        .args(["-n", "-c", &script])
        .status();
    assert!(parsed.unwrap().success(), "{script}");
}

#[test]
fn the_transaction_is_the_last_number_said() {
    let said = transaction("x\npatchgate-transaction=7\n");
    assert_eq!(said.as_deref(), Some("7"));
    assert_eq!(transaction("Complete!\n"), None);
}

/// A package manager that keeps a history, and says what it is told to do.
const PRETENDER: &str = r#"#!/bin/sh
case "$*" in
*"history list") printf 'ID | Command line\n-----\n %s | update\n 3 | install\n' "$LAST";;
*) echo "told: $*"; exit 0;;
esac
"#;

/// What the job of an undo does on a host whose last transaction is this one: its status and what it says.
fn undone(manager: Manager, text: &str, last: &str) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let name = match manager {
        Manager::Yum => "yum",
        Manager::Dnf4 => "dnf",
        Manager::Dnf5 => "dnf5",
    };
    let program = dir.path().join(name);
    fs::write(&program, PRETENDER).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    // Whatever this machine has of package managers is not asked.
    let readlink = ["/usr/bin/readlink", "/bin/readlink"].into_iter();
    let readlink = readlink.map(std::path::Path::new).find(|p| p.exists());
    std::os::unix::fs::symlink(readlink.unwrap(), dir.path().join("readlink")).unwrap();
    let path = dir.path();
    let script = undo_script(manager, &set(text), "7");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).env_clear();
    let output = shell.env("PATH", path).env("LAST", last).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), said)
}

#[test]
fn a_transaction_is_undone_with_the_repositories_of_the_patch() {
    let text = "select: { updates: all }\nrepos: { enable: [updates], disable: ['*'] }\nexclude: ['kernel*']";
    let strict = "--setopt=best=1 --setopt=*.skip_if_unavailable=0 ";
    for (manager, wanted) in [
        (
            Manager::Yum,
            "--disablerepo=* --enablerepo=updates ".to_owned(),
        ),
        (
            Manager::Dnf4,
            format!("{strict}--disablerepo=* --enablerepo=updates "),
        ),
        (
            Manager::Dnf5,
            format!("{strict}--disable-repo=* --enable-repo=updates "),
        ),
    ] {
        let (code, said) = undone(manager, text, "7");
        assert_eq!(said, format!("told: -y {wanted}history undo 7\n"));
        assert_eq!(code, Some(0));
    }
}

#[test]
fn nothing_is_undone_that_is_not_the_last_transaction() {
    for last in ["8", "", "77", "x"] {
        let (code, said) = undone(Manager::Dnf4, "select: { updates: all }", last);
        assert_eq!(code, Some(96), "{said}");
        assert!(
            said.starts_with("the last transaction is ") && !said.contains("told"),
            "{said}"
        );
    }
}
