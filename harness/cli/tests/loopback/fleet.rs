//! Hosts of Enterprise Linux as far as packages go: each its own sshd, and a real rpm and dnf with a
//! database, a history and a repository of their own. One Apache serves all of their addresses.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{
    apache::Apache,
    net::{Net, address},
    program::{Ended, Place},
    rig::GATE,
    sshd::Sshd,
};

/// What a patch run is asked with.
pub(crate) const PATCH: &str = "run -i inventory.yaml --suite ./suite.yaml --gate gate.yaml \
                                --patch patch.yaml --rollout -o run";

/// Its command stays for as long as the host has `/var/lib/stay`, and tells in `/var/lib/in-check` that it
/// got there. Where there is `/var/lib/breaks`, it fails once the patch is in.
const SUITE: &str = r#"suite: web
checks:
  - id: page
    http: { url: "http://{{ host }}/", body: { contains: nonce-5f3a }, within: 3s }
  - id: here
    command:
      run: "cd /var/lib; : >in-check; while [ -e stay ]; do sleep 0.1; done; test ! -e breaks || test ! -s in-transaction"
      within: 30s
"#;

/// A package that stays in its transaction for as long as the host has `/var/lib/hold`, and leaves a letter in
/// `/var/lib/in-transaction` each time that it gets there.
const SPEC: &str = "Name: pgtest\nVersion: %{ver}\nRelease: 1.el9\nSummary: A package for tests\n\
                    License: MIT\nBuildArch: noarch\n%description\nNone.\n%files\n%pre -p <lua>\n\
                    local file = io.open(\"/var/lib/in-transaction\", \"a\")\nfile:write(\"x\")\nfile:close()\n\
                    while posix.access(\"/var/lib/hold\", \"f\") do posix.sleep(1) end\n";

/// What is installed before.
pub(crate) const OLD: &str = "pgtest-1-1.el9.noarch";
/// What the repository has.
pub(crate) const NEW: &str = "pgtest-2-1.el9.noarch";

/// So many hosts, and the program that patches them.
#[must_use]
pub(crate) struct Fleet {
    pub(crate) net: Net,
    pub(crate) hosts: Vec<Sshd>,
    pub(crate) place: Place,
    pub(crate) apache: Apache,
}

/// An event of the record.
pub(crate) struct Told {
    pub(crate) host: String,
    pub(crate) kind: String,
    pub(crate) at: jiff::Timestamp,
}

impl Fleet {
    /// So many hosts `web1` …, each with [`OLD`] installed and [`NEW`] to be had.
    pub(crate) fn new(count: u8) -> Self {
        let net = Net::new();
        let place = Place::new(&["nsenter", &net.as_client()])
            .with("suite.yaml", SUITE)
            .with("gate.yaml", GATE)
            .with("patch.yaml", "patch_set: all\nselect: { updates: all }\n")
            .with("pgtest.spec", SPEC);
        let repository = place.path("repository");
        let old = build(&place, "1", "old").join(format!("{OLD}.rpm"));
        build(&place, "2", "repository");
        must(Command::new("createrepo_c").arg("-q").arg(&repository));
        let start = |n| {
            let mounts = |dir: &Path| equip(dir, &repository, &old);
            Sshd::start_with(&net, &[address(n)], mounts)
        };
        let hosts: Vec<_> = (0..count).map(start).collect();
        let apache = Apache::start(&net, "80");
        let fleet = Self {
            net,
            hosts,
            place,
            apache,
        };
        fleet.describe(|_| String::new());
        fleet
    }

    /// Writes the inventory, with these variables more for each host, by its number from 1.
    pub(crate) fn describe(&self, variables: impl Fn(usize) -> String) {
        let hosts = self.hosts.iter().zip(1..).map(|(sshd, n)| {
            let key = sshd.path("id");
            format!(
                "    web{n}: {{ ansible_host: {}, ansible_ssh_private_key_file: {}{} }}\n",
                address(n - 1),
                key.display(),
                variables(n.into()),
            )
        });
        let head = "all:\n  vars: { ansible_user: root, patchgate_known_hosts: known }\n  hosts:\n";
        let text = head.to_owned() + &hosts.collect::<String>();
        let keys = self.hosts.iter().map(|sshd| sshd.public("host.pub"));
        let known = keys
            .zip(0..)
            .map(|(key, n)| format!("{} {key}\n", address(n)));
        let known: String = known.collect();
        fs::write(self.place.path("inventory.yaml"), text).unwrap();
        fs::write(self.place.path("known"), known).unwrap();
    }

