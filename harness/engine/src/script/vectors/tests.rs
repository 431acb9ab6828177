//! The script in the shells that hosts have, over a faked `/proc` and selinuxfs.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use patchgate_core::evidence::vectors::VectorReading;
use proptest::prelude::*;

use super::*;
use crate::host::Exit;

/// The shells that are `/bin/sh` somewhere: Debian's, Enterprise Linux's, small systems'.
const SHELLS: [&[&str]; 3] = [&["dash"], &["bash", "--posix"], &["busybox", "sh"]];

/// The programs that are `awk` somewhere.
const AWKS: [&str; 4] = ["gawk", "mawk", "original-awk", "busybox"];

/// Answers of a kernel that knows every context but that of `bogus_t`.
const ANSWERS: &str =
    "case $f$t in /dev/null* | *:bogus_t:*) ;; *) a='3 ffffffff 0 ffffffff 1 0' ;; esac";

/// The classes of what can be found and is no domain's own.
const FOUND: [&str; 5] = ["blk_file", "chr_file", "dir", "lnk_file", "sock_file"];

/// Stands for `stat`: tells what the file of labels says of a path, or fails as `stat` does.
const STAT: &str = r#"#!/bin/sh
kind=link
[ "$1" = -L ] && { kind=file; shift; }
shift 3
for p; do
    found=
    while IFS='	' read -r k q label; do
        [ "$k" = $kind ] && [ "$q" = "$p" ] && { printf '%s %s\n' "$label" "$p"; found=1; }
    done <"${0%/*}/labels"
    [ -n "$found" ] || echo "stat: cannot statx '$p': No such file or directory" >&2
done
"#;

/// A host's `/proc`, selinuxfs, files and tools.
struct Fake {
    dir: tempfile::TempDir,
    kernel: &'static str,
}

impl Fake {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let fake = Self {
            dir,
            kernel: ANSWERS,
        };
        fs::create_dir_all(fake.at("proc")).unwrap();
        fake.file("selinux/access", "");
        for (n, class) in FOUND.iter().chain(&OWN).enumerate() {
            fake.file(
                &format!("selinux/class/{class}/index"),
                &format!("{}", n + 1),
            );
            fake.file(&format!("selinux/class/{class}/perms/read"), "1");
            fake.file(&format!("selinux/class/{class}/perms/write"), "2");
        }
        fake.file("bin/labels", "");
        fake.file("bin/stat", STAT);
        fs::set_permissions(fake.at("bin/stat"), fs::Permissions::from_mode(0o755)).unwrap();
        fake
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn name(&self, path: &str) -> String {
        self.at(path).to_str().unwrap().to_owned()
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A process with its program, its open files and its mappings.
    fn process(&self, pid: u32, domain: &str, open: &[&str], mapped: &[&str]) {
        // The kernel ends the context with a NUL.
        let context = format!("system_u:system_r:{domain}:s0\0");
        self.file(&format!("proc/{pid}/attr/current"), &context);
        symlink("/usr/sbin/httpd", self.at(&format!("proc/{pid}/exe"))).unwrap();
        fs::create_dir_all(self.at(&format!("proc/{pid}/fd"))).unwrap();
        for (n, target) in open.iter().enumerate() {
            symlink(target, self.at(&format!("proc/{pid}/fd/{n}"))).unwrap();
        }
        let line = |path: &&str| format!("7f00-7f01 r-xp 00000000 fd:00 17 {path}\n");
        let maps: String = mapped.iter().map(line).collect();
        self.file(&format!("proc/{pid}/maps"), &maps);
    }

    /// What `stat` tells of a path, through links or of the link itself.
    fn label(&self, kind: &str, path: &str, mode: &str, type_: &str) {
        let mut labels = fs::OpenOptions::new();
        let mut labels = labels.append(true).open(self.at("bin/labels")).unwrap();
        writeln!(
            labels,
            "{kind}\t{path}\t{mode} system_u:object_r:{type_}:s0"
        )
        .unwrap();
    }

    fn label_own(&self, path: &str, mode: &str, type_: &str) {
        self.label("file", &self.name(path), mode, type_);
    }

    fn script(&self, suites: &[Suite], answered: &[Query]) -> String {
        let (proc, selinux) = (
            self.name("proc"),
            format!("/nowhere {}", self.name("selinux")),
        );
        let roots = Roots {
            proc: &proc,
            selinux: &selinux,
            kernel: self.kernel,
        };
        script(&roots, suites, answered)
    }

    fn run(&self, shell: &[&str], script: &str) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.name("bin"));
        let mut child = Command::new(found(shell[0]).unwrap());
        child.args(&shell[1..]).args(["-c", "eval \"$(cat)\""]);
        child.env_clear().env("PATH", path).env("LC_ALL", "C");
        child
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(script.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    /// What every shell and every `awk` make of it: the same.
    fn ask(&self, suites: &[Suite], answered: &[Query]) -> VectorReading {
        let script = self.script(suites, answered);
        let mut first = None;
        // Busybox prefers its own tools, which know no labels.
        for shell in shells().into_iter().filter(|s| s[0] != "busybox") {
            for awk in AWKS.iter().filter_map(|a| found(a)) {
                drop(fs::remove_file(self.at("bin/awk")));
                symlink(&awk, self.at("bin/awk")).unwrap();
                let reading = answer_of(&self.run(shell, &script));
                let first = first.get_or_insert_with(|| reading.clone());
                let with = format!("{} and {}", shell[0], awk.display());
                assert_eq!(reading.table.limits, first.table.limits, "{with}");
                assert_eq!(reading.table.labels, first.table.labels, "{with}");
                assert!(reading == *first, "{with}: other questions or answers");
            }
        }
        first.unwrap()
    }
}

/// The answer of a script that went well.
fn answer_of(output: &Output) -> VectorReading {
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8_lossy(&output.stdout);
    let reading = parse_vectors(&text);
    assert!(reading.complete, "{text}");
    assert_eq!(reading.unparsed, [""; 0]);
    reading
}

/// Where a program is.
fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).map(|p| p.join(program));
    places.into_iter().find(|p| p.is_file())
}

