//! The steps' texts run by real shells, with tools that stand in for those of a host.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Command};

use patchgate_core::diagnosis::complaint;

use super::*;
use crate::host::{Captured, Exit};

/// What every host has.
const BASE: [&str; 14] = [
    "awk", "cat", "date", "grep", "head", "ps", "readlink", "sed", "sh", "sleep", "sort", "tail",
    "tr", "yes",
];

/// Runs an item with a shell, on a host that has these tools besides the base ones.
fn ran_by(shell: &str, item: &Item, tools: &[(&str, &str)]) -> Reply {
    let dir = tempfile::tempdir().unwrap();
    let find = |name: &str| {
        let mut places = ["/usr/bin", "/bin", "/usr/sbin"]
            .iter()
            .map(|d| Path::new(d).join(name));
        places
            .find(|p| p.exists())
            .unwrap_or_else(|| panic!("{name}"))
    };
    for name in BASE {
        std::os::unix::fs::symlink(find(name), dir.path().join(name)).unwrap();
    }
    for (name, text) in tools {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(shell);
    command.args(["-c", &item.script]).env_clear();
    command
        .env("PATH", dir.path())
        .env("LC_ALL", "C")
        .current_dir("/");
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    let stream = |bytes: Vec<u8>| Captured { bytes, dropped: 0 };
    Reply {
        stdout: stream(output.stdout),
        stderr: stream(output.stderr),
        ..Reply::silent(Exit::Code(
            output.status.code().unwrap().try_into().unwrap(),
        ))
    }
}

/// Runs an item with each shell; both say the same.
fn ran(item: &Item, tools: &[(&str, &str)]) -> Reply {
    let [dash, bash] = ["/bin/dash", "/bin/bash"].map(|shell| ran_by(shell, item, tools));
    assert_eq!(
        (&dash.exit, dash.stdout.text()),
        (&bash.exit, bash.stdout.text())
    );
    dash
}

const RPM: &str = "case $4 in\n\
    */mod_x.so) echo 'mod_x (none) 1.0 2.el9 x86_64' ;;\n\
    */broken.conf) echo \"file $4 is not owned by any package\"; exit 1 ;;\n\
    */httpd*) echo 'httpd (none) 2.4.57 5.el9 x86_64' ;;\n\
    *) echo 'error: rpmdb: BDB0113 Thread died' >&2; exit 1 ;;\n\
    esac";

#[test]
fn a_unit_is_asked_for_by_systemctl() {
    let tool = "[ \"$1\" = show ] && printf 'MainPID=0\\nLoadState=loaded\\nActiveState=failed\\n\
                SubState=failed\\nResult=signal\\nExecMainCode=2\\nExecMainStatus=9\\n'";
    let reply = ran(&unit::item("httpd"), &[("systemctl", tool)]);
    let Ok(Found::Unit(found)) = unit::read("httpd", &reply) else {
        panic!("{reply:?}")
    };
    assert_eq!(
        (found.active.as_str(), found.main_exit.as_deref()),
        ("failed", Some("killed 9"))
    );
    assert_eq!(found.context, None);
}

#[test]
fn a_service_manager_that_does_not_answer_says_why() {
    let tool = "echo 'Failed to connect to bus: Host is down' >&2; exit 1";
    let reply = ran(&unit::item("httpd"), &[("systemctl", tool)]);
    let why = unit::read("httpd", &reply).unwrap_err();
    assert_eq!(why, "exit status 1: Failed to connect to bus: Host is down");
    // SysV.
    for (tool, state) in [
        ("exit 3", "inactive"),
        ("[ \"$1 $2\" = 'httpd status' ]", "active"),
    ] {
        let reply = ran(&unit::item("httpd"), &[("service", tool)]);
        let Ok(Found::Unit(found)) = unit::read("httpd", &reply) else {
            panic!("{reply:?}")
        };
        assert_eq!(found.active, state);
    }
}

#[test]
fn an_error_log_is_told_by_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("it's a log");
    let name = path.display().to_string();
    let read = || error_log::read(&name, &ran(&error_log::item(&name), &[]));
    assert_eq!(read().unwrap_err(), "exit status 1: there is no such file");
    std::fs::write(&path, "").unwrap();
    let told = |lines| {
        let path = name.clone();
        Found::ErrorLog { path, lines }
    };
    assert_eq!(read().unwrap(), told(vec![]));
    let lines: Vec<String> = (1..=50).map(|n| format!("line {n}")).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    assert_eq!(read().unwrap(), told(lines[10..].to_vec()));
    std::fs::write(&path, "x".repeat(100_000)).unwrap();
    assert_eq!(read().unwrap(), told(vec!["x".repeat(16_384)]));
}