    /// Runs the program as a client, to its end.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        self.place.run(arguments)
    }

    /// A file of a host's `/var/lib`, by the host's number from 1.
    pub(crate) fn on_host(&self, host: usize, name: &str) -> PathBuf {
        self.hosts[host - 1].path("var").join(name)
    }

    /// How often a host's transaction was carried out.
    pub(crate) fn transactions(&self, host: usize) -> usize {
        let told = fs::read_to_string(self.on_host(host, "in-transaction"));
        told.unwrap_or_default().len()
    }

    /// The packages that a host has, by its number from 1.
    pub(crate) fn packages(&self, host: usize) -> Vec<String> {
        let mut rpm = Command::new("rpm");
        let query = rpm
            .arg("--dbpath")
            .arg(self.hosts[host - 1].path("var/rpm"));
        let output = query.arg("-qa").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// What the record holds so far.
    pub(crate) fn events(&self) -> Vec<Told> {
        let text = fs::read_to_string(self.place.path("run/events.jsonl")).unwrap_or_default();
        // The last line may be in the midst of being written.
        let lines = text.lines().filter_map(|l| serde_json::from_str(l).ok());
        lines.map(|line: Value| told(&line["event"])).collect()
    }

    /// The verdict of the run in `run`.
    pub(crate) fn verdict(&self) -> Value {
        serde_json::from_str(&self.place.read("run/verdict.json")).unwrap()
    }
}

fn told(event: &Value) -> Told {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Told {
        host: text(&event["host"]),
        kind: text(&event["what"]["kind"]),
        at: event["at"].as_str().unwrap().parse().unwrap(),
    }
}

/// Builds a version of the package into a directory, and tells where it lies.
fn build(place: &Place, version: &str, into: &str) -> PathBuf {
    let define = |name: &str, value: &str| ["--define".to_owned(), format!("{name} {value}")];
    let at = |name: &str| place.path(name).display().to_string();
    let mut rpmbuild = Command::new("rpmbuild");
    let rpmbuild = rpmbuild
        .arg("-bb")
        .args(define("ver", version))
        .args(define("_topdir", &at("build")))
        .args(define("_rpmdir", &at(into)))
        .args(define("_dbpath", &at("no-database")))
        .args(define(
            "_build_name_fmt",
            "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm",
        ));
    must(rpmbuild.arg(place.path("pgtest.spec")));
    place.path(into)
}

/// Gives a host its package database and the files that its dnf reads, and tells the mounts that bring
/// them to their places.
fn equip(dir: &Path, repository: &Path, old: &Path) -> String {
    let write = |name: &str, text: &str| {
        let path = dir.join("etc").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("rpm/macros", "%_dbpath /var/lib/rpm\n");
    write("dnf/dnf.conf", "[main]\ngpgcheck=0\n");
    let baseurl = repository.display();
    write(
        "yum.repos.d/updates.repo",
        &format!("[updates]\nname=updates\nbaseurl=file://{baseurl}\n"),
    );
    write(
        "os-release",
        "NAME=\"AlmaLinux\"\nID=almalinux\nVERSION_ID=\"9.6\"\nPLATFORM_ID=\"platform:el9\"\n\
         PRETTY_NAME=\"AlmaLinux 9.6\"\n",
    );
    let mut rpm = Command::new("rpm");
    let rpm = rpm.arg("--dbpath").arg(dir.join("var/rpm"));
    must(rpm.args(["-i", "--nodeps", "--noscripts"]).arg(old));
    fs::create_dir(dir.join("work")).unwrap();
    let at = dir.display();
    format!(
        "mount -t overlay -o lowerdir=/etc,upperdir={at}/etc,workdir={at}/work overlay /etc; \
         mount -t tmpfs tmpfs /var/cache; mount -t tmpfs tmpfs /var/log;"
    )
}

#[track_caller]
pub(crate) fn must(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