/// Those of [`SHELLS`] that are here; one at least.
fn shells() -> Vec<&'static [&'static str]> {
    let here: Vec<_> = SHELLS
        .into_iter()
        .filter(|s| found(s[0]).is_some())
        .collect();
    assert!(!here.is_empty(), "there is no shell");
    here
}

fn suite(paths: &[String], vectors: &[(&str, &str)]) -> Suite {
    let text = "suite: s\ndomains: [httpd_t]\nchecks: [{ id: a, command: { run: 'true' } }]\n";
    let mut suite = patchgate_core::suite::parse(text, "f").unwrap();
    suite.rests_on.paths = paths.to_vec();
    let target = |(target, class): &(&str, &str)| VectorTarget {
        target: (*target).to_owned(),
        class: (*class).to_owned(),
    };
    suite.vectors = vectors.iter().map(target).collect();
    suite
}

/// Whether the kernel was asked about httpd_t and an object of this type and class.
fn asked(reading: &VectorReading, type_: &str, class: &str) -> bool {
    let query = Query::new(&context("httpd_t"), &object(type_), class).unwrap();
    reading.table.vectors.contains_key(&query)
}

/// How many questions the lists make for one domain.
const LISTED: usize = OWN.len() + 2 * FILES.len() + COMMON.len();

/// A host with a web server, another service, and a document root.
fn web_server() -> Fake {
    let fake = Fake::new();
    let open = [
        "/dev/null",
        "socket:[17]",
        "socket:[18]",
        "pipe:[19]",
        "/var/log/httpd/error log",
        "/tmp/x (deleted)",
        "anon_inode:[eventpoll]",
    ];
    let mapped = [
        "/usr/lib64/libc.so.6",
        "/usr/lib64/libc.so.6",
        "/usr/lib64/old.so (deleted)",
    ];
    for pid in [12, 34] {
        fake.process(pid, "httpd_t", &open, &mapped);
        let fd = |n| format!("proc/{pid}/fd/{n}");
        fake.label_own(&fd(0), "21b6", "null_device_t");
        fake.label_own(&fd(1), "c1ff", "httpd_t");
        fake.label_own(&fd(2), "c1ff", "init_t");
        fake.label_own(&fd(3), "1180", "httpd_t");
        fake.label_own(&fd(4), "81a4", "httpd_error_t");
        fake.label_own(&fd(5), "81a4", "deleted_t");
        fake.label_own(&fd(6), "180", "nonsense_t");
        fake.label_own(&format!("proc/{pid}/exe"), "81ed", "httpd_program_t");
    }
    fake.process(56, "sshd_t", &["/etc/shadow"], &[]);
    fake.label_own("proc/56/fd/0", "8100", "shadow_t");
    fake.label("file", "/usr/lib64/libc.so.6", "81ed", "libc_t");
    fake.file("www/index.html", "");
    fake.file("www/domain httpd_t", "");
    symlink("/elsewhere", fake.at("www/link")).unwrap();
    fake.label_own("www", "41ed", "content_t");
    fake.label_own("www/index.html", "81a4", "page_t");
    fake.label_own("www/domain httpd_t", "81a4", "spaces_t");
    fake.label_own("www/link", "41ed", "elsewhere_t");
    fake.label("link", &fake.name("www/link"), "a1ff", "link_t");
    fake
}