/// The journal's item on a host whose logs are in a directory of its own.
fn journal_in(dir: &Path, since: Duration) -> Item {
    let item = journal::item("httpd", since);
    let here = |name: &str| dir.join(name).display().to_string();
    let script = item
        .script
        .replace("/run/log/journal", &here("run"))
        .replace("/var/log/journal", &here("var"))
        .replace("/var/log/messages", &here("messages"));
    Item { script, ..item }
}

/// A directory with a journal.
fn journal_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("run/5c0e")).unwrap();
    std::fs::write(dir.path().join("run/5c0e/system.journal"), "").unwrap();
    dir
}

fn unit_lines(texts: &[&str]) -> Found {
    Found::Journal {
        unit: "httpd".to_owned(),
        lines: texts.iter().map(|l| (*l).to_owned()).collect(),
    }
}

#[test]
fn a_journal_is_told_from_the_begin_of_the_state() {
    let dir = journal_dir();
    let read = |tool: &str| {
        let item = journal_in(dir.path(), Duration::from_secs(9));
        journal::read("httpd", &ran(&item, &[("journalctl", tool)]))
    };
    let head = "echo '-- Logs begin at Thu 2026-11-26. --'";
    let told = read(&format!(
        "[ \"$2\" = httpd ] && {head} && echo \"$4\" | tr -d 0-9"
    ));
    assert_eq!(told.unwrap(), unit_lines(&["@"]));
    assert_eq!(read("echo '-- No entries --'").unwrap(), unit_lines(&[]));
    let hint = "No journal files were opened due to insufficient permissions.";
    let told = read(&format!("echo '{hint}' >&2; echo '-- No entries --'"));
    assert_eq!(told.unwrap_err(), hint);
}

#[test]
fn without_a_journal_the_syslog_file_is_read_or_it_is_said_that_there_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("messages");
    // journalctl is there and says nothing, as it does on a host without a journal.
    for tools in [&[][..], &[("journalctl", "exit 0")]] {
        let read = || {
            journal::read(
                "httpd",
                &ran(&journal_in(dir.path(), Duration::ZERO), tools),
            )
        };
        let none = format!(
            "exit status 1: there is neither a journal nor {}",
            file.display()
        );
        assert_eq!(read().unwrap_err(), none);
        std::fs::write(&file, "a httpd[283]: one\na sshd[1]: two\n").unwrap();
        assert_eq!(read().unwrap(), unit_lines(&["a httpd[283]: one"]));
        std::fs::write(&file, "a sshd[1]: two\n").unwrap();
        assert_eq!(read().unwrap(), unit_lines(&[]));
        std::fs::remove_file(&file).unwrap();
    }
}

#[test]
fn the_time_is_counted_back_from_the_hosts_clock() {
    let dir = journal_dir();
    let item = journal_in(dir.path(), Duration::from_millis(9_999));
    let tool = ("journalctl", "echo \"$4\"; date +%s");
    let reply = ran_by("/bin/dash", &item, &[tool]);
    let text = reply.stdout.text();
    let (since, now) = text.split_once('\n').unwrap();
    let number = |t: &str| t.trim().trim_start_matches('@').parse::<u64>().unwrap();
    let back = number(now) - number(since);
    assert!((10..=12).contains(&back), "{text}");
}

fn test(command: &str) -> Vec<Found> {
    let reply = ran(&config_test::item(command), &[("rpm", RPM)]);
    config_test::read(command, &reply).unwrap()
}

fn outcome(command: &str) -> (Option<u8>, String) {
    let first = test(command).swap_remove(0);
    let Found::ConfigTest { exit, output, .. } = first else {
        panic!("{first:?}")
    };
    (exit, output)
}

#[test]
fn a_config_test_has_an_exit_status_and_all_that_it_said() {
    for (command, exit, output) in [
        ("echo 'Syntax OK' >&2", 0, "Syntax OK"),
        ("echo out; echo err >&2; exit 3", 3, "out\nerr"),
        ("true", 0, ""),
        ("echo it\\'s; echo 'exit=0'; exit 9", 9, "it's\nexit=0"),
        ("printf 'no end'", 0, "no end"),
        ("cat; exit 137", 137, ""),
    ] {
        assert_eq!(
            outcome(command),
            (Some(exit), output.to_owned()),
            "{command}"
        );
    }
    let (exit, said) = outcome("if");
    assert!(
        exit != Some(0) && said.contains("yntax error"),
        "{exit:?} {said}"
    );
    let (exit, said) = outcome("yes | head -n 100000; exit 4");
    assert!(exit == Some(4) && said.len() <= 8192, "{}", said.len());
}

