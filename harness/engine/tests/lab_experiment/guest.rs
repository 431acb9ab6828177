//! The machine that is experimented with, and everything that an experiment must leave as it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::PathBuf,
    process::Output,
};

use patchgate_core::diagnosis::HostMark;
use patchgate_engine::{
    host::{Captured, Exit, Reply, job::JobId},
    lab::{HostState, Lab, Progress},
    script::experiment::{self, Trial},
};

pub(crate) const HOST: &str = "lab-rebuild";

/// Says that two snapshots are the same, or which lines are not.
#[track_caller]
pub(crate) fn assert_same(
    before: &BTreeMap<&'static str, String>,
    after: &BTreeMap<&'static str, String>,
    when: &str,
) {
    for (name, before) in before {
        let lines = |text: &str| text.lines().map(ToOwned::to_owned).collect::<BTreeSet<_>>();
        let (was, is) = (lines(before), lines(&after[name]));
        let differences: Vec<_> = was.symmetric_difference(&is).collect();
        assert!(differences.is_empty(), "{when}, {name}: {differences:#?}");
    }
}

/// The lab with one clean machine, taken down whatever the test's end.
pub(crate) struct Guest {
    lab: Lab,
    inventory: PathBuf,
}

impl Guest {
    /// Starts the machine. Namespaces of its own, and the cache of the lab, which must be down.
    pub(crate) fn up() -> Self {
        let from_env = Lab::from_env().unwrap();
        let is_down = |row: &patchgate_engine::lab::HostStatus| row.state == HostState::Down;
        assert!(from_env.status().iter().all(is_down), "a lab is up");
        let lab = Lab::new(from_env.dirs().clone(), "pgtest");
        let inventory = lab.up(&[HOST.to_owned()], true, &report).unwrap();
        let guest = Self { lab, inventory };
        // Its jobs come and go among the processes that are compared.
        guest.run("systemctl stop cron");
        guest
    }

    /// The inventory of the lab.
    pub(crate) fn inventory(&self) -> &PathBuf {
        &self.inventory
    }

    /// A command where the remote client is.
    pub(crate) fn remote(&self, words: &[OsString]) -> std::process::Command {
        self.lab.exec_command(words).unwrap()
    }

    /// Runs a script as root, whatever comes of it.
    pub(crate) fn attempt(&self, script: &str) -> Output {
        let mut command = self.lab.ssh_command(HOST, &[script.to_owned()]).unwrap();
        command.output().unwrap()
    }

    /// Runs a script as root; it must succeed.
    pub(crate) fn run(&self, script: &str) -> String {
        let output = self.attempt(script);
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Brings the updates of the night of the outage.
    pub(crate) fn february(&self) {
        self.run("dnf -q -y --enablerepo=updates-february update >/dev/null 2>&1");
        assert_eq!(self.unit(), "active");
    }

    /// Restarts the web server, which then cannot listen.
    pub(crate) fn restart_in_vain(&self) {
        assert!(!self.attempt("systemctl restart httpd").status.success());
        assert_eq!(self.unit(), "failed");
    }

    fn unit(&self) -> String {
        let state = self.run("systemctl show -p ActiveState httpd");
        state.trim().trim_start_matches("ActiveState=").to_owned()
    }

    /// What the host is, as the engine asks for it.
    pub(crate) fn mark(&self) -> HostMark {
        let units = vec!["httpd".to_owned()];
        let trial = Trial::new(JobId::new("look").unwrap(), "httpd_t", units.clone()).unwrap();
        let output = self.attempt(&trial.mark_item().script);
        let said = |bytes| Captured { bytes, dropped: 0 };
        let reply = Reply {
            stdout: said(output.stdout),
            stderr: said(output.stderr),
            ..Reply::silent(Exit::Code(
                u8::try_from(output.status.code().unwrap()).unwrap(),
            ))
        };
        let mark = experiment::read_mark(&units, &reply);
        mark.known().unwrap_or_else(|| panic!("{mark:?}")).clone()
    }

    /// Begins to look for files that change below the policy's directories.
    pub(crate) fn watch_files(&self) {
        self.run("touch /root/before");
    }

    /// Everything that an experiment must leave as it was, by what it is.
    pub(crate) fn snapshot(&self) -> BTreeMap<&'static str, String> {
        let looks = [
            ("mode and booleans", "getenforce; getsebool -a"),
            ("modules", "semodule -lfull"),
            (
                "permissive domains",
                "semodule -l | grep ^permissive_; true",
            ),
            (
                "policy",
                "sha256sum /sys/fs/selinux/policy /etc/selinux/targeted/policy/*",
            ),
            (
                "files of the policy that changed",
                "find /etc/selinux /var/lib/selinux -newer /root/before",
            ),
            (
                "labels",
                "find /etc/selinux /var/lib/selinux /var/www -printf '%p %Z\\n' | sort",
            ),
            (
                "units",
                "systemctl list-units --all --plain --no-legend --type=service --type=socket \
                 | grep -v -e '^user' -e '^sysstat' | awk '{print $1, $2, $3, $4}' | sort",
            ),
            // A batch whose controller is gone keeps its watchdog for as long as it might have run.
            (
                "processes",
                "ps -eo args= | grep -v -e '^\\[' -e '^ps ' -e '^sshd: ' -e '^grep ' -e '^sort' \
                 -e '^bash -c' -e '^/bin/sh -c eval' -e '^sleep ' | sort -u",
            ),
        ];
        let looked = looks.map(|(name, script)| (name, self.run(script)));
        BTreeMap::from(looked)
    }

    /// What is left of patchgate.
    pub(crate) fn left(&self) -> Vec<String> {
        let found = self.run("find /var/lib/patchgate -mindepth 1 -type f | sort");
        found.lines().map(ToOwned::to_owned).collect()
    }

    /// Seconds since it booted.
    pub(crate) fn uptime(&self) -> f64 {
        let uptime = self.run("cat /proc/uptime");
        uptime.split(' ').next().unwrap().parse().unwrap()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Err(error) = self.lab.down(&report) {
            println!("down failed: {error}");
        }
    }
}

fn report(progress: &Progress) {
    println!("{progress}");
}
