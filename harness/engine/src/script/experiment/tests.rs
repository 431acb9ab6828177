//! Experiments in real shells on a pretended host: the texts are real, the kernel, `semodule`,
//! `systemctl` and `dd` to selinuxfs are not.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    thread,
    time::Instant,
};

use super::*;
use crate::host::{
    frame::tests::{SHELLS, run},
    lock,
    switch::{SwitchState, arm_item, disarm_item, status_item},
};

/// The kernel takes a policy in one write or not at all, keeps the booleans in force, and gives all of it
/// back.
const DD: &str = r#"for a do case $a in if=*) i=${a#if=} ;; of=*) o=${a#of=} ;; bs=*) b=${a#bs=} ;; esac; done
echo "load ${i##*/}" >>"$HOST/log"
if [ -e "$HOST/refuses" ] || [ "$b" -lt "$(wc -c <"$i")" ]; then
echo "dd: error writing '$o': Invalid argument" >&2; exit 1; fi
s=${o%load}; { grep -v '^boolean ' "$i"; echo "boolean $(cat "$s/booleans/"*)"; } >"$s/new"
mv "$s/new" "$s/policy"; echo '1+0 records in' >&2
"#;

/// Compiles the store's base, the switch for dontaudit and what is installed, into its own root only.
const SEMODULE: &str = r#"echo "semodule $*" >>"$HOST/log"
r= t= i= d=on n=
while [ $# -gt 0 ]; do case $1 in -p) r=$2; shift ;; -s) t=$2; shift ;; -n) n=1 ;; -D) d=off ;;
-i) i=$2; shift ;; esac; shift; done
[ "$n" ] || exit 9
case $r in "$HOST"/state/switch/*) ;; *) exit 9 ;; esac
grep -q . "$r/etc/selinux/semanage.conf" || exit 9
[ ! -e "$HOST/unbuilt" ] || { echo 'libsemanage: no'; echo 'semodule: failed'; exit 1; }
{ cat "$r/var/lib/selinux/$t/active/base"; echo "dontaudit $d"
[ ! "$i" ] || cat "$i"; } >"$r/etc/selinux/$t/policy/policy.33"
"#;

/// A unit comes up only under a policy in which its domain is permissive.
const SYSTEMCTL: &str = r#"for u do :; done
f=$HOST/units/$u
case $1 in
show) read -r s <"$f"; echo "ActiveState=$s" ;;
start) echo "start $u" >>"$HOST/log"
if grep -q 'typepermissive httpd_t' "$HOST/sys/fs/selinux/policy"; then echo active >"$f"
else echo failed >"$f"; exit 1; fi ;;
stop) echo "stop $u" >>"$HOST/log"; grep -q failed "$f" || echo inactive >"$f" ;;
reset-failed) ! grep -q failed "$f" || echo inactive >"$f" ;;
kill) echo failed >"$f" ;;
esac
"#;

struct Host {
    shell: &'static str,
    dir: tempfile::TempDir,
    units: Vec<String>,
}

impl Host {
    fn new(shell: &'static str, units: &[(&str, &str)]) -> Self {
        let host = Self {
            shell,
            dir: tempfile::tempdir().unwrap(),
            units: units.iter().map(|(unit, _)| (*unit).to_owned()).collect(),
        };
        let store = "var/lib/selinux/targeted/active";
        for (path, text) in [
            ("sys/fs/selinux/enforce", "1"),
            ("sys/fs/selinux/load", ""),
            ("sys/fs/selinux/policy", "base\ndontaudit on\nboolean 0 0\n"),
            ("sys/fs/selinux/booleans/httpd_enable_homedirs", "0 0"),
            (
                "etc/selinux/config",
                "SELINUX=enforcing\nSELINUXTYPE=targeted \n",
            ),
            ("etc/selinux/semanage.conf", "module-store = direct\n"),
            (
                "etc/selinux/targeted/policy/policy.33",
                "base\ndontaudit on\n",
            ),
            (&format!("{store}/base"), "base\n"),
            (&format!("{store}/modules/100/apache/cil"), "x"),
            ("log", ""),
        ] {
            host.write(path, text);
        }
        for (unit, state) in units {
            host.write(&format!("units/{unit}"), &format!("{state}\n"));
        }
        for (name, text) in [
            ("dd", DD),
            ("semodule", SEMODULE),
            ("systemctl", SYSTEMCTL),
            ("chcon", "[ -e \"${1#--reference=}\" ] && [ -d \"$2\" ]\n"),
            ("load_policy", "echo load_policy >>\"$HOST/log\"; exit 1\n"),
        ] {
            let here = host.dir.path().display();
            host.write(
                &format!("bin/{name}"),
                &format!("#!/bin/sh\nHOST={here}\n{text}"),
            );
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(host.path(&format!("bin/{name}")), mode).unwrap();
        }
        symlink(format!("/bin/{shell}"), host.path("bin/sh")).unwrap();
        let owner = lock::Owner {
            run: "r1".to_owned(),
            ..lock::Owner::default()
        };
        host.ask(&lock::acquire_item(&owner, &host.trial().state_dir));
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn trial(&self) -> Trial {
        let id = JobId::new("r1.httpd_t").unwrap();
        let state_dir = self.path("state").display().to_string();
        Trial {
            state_dir: StateDir::new(state_dir).unwrap(),
            root: self.dir.path().display().to_string(),
            ..Trial::new(id, "httpd_t", self.units.clone()).unwrap()
        }
    }

    fn ask(&self, item: &Item) -> Reply {
        let bin = self.path("bin").display().to_string();
        let script = format!("PATH={bin}:$PATH\n{}", item.script);
        let (mut replies, _) = run(self.shell, &[&script]);
        replies.remove(0)
    }

    fn arm(&self, after: u64) -> SwitchState {
        let spec = self.trial().switch(Duration::from_secs(after));
        switch::parse(&self.ask(&arm_item(&spec, "r1"))).unwrap()
    }

    fn disarm(&self) -> SwitchState {
        let trial = self.trial();
        switch::parse(&self.ask(&disarm_item(&trial.id, &trial.state_dir))).unwrap()
    }

    fn status(&self) -> SwitchState {
        let trial = self.trial();
        switch::parse(&self.ask(&status_item(&trial.id, &trial.state_dir))).unwrap()
    }

    fn mark(&self) -> HostMark {
        let reading = read_mark(&self.units, &self.ask(&self.trial().mark_item()));
        reading
            .known()
            .unwrap_or_else(|| panic!("{reading:?}"))
            .clone()
    }

    fn build(&self) -> Result<(), String> {
        read_build(&self.ask(&self.trial().build_item()))
    }

    /// Loads a policy and starts units: its sum, and their names.
    fn change(&self, phase: Phase) -> Result<(String, Vec<String>), String> {
        let loaded = read_load(&self.ask(&self.trial().load_item(phase)))?;
        Ok((loaded, read_start(&self.ask(&self.trial().start_item()))?))
    }

    fn still(&self, sum: &str) -> Result<(), String> {
        read_still(&self.ask(&self.trial().still_item()), sum)
    }

    fn unit(&self, name: &str) -> String {
        self.read(&format!("units/{name}")).trim().to_owned()
    }

    /// Everything outside the switch and the log.
    fn files(&self) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        let mut dirs = ["etc", "var", "sys"].map(|d| self.path(d)).to_vec();
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    found.push((path.clone(), fs::read_to_string(path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }

    fn await_restored(&self) {
        let began = Instant::now();
        while self.status() != SwitchState::Restored {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "{:?}",
                self.status()
            );
            thread::park_timeout(Duration::from_millis(50));
        }
    }
}

const UNITS: [(&str, &str); 3] = [
    ("httpd", "failed"),
    ("idle", "inactive"),
    ("sshd", "active"),
];

#[test]
fn an_experiment_turns_the_policy_twice_and_leaves_the_host_as_it_was() {
    for shell in SHELLS {
        let host = Host::new(shell, &UNITS);
        let (files, before) = (host.files(), host.mark());
        assert!(
            matches!(host.arm(600), SwitchState::Armed { .. }),
            "{shell}"
        );
        assert_eq!(host.build(), Ok(()), "{shell}");
        assert_eq!(host.files(), files, "{shell}: building changes nothing");

        let (off, started) = host.change(Phase::DontauditOff).unwrap();
        assert_eq!(started, ["httpd", "idle"], "{shell}");
        assert_eq!(
            host.read("sys/fs/selinux/policy"),
            "base\ndontaudit off\nboolean 0 0\n"
        );
        assert_eq!(host.unit("httpd"), "failed", "{shell}");
        assert_eq!(host.still(&off), Ok(()), "{shell}");

        let (permissive, _) = host.change(Phase::DomainPermissive).unwrap();
        assert_ne!(permissive, off, "{shell}");
        assert_eq!(host.unit("httpd"), "active", "{shell}");
        assert!(host.still(&off).is_err(), "{shell}");
        let again = host.change(Phase::DomainPermissive).unwrap();
        assert_eq!(again, (permissive, Vec::new()), "{shell}");

        assert_eq!(host.disarm(), SwitchState::Restored, "{shell}");
        assert_eq!(before.differences(&host.mark()), Vec::<String>::new());
        assert_eq!(host.files(), files, "{shell}");
        assert!(!host.path("state/switch").exists(), "{shell}");
        let log = host.read("log");
        let touched = |word: &str| log.lines().any(|l| l.ends_with(word));
        assert!(
            !touched("sshd"),
            "{shell}: a unit that runs is left alone: {log}"
        );
        assert!(log.ends_with("stop idle\n"), "{shell}: {log}");
    }
}

#[test]
fn a_host_whose_controller_is_gone_is_restored_with_its_units() {
    for shell in SHELLS {
        let host = Host::new(shell, &UNITS);
        let before = host.mark();
        host.arm(22);
        host.build().unwrap();
        host.change(Phase::DomainPermissive).unwrap();
        assert_eq!(host.unit("httpd"), "active", "{shell}");
        host.write("state/switch/r1.httpd_t/asked", "");
        let bin = host.path("bin").display().to_string();
        let poke = format!(
            "PATH={bin}:$PATH; echo 1<>{}/state/switch/r1.httpd_t/pipe",
            host.dir.path().display()
        );
        run(shell, &[&poke]);
        host.await_restored();
        assert_eq!(before.differences(&host.mark()), Vec::<String>::new());
        assert_eq!(host.unit("httpd"), "failed", "{shell}");
        let left = fs::read_dir(host.path("state/switch/r1.httpd_t")).unwrap();
        let left: Vec<_> = left.map(|e| e.unwrap().file_name()).collect();
        assert!(
            !left.iter().any(|f| f == "saved" || f == "root"),
            "{left:?}"
        );
    }
}

#[test]
fn what_was_not_changed_is_not_restored() {
    let host = Host::new("dash", &UNITS);
    host.arm(600);
    assert_eq!(host.disarm(), SwitchState::Restored);
    assert_eq!(host.read("log"), "", "no policy is loaded, no unit touched");
}

#[test]
fn a_boolean_that_somebody_sets_meanwhile_stays_and_is_seen() {
    for shell in SHELLS {
        let host = Host::new(shell, &[]);
        let before = host.mark();
        host.arm(600);
        host.build().unwrap();
        host.change(Phase::DontauditOff).unwrap();
        host.write("sys/fs/selinux/booleans/httpd_enable_homedirs", "1 1");
        assert_eq!(host.disarm(), SwitchState::Restored, "{shell}");
        let told = ["the loaded policy changed", "the booleans in force changed"];
        assert_eq!(before.differences(&host.mark()), told, "{shell}");
    }
}

#[test]
fn a_kernel_that_takes_no_policy_back_is_told_and_nothing_is_thrown_away() {
    for shell in SHELLS {
        let host = Host::new(shell, &UNITS);
        host.arm(600);
        host.build().unwrap();
        host.change(Phase::DontauditOff).unwrap();
        host.write("refuses", "");
        let SwitchState::Failed { why } = host.disarm() else {
            panic!("{shell}")
        };
        assert!(why.contains("Invalid argument"), "{shell}: {why}");
        let log = host.read("log");
        let (load, stop) = (log.find("load_policy\n"), log.find("stop idle\n"));
        assert!(load.is_some() && load < stop, "{shell}: {log}");
        assert!(
            host.path("state/switch/r1.httpd_t/saved").exists(),
            "{shell}"
        );
        fs::remove_file(host.path("refuses")).unwrap();
        assert_eq!(host.disarm(), SwitchState::Restored, "{shell}");
    }
}

#[test]
fn a_policy_that_is_not_built_or_not_taken_changes_nothing() {
    for shell in SHELLS {
        let host = Host::new(shell, &UNITS);
        let files = host.files();
        host.arm(600);
        host.write("unbuilt", "");
        let why = host.build().unwrap_err();
        assert!(why.contains("cannot be built: libsemanage: no"), "{why}");
        let why = host.change(Phase::DontauditOff).unwrap_err();
        assert!(why.contains("was not built"), "{shell}: {why}");
        fs::remove_file(host.path("unbuilt")).unwrap();
        host.build().unwrap();
        host.write("refuses", "");
        let why = host.change(Phase::DontauditOff).unwrap_err();
        assert!(why.contains("Invalid argument"), "{shell}: {why}");
        fs::remove_file(host.path("refuses")).unwrap();
        assert_eq!(host.disarm(), SwitchState::Restored);
        assert_eq!(host.files(), files, "{shell}");
    }
}

#[test]
fn a_domain_that_is_permissive_already_proves_nothing() {
    let host = Host::new("dash", &[]);
    host.write(
        "bin/semodule",
        &format!(
            "#!/bin/sh\nHOST={}\n{}",
            host.dir.path().display(),
            SEMODULE.replace("cat \"$i\"", ":")
        ),
    );
    host.arm(600);
    let why = host.build().unwrap_err();
    assert!(why.contains("httpd_t is permissive already"), "{why}");
    host.disarm();
}

#[test]
fn a_host_on_which_it_cannot_be_made_says_so() {
    for shell in SHELLS {
        for (path, why) in [
            ("var/lib/selinux", "no store of CIL modules"),
            ("sys/fs/selinux", "no selinuxfs"),
        ] {
            let host = Host::new(shell, &[]);
            fs::remove_dir_all(host.path(path)).unwrap();
            let SwitchState::Rejected { why: told } = host.arm(600) else {
                panic!("{shell}, {path}")
            };
            assert!(told.contains(why), "{shell}: {told}");
            let mark = read_mark(&[], &host.ask(&host.trial().mark_item()));
            assert!(mark.why().unwrap().contains(why), "{shell}: {mark:?}");
        }
        let host = Host::new(shell, &[]);
        host.write("sys/fs/selinux/enforce", "0");
        let why = "SELinux does not enforce".to_owned();
        assert_eq!(host.arm(600), SwitchState::Rejected { why }, "{shell}");
    }
}

#[test]
fn the_store_of_el7_is_found_below_etc() {
    let host = Host::new("bash", &[]);
    let mark = host.mark();
    let from = host.path("var/lib/selinux/targeted/active");
    fs::rename(from, host.path("etc/selinux/targeted/active")).unwrap();
    fs::remove_dir_all(host.path("var/lib/selinux")).unwrap();
    assert_eq!(mark.differences(&host.mark()), Vec::<String>::new());
}

#[test]
fn half_a_mark_is_none() {
    let whole = "mode=1\nloaded=a\ndisk=b\nmodules=c\nbooleans=d\nunit.httpd=active\n";
    let units = ["httpd".to_owned()];
    let read = |text: &str| {
        let mut reply = Reply::silent(crate::host::Exit::Code(0));
        reply.stdout.bytes = text.into();
        read_mark(&units, &reply)
    };
    assert!(read(whole).known().is_some());
    for line in whole.lines() {
        let key = line.split_once('=').unwrap().0;
        let without = whole.replace(&format!("{line}\n"), "");
        let empty = whole.replace(line, &format!("{key}="));
        assert!(read(&without).why().is_some(), "without {key}");
        assert!(read(&empty).why().is_some(), "empty {key}");
    }
}

#[test]
fn a_change_without_its_end_is_none() {
    let reply = |text: &str| {
        let mut reply = Reply::silent(crate::host::Exit::Code(0));
        reply.stdout.bytes = text.into();
        reply
    };
    assert_eq!(read_load(&reply("loaded=a\n")), Ok("a".to_owned()));
    let started = read_start(&reply("started=httpd\nstarted\n"));
    assert_eq!(started, Ok(vec!["httpd".to_owned()]));
    for text in ["", "started=httpd\n", "pgswitch refused no\n"] {
        assert!(read_load(&reply(text)).is_err(), "{text:?}");
        assert!(read_start(&reply(text)).is_err(), "{text:?}");
        assert!(read_build(&reply(text)).is_err(), "{text:?}");
        assert!(read_still(&reply(text), "b").is_err(), "{text:?}");
    }
    let lost = Reply::silent(crate::host::Exit::Lost { why: "x".into() });
    assert!(read_load(&lost).is_err() && read_start(&lost).is_err());
    assert!(read_build(&lost).is_err());
}

#[test]
fn only_a_types_name_is_a_domain() {
    let trial = |domain| Trial::new(JobId::new("x").unwrap(), domain, Vec::new());
    for bad in ["", "a b", "httpd_t)", "$(x)", "-t", "_t", "a\nb"] {
        assert_eq!(trial(bad), Err(BadDomain(bad.to_owned())), "{bad:?}");
    }
    assert!(trial("httpd_t").is_ok());
}

/// Stands in for `timeout`, for which no start ends.
const TIMEOUT: &str = r#"n=$1; shift
case $* in 'systemctl start '*) echo activating >"$HOST/units/${3}"; exit 124 ;; esac
exec "$@"
"#;

#[test]
fn a_start_without_an_end_ends_the_experiment() {
    for shell in SHELLS {
        let host = Host::new(shell, &UNITS);
        let before = host.mark();
        host.arm(600);
        host.build().unwrap();
        let here = host.dir.path().display();
        host.write("bin/timeout", &format!("#!/bin/sh\nHOST={here}\n{TIMEOUT}"));
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(host.path("bin/timeout"), mode).unwrap();
        let why = host.change(Phase::DomainPermissive).unwrap_err();
        assert!(
            why.contains("the start of httpd did not end"),
            "{shell}: {why}"
        );
        // Nor does the start end by which a failed unit is brought back to what it was.
        assert_eq!(host.disarm(), SwitchState::Restored, "{shell}");
        assert_eq!(
            before.differences(&host.mark()),
            Vec::<String>::new(),
            "{shell}"
        );
    }
}