#[test]
fn what_the_processes_use_and_the_suite_rests_on_is_asked_about() {
    let fake = web_server();
    let suite = suite(&[fake.name("www/")], &[("mysqld_port_t", "tcp_socket")]);
    let reading = fake.ask(&[suite], &[]);
    let found = [
        ("null_device_t", "chr_file"),
        ("init_t", "tcp_socket"),
        ("init_t", "unix_stream_socket"),
        ("httpd_error_t", "file"),
        ("deleted_t", "file"),
        ("httpd_program_t", "file"),
        ("libc_t", "file"),
        ("content_t", "dir"),
        ("page_t", "file"),
        ("spaces_t", "file"),
        ("elsewhere_t", "dir"),
        ("link_t", "lnk_file"),
        ("mysqld_port_t", "tcp_socket"),
    ];
    for (type_, class) in found {
        assert!(asked(&reading, type_, class), "{type_} {class}");
    }
    for type_ in ["shadow_t", "nonsense_t", "httpd_t"] {
        assert!(!asked(&reading, type_, "file"), "{type_}");
    }
    // All four families of a socket that is not the domain's own.
    assert_eq!(reading.table.vectors.len(), LISTED + found.len() + 2);
    assert_eq!(reading.table.limits, [""; 0]);
    let labels = &reading.table.labels;
    let link = &labels[&fake.name("www/link")];
    assert_eq!(
        (&*link["dir"], &*link["lnk_file"]),
        ("elsewhere_t", "link_t")
    );
    for (path, class, type_) in [
        ("/var/log/httpd/error log", "file", "httpd_error_t"),
        ("/usr/sbin/httpd", "file", "httpd_program_t"),
        ("/usr/lib64/libc.so.6", "file", "libc_t"),
        (&fake.name("www/domain httpd_t"), "file", "spaces_t"),
    ] {
        assert_eq!(labels[path][class], type_, "{path}");
    }
    assert!(
        !labels
            .keys()
            .any(|p| p.contains("(deleted)") || p.contains("socket:"))
    );
    assert_eq!(reading.table.classes["file"].permissions.len(), 2);
}

#[test]
fn what_the_baseline_was_asked_is_asked_again_and_nothing_twice() {
    let fake = web_server();
    let suites = [suite(&[fake.name("www")], &[])];
    let before = fake.ask(&suites, &[]);
    let answered: Vec<Query> = before.table.vectors.keys().cloned().collect();
    assert_eq!(fake.ask(&suites, &answered).table, before.table);
    // The service is down, its files are gone, a page has another label.
    fs::remove_dir_all(fake.at("proc")).unwrap();
    fs::create_dir_all(fake.at("proc/7")).unwrap();
    fake.file("bin/labels", "");
    fake.label_own("www/index.html", "81a4", "default_t");
    let after = fake.ask(&suites, &answered);
    let lost = answered
        .iter()
        .find(|q| !after.table.vectors.contains_key(*q));
    assert_eq!(lost, None);
    assert_eq!(after.table.vectors.len(), answered.len() + 1);
    assert!(asked(&after, "default_t", "file"));
    assert_eq!(after.table.limits, ["httpd_t has no process"]);
}

#[test]
fn a_type_that_the_policy_does_not_know_is_refused() {
    let suites = [suite(&[], &[("bogus_t", "file"), ("x_t", "bogus_class")])];
    let reading = Fake::new().ask(&suites, &[]);
    let refused: Vec<_> = reading
        .refused
        .iter()
        .map(|(q, why)| (q.class(), why.as_str()))
        .collect();
    assert_eq!(
        refused,
        [("bogus_class", "no such class"), ("file", "refused")]
    );
    assert_eq!(reading.table.vectors.len(), LISTED);
}