#[test]
fn what_a_config_test_complains_of_has_owners() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, "").unwrap();
        path.display().to_string()
    };
    let (conf, module) = (file("broken.conf"), file("mod_x.so"));
    let said = format!(
        "Syntax error on line 7 of {conf}: Cannot load {module} into server: {module}: cannot open /nosuch"
    );
    let found = test(&format!("echo '{said}'; exit 1"));
    let owners = [(module, "mod_x-1.0-2.el9.x86_64".to_owned())].into();
    assert_eq!(found[1..], [Found::Owners { owners }]);
}

#[test]
fn a_config_test_without_an_end_is_told_as_what_it_is() {
    let read = |exit| config_test::read("httpd -t", &Reply::silent(exit));
    let late = read(Exit::DeadlineExceeded).unwrap();
    assert!(matches!(late[..], [Found::ConfigTest { exit: None, .. }]));
    assert!(read(Exit::Lost { why: "x".into() }).is_err());
    assert!(read(Exit::Code(0)).is_err());
    // The test was through, and only rpm was late.
    let mut reply = Reply::silent(Exit::DeadlineExceeded);
    reply.stdout.bytes = b"bad\n\nexit=1\n".to_vec();
    let found = config_test::read("httpd -t", &reply).unwrap();
    assert!(
        matches!(&found[..], [Found::ConfigTest { exit: Some(1), output, .. }] if output == "bad")
    );
}

#[test]
fn owners_are_asked_for_what_is_named_and_what_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    for name in ["httpd.service", "httpd", "mod_x.so", "broken.conf", "c.crt"] {
        std::fs::write(at(name), "").unwrap();
    }
    std::fs::write(
        at("log"),
        format!("cannot open '{}'.\n/{}", at("mod_x.so"), at("httpd")),
    )
    .unwrap();
    let systemctl = format!(
        "printf 'FragmentPath={}\\nExecStart={{ path={} ; argv[]={} -D X ; }}\\nMainPID=0\\n'",
        at("httpd.service"),
        at("httpd"),
        at("httpd")
    );
    let step = Step::Owners {
        units: vec!["httpd".into()],
        logs: vec![at("log"), at("nosuch")],
        paths: vec![at("broken.conf"), at("nosuch")],
    };
    let item =
        |paths: &[String]| owners::item(&["httpd".into()], &[at("log"), at("nosuch")], paths);
    let tools = [("rpm", RPM), ("systemctl", systemctl.as_str())];
    let reply = ran(&item(&[at("broken.conf"), at("nosuch")]), &tools);
    let httpd = || "httpd-2.4.57-5.el9.x86_64".to_owned();
    let owners = [
        (at("httpd"), httpd()),
        (at("httpd.service"), httpd()),
        (at("mod_x.so"), "mod_x-1.0-2.el9.x86_64".into()),
    ];
    let want = Found::Owners {
        owners: owners.into(),
    };
    assert_eq!(
        owners::read(&step, &reply).unwrap(),
        std::slice::from_ref(&want)
    );
    // A file of which rpm does not speak.
    let reply = ran(&item(&[at("c.crt")]), &tools);
    let why = format!("rpm does not say whose {} is", at("c.crt"));
    assert_eq!(
        owners::read(&step, &reply).unwrap(),
        [want, unavailable(&step, &why)]
    );
    let reply = ran(&item(&[]), &tools[1..]);
    assert_eq!(
        owners::read(&step, &reply).unwrap_err(),
        "exit status 127: there is no rpm"
    );
}

#[test]
fn rpm_is_asked_about_sixteen_files_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<String> = (0..40)
        .map(|n| dir.path().join(format!("httpd{n}")).display().to_string())
        .collect();
    paths.iter().for_each(|p| std::fs::write(p, "").unwrap());
    let step = Step::Owners {
        units: vec![],
        logs: vec![],
        paths: paths.clone(),
    };
    let reply = ran(&owners::item(&[], &[], &paths), &[("rpm", RPM)]);
    let found = owners::read(&step, &reply).unwrap();
    assert!(
        matches!(&found[..], [Found::Owners { owners }] if owners.len() == 16),
        "{found:?}"
    );
}

