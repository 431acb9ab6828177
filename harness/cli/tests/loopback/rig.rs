//! A host or two, and the program that asks them.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::{
    net::{Net, OTHER, SERVER},
    program::{Ended, Place},
    sshd::{Sshd, USER},
};

/// A gate for hosts of which no audit evidence can be had.
pub(crate) const GATE: &str =
    "gate: quick\nrequire:\n  suites: { web: all }\n  coverage: not-collected\n";

/// What the program is asked with.
pub(crate) const CHECK: &str = "check -i inventory.yaml --suite ./suite.yaml -o run";

/// The same with [`GATE`].
pub(crate) const QUICK: &str =
    "check -i inventory.yaml --suite ./suite.yaml --gate gate.yaml -o run";

/// One server that answers SSH at two addresses, and files that describe it.
#[must_use]
pub(crate) struct Rig {
    pub(crate) net: Net,
    pub(crate) sshd: Sshd,
    pub(crate) place: Place,
}

impl Rig {
    /// One host `web1`, to be logged in to as a user without rights, and this suite.
    pub(crate) fn new(suite: &str) -> Self {
        Self::with(suite, Sshd::start)
    }

    /// As [`Self::new`], with this server.
    pub(crate) fn with(suite: &str, start: impl FnOnce(&Net) -> Sshd) -> Self {
        let net = Net::new();
        let sshd = start(&net);
        let place = Place::new(&["nsenter", &net.as_client()])
            .with("suite.yaml", suite)
            .with("gate.yaml", GATE);
        let rig = Self { net, sshd, place };
        rig.pin(&rig.sshd.public("host.pub"));
        rig.describe(USER, &[("web1", SERVER)]);
        rig
    }

    /// Writes an inventory.
    pub(crate) fn describe(&self, user: &str, hosts: &[(&str, Ipv4Addr)]) {
        let key = self.sshd.path("id");
        let mut text = format!(
            "all:\n  vars:\n    ansible_user: {user}\n    ansible_ssh_private_key_file: {}\n    \
             patchgate_known_hosts: known\n  hosts:\n",
            key.display()
        );
        for (name, address) in hosts {
            text.push_str(
                &[
                    "    ",
                    name,
                    ": { ansible_host: ",
                    &address.to_string(),
                    " }\n",
                ]
                .concat(),
            );
        }
        self.write("inventory.yaml", &text);
    }

    /// Pins a key for both addresses.
    pub(crate) fn pin(&self, key: &str) {
        self.write("known", &format!("{SERVER} {key}\n{OTHER} {key}\n"));
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.place.path(name), text).unwrap();
    }

    /// Runs the program as a client, to its end.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        self.place.run(arguments)
    }

    /// The verdict of the run in `run`.
    pub(crate) fn verdict(&self) -> Value {
        serde_json::from_str(&self.place.read("run/verdict.json")).unwrap()
    }
}

/// How a check of `web1` ended, by a JUnit report: `passed`, or the element, its type and message.
#[track_caller]
pub(crate) fn outcome(junit: &str, check: &str) -> String {
    let case = format!("<testcase name=\"{check}[baseline]\"");
    let (_, rest) = junit
        .split_once(&case)
        .unwrap_or_else(|| panic!("no case {check}:\n{junit}"));
    let (tag, rest) = rest.split_once('>').unwrap();
    if tag.ends_with('/') {
        return "passed".to_owned();
    }
    let (child, _) = rest.split_once('>').unwrap();
    let word = child
        .trim_start()
        .trim_start_matches('<')
        .split(' ')
        .next()
        .unwrap();
    let value = |name: &str| {
        let (_, rest) = child.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap()
    };
    format!("{word} {}: {}", value("type"), value("message"))
}