/// Two suites, two domains: each is asked about its own.
#[test]
fn each_domain_is_asked_about_what_is_its_own() {
    let fake = web_server();
    let mut sshd = suite(&[], &[("sftp_t", "file")]);
    sshd.domains = vec!["sshd_t".to_owned()];
    let reading = fake.ask(&[suite(&[fake.name("www")], &[]), sshd], &[]);
    let of_sshd = |type_| Query::new(&context("sshd_t"), &object(type_), "file").unwrap();
    for (type_, httpd, sshd) in [
        ("shadow_t", false, true),
        ("sftp_t", false, true),
        ("page_t", true, false),
        ("libc_t", true, false),
    ] {
        assert_eq!(asked(&reading, type_, "file"), httpd, "{type_}");
        let known = reading.table.vectors.contains_key(&of_sshd(type_));
        assert_eq!(known, sshd, "{type_}");
    }
}

/// Names that a shell, `awk` or the reader could take for something else.
#[test]
fn names_of_files_are_names_and_nothing_else() {
    let fake = web_server();
    let ran = fake.name("ran");
    for name in [
        "a\nvectors end 3\npath dir evil_t /x\nperm file evil 1",
        "a\n//domain httpd_t",
        "$(touch ran)",
        "`touch ran`",
        "';touch ran;'",
        "*",
        "-L",
        "tab\there",
        "limit nothing",
        "www:",
        "é\u{1b}[31m",
    ] {
        let name = name.replace("ran", &ran.replace('/', "\u{2215}"));
        fake.file(&format!("www/{name}"), "");
        fake.label_own(
            &format!("www/{}", name.replace(['\n', '\t'], "?")),
            "81a4",
            "odd_t",
        );
    }
    let quoted = "it's $(touch ran)";
    fs::create_dir(fake.at(quoted)).unwrap();
    fake.label_own(quoted, "41ed", "quoted_t");
    let suites = [suite(&[fake.name("www"), fake.name(quoted)], &[])];
    let reading = fake.ask(&suites, &[]);
    assert!(asked(&reading, "odd_t", "file") && asked(&reading, "quoted_t", "dir"));
    assert!(!fake.at("ran").exists() && !PathBuf::from("ran").exists());
    let evil = |t: &str| t.contains("evil");
    assert!(
        !reading
            .table
            .labels
            .values()
            .any(|l| l.values().any(|t| evil(t)))
    );
    assert!(
        !reading.table.classes["file"]
            .permissions
            .keys()
            .any(|p| evil(p))
    );
}

#[test]
fn what_is_looked_at_is_bounded_and_that_is_told() {
    let fake = Fake::new();
    for pid in 100..110 {
        let open: Vec<String> = (0..40).map(|n| format!("/data/{pid}/{n}")).collect();
        let open: Vec<&str> = open.iter().map(String::as_str).collect();
        fake.process(pid, "httpd_t", &open, &[]);
    }
    let mut paths = Vec::new();
    for dir in 0..3 {
        for n in 0..130 {
            fake.file(&format!("www{dir}/f{n}"), "");
        }
        paths.push(fake.name(&format!("www{dir}")));
    }
    let reading = fake.ask(&[suite(&paths, &[])], &[]);
    let told = &reading.table.limits;
    let some: Vec<_> = told
        .iter()
        .filter(|l| l.starts_with("only 128 names in"))
        .collect();
    assert_eq!(some.len(), 3, "{told:?}");
    for limit in [
        "8 of 10 processes of httpd_t were looked at",
        // 3 × 129 of the directories; of each process its program and its files.
        "no label could be read",
    ] {
        assert!(told.iter().any(|l| l == limit), "{limit}: {told:?}");
    }
    assert!(
        told.iter().any(|l| l.ends_with("paths were left out")),
        "{told:?}"
    );
}

/// Without the tools the lists are asked about all the same.
#[test]
fn a_host_without_tools_answers_the_lists() {
    let fake = web_server();
    let text = fake.script(&[suite(&[fake.name("www")], &[])], &[]);
    let text = format!("PATH={}\n{text}", fake.name("nothing"));
    for shell in shells() {
        let output = fake.run(shell, &text);
        let reading = parse_vectors(&String::from_utf8_lossy(&output.stdout));
        assert!(reading.complete, "{output:?}");
        assert_eq!(reading.table.vectors.len(), LISTED);
        let limits = &reading.table.limits;
        let missing = ["awk", "cat", "ls", "stat"].into_iter();
        for tool in missing.filter(|_| shell[0] != "busybox") {
            let told = format!("there is no {tool}: less was found than there may be");
            assert!(limits.contains(&told), "{limits:?}");
        }
    }
}