/// The host's extraction and the controller's find the same paths.
#[test]
fn both_sides_find_the_same_paths() {
    let functions = owners::functions();
    for text in [
        "AH00526: Syntax error on line 7 of /etc/httpd/conf.d/broken.conf:",
        "Cannot load modules/x.so: /etc/httpd/modules/x.so: cannot open",
        "nginx: [emerg] \"x\" in /etc/nginx/nginx.conf:12 (see '/a/b', \"/c/d\" and </e>)",
        "http://example.com/a /x. //y a/b /etc/ssl/=z | `/bin/sh` [/f/g:3] / .",
        "file permissions deny server access: /var/www/html/index.html\n\tat /usr/lib/x;/usr/lib/y",
    ] {
        let script = format!("{functions}\nprintf '%s\\n' {} | named", quote::sh(text));
        let reply = ran(&Item::new(script, Duration::from_secs(5)), &[]);
        let on_host = lines(&reply.stdout.text());
        let here: Vec<String> = complaint::places(text)
            .into_iter()
            .map(|p| p.path)
            .collect();
        assert_eq!(on_host, here, "{text}");
    }
}

#[test]
fn labels_are_not_called_right_where_there_is_no_selinux() {
    let step = Step::Labels {
        paths: vec!["/etc".into()],
    };
    let tools = [("restorecon", "exit 0")];
    if !Path::new("/sys/fs/selinux/enforce").exists() {
        let reply = ran(&labels::item(&["/etc".into()]), &tools);
        let why = labels::read(&step, &reply).unwrap_err();
        assert_eq!(why, "exit status 1: there is no selinuxfs");
    }
}

fn labels_said(stdout: &str, stderr: &str, exit: Exit) -> Result<Vec<Found>, String> {
    let stream = |text: &str| Captured {
        bytes: text.into(),
        dropped: 0,
    };
    let reply = Reply {
        stdout: stream(stdout),
        stderr: stream(stderr),
        ..Reply::silent(exit)
    };
    let step = Step::Labels { paths: vec![] };
    labels::read(&step, &reply)
}

#[test]
fn wrong_labels_count_and_what_was_not_looked_at_is_told() {
    let wrong = "Would relabel /w/x from u:r:a_t:s0 to u:r:b_t:s0\n";
    let done = || Exit::Code(0);
    let counts = |told: Result<Vec<Found>, String>| {
        told.map(|found| {
            let Found::Mislabeled { labels } = &found[0] else {
                panic!("{found:?}")
            };
            (labels.len(), found.len())
        })
    };
    assert_eq!(counts(labels_said("", "", done())), Ok((0, 1)));
    assert_eq!(counts(labels_said(wrong, "", done())), Ok((1, 1)));
    let denied = "restorecon: Could not stat /w/y: Permission denied.\n";
    assert_eq!(counts(labels_said(wrong, denied, done())), Ok((1, 2)));
    assert!(labels_said("", denied, done()).is_err());
    assert_eq!(
        counts(labels_said(wrong, "", Exit::DeadlineExceeded)),
        Ok((1, 2))
    );
    assert!(labels_said("", "", Exit::DeadlineExceeded).is_err());
    assert_eq!(
        counts(labels_said(&wrong.repeat(200), "", done())),
        Ok((200, 2))
    );
    assert!(labels_said("something else\n", "", done()).is_err());
}

#[test]
fn listeners_are_read_from_ss() {
    let tool =
        "[ \"$1\" = -ltnp ] && echo 'LISTEN 0 5 127.0.0.1:80 *:* users:((\"httpd\",pid=1,fd=3))'";
    let reply = ran(&listeners::item(), &[("ss", tool)]);
    let Ok(Found::Listeners { listeners: all }) = listeners::read(&reply) else {
        panic!("{reply:?}")
    };
    assert!(all.len() == 1 && all[0].is_loopback());
    let reply = ran(&listeners::item(), &[]);
    assert_eq!(
        listeners::read(&reply).unwrap_err(),
        "exit status 127: there is no ss"
    );
    let reply = ran(&listeners::item(), &[("ss", "echo what")]);
    assert!(listeners::read(&reply).is_err());
}

#[test]
fn an_answer_that_is_lost_is_unavailable_for_every_step() {
    let lost = Reply::silent(Exit::Lost { why: "gone".into() });
    assert!(unit::read("u", &lost).is_err());
    assert!(listeners::read(&lost).is_err());
    assert!(error_log::read("/l", &lost).is_err());
    assert!(journal::read("u", &lost).is_err());
    assert!(config_test::read("c", &lost).is_err());
    let step = Step::Labels { paths: vec![] };
    assert!(labels::read(&step, &lost).is_err() && owners::read(&step, &lost).is_err());
}