#[test]
fn a_host_that_cannot_be_asked_says_why() {
    let fake = Fake::new();
    fs::remove_file(fake.at("selinux/access")).unwrap();
    let script = fake.script(&[suite(&[], &[])], &[]);
    for shell in shells() {
        let output = fake.run(shell, &script);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stderr, b"there is no selinuxfs\n");
    }
}

/// Question and answer go through one open file, and each question through a new one. A process's own
/// name behaves as the kernel's file does: what is written is read back, at most 15 bytes of it, and
/// only where nothing was written before.
#[test]
fn each_question_has_an_open_file_of_its_own() {
    let fake = Fake {
        kernel: shell::KERNEL,
        ..Fake::new()
    };
    fs::remove_file(fake.at("selinux/access")).unwrap();
    symlink("/proc/self/comm", fake.at("selinux/access")).unwrap();
    let script = fake.script(&[suite(&[], &[])], &[]);
    for shell in shells() {
        let output = fake.run(shell, &script);
        let text = String::from_utf8(output.stdout).unwrap();
        let answers = text.lines().filter(|l| l.starts_with("av "));
        let (asked, read): (Vec<_>, Vec<_>) = answers.map(|l| l.split_once(" : ").unwrap()).unzip();
        assert_eq!(asked.len(), LISTED, "{shell:?}: {text}");
        assert!(
            read.iter().all(|a| *a == "system_u:system"),
            "{shell:?}: {text}"
        );
        assert!(
            text.ends_with(&format!("vectors end {LISTED}\n")),
            "{shell:?}"
        );
    }
}

#[test]
fn a_domain_of_which_the_kernel_tells_nothing_is_missing() {
    let mut reply = Reply::silent(Exit::Code(0));
    let own = context("httpd_t");
    let told = format!(
        "vectors begin 1\nclass tcp_socket 7\nperm tcp_socket listen 14\n\
         av {own} {own} tcp_socket : 3fa3f ffffffff 0 ffffffff 1 0\nvectors end 1\n"
    );
    reply.stdout.bytes = told.into_bytes();
    let domain = |name: &str| [name.to_owned()];
    assert!(read(&domain("httpd_t"), &reply).known().is_some());
    let why = read(&domain("htpd_t"), &reply);
    assert_eq!(why.why(), Some("the kernel tells nothing of htpd_t"));
}

#[test]
fn the_sockets_of_a_domain_and_the_ports_of_all_are_known_beforehand() {
    let all = queries(&[suite(&[], &[("httpd_t", "process2")])], &[]);
    let own = context("httpd_t");
    for (target, class) in [
        (&own, "tcp_socket"),
        (&own, "process2"),
        (&object("ephemeral_port_t"), "tcp_socket"),
    ] {
        assert!(
            all.contains(&Query::new(&own, target, class).unwrap()),
            "{target}"
        );
    }
    assert_eq!(all.len(), LISTED + 1);
}

#[test]
fn a_line_of_the_script_has_a_bound() {
    let types: Vec<String> = (0..250).map(|n| format!("t{n}_t")).collect();
    let pairs: Vec<(&str, &str)> = types.iter().map(|t| (t.as_str(), "shm")).collect();
    let text = lines(&queries(&[suite(&[], &pairs)], &[]));
    let counts: Vec<_> = text
        .lines()
        .filter(|l| l.starts_with("shm "))
        .map(|l| l.split(' ').count() - 2)
        .collect();
    // The domain's own is one more.
    assert_eq!(counts, [A_LINE, A_LINE, 51]);
}

fn any_query() -> impl Strategy<Value = Query> {
    let word = "[a-z][a-z_]{0,5}";
    let target = prop_oneof![
        word.prop_map(|t| object(&t)),
        word.prop_map(|t| context(&t)),
        word.prop_map(|t| format!("user_u:object_r:{t}:s0:c1,c2")),
        word.prop_map(|t| format!("u:r:{t}")),
    ];
    (word, target, word).prop_map(|(s, t, c)| Query::new(&context(&s), &t, &c).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The lines of the script say every question once and no other.
    #[test]
    fn lines_say_every_question_once(all in proptest::collection::btree_set(any_query(), 0..40)) {
        let mut said = Vec::new();
        for line in lines(&all).lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [class, source, targets @ ..] = words.as_slice() else {
                panic!("{line}");
            };
            prop_assert!(!targets.is_empty());
            for target in targets {
                let target = match target.contains(':') {
                    true => (*target).to_owned(),
                    false => object(target),
                };
                said.push(Query::new(source, &target, class).unwrap());
            }
        }
        said.sort();
        prop_assert_eq!(said, all.into_iter().collect::<Vec<_>>());
    }
}
